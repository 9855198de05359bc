/** Conformance rows: each type of frame by itself (RFC 9113 sections 6 and 7). */
import { Buffer } from 'node:buffer';
import {
  CODE,
  continuationFrame,
  dataFrame,
  frame,
  goawayFrame,
  headersFrame,
  pingFrame,
  priorityFrame,
  rstStreamFrame,
  SETTING,
  settingsFrame,
  TYPE,
} from '../../support/h2/frames.ts';
import { plainBlock } from '../../support/h2/hpack.ts';
import {
  alike,
  anyError,
  closed,
  connectionError,
  type ConformanceRow,
  done,
  end,
  frames,
  get,
  halfClosed,
  heldAt,
  ignored,
  message,
  open,
  PATH,
  post,
  request,
  response,
  rows,
} from './conformance-row.ts';

const { protocolError, flowControlError, frameSizeError } = CODE;
const GET_BLOCK = plainBlock(request());
const MOST = 0x7fff_ffff;
const isLast = { isLast: true } as const;
const endStream = { endStream: true } as const;

const data = rows('RFC 9113 6.1', 'DATA', {
  'on stream 0': [dataFrame(0, 'x'), connectionError(protocolError)],
  'with padding': [
    [post(1), dataFrame(1, 'hello', { padding: 20, ...endStream })],
    response(1, 200, 'hello'),
  ],
  'with a padding of no bytes': [
    [post(1), dataFrame(1, 'hello', { padding: 0, ...endStream })],
    response(1, 200, 'hello'),
  ],
  'of nothing but padding': [
    [post(1), dataFrame(1, '', { padding: 255 }), end(1, 'x')],
    response(1, 200, 'x'),
  ],
  'of nothing, that ends the stream': [[post(1), dataFrame(1, 'a'), end(1)], response(1, 200, 'a')],
  'of nothing, that ends nothing': [[post(1), dataFrame(1), end(1, 'a')], response(1, 200, 'a')],
  ...alike(connectionError(protocolError), {
    'with padding as long as the payload': [
      post(1),
      dataFrame(1, '', { padding: { announced: 1, content: Buffer.alloc(0) } }),
    ],
    'with padding longer than the payload': [
      post(1),
      dataFrame(1, 'abc', { padding: { announced: 200, content: Buffer.alloc(3) } }),
    ],
  }),
  'without the padding length that its flag announces': [
    [post(1), frame({ type: TYPE.data, stream: 1, flags: 0x8 })],
    anyError(1, frameSizeError, protocolError),
  ],
});

const headers = rows('RFC 9113 6.2', 'HEADERS', {
  'on stream 0': [headersFrame(0, GET_BLOCK), connectionError(protocolError)],
  'with padding': [message(1, request(), { padding: 7, ...endStream }), response(1)],
  'with priority': [
    message(1, request(), { priority: { dependsOn: 0, weight: 1, isExclusive: true }, ...endStream }),
    response(1),
  ],
  'with padding and priority': [
    message(1, request(), { padding: 255, priority: { dependsOn: 3, weight: 256 }, ...endStream }),
    response(1),
  ],
  'without a payload, the block in CONTINUATION': [
    [headersFrame(1, Buffer.alloc(0), { endHeaders: false, ...endStream }), continuationFrame(1, GET_BLOCK)],
    response(1),
  ],
  ...alike(connectionError(protocolError), {
    'with padding longer than the payload': headersFrame(1, GET_BLOCK, {
      padding: { announced: 255, content: Buffer.alloc(0) },
    }),
    'with padding that reaches into the priority': headersFrame(1, Buffer.alloc(0), {
      priority: { dependsOn: 0 },
      padding: { announced: 1, content: Buffer.alloc(0) },
    }),
  }),
  ...alike(connectionError(frameSizeError, protocolError), {
    'too short for its priority': frame({ type: TYPE.headers, stream: 1, flags: 0x25, payload: '\0\0\0\0' }),
    'without the padding length that its flag announces': frame({
      type: TYPE.headers,
      stream: 1,
      flags: 0xd,
    }),
  }),
});

