/**
 * Frames as a client sends them, well formed or not as the caller says, a reader for those that a server sends, and
 * ways to feed the reader under test. The first two are written from RFC 6455 section 5.2 and share nothing with the sources.
 */
import { WebSocketFault } from '../../src/wire/websocket/errors.ts';
import {
  type Incoming,
  MessageReader,
  type WebSocketLimits,
} from '../../src/wire/websocket/message-reader.ts';
import { toBytes } from './bytes.ts';

export interface ClientFrame {
  opcode: number;
  /** A string is sent as UTF-8. */
  payload?: Uint8Array | string;
  /** True by default. */
  fin?: boolean;
  rsv1?: boolean;
  rsv2?: boolean;
  rsv3?: boolean;
  /** The four bytes of the key, or false for a frame without a mask. */
  mask?: readonly number[] | false;
  /** How the length is written; the shortest form by default. */
  lengthForm?: 7 | 16 | 64;
  /** What the head says where it is not the payload's length. */
  announcedLength?: number | bigint;
}

const KEY = [0x37, 0xfa, 0x21, 0x3d];

export function clientFrame(frame: ClientFrame): Uint8Array {
  const { payload = '', mask = KEY } = frame;
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  const key = mask === false ? [] : mask;
  const masked = key.length === 0 ? bytes : bytes.map((byte, index) => byte ^ key[index % 4]!);
  return Buffer.concat([frameStart(frame, bytes.length), Uint8Array.from(key), masked]);
}

function frameStart(frame: ClientFrame, payloadLength: number): Uint8Array {
  const { opcode, fin = true, rsv1 = false, rsv2 = false, rsv3 = false, mask, announcedLength } = frame;
  const length = BigInt(announcedLength ?? payloadLength);
  const form = frame.lengthForm ?? (length < 126n ? 7 : length < 0x10000n ? 16 : 64);
  const start = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10);
  start[0] = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | (rsv2 ? 0x20 : 0) | (rsv3 ? 0x10 : 0) | opcode;
  start[1] = (mask === false ? 0 : 0x80) | (form === 7 ? Number(length) : form === 16 ? 126 : 127);
  if (form === 16) start.writeUInt16BE(Number(length), 2);
  if (form === 64) start.writeBigUInt64BE(length, 2);
  return start;
}

/** A close frame; without a code its payload is empty. */
export function closeFrame(code?: number, reason: Uint8Array | string = ''): Uint8Array {
  if (code === undefined) return clientFrame({ opcode: 8 });
  const bytes = typeof reason === 'string' ? new TextEncoder().encode(reason) : reason;
  return clientFrame({ opcode: 8, payload: Buffer.concat([Uint8Array.of(code >> 8, code & 0xff), bytes]) });
}

export interface ServerFrame {
  opcode: number;
  fin: boolean;
  rsv1: boolean;
  rsv2: boolean;
  rsv3: boolean;
  isMasked: boolean;
  /** Whether the length is in its shortest form. */
  isMinimal: boolean;
  /** Unmasked. */
  payload: Uint8Array;
}

/** The frames that `bytes` (or a byte string) begins with, and how many bytes behind them are not a whole frame. */
export function readServerFrames(input: Uint8Array | string): { frames: ServerFrame[]; rest: number } {
  const bytes = Buffer.from(typeof input === 'string' ? toBytes(input) : input);
  const frames: ServerFrame[] = [];
  let at = 0;
  for (;;) {
    const read = readServerFrame(bytes.subarray(at));
    if (read === undefined) return { frames, rest: bytes.length - at };
    frames.push(read.frame);
    at += read.size;
  }
}

function readServerFrame(bytes: Buffer): { frame: ServerFrame; size: number } | undefined {
  if (bytes.length < 2) return undefined;
  const [first, second] = [bytes[0]!, bytes[1]!];
  const code = second & 0x7f;
  const isMasked = second >= 0x80;
  const keyAt = code < 126 ? 2 : code === 126 ? 4 : 10;
  const payloadAt = keyAt + (isMasked ? 4 : 0);
  if (bytes.length < payloadAt) return undefined;
  const length = code < 126 ? code : code === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const size = payloadAt + length;
  if (bytes.length < size) return undefined;
  const key = bytes.subarray(keyAt, payloadAt);
  const payload = Uint8Array.from(bytes.subarray(payloadAt, size), (byte, index) =>
    isMasked ? byte ^ key[index % 4]! : byte,
  );
  const frame = {
    opcode: first & 0x0f,
    fin: (first & 0x80) !== 0,
    rsv1: (first & 0x40) !== 0,
    rsv2: (first & 0x20) !== 0,
    rsv3: (first & 0x10) !== 0,
    isMasked,
    isMinimal: code < 126 || length >= (code === 126 ? 126 : 0x10000),
    payload,
  };
  return { frame, size };
}

export interface ReadMessages {
  incoming: Incoming[];
  /** The code of the fault that ended it. */
  fault: string | undefined;
  /** How many bytes had been fed when the fault came out, by whole chunks. */
  faultAfter: number | undefined;
}

export interface ReaderOptions extends Partial<WebSocketLimits> {
  allowsCompression?: boolean;
}

export function messageReader(options: ReaderOptions = {}): MessageReader {
  const { allowsCompression = false, maxWsFrameSize = 2 ** 24, maxWsMessageSize = 2 ** 24 } = options;
  return new MessageReader({ maxWsFrameSize, maxWsMessageSize }, { allowsCompression });
}

/** What a reader makes of these chunks, of which it gets copies, pulled after each. */
export function readMessages(chunks: readonly Uint8Array[], options: ReaderOptions = {}): ReadMessages {
  const reader = messageReader(options);
  const incoming: Incoming[] = [];
  let fed = 0;
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk));
    fed += chunk.length;
    for (;;) {
      const next = reader.next();
      if (next === undefined) break;
      if (next instanceof WebSocketFault) return { incoming, fault: next.code, faultAfter: fed };
      incoming.push(next);
    }
  }
  return { incoming, fault: undefined, faultAfter: undefined };
}

/** A well-formed frame that may stand behind any other bytes, and what it comes to. */
const TRAILING = clientFrame({ opcode: 9, payload: 'behind' });
const TRAILING_INCOMING: Incoming = { kind: 'ping', payload: new TextEncoder().encode('behind') };

export interface FrameWay {
  name: string;
  chunks: Uint8Array[];
  /** What the reader gives for the bytes behind the input, where it gets so far. */
  trailing: Incoming[];
}

/** The ways in which one input can reach a reader. It must make the same of all of them. */
export function* feedFramesThreeWays(input: Uint8Array): Generator<FrameWay> {
  yield { name: 'whole', chunks: [input], trailing: [] };
  yield { name: 'byte by byte', chunks: byteByByte(input), trailing: [] };
  yield {
    name: 'with a frame behind',
    chunks: [Buffer.concat([input, TRAILING])],
    trailing: [TRAILING_INCOMING],
  };
}

export function byteByByte(input: Uint8Array): Uint8Array[] {
  return Array.from(input, (byte) => Uint8Array.of(byte));
}
