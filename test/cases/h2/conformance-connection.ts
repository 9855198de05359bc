/** Conformance rows: how a connection begins, frames, field blocks and errors (RFC 9113 sections 3 to 5). */
import { Buffer } from 'node:buffer';
import {
  CODE,
  continuationFrame,
  dataFrame,
  frame,
  goawayFrame,
  headersFrame,
  pingFrame,
  PREFACE,
  priorityFrame,
  rstStreamFrame,
  settingsAckFrame,
  settingsFrame,
  TYPE,
  windowUpdateFrame,
} from '../../support/h2/frames.ts';
import { indexed, literal, plainBlock } from '../../support/h2/hpack.ts';
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
  ignored,
  open,
  PATH,
  post,
  request,
  response,
  rows,
} from './conformance-row.ts';

const { protocolError, streamClosed, frameSizeError, compressionError } = CODE;
const GET_BLOCK = plainBlock(request());
const bare = { isBare: true } as const;

const preface = rows('RFC 9113 3.4', 'the preface', {
  'is answered with SETTINGS and their acknowledgement': [
    [PREFACE, settingsFrame()],
    frames({ type: TYPE.settings, flags: 0, stream: 0 }, { type: TYPE.settings, flags: 1, payload: '' }),
    bare,
  ],
  'comes with SETTINGS and a request in one write': [
    Buffer.concat([PREFACE, settingsFrame(), get(1)]),
    response(1),
    bare,
  ],
  'may come byte by byte': [
    [{ trickle: Buffer.concat([PREFACE, settingsFrame(), get(1)]) }],
    response(1),
    bare,
  ],
  ...alike(
    closed,
    {
      'that differs in its first line ends the connection': Buffer.from('PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n'),
      'that differs in its last byte ends the connection': Buffer.concat([
        PREFACE.subarray(0, 23),
        Buffer.of(0),
      ]),
      'that is cut by FIN ends the connection': [PREFACE.subarray(0, 20), { halfClose: true }],
      'with FIN behind its SETTINGS ends the connection': [PREFACE, settingsFrame(), { halfClose: true }],
    },
    bare,
  ),
  ...alike(
    connectionError(protocolError),
    {
      'without SETTINGS, PING first': [PREFACE, pingFrame()],
      'without SETTINGS, HEADERS first': [PREFACE, get(1)],
      'without SETTINGS, an acknowledgement first': [PREFACE, settingsAckFrame()],
      'without SETTINGS, an unknown frame first': [PREFACE, frame({ type: 0x20 })],
    },
    bare,
  ),
  // Read as the head of a frame, the length of the second is above any limit.
  'comes once': [PREFACE, connectionError(protocolError, frameSizeError)],
});

const frameFormat = rows('RFC 9113 4.1', 'a frame', {
  ...alike(ignored, {
    'of an unknown type on stream 0': frame({ type: 0x16, payload: 'anything' }),
    'of an unknown type on an idle stream': frame({ type: 0x16, stream: 1, payload: 'anything' }),
    'of an unknown type on an open stream': [open(1), frame({ type: 0xff, stream: 1, flags: 0xff })],
    'of an unknown type on a closed stream': [...done(1), frame({ type: 0x16, stream: 1 })],
    'of an unknown type, as long as may be': frame({ type: 0x16, payload: Buffer.alloc(16_384) }),
    'WINDOW_UPDATE with its reserved bit set': frame({ type: TYPE.windowUpdate, payload: '\x80\0\0\x01' }),
    'PRIORITY with unknown flags': frame({
      type: TYPE.priority,
      stream: 1,
      flags: 0xff,
      payload: '\0\0\0\0\x10',
    }),
    'RST_STREAM with unknown flags': [
      open(1),
      frame({ type: TYPE.rstStream, stream: 1, flags: 0xff, payload: '\0\0\0\x08' }),
    ],
  }),
  'PING with unknown flags': [
    frame({ type: TYPE.ping, flags: 0xfe, payload: '12345678' }),
    frames({ type: TYPE.ping, flags: 1, payload: '12345678' }),
  ],
  'PING with the reserved bit set': [
    frame({ type: TYPE.ping, payload: '12345678', isReservedBitSet: true }),
    frames({ type: TYPE.ping, flags: 1, payload: '12345678' }),
  ],
  'SETTINGS with unknown flags': [
    [frame({ type: TYPE.settings, flags: 0xfe }), { acks: 2 }],
    frames({ type: TYPE.settings, flags: 1 }),
  ],
  'HEADERS with unknown flags and the reserved bit': [
    frame({ type: TYPE.headers, stream: 1, flags: 0xd7, payload: GET_BLOCK, isReservedBitSet: true }),
    response(1),
  ],
  'DATA with unknown flags': [
    [post(1), frame({ type: TYPE.data, stream: 1, flags: 0xf7, payload: 'hello' })],
    response(1, 200, 'hello'),
  ],
});

