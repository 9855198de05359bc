/** Vectors: the preface, and the frames that belong to the connection. */
import { Buffer } from 'node:buffer';

import {
  ACK,
  frame,
  goAway,
  type GuardRow,
  ping,
  PREFACE,
  request,
  settings,
  settingsAck,
  times,
  u32,
  windowUpdate,
} from './row.ts';

const opening: GuardRow[] = [
  {
    name: 'the preface and an empty SETTINGS begin a connection',
    rfc: '3.4',
    isRaw: true,
    steps: [PREFACE, settings()],
    passed: [PREFACE, settings()],
  },
  {
    name: 'a wrong preface',
    rfc: '3.4',
    isRaw: true,
    steps: [Buffer.from('XRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings()],
    passed: [],
    fault: 'badPreface',
  },
  {
    name: 'a request of HTTP/1.1 in place of the preface',
    rfc: '3.4',
    isRaw: true,
    steps: [Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')],
    passed: [],
    fault: 'badPreface',
  },
  {
    name: 'HEADERS before SETTINGS',
    rfc: '3.4',
    isRaw: true,
    steps: [PREFACE, request(1)],
    passed: [PREFACE],
    fault: 'settingsExpected',
  },
  {
    name: 'an unknown frame before SETTINGS',
    rfc: '3.4',
    isRaw: true,
    steps: [PREFACE, frame(0x20, 0, 0)],
    passed: [PREFACE],
    fault: 'settingsExpected',
  },
  {
    name: 'SETTINGS with ACK as the first frame',
    rfc: '3.4',
    isRaw: true,
    steps: [PREFACE, settingsAck()],
    passed: [PREFACE],
    fault: 'settingsExpected',
  },
];

const ENABLE_PUSH = 2;
const INITIAL_WINDOW = 4;
const MAX_FRAME = 5;
const CONNECT = 8;

const accepted = (name: string, rfc: string, ...frames: Buffer[]): GuardRow => ({
  name,
  rfc,
  steps: frames,
  passed: frames,
});
const rejected = (
  name: string,
  rfc: string,
  fault: NonNullable<GuardRow['fault']>,
  bad: Buffer,
): GuardRow => ({
  name,
  rfc,
  steps: [bad, ping()],
  passed: [],
  fault,
});

const settingsRows: GuardRow[] = [
  accepted(
    'every known setting with a good value',
    '6.5.2',
    settings([1, 0], [2, 1], [3, 0], [4, 0x7fff_ffff], [5, 16_777_215], [6, 0], [8, 1]),
  ),
  accepted('the lowest MAX_FRAME_SIZE', '6.5.2', settings([5, 16_384])),
  accepted('an unknown setting', '6.5.2', settings([0x99, 0xffff_ffff])),
  accepted('32 settings in one frame', '6.5', settings(...times(32, () => [0x99, 1] as const))),
  accepted(
    'ENABLE_CONNECT_PROTOCOL that stays 1',
    'RFC 8441 3',
    settings([CONNECT, 1]),
    settings([CONNECT, 1]),
  ),
  accepted(
    'ENABLE_CONNECT_PROTOCOL from 0 to 1',
    'RFC 8441 3',
    settings([CONNECT, 0]),
    settings([CONNECT, 1]),
  ),
  rejected(
    '33 settings in one frame',
    '10.5',
    'settingsTooMany',
    settings(...times(33, () => [0x99, 1] as const)),
  ),
  rejected('ENABLE_PUSH of 2', '6.5.2', 'settingValue', settings([ENABLE_PUSH, 2])),
  rejected('INITIAL_WINDOW_SIZE of 2^31', '6.5.2', 'settingWindow', settings([INITIAL_WINDOW, 0x8000_0000])),
  rejected('MAX_FRAME_SIZE below 2^14', '6.5.2', 'settingValue', settings([MAX_FRAME, 16_383])),
  rejected('MAX_FRAME_SIZE above 2^24-1', '6.5.2', 'settingValue', settings([MAX_FRAME, 16_777_216])),
  rejected('ENABLE_CONNECT_PROTOCOL of 2', 'RFC 8441 3', 'settingValue', settings([CONNECT, 2])),
  rejected(
    'a bad value behind a good one',
    '6.5.2',
    'settingValue',
    settings([ENABLE_PUSH, 1], [ENABLE_PUSH, 2]),
  ),
  rejected('SETTINGS on a stream', '6.5', 'notStreamZero', frame(4, 0, 1)),
  rejected('SETTINGS of 3 bytes', '6.5', 'settingsLength', frame(4, 0, 0, 3)),
  rejected('SETTINGS with ACK and a payload', '6.5', 'settingsAckLength', frame(4, ACK, 0, 6)),
  {
    name: 'ENABLE_CONNECT_PROTOCOL from 1 to 0',
    rfc: 'RFC 8441 3',
    steps: [settings([CONNECT, 1]), settings([CONNECT, 0])],
    passed: [settings([CONNECT, 1])],
    fault: 'settingValue',
  },
  {
    name: 'SETTINGS with ACK that nobody asked for is kept from node:http2',
    rfc: '6.5.3',
    steps: [settingsAck(), ping()],
    passed: [ping()],
  },
  {
    name: 'SETTINGS with ACK that answers is passed on',
    rfc: '6.5.3',
    steps: [{ server: settings([3, 10]) }, settingsAck(), settingsAck()],
    passed: [settingsAck()],
  },
];

const otherRows: GuardRow[] = [
  accepted('PING', '6.7', ping()),
  accepted('PING with flags that mean nothing', '6.7', ping(0xfe)),
  { name: 'PING with ACK is kept from node:http2', rfc: '6.7', steps: [ping(ACK), ping()], passed: [ping()] },
  rejected('PING on a stream', '6.7', 'notStreamZero', frame(6, 0, 1, 8)),
  rejected('PING of 7 bytes', '6.7', 'wrongLength', frame(6, 0, 0, 7)),
  rejected('PING of 9 bytes', '6.7', 'wrongLength', frame(6, 0, 0, 9)),
  accepted('GOAWAY', '6.8', goAway()),
  accepted('GOAWAY with debug data', '6.8', frame(7, 0, 0, 200)),
  { name: 'a second GOAWAY', rfc: '6.8', steps: [goAway(), goAway()], passed: [goAway()] },
  accepted('a request after GOAWAY, which speaks of the streams of the server', '6.8', goAway(), request(1)),
  rejected('GOAWAY on a stream', '6.8', 'notStreamZero', frame(7, 0, 1, 8)),
  rejected('GOAWAY of 7 bytes', '6.8', 'frameTooShort', frame(7, 0, 0, 7)),
  accepted('WINDOW_UPDATE of the connection', '6.9', windowUpdate(0, 1)),
  rejected('WINDOW_UPDATE of the connection by 0', '6.9', 'zeroIncrement', windowUpdate(0, 0)),
  rejected(
    'WINDOW_UPDATE by 0 with the reserved bit',
    '6.9',
    'zeroIncrement',
    frame(8, 0, 0, u32(0x8000_0000)),
  ),
  rejected('WINDOW_UPDATE of 3 bytes', '6.9', 'wrongLength', frame(8, 0, 0, 3)),
  rejected('WINDOW_UPDATE of 5 bytes', '6.9', 'wrongLength', frame(8, 0, 0, 5)),
  rejected('PUSH_PROMISE', '8.4', 'pushPromise', frame(5, 4, 1, 4)),
  rejected('PUSH_PROMISE on the connection', '8.4', 'pushPromise', frame(5, 4, 0, 4)),
  {
    name: 'unknown frames are kept from node:http2',
    rfc: '4.1',
    steps: [frame(0x0a, 0xff, 0, 20), frame(0xff, 0, 1, 100), frame(0x10, 0, 2), ping()],
    passed: [ping()],
  },
  rejected('an unknown frame that is too long', '4.2', 'frameTooLong', frame(0x20, 0, 0, 16_385)),
];

export const connectionRows: readonly GuardRow[] = [...opening, ...settingsRows, ...otherRows];
