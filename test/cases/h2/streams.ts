/** Vectors: frames of streams, by themselves and in each state of a stream. */
import { Buffer } from 'node:buffer';

import {
  answer,
  CODE,
  continuation,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  goAway,
  type GuardRow,
  headers,
  PADDED,
  ping,
  priority,
  PRIORITY,
  refused,
  request,
  rstStream,
  type Step,
  TRAILERS,
  u32,
  upload,
  windowUpdate,
} from './row.ts';

const isClient = (step: Step): step is Buffer => Buffer.isBuffer(step);

/** Something goes before, all of which passes; then a connection error. */
const ends = (
  name: string,
  rfc: string,
  fault: NonNullable<GuardRow['fault']>,
  bad: Buffer,
  ...before: Step[]
): GuardRow => ({ name, rfc, steps: [...before, bad, ping()], passed: before.filter(isClient), fault });

/** The same with a stream error: the peer is told, node:http2 sees a reset, and the connection goes on. */
const resets = (name: string, rfc: string, code: number, bad: Buffer, ...before: Step[]): GuardRow => ({
  name,
  rfc,
  steps: [...before, bad, ping()],
  passed: [...before.filter(isClient), rstStream(1, code), ping()],
  replies: [rstStream(1, code)],
});

const passes = (name: string, rfc: string, ...steps: Step[]): GuardRow => ({
  name,
  rfc,
  steps,
  passed: steps.filter(isClient),
});

/** The last frame has no effect, and is nobody's fault. */
const ignores = (name: string, rfc: string, ignored: Buffer, ...before: Step[]): GuardRow => ({
  name,
  rfc,
  steps: [...before, ignored, ping()],
  passed: [...before.filter(isClient), ping()],
});

const padded = (padding: number, rest: number): Buffer =>
  Buffer.concat([Buffer.of(padding), Buffer.alloc(rest)]);
const depending = (dependency: number): Buffer =>
  Buffer.concat([u32(dependency), Buffer.of(15), Buffer.from('828684410161', 'hex')]);

const shapes: GuardRow[] = [
  ends('DATA on stream 0', '6.1', 'streamZero', data(0, 1)),
  ends('HEADERS on stream 0', '6.2', 'streamZero', headers(0)),
  ends('PRIORITY on stream 0', '6.3', 'streamZero', priority(0, 1)),
  ends('RST_STREAM on stream 0', '6.4', 'streamZero', rstStream(0, 8)),
  ends('CONTINUATION on stream 0', '6.10', 'streamZero', continuation(0)),
  ends('HEADERS on an even stream', '5.1.1', 'evenStream', headers(2)),
  passes('DATA of the largest size', '4.2', upload(1), data(1, 16_384)),
  {
    name: 'DATA that is too long',
    rfc: '4.2',
    steps: [upload(1), data(1, 16_385), ping()],
    passed: [upload(1), rstStream(1, CODE.frameSize), ping()],
    replies: [rstStream(1, CODE.frameSize), windowUpdate(0, 16_385)],
  },
  ends('HEADERS that are too long', '4.2', 'frameTooLong', headers(1, 4, Buffer.alloc(16_385))),
  resets('DATA with padding and nothing', '4.2', CODE.frameSize, data(1, 0, PADDED), upload(1)),
  passes('DATA of padding alone', '6.1', upload(1), data(1, padded(4, 4), PADDED)),
  ends(
    'DATA with padding as long as the payload',
    '6.1',
    'paddingTooLong',
    data(1, padded(5, 4), PADDED),
    upload(1),
  ),
  passes(
    'HEADERS with padding',
    '6.2',
    headers(1, 13, Buffer.concat([padded(2, 0), TRAILERS, Buffer.alloc(2)])),
  ),
  passes('HEADERS of padding alone, which node:http2 finds malformed', '6.2', headers(1, 13, padded(3, 3))),
  ends('HEADERS with too much padding', '6.2', 'paddingTooLong', headers(1, 13, padded(4, 3))),
  ends(
    'HEADERS with padding and priority, too much padding',
    '6.2',
    'paddingTooLong',
    headers(1, 45, padded(4, 8)),
  ),
  ends('HEADERS with padding and nothing', '4.2', 'frameTooShort', headers(1, 13, Buffer.alloc(0))),
  ends('HEADERS too short for their priority', '4.2', 'frameTooShort', headers(1, 37, Buffer.alloc(4))),
  ends('HEADERS too short for padding and priority', '4.2', 'frameTooShort', headers(1, 45, Buffer.alloc(5))),
  ends('RST_STREAM of 3 bytes', '6.4', 'wrongLength', frame(3, 0, 1, 3), upload(1)),
  ends('RST_STREAM of 5 bytes', '6.4', 'wrongLength', frame(3, 0, 1, 5), upload(1)),
  resets('PRIORITY of 4 bytes', '6.3', CODE.frameSize, frame(2, 0, 1, 4), upload(1)),
  ends(
    'PRIORITY of 4 bytes on an idle stream, which cannot be reset',
    '6.4',
    'priorityLength',
    frame(2, 0, 1, 4),
  ),
  resets(
    'PRIORITY that makes a stream depend on itself',
    'RFC 7540 5.3.1',
    CODE.protocol,
    priority(1, 1),
    upload(1),
  ),
  ends(
    'PRIORITY that makes an idle stream depend on itself',
    'RFC 7540 5.3.1',
    'selfDependency',
    priority(3, 3),
  ),
  passes('HEADERS that depend on another stream', '6.2', headers(3, 37, depending(1))),
  {
    name: 'HEADERS that depend on their own stream',
    rfc: 'RFC 7540 5.3.1',
    steps: [headers(1, END_STREAM | END_HEADERS | PRIORITY, depending(1)), ping()],
    passed: [...refused(1, END_STREAM | END_HEADERS | PRIORITY, depending(1)), ping()],
    replies: [rstStream(1, CODE.protocol)],
  },
  {
    name: 'the reserved bit of the stream identifier means nothing',
    rfc: '4.1',
    steps: [upload(1), frame(0, 0, 0x8000_0001, 3)],
    passed: [upload(1), frame(0, 0, 0x8000_0001, 3)],
  },
];

