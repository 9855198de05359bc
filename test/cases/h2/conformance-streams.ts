/** Conformance rows: the states of streams, their identifiers and their number (RFC 9113 section 5). */
import { Buffer } from 'node:buffer';
import {
  CODE,
  continuationFrame,
  dataFrame,
  headersFrame,
  priorityFrame,
  rstStreamFrame,
  windowUpdateFrame,
} from '../../support/h2/frames.ts';
import { indexed, literal, plainBlock } from '../../support/h2/hpack.ts';
import {
  alike,
  anyError,
  connectionError,
  type ConformanceRow,
  done,
  end,
  get,
  halfClosed,
  ignored,
  message,
  open,
  PATH,
  request,
  response,
  rows,
  streamError,
} from './conformance-row.ts';

const { protocolError, streamClosed, refusedStream } = CODE;
const GET_BLOCK = plainBlock(request());
const isLast = { isLast: true } as const;

const idle = rows('RFC 9113 5.1', 'an idle stream', {
  ...alike(connectionError(protocolError), {
    DATA: dataFrame(1, 'x', { endStream: true }),
    RST_STREAM: rstStreamFrame(1),
    WINDOW_UPDATE: windowUpdateFrame(1, 100),
    CONTINUATION: continuationFrame(1, GET_BLOCK),
    'DATA on a stream above the last': [...done(1), dataFrame(3, 'x')],
    'WINDOW_UPDATE on a stream above the last': [...done(1), windowUpdateFrame(3, 1)],
    'WINDOW_UPDATE on a stream of the server': windowUpdateFrame(2, 1),
    'RST_STREAM on a stream of the server': rstStreamFrame(2),
  }),
  PRIORITY: [priorityFrame(1, { dependsOn: 0 }), ignored],
});

const halfClosedRemote = rows('RFC 9113 5.1', 'a stream half-closed by the client', {
  ...alike(streamError(1, streamClosed), {
    DATA: [halfClosed(1), dataFrame(1, 'x')],
    'empty DATA with END_STREAM': [halfClosed(1), end(1)],
    HEADERS: [halfClosed(1), get(1)],
    'DATA behind the body': [open(1), end(1, 'x'), dataFrame(1, 'x')],
    'DATA behind trailers': [open(1), message(1, [['x-a', 'b']], { endStream: true }), end(1)],
  }),
  CONTINUATION: [
    [halfClosed(1), continuationFrame(1, GET_BLOCK)],
    connectionError(protocolError, streamClosed),
  ],
  ...alike(ignored, {
    WINDOW_UPDATE: [halfClosed(1), windowUpdateFrame(1, 1)],
    PRIORITY: [halfClosed(1), priorityFrame(1, { dependsOn: 0 })],
    RST_STREAM: [halfClosed(1), rstStreamFrame(1)],
  }),
});

const closedStream = rows('RFC 9113 5.1', 'a closed stream', {
  ...alike(connectionError(streamClosed), {
    DATA: [...done(1), dataFrame(1, 'x')],
    HEADERS: [...done(1), get(1)],
    'HEADERS, with others opened since': [...done(1), ...done(3), get(1)],
  }),
  CONTINUATION: [[...done(1), continuationFrame(1, GET_BLOCK)], connectionError(protocolError, streamClosed)],
  ...alike(ignored, {
    WINDOW_UPDATE: [...done(1), windowUpdateFrame(1, 1)],
    RST_STREAM: [...done(1), rstStreamFrame(1)],
    PRIORITY: [...done(1), priorityFrame(1, { dependsOn: 0 })],
  }),
});

const resetStream = rows('RFC 9113 5.1', 'a stream that the client has reset', {
  ...alike(streamError(1, streamClosed), {
    DATA: [open(1), rstStreamFrame(1), dataFrame(1, 'x')],
    HEADERS: [open(1), rstStreamFrame(1), get(1)],
  }),
  ...alike(ignored, {
    'RST_STREAM once more (5.4.2)': [open(1), rstStreamFrame(1), rstStreamFrame(1)],
    PRIORITY: [open(1), rstStreamFrame(1), priorityFrame(1, { dependsOn: 0 })],
  }),
});

/** A stream error, seen by the client. */
const resetByServer = [message(1, request({ path: null })), { resetSeen: 1 }];

