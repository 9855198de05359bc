/** Vectors: floods, each up to its budget and one frame beyond; and useful traffic, which is none. */
import { Buffer } from 'node:buffer';

import {
  ACK,
  answer,
  CODE,
  data,
  END_HEADERS,
  frame,
  goAway,
  type GuardRow,
  headers,
  ping,
  priority,
  refused,
  request,
  rstStream,
  settings,
  settingsAck,
  type Step,
  times,
  upload,
  windowUpdate,
} from './row.ts';

const isClient = (step: Step): step is Buffer => Buffer.isBuffer(step);

/** `count` of the steps go through, one more does not. */
const flood = (
  name: string,
  fault: NonNullable<GuardRow['fault']>,
  {
    count,
    step,
    before = [],
    passes = true,
  }: { count: number; step: Buffer; before?: Step[]; passes?: boolean },
): GuardRow => ({
  name: `${name}: ${count} and no more`,
  rfc: '10.5',
  steps: [...before, ...times(count, () => step), step, ping()],
  passed: [...before.filter(isClient), ...(passes ? times(count, () => step) : [])],
  fault,
});

const plain: GuardRow[] = [
  // A request earns one, the SETTINGS of the opening cost one.
  flood('PING', 'pingFlood', { count: 1000, step: ping() }),
  flood('PING with ACK', 'pingFlood', { count: 1000, step: ping(ACK), passes: false }),
  flood('SETTINGS', 'settingsFlood', { count: 99, step: settings([4, 10]) }),
  flood('SETTINGS with ACK', 'settingsFlood', { count: 99, step: settingsAck(), passes: false }),
  flood('PRIORITY', 'priorityFlood', { count: 1000, step: priority(1, 3), passes: false }),
  flood('unknown frames', 'unknownFlood', { count: 1000, step: frame(0x20, 0, 0), passes: false }),
  flood('GOAWAY after the first', 'unknownFlood', {
    count: 1000,
    step: goAway(),
    before: [goAway()],
    passes: false,
  }),
  flood('empty DATA', 'emptyDataFlood', { count: 1001, step: data(1, 0), before: [upload(1)] }),
  flood('DATA of padding alone', 'emptyDataFlood', {
    count: 1001,
    step: data(1, Buffer.of(3, 0, 0, 0), 8),
    before: [upload(1)],
  }),
  flood('empty DATA on a stream that the server has reset', 'emptyDataFlood', {
    count: 1001,
    step: data(1, 0),
    before: [upload(1), { server: rstStream(1, CODE.cancel) }],
    passes: false,
  }),
  flood('WINDOW_UPDATE of the connection', 'windowUpdateFlood', { count: 1000, step: windowUpdate(0, 1) }),
  flood('WINDOW_UPDATE of a stream', 'windowUpdateFlood', {
    count: 1010,
    step: windowUpdate(1, 1),
    before: [request(1)],
  }),
  flood('WINDOW_UPDATE of a closed stream', 'windowUpdateFlood', {
    count: 1020,
    step: windowUpdate(1, 1),
    before: [request(1), answer(1)],
    passes: false,
  }),
];

/** The n-th stream of a client. */
const id = (index: number): number => 2 * index + 1;
const LOW = { rstBurst: 10, rstRate: 1 };