const priority = rows('RFC 9113 6.3', 'PRIORITY', {
  'on stream 0': [priorityFrame(0, { dependsOn: 1 }), connectionError(protocolError)],
  ...alike(anyError(1, frameSizeError), {
    'of 4 bytes': [open(1), frame({ type: TYPE.priority, stream: 1, payload: '\0\0\0\0' })],
    'of 6 bytes': [open(1), frame({ type: TYPE.priority, stream: 1, payload: '\0\0\0\0\x10\0' })],
    'of no bytes': [open(1), frame({ type: TYPE.priority, stream: 1 })],
    'of 4 bytes, its stream answered': [
      ...done(1),
      frame({ type: TYPE.priority, stream: 1, payload: '\0\0\0\0' }),
    ],
    'of 4 bytes, its stream reset': [
      open(1),
      rstStreamFrame(1),
      frame({ type: TYPE.priority, stream: 1, payload: '\0\0\0\0' }),
    ],
    'of 4 bytes, its stream idle': frame({ type: TYPE.priority, stream: 1, payload: '\0\0\0\0' }),
  }),
  ...alike(ignored, {
    'on an open stream': [open(1), priorityFrame(1, { dependsOn: 0, weight: 256, isExclusive: true })],
    'on a stream of the server': priorityFrame(2, { dependsOn: 0 }),
  }),
  'before its stream is opened': [[priorityFrame(1, { dependsOn: 0, weight: 100 }), get(1)], response(1)],
});

const rstStream = rows('RFC 9113 6.4', 'RST_STREAM', {
  ...alike(connectionError(protocolError), {
    'on stream 0': rstStreamFrame(0),
    'on an idle stream': rstStreamFrame(1),
  }),
  ...alike(connectionError(frameSizeError), {
    'of 3 bytes': [open(1), frame({ type: TYPE.rstStream, stream: 1, payload: '\0\0\0' })],
    'of 5 bytes': [open(1), frame({ type: TYPE.rstStream, stream: 1, payload: '\0\0\0\x08\0' })],
    'of no bytes': [open(1), frame({ type: TYPE.rstStream, stream: 1 })],
  }),
  ...alike(ignored, {
    'in the middle of a request': [post(1), dataFrame(1, 'x'), rstStreamFrame(1)],
    'before the response': [halfClosed(1), rstStreamFrame(1)],
    'with an unknown code (7)': [open(1), rstStreamFrame(1, 0xffff_ffff)],
    'with NO_ERROR': [open(1), rstStreamFrame(1, CODE.noError)],
  }),
});

const settings = rows('RFC 9113 6.5', 'SETTINGS', {
  'on a stream': [frame({ type: TYPE.settings, stream: 1 }), connectionError(protocolError)],
  ...alike(connectionError(frameSizeError), {
    'with ACK and a payload': frame({ type: TYPE.settings, flags: 1, payload: '\0\x04\0\0\xff\xff' }),
    'of 3 bytes': frame({ type: TYPE.settings, payload: '\0\x04\0' }),
    'of 7 bytes': frame({ type: TYPE.settings, payload: '\0\x04\0\0\xff\xff\0' }),
  }),
});

