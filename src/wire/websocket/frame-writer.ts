/**
 * What a server puts before and into frames, as byte strings: every frame is whole and unmasked, and its length is
 * in the shortest form (RFC 6455 section 5.2).
 */
import { Buffer } from 'node:buffer';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const FIN = 0x80;
const RSV1 = 0x40;
/** A control frame carries 125 bytes at most (section 5.5), of which a close frame's code takes two. */
const LONGEST_REASON = 123;

/** By first byte and length: the heads of short frames, made once. */
const SHORT_HEADS: (string[] | undefined)[] = [];

let lastKey = -1;
let lastHead = '';

/** The head of an unfragmented frame; `length` counts payload bytes, `isCompressed` sets RSV1 (RFC 7692 section 6). */
export function frameHead(opcode: number, length: number, isCompressed = false): string {
  const first = FIN | (isCompressed ? RSV1 : 0) | opcode;
  if (length < 126) return (SHORT_HEADS[first] ??= shortHeads(first))[length]!;
  const key = first * 0x10000 + length;
  if (length < 0x10000) {
    // Messages of one kind tend to have one length.
    if (key === lastKey) return lastHead;
    lastKey = key;
    return (lastHead = String.fromCharCode(first, 126, length >> 8, length & 0xff));
  }
  const high = Math.floor(length / 0x100000000);
  return String.fromCharCode(
    first,
    127,
    (high >>> 24) & 0xff,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    (length >>> 24) & 0xff,
    (length >>> 16) & 0xff,
    (length >>> 8) & 0xff,
    length & 0xff,
  );
}

function shortHeads(first: number): string[] {
  return Array.from({ length: 126 }, (_, length) => String.fromCharCode(first, length));
}

/** The payload of a close frame; empty for 1005, which stands for no code. A reason that is too long is cut between characters. */
export function closePayload(code: number, reason: string): string {
  if (code === 1005) return '';
  let bytes = Buffer.from(reason, 'utf8');
  if (bytes.length > LONGEST_REASON) {
    let to = LONGEST_REASON;
    while ((bytes[to]! & 0xc0) === 0x80) to--;
    bytes = bytes.subarray(0, to);
  }
  return String.fromCharCode(code >> 8, code & 0xff) + bytes.toString('latin1');
}