const resetRows: GuardRow[] = [
  {
    name: 'Rapid Reset (CVE-2023-44487)',
    rfc: '10.5',
    limits: LOW,
    steps: times(20, (index) => [request(id(index)), rstStream(id(index), 8)]).flat(),
    passed: [...times(10, (index) => [request(id(index)), rstStream(id(index), 8)]).flat(), request(id(10))],
    fault: 'resetFlood',
  },
  {
    name: 'RST_STREAM again and again on a closed stream',
    rfc: '10.5',
    limits: LOW,
    steps: [request(1), ...times(20, () => rstStream(1, 8))],
    passed: [request(1), rstStream(1, 8)],
    fault: 'resetFlood',
  },
  {
    name: 'resets drawn by WINDOW_UPDATE of 0 (CVE-2025-8671)',
    rfc: '10.5',
    limits: LOW,
    steps: times(20, (index) => [request(id(index)), windowUpdate(id(index), 0)]).flat(),
    passed: [
      ...times(10, (index) => [request(id(index)), rstStream(id(index), CODE.protocol)]).flat(),
      request(id(10)),
    ],
    replies: times(10, (index) => rstStream(id(index), CODE.protocol)),
    fault: 'resetFlood',
  },
  {
    name: 'resets drawn by DATA on half-closed streams',
    rfc: '10.5',
    limits: LOW,
    steps: times(20, (index) => [request(id(index)), data(id(index), 1)]).flat(),
    passed: [
      ...times(10, (index) => [request(id(index)), rstStream(id(index), CODE.streamClosed)]).flat(),
      request(id(10)),
    ],
    replies: times(10, (index) => rstStream(id(index), CODE.streamClosed)),
    fault: 'resetFlood',
  },
  {
    name: 'resets drawn by streams above the limit',
    rfc: '10.5',
    limits: { ...LOW, maxConcurrentStreams: 1 },
    steps: [request(1), ...times(20, (index) => request(id(index + 1)))],
    passed: [request(1), ...times(10, (index) => refused(id(index + 1))).flat()],
    replies: times(10, (index) => rstStream(id(index + 1), CODE.refused)),
    fault: 'resetFlood',
  },
  {
    name: 'HEADERS again and again on a stream that the server has reset',
    rfc: '10.5',
    limits: LOW,
    steps: [upload(1), { server: rstStream(1, CODE.cancel) }, ...times(20, () => headers(1))],
    passed: [upload(1), ...times(10, () => refused(1)).flat()],
    fault: 'resetFlood',
  },
  {
    name: 'resets by which node:http2 answers malformed requests',
    rfc: '10.5',
    limits: LOW,
    steps: times(20, (index): Step[] => [
      request(id(index)),
      { server: rstStream(id(index), CODE.protocol) },
    ]).flat(),
    passed: times(11, (index) => request(id(index))),
    fault: 'resetFlood',
  },
  {
    name: 'resets by which the application gives up are not the fault of the client',
    rfc: '10.5',
    limits: LOW,
    steps: times(20, (index): Step[] => [
      request(id(index)),
      { server: rstStream(id(index), CODE.cancel) },
    ]).flat(),
    passed: times(20, (index) => request(id(index))),
  },
  {
    name: 'resets within the rate',
    rfc: '10.5',
    limits: LOW,
    steps: times(50, (index): Step[] => [
      request(id(index)),
      rstStream(id(index), 8),
      { milliseconds: 1000 },
    ]).flat(),
    passed: times(50, (index) => [request(id(index)), rstStream(id(index), 8)]).flat(),
  },
  {
    name: 'time does not save up more than the burst',
    rfc: '10.5',
    limits: LOW,
    steps: [
      { milliseconds: 3_600_000 },
      ...times(20, (index) => [request(id(index)), rstStream(id(index), 8)]).flat(),
    ],
    passed: [...times(10, (index) => [request(id(index)), rstStream(id(index), 8)]).flat(), request(id(10))],
    fault: 'resetFlood',
  },
];

const usefulDownload: Step[] = times(1500, () => [
  { server: data(1, 8000) },
  windowUpdate(0, 8000),
  windowUpdate(1, 8000),
]).flat();
const tinyDownload: Step[] = times(1500, () => [
  { server: data(1, 7) },
  windowUpdate(0, 7),
  windowUpdate(1, 7),
]).flat();
const connectionTrickle: Step[] = times(5600, () => [windowUpdate(0, 1), { server: data(1, 1) }]).flat();
const trickle: Step[] = times(1200, () => [windowUpdate(1, 1), { server: data(1, 1) }]).flat();
const batchedDownload: Step[] = times(300, () => [
  { server: Buffer.concat(times(10, () => data(1, 7))) },
  ...times(10, () => [windowUpdate(0, 7), windowUpdate(1, 7)]).flat(),
]).flat();
/** DATA that fills a window of 128 bytes, again and again. */
const smallWindow: Step[] = times(1500, () => [
  { server: data(1, 128) },
  windowUpdate(0, 128),
  windowUpdate(1, 128),
]).flat();
const busyUpload: Step[] = times(1200, (): Step[] => [
  data(1, 4096),
  ping(),
  { server: windowUpdate(0, 4096) },
  { server: windowUpdate(1, 4096) },
]).flat();

