/**
 * HTTP/2 frames (RFC 9113 section 4) for tests: builders that make what they are told, well formed or not, and a reader of
 * what a peer sends. Nothing here is shared with the sources.
 */
import { Buffer } from 'node:buffer';

/** The first bytes of every client (RFC 9113 section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Section 6. */
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Section 7. */
export const CODE = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const;

/** Section 6.5.2, and RFC 8441 section 3. */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export interface FrameOptions {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
  readonly payload?: Uint8Array | string;
  /** What the head says where it is not the payload's length. */
  readonly announcedLength?: number;
  /** The bit in front of the stream identifier. */
  readonly isReservedBitSet?: boolean;
}

/** Any frame at all; a string is a byte string. */
export function frame(options: FrameOptions): Buffer {
  const { type, flags = 0, stream = 0, payload = '', announcedLength, isReservedBitSet = false } = options;
  const content = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(announcedLength ?? content.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream + (isReservedBitSet ? 2 ** 31 : 0), 5);
  return Buffer.concat([head, content]);
}

export interface MessageOptions {
  readonly endStream?: boolean;
  /** True by default. */
  readonly endHeaders?: boolean;
  /** Sets the PADDED flag: how much padding is announced, and what there is of it where that differs. */
  readonly padding?: number | { readonly announced: number; readonly content: Uint8Array };
  /** Sets the PRIORITY flag. */
  readonly priority?: Priority;
}

export interface Priority {
  readonly dependsOn: number;
  readonly weight?: number;
  readonly isExclusive?: boolean;
}

export function dataFrame(
  stream: number,
  payload: Uint8Array | string = '',
  options: MessageOptions = {},
): Buffer {
  const flags = options.endStream === true ? FLAG.endStream : 0;
  return padded({ type: TYPE.data, stream, flags }, toBuffer(payload), options.padding);
}

export function headersFrame(stream: number, block: Uint8Array, options: MessageOptions = {}): Buffer {
  const { endStream = false, endHeaders = true, padding, priority } = options;
  const flags =
    (endStream ? FLAG.endStream : 0) |
    (endHeaders ? FLAG.endHeaders : 0) |
    (priority === undefined ? 0 : FLAG.priority);
  const start = priority === undefined ? Buffer.alloc(0) : priorityFields(priority);
  return padded({ type: TYPE.headers, stream, flags }, Buffer.concat([start, block]), padding);
}

export function continuationFrame(stream: number, block: Uint8Array, { endHeaders = true } = {}): Buffer {
  return frame({ type: TYPE.continuation, stream, flags: endHeaders ? FLAG.endHeaders : 0, payload: block });
}

export function priorityFrame(stream: number, priority: Priority): Buffer {
  return frame({ type: TYPE.priority, stream, payload: priorityFields(priority) });
}

export function rstStreamFrame(stream: number, code: number = CODE.cancel): Buffer {
  return frame({ type: TYPE.rstStream, stream, payload: uint32(code) });
}

/** Settings as pairs of identifier and value, in the order given. */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[] = []): Buffer {
  const payload = Buffer.concat(
    settings.map(([id, value]) => Buffer.concat([Buffer.of(id >> 8, id & 0xff), uint32(value)])),
  );
  return frame({ type: TYPE.settings, payload });
}

export function settingsAckFrame(): Buffer {
  return frame({ type: TYPE.settings, flags: FLAG.ack });
}

/** Eight bytes belong in it. */
export function pingFrame(payload: Uint8Array | string = 'pingping', { ack = false } = {}): Buffer {
  return frame({ type: TYPE.ping, flags: ack ? FLAG.ack : 0, payload });
}

export function goawayFrame(lastStream: number, code: number = CODE.noError, debug = ''): Buffer {
  const payload = Buffer.concat([uint32(lastStream), uint32(code), Buffer.from(debug, 'latin1')]);
  return frame({ type: TYPE.goaway, payload });
}

export function windowUpdateFrame(stream: number, increment: number): Buffer {
  return frame({ type: TYPE.windowUpdate, stream, payload: uint32(increment) });
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Weight as the RFC counts it, 1 to 256 (RFC 7540 section 6.3). */
export function priorityFields({ dependsOn, weight = 16, isExclusive = false }: Priority): Buffer {
  return Buffer.concat([uint32(dependsOn + (isExclusive ? 2 ** 31 : 0)), Buffer.of(weight - 1)]);
}

function padded(head: FrameOptions, content: Buffer, padding: MessageOptions['padding']): Buffer {
  if (padding === undefined) return frame({ ...head, payload: content });
  const given =
    typeof padding === 'number' ? { announced: padding, content: Buffer.alloc(padding) } : padding;
  const payload = Buffer.concat([Buffer.of(given.announced), content, given.content]);
  return frame({ ...head, flags: (head.flags ?? 0) | FLAG.padded, payload });
}

function toBuffer(payload: Uint8Array | string): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload, 'latin1') : Buffer.from(payload);
}

/** The frame that `bytes` begin with and its length on the wire; undefined while some of it is missing. */
export function readFrame(bytes: Buffer): { frame: Frame; size: number } | undefined {
  if (bytes.length < 9) return undefined;
  const size = 9 + bytes.readUIntBE(0, 3);
  if (bytes.length < size) return undefined;
  const stream = bytes.readUInt32BE(5) & 0x7fff_ffff;
  return { frame: { type: bytes[3]!, flags: bytes[4]!, stream, payload: bytes.subarray(9, size) }, size };
}

/** What DATA or HEADERS carry without padding and priority. */
export function contentOf({ type, flags, payload }: Frame): Buffer {
  const isPadded = (flags & FLAG.padded) !== 0;
  const start = (isPadded ? 1 : 0) + (type === TYPE.headers && flags & FLAG.priority ? 5 : 0);
  return payload.subarray(start, payload.length - (isPadded ? payload[0]! : 0));
}

export function readSettings({ payload }: Frame): [id: number, value: number][] {
  return Array.from({ length: payload.length / 6 }, (_, at) => [
    payload.readUInt16BE(at * 6),
    payload.readUInt32BE(at * 6 + 2),
  ]);
}

const TYPE_NAMES = Object.keys(TYPE);
const CODE_NAMES = Object.keys(CODE);

export function codeName(code: number): string {
  return CODE_NAMES[code] ?? `code ${code}`;
}

/** For messages of failing tests. */
export function describeFrame({ type, flags, stream, payload }: Frame): string {
  const name = TYPE_NAMES[type] ?? `type ${type}`;
  const code =
    type === TYPE.rstStream
      ? codeName(payload.readUInt32BE(0))
      : type === TYPE.goaway
        ? codeName(payload.readUInt32BE(4))
        : '';
  return `${name}(stream ${stream}, flags 0x${flags.toString(16)}, ${payload.length} bytes${code && `, ${code}`})`;
}
