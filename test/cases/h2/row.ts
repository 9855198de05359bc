/**
 * The form of a vector for the frame guard, and the frames that vectors are made of, written out by hand so that nothing here can be wrong
 * in the same way as the sources.
 */
import { Buffer } from 'node:buffer';

import type { H2_FAULTS } from '../../../src/wire/h2/errors.ts';
import type { GuardLimits } from '../../../src/wire/h2/frame-guard.ts';

export interface GuardRow {
  name: string;
  /** Section of RFC 9113 if nothing else is said. */
  rfc: string;
  limits?: Partial<GuardLimits>;
  /** Whether preface and SETTINGS of both ends stand before the steps; else the steps are everything. */
  isRaw?: boolean;
  steps: readonly Step[];
  /** What node:http2 gets to see of the steps. */
  passed: readonly Buffer[];
  /** What the peer is told at once. */
  replies?: readonly Buffer[];
  fault?: keyof typeof H2_FAULTS;
}

/** Bytes of the client, bytes of the server, or time that goes by. */
export type Step = Buffer | { server: Buffer } | { milliseconds: number };

export const LIMITS: GuardLimits = {
  maxFrameSize: 16_384,
  maxConcurrentStreams: 100,
  initialWindowSize: 65_535,
  maxHeaderListSize: 65_536,
  rstBurst: 1000,
  rstRate: 33,
};

export const PREFACE = Buffer.from('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a', 'hex');

export const ACK = 1;
export const END_STREAM = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const PRIORITY = 32;

export const CODE = {
  protocol: 1,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  calm: 11,
};

export function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index));
  return bytes;
}

export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | number = 0,
): Buffer {
  const bytes = typeof payload === 'number' ? Buffer.alloc(payload) : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, bytes]);
}

/** `:method: GET`, `:scheme: http`, `:path: /`, `:authority: a`. */
export const FIELDS = Buffer.from('828684410161', 'hex');
/** `a: b`. */
export const TRAILERS = Buffer.from('4001610162', 'hex');

export const data = (id: number, payload: Uint8Array | number, flags = 0): Buffer =>
  frame(0, flags, id, payload);
export const headers = (id: number, flags = END_STREAM | END_HEADERS, block: Uint8Array = FIELDS): Buffer =>
  frame(1, flags, id, block);
export const request = (id: number): Buffer => headers(id);
/** A request whose body is still to come. */
export const upload = (id: number): Buffer => headers(id, END_HEADERS);
export const priority = (id: number, dependency: number): Buffer =>
  frame(2, 0, id, Buffer.concat([u32(dependency), Buffer.of(15)]));
export const rstStream = (id: number, code: number): Buffer => frame(3, 0, id, u32(code));
export const settings = (...pairs: readonly (readonly [number, number])[]): Buffer => {
  const payload = Buffer.alloc(6 * pairs.length);
  pairs.forEach(([setting, value], index) => {
    payload.writeUInt16BE(setting, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  });
  return frame(4, 0, 0, payload);
};
export const settingsAck = (): Buffer => frame(4, ACK, 0);
export const ping = (flags = 0): Buffer => frame(6, flags, 0, Buffer.from('12345678'));
export const goAway = (lastStreamId = 0, code = 0): Buffer => frame(7, 0, 0, u32(lastStreamId, code));
export const windowUpdate = (id: number, increment: number): Buffer => frame(8, 0, id, u32(increment));
export const continuation = (
  id: number,
  flags = END_HEADERS,
  block: Uint8Array | number = TRAILERS,
): Buffer => frame(9, flags, id, block);

/** How the guard passes on the only HEADERS frame of a stream that it refuses: decoded, but no request. */
export const refused = (
  id: number,
  flags = END_STREAM | END_HEADERS,
  block: Uint8Array = FIELDS,
): Buffer[] => [
  headers(id, flags & ~END_HEADERS, block),
  continuation(id, END_HEADERS, Buffer.from('00023a7800', 'hex')),
];

/** What the server answers to a request, and so ends the stream on its side. */
export const answer = (id: number): { server: Buffer } => ({
  server: Buffer.concat([
    frame(1, END_HEADERS, id, Buffer.of(0x88)),
    data(id, Buffer.from('hello'), END_STREAM),
  ]),
});

export function times<Item>(count: number, item: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => item(index));
}