const refusedStreams = rows('RFC 9113 5.1', 'a stream that the server has reset', {
  ...alike(streamError(1, protocolError), {
    'DATA on its way is dropped': [...resetByServer, dataFrame(1, 'x'), end(1, 'y')],
    'WINDOW_UPDATE on its way is dropped': [...resetByServer, windowUpdateFrame(1, 5)],
    'RST_STREAM on its way is dropped': [...resetByServer, rstStreamFrame(1)],
    'trailers on their way are dropped': [...resetByServer, message(1, [['x-a', 'b']], { endStream: true })],
  }),
  'trailers on their way still count for the decoder (4.3)': [
    [
      ...resetByServer,
      headersFrame(1, literal('x-kept', 'yes', { form: 'incremental' }), { endStream: true }),
      headersFrame(3, Buffer.concat([plainBlock(request({ path: PATH.describe })), indexed(62)]), {
        endStream: true,
      }),
    ],
    { kind: 'described', stream: 3, has: {}, headers: [['x-kept', 'yes']] },
  ],
});

const identifiers = rows('RFC 9113 5.1.1', 'a stream identifier', {
  ...alike(connectionError(protocolError), {
    'that is even': get(2),
    'that is 0': get(0),
    'that is lower than an earlier one': [get(5), get(3)],
    'that is lower than that of a refused request': [message(5, request({ path: null })), get(3)],
  }),
  'may leave out others': [[get(1), get(9)], response(9)],
  'may be the highest there is': [get(0x7fff_ffff), response(0x7fff_ffff), isLast],
  'that was left out is closed': [[get(5), dataFrame(3, 'x')], anyError(3, streamClosed, protocolError)],
});

const twoStreams = { h2MaxConcurrentStreams: 2 };
const concurrency = rows('RFC 9113 5.1.2', 'concurrent streams', {
  'beyond the limit are refused, open ones': [
    [open(1), open(3), open(5)],
    streamError(5, refusedStream, protocolError),
    { server: twoStreams, ...isLast },
  ],
  'beyond the limit are refused, half-closed ones': [
    [halfClosed(1), halfClosed(3), get(5)],
    streamError(5, refusedStream, protocolError),
    { server: twoStreams, ...isLast },
  ],
  'make room when one is reset': [
    [open(1), open(3), rstStreamFrame(1), get(5)],
    response(5),
    { server: twoStreams },
  ],
  'make room when one is done': [[open(1), ...done(3), get(5)], response(5), { server: twoStreams }],
  'do not count streams that are idle': [
    [open(1), priorityFrame(9, { dependsOn: 0 }), priorityFrame(11, { dependsOn: 0 }), get(13)],
    response(13),
    { server: twoStreams },
  ],
  'beyond the limit still count for the decoder (4.3)': [
    [
      open(1),
      open(3),
      headersFrame(5, Buffer.concat([GET_BLOCK, literal('x-kept', 'yes', { form: 'incremental' })]), {
        endStream: true,
      }),
      { resetSeen: 5 },
      rstStreamFrame(1),
      headersFrame(7, Buffer.concat([plainBlock(request({ path: PATH.describe })), indexed(62)]), {
        endStream: true,
      }),
    ],
    { kind: 'described', stream: 7, has: {}, headers: [['x-kept', 'yes']] },
    { server: twoStreams },
  ],
});

const dependencies = rows('RFC 7540 5.3.1', 'a dependency', {
  'of HEADERS on the stream itself': [
    message(1, request(), { endStream: true, priority: { dependsOn: 1 } }),
    anyError(1, protocolError),
  ],
  'of PRIORITY on the stream itself': [
    [open(1), priorityFrame(1, { dependsOn: 1 })],
    anyError(1, protocolError),
  ],
  'of PRIORITY on the idle stream itself': [priorityFrame(1, { dependsOn: 1 }), anyError(1, protocolError)],
  'on a stream that does not exist': [
    message(1, request(), { endStream: true, priority: { dependsOn: 99, weight: 256, isExclusive: true } }),
    response(1),
  ],
  'in a circle of two': [
    [open(1), open(3), priorityFrame(1, { dependsOn: 3 }), priorityFrame(3, { dependsOn: 1 })],
    ignored,
  ],
});

export const streamRows: ConformanceRow[] = [
  ...idle,
  ...halfClosedRemote,
  ...closedStream,
  ...resetStream,
  ...refusedStreams,
  ...identifiers,
  ...concurrency,
  ...dependencies,
];