/** Increments of one byte that a client may send: burst, request, 64 for each KiB of DATA. */
const BY_BYTE = 5445;

const usefulRows: GuardRow[] = [
  {
    name: 'two WINDOW_UPDATE for each DATA frame of a long download',
    rfc: '6.9',
    steps: [request(1), ...usefulDownload],
    passed: [request(1), ...usefulDownload.filter(isClient)],
  },
  {
    name: 'two WINDOW_UPDATE for each of many tiny DATA frames',
    rfc: '6.9',
    steps: [request(1), ...tinyDownload],
    passed: [request(1), ...tinyDownload.filter(isClient)],
  },
  {
    name: 'two WINDOW_UPDATE for each of many tiny DATA frames, twenty at once',
    rfc: '6.9',
    steps: [request(1), ...batchedDownload],
    passed: [request(1), ...batchedDownload.filter(isClient)],
  },
  {
    name: 'two WINDOW_UPDATE for each DATA frame that has filled a small window',
    rfc: '6.9',
    steps: [settings([4, 128]), request(1), ...smallWindow],
    passed: [settings([4, 128]), request(1), ...smallWindow.filter(isClient)],
  },
  {
    name: 'the window of the connection opened byte by byte (CVE-2019-9511)',
    rfc: '10.5',
    steps: [request(1), windowUpdate(1, 100_000), { server: data(1, 65_535) }, ...connectionTrickle],
    passed: [request(1), windowUpdate(1, 100_000), ...times(BY_BYTE, () => windowUpdate(0, 1))],
    fault: 'windowUpdateFlood',
  },
  {
    name: 'a window opened byte by byte (CVE-2019-9511)',
    rfc: '10.5',
    steps: [settings([4, 0]), request(1), ...trickle],
    // Burst, request, and the bytes themselves.
    passed: [settings([4, 0]), request(1), ...times(1077, () => windowUpdate(1, 1))],
    fault: 'windowUpdateFlood',
  },
  {
    name: 'a window opened byte by byte, each paid with a byte of DATA',
    rfc: '10.5',
    steps: [settings([4, 0]), upload(1), ...times(1200, () => [data(1, 1), windowUpdate(1, 1)]).flat()],
    passed: [
      settings([4, 0]),
      upload(1),
      ...times(1077, () => [data(1, 1), windowUpdate(1, 1)]).flat(),
      data(1, 1),
    ],
    fault: 'windowUpdateFlood',
  },
  {
    name: 'a PING for each 4 KiB of a long upload',
    rfc: '6.7',
    steps: [upload(1), ...busyUpload],
    passed: [upload(1), ...busyUpload.filter(isClient)],
  },
  {
    name: 'a PING and a PRIORITY for each of many requests',
    rfc: '6.7',
    steps: times(1500, (index): Step[] => [
      request(id(index)),
      ping(),
      priority(id(index), 0),
      answer(id(index)),
    ]).flat(),
    passed: times(1500, (index) => [request(id(index)), ping()]).flat(),
  },
  {
    name: 'HEADERS without padding or fields are left to node:http2',
    rfc: '8.3.1',
    steps: [frame(1, 1 | END_HEADERS, 1)],
    passed: [frame(1, 1 | END_HEADERS, 1)],
  },
];

export const floodRows: readonly GuardRow[] = [...plain, ...resetRows, ...usefulRows];