const frameSize = rows('RFC 9113 4.2', 'a frame', {
  'DATA of 2^14 bytes': [[post(1), end(1, 'x'.repeat(16_384))], response(1, 200, 'x'.repeat(16_384))],
  'DATA of more than the advertised size': [
    [post(1), end(1, 'x'.repeat(16_385))],
    anyError(1, frameSizeError),
  ],
  'DATA as long as a larger advertised size': [
    [post(1), end(1, 'x'.repeat(20_000))],
    response(1, 200, 'x'.repeat(20_000)),
    { server: { h2MaxFrameSize: 20_000 } },
  ],
  'DATA of more than a larger advertised size': [
    [post(1), end(1, 'x'.repeat(20_001))],
    anyError(1, frameSizeError),
    { server: { h2MaxFrameSize: 20_000 } },
  ],
  ...alike(connectionError(frameSizeError), {
    'HEADERS of more than the advertised size': get(1, {}, ['x-long', 'x'.repeat(16_385)]),
    'CONTINUATION of more than the advertised size': [
      headersFrame(1, GET_BLOCK, { endHeaders: false, endStream: true }),
      continuationFrame(1, literal('x-long', 'x'.repeat(16_385))),
    ],
    'SETTINGS of more than the advertised size': settingsFrame(
      Array.from({ length: 2731 }, () => [0x1234, 0] as const),
    ),
    'PING of more than the advertised size': pingFrame('x'.repeat(16_385)),
    'GOAWAY of more than the advertised size': goawayFrame(0, 0, 'x'.repeat(16_385)),
    'of an unknown type, of more than the advertised size': frame({
      type: 0x16,
      payload: Buffer.alloc(16_385),
    }),
    'of an unknown type, announced as 2^24-1 bytes': frame({ type: 0x16, announcedLength: 0xff_ffff }),
  }),
});

/** HEADERS without END_HEADERS, and a frame where CONTINUATION must come. */
const inBlock = (...bytes: Buffer[]): Buffer[] => [
  headersFrame(1, GET_BLOCK.subarray(0, 10), { endHeaders: false, endStream: true }),
  ...bytes,
];

const fieldBlocks = rows('RFC 9113 4.3', 'a field block', {
  'in pieces, the first ones of one byte': [
    [
      headersFrame(1, GET_BLOCK.subarray(0, 1), { endHeaders: false, endStream: true }),
      ...Array.from(GET_BLOCK.subarray(1, 8), (byte) =>
        continuationFrame(1, Buffer.of(byte), { endHeaders: false }),
      ),
      continuationFrame(1, GET_BLOCK.subarray(8)),
    ],
    response(1),
  ],
  'is decoded by the state that an earlier one left': [
    [
      headersFrame(1, Buffer.concat([GET_BLOCK, literal('x-kept', 'yes', { form: 'incremental' })]), {
        endStream: true,
      }),
      headersFrame(3, Buffer.concat([plainBlock(request({ path: PATH.describe })), indexed(62)]), {
        endStream: true,
      }),
    ],
    { kind: 'described', stream: 3, has: {}, headers: [['x-kept', 'yes']] },
  ],
  ...alike(connectionError(compressionError), {
    'that cannot be decoded': headersFrame(1, Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff), {
      endStream: true,
    }),
    'that ends inside a field': headersFrame(1, GET_BLOCK.subarray(0, -1), { endStream: true }),
    'of trailers that cannot be decoded': [post(1), headersFrame(1, Buffer.of(0x80), { endStream: true })],
  }),
  'on a stream that has been reset, that cannot be decoded': [
    [open(1), rstStreamFrame(1), headersFrame(1, Buffer.of(0x80), { endStream: true })],
    connectionError(compressionError, streamClosed),
  ],
  ...alike(connectionError(protocolError), {
    'with DATA in it': inBlock(dataFrame(1, 'x')),
    'with HEADERS of another stream in it': inBlock(get(3)),
    'with HEADERS of the same stream in it': inBlock(get(1)),
    'with PRIORITY in it': inBlock(priorityFrame(1, { dependsOn: 0 })),
    'with RST_STREAM in it': inBlock(rstStreamFrame(1)),
    'with SETTINGS in it': inBlock(settingsFrame()),
    'with PING in it': inBlock(pingFrame()),
    'with GOAWAY in it': inBlock(goawayFrame(0)),
    'with WINDOW_UPDATE in it': inBlock(windowUpdateFrame(0, 1)),
    'with CONTINUATION of another stream in it': inBlock(continuationFrame(3, GET_BLOCK.subarray(10))),
    'with an unknown frame in it (5.5)': inBlock(frame({ type: 0x16 })),
  }),
});
const errors = rows('RFC 9113 5.4', 'an error', {
  'of the connection names the last stream': [
    [...done(1), ...done(3), pingFrame('short')],
    { kind: 'connection error', codes: [frameSizeError], lastStream: 3 },
  ],
  'of the connection ends it, whatever follows': [
    [pingFrame('short'), get(1), get(3)],
    { kind: 'connection error', codes: [frameSizeError], lastStream: 0 },
  ],
  'of a stream leaves the others': [
    [post(1), get(3, { path: null }), end(1, 'hello')],
    response(1, 200, 'hello'),
  ],
});

const extensions = rows('RFC 9113 5.5', 'an extension', {
  'unknown settings are ignored': [settingsFrame([[0xf0f0, 0xffff_ffff]]), ignored],
  'unknown frames between those of a request are ignored': [
    [
      post(1),
      frame({ type: 0x42, stream: 1 }),
      dataFrame(1, 'a'),
      frame({ type: 0x42, stream: 1 }),
      end(1, 'b'),
    ],
    response(1, 200, 'ab'),
  ],
  'PRIORITY_UPDATE of RFC 9218 does no harm': [frame({ type: 0x10, payload: '\0\0\0\x01u=1' }), ignored],
  'ALTSVC and ORIGIN from a client do no harm': [
    [frame({ type: 0x0a, payload: '\0\0' }), frame({ type: 0x0c })],
    ignored,
  ],
});

export const connectionRows: ConformanceRow[] = [
  ...preface,
  ...frameFormat,
  ...frameSize,
  ...fieldBlocks,
  ...errors,
  ...extensions,
];