const settingValues = rows('RFC 9113 6.5.2', 'the setting', {
  ...alike(connectionError(protocolError), {
    'ENABLE_PUSH of 2': settingsFrame([[SETTING.enablePush, 2]]),
    'MAX_FRAME_SIZE of 2^14-1': settingsFrame([[SETTING.maxFrameSize, 16_383]]),
    'MAX_FRAME_SIZE of 2^24': settingsFrame([[SETTING.maxFrameSize, 16_777_216]]),
    'MAX_FRAME_SIZE of 0': settingsFrame([[SETTING.maxFrameSize, 0]]),
    'ENABLE_PUSH of 2 behind a good one': settingsFrame([
      [SETTING.enablePush, 0],
      [SETTING.enablePush, 2],
    ]),
  }),
  ...alike(connectionError(flowControlError), {
    'INITIAL_WINDOW_SIZE of 2^31': settingsFrame([[SETTING.initialWindowSize, 0x8000_0000]]),
    'INITIAL_WINDOW_SIZE of 2^32-1': settingsFrame([[SETTING.initialWindowSize, 0xffff_ffff]]),
  }),
  ...alike(response(1), {
    'ENABLE_PUSH of 0': [settingsFrame([[SETTING.enablePush, 0]]), get(1)],
    'ENABLE_PUSH of 1': [settingsFrame([[SETTING.enablePush, 1]]), get(1)],
    'INITIAL_WINDOW_SIZE of 2^31-1': [settingsFrame([[SETTING.initialWindowSize, MOST]]), get(1)],
    'MAX_FRAME_SIZE of 2^24-1': [{ settings: [[SETTING.maxFrameSize, 16_777_215]] }, get(1)],
    'HEADER_TABLE_SIZE of 0': [{ settings: [[SETTING.headerTableSize, 0]] }, get(1)],
    'HEADER_TABLE_SIZE of 2^32-1': [{ settings: [[SETTING.headerTableSize, 0xffff_ffff]] }, get(1)],
    'MAX_CONCURRENT_STREAMS of 0': [settingsFrame([[SETTING.maxConcurrentStreams, 0]]), get(1)],
    'ENABLE_CONNECT_PROTOCOL from a client': [settingsFrame([[SETTING.enableConnectProtocol, 1]]), get(1)],
    'MAX_HEADER_LIST_SIZE of 2^32-1': [settingsFrame([[SETTING.maxHeaderListSize, 0xffff_ffff]]), get(1)],
    'of an unknown identifier': [
      settingsFrame([
        [0xff, 1],
        [0, 0],
      ]),
      get(1),
    ],
  }),
});

const settingsOrder = rows('RFC 9113 6.5.3', 'settings', {
  'are acknowledged one frame at a time': [
    [settingsFrame(), settingsFrame(), settingsFrame(), { acks: 4 }],
    ignored,
  ],
  'take effect in their order': [
    [
      {
        settings: [
          [SETTING.initialWindowSize, 100],
          [SETTING.initialWindowSize, 1],
        ],
      },
      get(1, { path: PATH.large }),
      { received: [1, 1] },
    ],
    heldAt(1, 1),
  ],
  'of no header table hold from the first response on': [
    [...done(1), ...done(3), get(5)],
    response(5),
    { settings: [[SETTING.headerTableSize, 0]] },
  ],
  'of a smaller header table count from the acknowledgement on': [
    [...done(1), { settings: [[SETTING.headerTableSize, 0]] }, ...done(3), get(5)],
    response(5),
  ],
});

const pushPromise = rows('RFC 9113 6.6', 'PUSH_PROMISE', {
  'from a client': [
    [open(1), frame({ type: TYPE.pushPromise, stream: 1, flags: 4, payload: '\0\0\0\x02' })],
    connectionError(protocolError),
  ],
  'from a client, with ENABLE_PUSH': [
    frame({ type: TYPE.pushPromise, stream: 1, flags: 4, payload: '\0\0\0\x02' }),
    connectionError(protocolError),
    { settings: [[SETTING.enablePush, 1]] },
  ],
});

const ping = rows('RFC 9113 6.7', 'PING', {
  'is answered with its payload': [
    pingFrame('\0\x01\x02\xff\xfe\xfdab'),
    frames({ type: TYPE.ping, flags: 1, stream: 0, payload: '\0\x01\x02\xff\xfe\xfdab' }),
  ],
  'is answered each time, in order': [
    [pingFrame('first---'), pingFrame('second--')],
    frames(
      { type: TYPE.ping, flags: 1, payload: 'first---' },
      { type: TYPE.ping, flags: 1, payload: 'second--' },
    ),
  ],
  'is answered while streams wait': [
    [halfClosed(1), open(3), pingFrame('waiting-')],
    frames({ type: TYPE.ping, flags: 1, payload: 'waiting-' }),
  ],
  'with ACK that nobody asked for': [pingFrame('unasked-', { ack: true }), ignored],
  'on a stream': [frame({ type: TYPE.ping, stream: 1, payload: '12345678' }), connectionError(protocolError)],
  ...alike(connectionError(frameSizeError), {
    'of 7 bytes': pingFrame('1234567'),
    'of 9 bytes': pingFrame('123456789'),
    'of no bytes': pingFrame(''),
    'of 6 bytes, with ACK': pingFrame('123456', { ack: true }),
  }),
});

