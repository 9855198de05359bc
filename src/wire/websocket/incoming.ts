/**
 * What a peer's frames come to, and how bytes become it: text as a string, and binary messages in memory that the
 * application may call its own.
 */
import { type Buffer, isUtf8 } from 'node:buffer';

import { WS_FAULTS, type WebSocketFault } from './errors.ts';

export type Incoming =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array }
  /** With RSV1: still to be inflated, and judged as text only then. */
  | { readonly kind: 'compressed'; readonly isText: boolean; readonly payload: Uint8Array }
  | { readonly kind: 'ping' | 'pong'; readonly payload: Uint8Array }
  /** The code is 1005 where the frame has none. */
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

/** Smaller binary messages are copied, so that none of them keeps a big chunk in memory. */
const WORTH_SHARING = 16 * 1024;

/** What a decoder puts where bytes are not UTF-8. */
const REPLACEMENT = '\ufffd';
/** Present at run time in Node and Bun, absent from the types. Unlike `TextDecoder` they keep a byte order mark. */
type SlicingBuffer = Buffer & {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
};

/** The text of `bytes[from, to)`, which is known to be valid. */
export function decodeText(bytes: Buffer, from: number, to: number, isAscii: boolean): string {
  if (isAscii) return (bytes as SlicingBuffer).latin1Slice(from, to);
  return (bytes as SlicingBuffer).utf8Slice(from, to);
}

/** The text message that `bytes[from, to)` is, or the fault (RFC 6455 section 8.1). */
export function textMessage(
  bytes: Buffer,
  from: number,
  to: number,
  isAscii: boolean,
): Incoming | WebSocketFault {
  const text = decodeText(bytes, from, to, isAscii);
  // What is invalid decodes to replacement characters. Only text that has them needs to be judged by its bytes.
  if (!isAscii && text.includes(REPLACEMENT) && !isUtf8(viewOf(bytes, from, to)))
    return WS_FAULTS.invalidUtf8;
  return { kind: 'text', text };
}

/**
 * The binary message that `bytes[from, to)` is. `isLast` says that nothing else will be read from this memory, which the
 * application may then have: what it does to the `ArrayBuffer`, detach it for instance, must not reach other messages.
 */
export function binaryMessage(bytes: Buffer, from: number, to: number, isLast: boolean): Incoming {
  const isWorthSharing = isLast && to - from >= WORTH_SHARING;
  return { kind: 'binary', bytes: isWorthSharing ? viewOf(bytes, from, to) : copyOf(bytes, from, to) };
}

export function compressedMessage(bytes: Buffer, from: number, to: number, isText: boolean): Incoming {
  return { kind: 'compressed', isText, payload: viewOf(bytes, from, to) };
}

export function viewOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);
}

export function copyOf(bytes: Buffer, from: number, to: number): Uint8Array {
  const copy = new Uint8Array(to - from);
  bytes.copy(copy, 0, from, to);
  return copy;
}