const idle: GuardRow[] = [
  ends('DATA on an idle stream', '5.1', 'idleStream', data(1, 1)),
  ends('RST_STREAM on an idle stream', '5.1, 6.4', 'idleStream', rstStream(1, 8)),
  ends('WINDOW_UPDATE on an idle stream', '5.1, 6.9', 'idleStream', windowUpdate(1, 1)),
  ends('WINDOW_UPDATE by 0 on an idle stream', '5.1', 'idleStream', windowUpdate(1, 0)),
  ends('CONTINUATION on an idle stream', '5.1, 6.10', 'strayContinuation', continuation(1)),
  ends('DATA on an even stream', '5.1', 'idleStream', data(2, 1), request(3)),
  ignores('PRIORITY on an idle stream', '5.1', priority(1, 3)),
  ignores('PRIORITY on an even stream', '5.1', priority(2, 3), request(1)),
  passes('PRIORITY does not use up identifiers', '5.1.1', request(1), request(3)),
];

const open: GuardRow[] = [
  passes('a request with a body', '8.1', upload(1), data(1, 5), data(1, 5, END_STREAM)),
  passes('a request with trailers', '8.1', upload(1), data(1, 5), headers(1, 5, TRAILERS)),
  passes('RST_STREAM of an open stream', '6.4', upload(1), rstStream(1, 8)),
  passes('WINDOW_UPDATE of an open stream', '6.9', upload(1), windowUpdate(1, 10)),
  ignores('PRIORITY of an open stream', '5.3.2', priority(1, 3), upload(1)),
  resets('WINDOW_UPDATE by 0', '6.9', CODE.protocol, windowUpdate(1, 0), upload(1)),
  {
    name: 'trailers that do not end the stream',
    rfc: '8.1',
    steps: [upload(1), headers(1, END_HEADERS, TRAILERS), ping()],
    passed: [upload(1), rstStream(1, CODE.protocol), ...refused(1, END_HEADERS, TRAILERS), ping()],
    replies: [rstStream(1, CODE.protocol)],
  },
  passes(
    'DATA after the server has answered',
    '5.1',
    upload(1),
    answer(1),
    data(1, 3),
    data(1, 0, END_STREAM),
  ),
];

const halfClosed: GuardRow[] = [
  resets('DATA after END_STREAM', '5.1', CODE.streamClosed, data(1, 1), request(1)),
  resets(
    'DATA after END_STREAM of DATA',
    '5.1',
    CODE.streamClosed,
    data(1, 1),
    upload(1),
    data(1, 1, END_STREAM),
  ),
  resets(
    'empty DATA after trailers',
    '5.1',
    CODE.streamClosed,
    data(1, 0),
    upload(1),
    headers(1, 5, TRAILERS),
  ),
  {
    name: 'HEADERS after END_STREAM',
    rfc: '5.1',
    steps: [request(1), headers(1, 5, TRAILERS), ping()],
    passed: [request(1), rstStream(1, CODE.streamClosed), ...refused(1, 5, TRAILERS), ping()],
    replies: [rstStream(1, CODE.streamClosed)],
  },
  ends('CONTINUATION after END_STREAM', '5.1, 6.10', 'strayContinuation', continuation(1), request(1)),
  passes(
    'WINDOW_UPDATE and RST_STREAM after END_STREAM',
    '5.1',
    request(1),
    windowUpdate(1, 1),
    rstStream(1, 8),
  ),
];

const done: Step[] = [request(1), answer(1)];
const resetByClient: Step[] = [upload(1), rstStream(1, 8)];
const resetByServer: Step[] = [upload(1), { server: rstStream(1, 8) }];

