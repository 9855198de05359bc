/**
 * Masking as RFC 6455 section 5.3 has it: byte i of a payload is XORed with byte i modulo 4 of the frame's key. The key is
 * held as one number, its first byte lowest, and is rotated where a payload is taken in pieces.
 */

import { Buffer } from 'node:buffer';

/**
 * From this many bytes on a view of words costs less than the bytes one by one. Over memory that already has an `ArrayBuffer` they
 * meet at 200 bytes; for a chunk fresh from a socket Bun must first make one, and they meet between 1 and 2 KiB.
 */
const WORTH_WORDS = 1024;
/** The top bits of four bytes: set where one of them is not ASCII. */
const TOP_BITS = 0x80808080;

/**
 * Unmasks `bytes[from, to)` in place. `key` must be rotated to where `from` lies in the payload. Answers whether a byte
 * above 0x7f has come out, which spares text most of its validation.
 */
export function unmask(bytes: Uint8Array, from: number, to: number, key: number): boolean {
  if (to - from < WORTH_WORDS) return unmaskBytes(bytes, from, to, key) > 0x7f;
  const misaligned = (bytes.byteOffset + from) & 3;
  const head = misaligned === 0 ? 0 : 4 - misaligned;
  const start = from + head;
  const count = (to - start) >> 2;
  let seen = unmaskBytes(bytes, from, start, key);
  const wordKey = rotateKey(key, head);
  seen |= unmaskWords(new Int32Array(bytes.buffer, bytes.byteOffset + start, count), count, wordKey);
  seen |= unmaskBytes(bytes, start + count * 4, to, wordKey);
  return (seen & TOP_BITS) !== 0;
}

/** Payloads up to this size can be unmasked aside. */
export const ASIDE_SIZE = 65_536;
/** Present at run time in Node and Bun, absent from the types. */
type CopyingBuffer = Buffer & {
  copy(target: Uint8Array, targetStart: number, start: number, end: number): number;
};

const aside = new Uint8Array(ASIDE_SIZE);
const asideWords = new Int32Array(aside.buffer);

/** What {@link unmaskAside} has left; it is overwritten by the next call. */
export const asideBytes: Buffer = Buffer.from(aside.buffer);

/**
 * As {@link unmask}, with the result in {@link asideBytes}, from its beginning: a chunk fresh from a socket, of which Bun would
 * first have to make an `ArrayBuffer` for a view of words, is copied in half the time that this takes.
 */
export function unmaskAside(bytes: Buffer, from: number, to: number, key: number): boolean {
  const size = to - from;
  const count = size >> 2;
  (bytes as CopyingBuffer).copy(aside, 0, from, to);
  const seen = unmaskWords(asideWords, count, key);
  return ((seen | unmaskBytes(aside, count * 4, size, key)) & TOP_BITS) !== 0;
}

/** A copy of the first `size` bytes that were left there, with an `ArrayBuffer` of its own. */
export function copyOfAside(size: number): Uint8Array {
  return aside.slice(0, size);
}

/** The key as it applies `count` bytes further on. */
export function rotateKey(key: number, count: number): number {
  const bits = (count & 3) << 3;
  return (key >>> bits) | (key << (32 - bits));
}

/** Answers the bytes that came out, joined by OR. */
function unmaskBytes(bytes: Uint8Array, from: number, to: number, key: number): number {
  const key0 = key & 0xff;
  const key1 = (key >>> 8) & 0xff;
  const key2 = (key >>> 16) & 0xff;
  const key3 = key >>> 24;
  let seen = 0;
  let at = from;
  for (const last = to - 3; at < last; at += 4) {
    const byte0 = bytes[at]! ^ key0;
    const byte1 = bytes[at + 1]! ^ key1;
    const byte2 = bytes[at + 2]! ^ key2;
    const byte3 = bytes[at + 3]! ^ key3;
    bytes[at] = byte0;
    bytes[at + 1] = byte1;
    bytes[at + 2] = byte2;
    bytes[at + 3] = byte3;
    seen |= byte0 | byte1 | byte2 | byte3;
  }
  for (let rest = key; at < to; at++, rest >>>= 8) {
    const byte = bytes[at]! ^ (rest & 0xff);
    bytes[at] = byte;
    seen |= byte;
  }
  return seen;
}

/** The same for words. The order of bytes in a word is the machine's, and every machine that Bun runs on puts the lowest first. */
function unmaskWords(words: Int32Array, count: number, key: number): number {
  let seen = 0;
  let at = 0;
  for (const last = count - 3; at < last; at += 4) {
    const word0 = words[at]! ^ key;
    const word1 = words[at + 1]! ^ key;
    const word2 = words[at + 2]! ^ key;
    const word3 = words[at + 3]! ^ key;
    words[at] = word0;
    words[at + 1] = word1;
    words[at + 2] = word2;
    words[at + 3] = word3;
    seen |= word0 | word1 | word2 | word3;
  }
  for (; at < count; at++) {
    const word = words[at]! ^ key;
    words[at] = word;
    seen |= word;
  }
  return seen;
}