const goaway = rows('RFC 9113 6.8', 'GOAWAY', {
  'on a stream': [
    frame({ type: TYPE.goaway, stream: 1, payload: '\0\0\0\0\0\0\0\0' }),
    connectionError(protocolError),
  ],
  'of 7 bytes': [frame({ type: TYPE.goaway, payload: '\0\0\0\0\0\0\0' }), connectionError(frameSizeError)],
  'lets the requests in hand finish': [
    [post(1), goawayFrame(0), end(1, 'late')],
    response(1, 200, 'late'),
    isLast,
  ],
  'with debug data lets the requests in hand finish': [
    [post(1), goawayFrame(0, CODE.noError, 'going'), end(1, 'late')],
    response(1, 200, 'late'),
    isLast,
  ],
});

const continuation = rows('RFC 9113 6.10', 'CONTINUATION', {
  'several of them': [
    [
      headersFrame(1, GET_BLOCK.subarray(0, 5), { endHeaders: false, ...endStream }),
      continuationFrame(1, GET_BLOCK.subarray(5, 9), { endHeaders: false }),
      continuationFrame(1, GET_BLOCK.subarray(9, 20), { endHeaders: false }),
      continuationFrame(1, GET_BLOCK.subarray(20)),
    ],
    response(1),
  ],
  'empty ones, a few': [
    [
      headersFrame(1, GET_BLOCK, { endHeaders: false, ...endStream }),
      continuationFrame(1, Buffer.alloc(0), { endHeaders: false }),
      continuationFrame(1, Buffer.alloc(0)),
    ],
    response(1),
  ],
  'of trailers': [
    [
      post(1),
      dataFrame(1, 'x'),
      headersFrame(1, Buffer.alloc(0), { endHeaders: false, ...endStream }),
      continuationFrame(1, plainBlock([['x-a', 'b']])),
    ],
    response(1, 200, 'x'),
  ],
  'with unknown flags': [
    [
      headersFrame(1, GET_BLOCK.subarray(0, 5), { endHeaders: false, ...endStream }),
      frame({ type: TYPE.continuation, stream: 1, flags: 0xff, payload: GET_BLOCK.subarray(5) }),
    ],
    response(1),
  ],
  'with the END_STREAM of HEADERS does not end the stream': [
    [
      headersFrame(1, plainBlock(request({ method: 'POST' })), { endHeaders: false }),
      frame({ type: TYPE.continuation, stream: 1, flags: 0x5 }),
      end(1, 'body'),
    ],
    response(1, 200, 'body'),
  ],
  ...alike(connectionError(protocolError), {
    'on stream 0': continuationFrame(0, GET_BLOCK),
    'on stream 0, in a field block': [
      headersFrame(1, GET_BLOCK, { endHeaders: false }),
      continuationFrame(0, Buffer.alloc(0)),
    ],
    'behind HEADERS with END_HEADERS': [open(1), continuationFrame(1, plainBlock([['x-a', 'b']]))],
    'behind CONTINUATION with END_HEADERS': [
      headersFrame(1, plainBlock(request({ path: PATH.wait })), { endHeaders: false }),
      continuationFrame(1, Buffer.alloc(0)),
      continuationFrame(1, Buffer.alloc(0)),
    ],
    'behind DATA': [open(1), dataFrame(1, 'x'), continuationFrame(1, plainBlock([['x-a', 'b']]))],
    'on another stream than HEADERS': [
      headersFrame(1, GET_BLOCK, { endHeaders: false }),
      continuationFrame(3, Buffer.alloc(0)),
    ],
  }),
});

const codes = rows('RFC 9113 7', 'an error code', {
  'that is unknown, in RST_STREAM': [[open(1), rstStreamFrame(1, 0xff)], ignored],
  // It may count as INTERNAL_ERROR, so the connection may end at once.
  'that is unknown, in GOAWAY': [[...done(1), goawayFrame(0, 0xff), { halfClose: true }], closed],
});

export const frameTypeRows: ConformanceRow[] = [
  ...data,
  ...headers,
  ...priority,
  ...rstStream,
  ...settings,
  ...settingValues,
  ...settingsOrder,
  ...pushPromise,
  ...ping,
  ...goaway,
  ...continuation,
  ...codes,
];