const closed: GuardRow[] = [
  ends('DATA on a stream that both have ended', '5.1', 'streamEnded', data(1, 1), ...done),
  ends('HEADERS on a stream that both have ended', '5.1', 'streamEnded', request(1), ...done),
  ends(
    'CONTINUATION on a stream that both have ended',
    '6.10',
    'strayContinuation',
    continuation(1),
    ...done,
  ),
  ends(
    'DATA on a stream that the server ended first',
    '5.1',
    'streamEnded',
    data(1, 1),
    upload(1),
    answer(1),
    data(1, 0, END_STREAM),
  ),
  ignores('WINDOW_UPDATE on an ended stream', '5.1', windowUpdate(1, 1), ...done),
  ignores('WINDOW_UPDATE by 0 on an ended stream', '5.1', windowUpdate(1, 0), ...done),
  ignores('RST_STREAM on an ended stream', '5.1', rstStream(1, 8), ...done),
  ignores('PRIORITY on an ended stream', '5.1', priority(1, 3), ...done),
  ends(
    'PRIORITY of 4 bytes on an ended stream, which cannot be reset',
    '6.3',
    'priorityLength',
    frame(2, 0, 1, 4),
    ...done,
  ),
  ends(
    'PRIORITY of 6 bytes on a stream that the client has reset',
    '6.3',
    'priorityLength',
    frame(2, 0, 1, 6),
    ...resetByClient,
  ),
  ends(
    'PRIORITY of 4 bytes on a stream that was skipped',
    '6.3',
    'priorityLength',
    frame(2, 0, 1, 4),
    request(3),
  ),
  ignores(
    'PRIORITY of 4 bytes on a stream that the server has reset',
    '6.3',
    frame(2, 0, 1, 4),
    ...resetByServer,
  ),
  {
    name: 'DATA after the RST_STREAM of the client',
    rfc: '5.1',
    steps: [...resetByClient, data(1, 1), data(1, 1), ping()],
    passed: [...resetByClient.filter(isClient), ping()],
    replies: [rstStream(1, CODE.streamClosed)],
  },
  {
    name: 'HEADERS after the RST_STREAM of the client',
    rfc: '5.1',
    steps: [...resetByClient, request(1), ping()],
    passed: [...resetByClient.filter(isClient), ...refused(1), ping()],
    replies: [rstStream(1, CODE.streamClosed)],
  },
  ignores('a second RST_STREAM of the client', '5.1', rstStream(1, 8), ...resetByClient),
  ignores('DATA after the RST_STREAM of the server', '5.1', data(1, 100, END_STREAM), ...resetByServer),
  ignores('WINDOW_UPDATE after the RST_STREAM of the server', '5.1', windowUpdate(1, 1), ...resetByServer),
  ignores('RST_STREAM after the RST_STREAM of the server', '5.1', rstStream(1, 8), ...resetByServer),
  {
    name: 'trailers after the RST_STREAM of the server are decoded and ignored',
    rfc: '5.1',
    steps: [...resetByServer, headers(1, 5, TRAILERS), ping()],
    passed: [upload(1), ...refused(1, 5, TRAILERS), ping()],
  },
];

const goingAway: GuardRow[] = [
  {
    name: 'a request that crosses the GOAWAY of the server',
    rfc: '6.8',
    steps: [upload(1), { server: goAway(1) }, request(3), data(1, 5), headers(1, 5, TRAILERS)],
    passed: [upload(1), ...refused(3), data(1, 5), headers(1, 5, TRAILERS)],
    replies: [rstStream(3, CODE.refused)],
  },
  {
    name: 'a request that the GOAWAY of the server still allows',
    rfc: '6.8',
    steps: [{ server: goAway(0x7fff_ffff) }, request(1), { server: goAway(3) }, request(3), request(5)],
    passed: [request(1), request(3), ...refused(5)],
    replies: [rstStream(5, CODE.refused)],
  },
];

const order: GuardRow[] = [
  passes('stream identifiers may leave gaps', '5.1.1', request(1), request(7), request(0x7fff_ffff)),
  ends('a stream identifier lower than the last', '5.1.1', 'streamOrder', request(3), request(5)),
  {
    name: 'DATA on a stream that was skipped',
    rfc: '6.1',
    steps: [request(5), data(3, 1), ping()],
    passed: [request(5), ping()],
    replies: [rstStream(3, CODE.streamClosed)],
  },
  {
    name: 'more streams than announced',
    rfc: '5.1.2',
    limits: { maxConcurrentStreams: 2 },
    steps: [request(1), upload(3), request(5), data(3, 1), rstStream(1, 8), request(7)],
    passed: [request(1), upload(3), ...refused(5), data(3, 1), rstStream(1, 8), request(7)],
    replies: [rstStream(5, CODE.refused)],
  },
  {
    name: 'the body of a stream that was refused is ignored',
    rfc: '5.1.2',
    limits: { maxConcurrentStreams: 1 },
    steps: [request(1), upload(3), data(3, 10), data(3, 10, END_STREAM), answer(1), request(5)],
    passed: [request(1), ...refused(3, END_HEADERS), request(5)],
    replies: [rstStream(3, CODE.refused)],
  },
];

export const streamRows: readonly GuardRow[] = [
  ...shapes,
  ...idle,
  ...open,
  ...halfClosed,
  ...closed,
  ...goingAway,
  ...order,
];
