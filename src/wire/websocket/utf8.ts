/**
 * UTF-8 judged in pieces: an automaton whose state is a small number, so that text is refused at the first byte that
 * proves it invalid (RFC 3629 section 4), wherever the pieces are cut.
 */
import { isUtf8 } from 'node:buffer';

/** Between two characters: where every text must begin and end. */
export const UTF8_ACCEPT = 0;
/** The bytes so far are not the beginning of any valid text. */
export const UTF8_REJECT = 8;

/** The first byte of a character to the state behind it: how many continuation bytes follow, and what bounds the first. */
const AFTER_LEAD = new Uint8Array(256).map((_, byte) => {
  if (byte < 0x80) return UTF8_ACCEPT;
  if (byte < 0xc2) return UTF8_REJECT; // continuation bytes, and leads that only overlong forms have
  if (byte < 0xe0) return 1;
  if (byte === 0xe0) return 4; // below a0: overlong
  if (byte === 0xed) return 5; // above 9f: surrogates
  if (byte < 0xf0) return 2;
  if (byte === 0xf0) return 6; // below 90: overlong
  if (byte < 0xf4) return 3;
  if (byte === 0xf4) return 7; // above 8f: above U+10FFFF
  return UTF8_REJECT;
});
/** By state: the lowest and the highest byte that may come next, and the state behind it. */
const LOWEST = Uint8Array.of(0, 0x80, 0x80, 0x80, 0xa0, 0x80, 0x90, 0x80, 0xff);
const HIGHEST = Uint8Array.of(0, 0xbf, 0xbf, 0xbf, 0xbf, 0x9f, 0xbf, 0x8f, 0);
const NEXT = Uint8Array.of(0, 0, 1, 2, 1, 1, 2, 2, UTF8_REJECT);

/** From this many bytes on, the built-in check of the characters that lie whole in a piece costs less. */
const WORTH_BUILT_IN = 64;

/** The state after `bytes[from, to)`, given the state before. */
export function advanceUtf8(state: number, bytes: Uint8Array, from: number, to: number): number {
  if (to - from < WORTH_BUILT_IN) return step(state, bytes, from, to);
  let start = from;
  let before = state;
  while (before !== UTF8_ACCEPT && before !== UTF8_REJECT && start < to) {
    before = step(before, bytes, start, start + 1);
    start++;
  }
  if (before === UTF8_REJECT) return UTF8_REJECT;
  const end = lastLead(bytes, start, to);
  if (!isUtf8(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start))) return UTF8_REJECT;
  return step(UTF8_ACCEPT, bytes, end, to);
}

function step(before: number, bytes: Uint8Array, from: number, to: number): number {
  let state = before;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (state === UTF8_ACCEPT) state = AFTER_LEAD[byte]!;
    else if (byte >= LOWEST[state]! && byte <= HIGHEST[state]!) state = NEXT[state]!;
    else return UTF8_REJECT;
  }
  return state;
}

/** Where the last character begins if it may be cut off: a lead byte among the last three. */
function lastLead(bytes: Uint8Array, from: number, to: number): number {
  for (let at = to - 1; at >= from && at >= to - 3; at--) {
    if (bytes[at]! >= 0xc0) return at;
  }
  return to;
}
