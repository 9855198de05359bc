/**
 * Remembers header sections that clients repeat byte for byte, so that whoever sends the same fields with every request
 * has them parsed and judged once. Shared by all connections of a server, bounded, and only ever a shortcut: a section
 * is taken from here when it equals one that has been accepted, in full, to the last byte.
 */
import { Buffer } from 'node:buffer';
import type { RequestHead } from './request-head.ts';

interface Entry {
  /** The section with its closing empty line. */
  readonly text: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly contentLength: number;
  readonly flags: number;
}

/** How many sections are tried before a head is parsed; each costs a comparison that mostly ends at once. */
const ENTRIES = 4;
/** How many sizes are watched for repeats. */
const SIZES = 64;
/** Longer sections carry tokens of some kind more often than not, and are not repeated to the byte. */
const MAX_LENGTH = 2048;
/** Credentials are not kept beyond their request. */
const CREDENTIALS = /^(?:cookie|authorization|proxy-authorization)$/;

export class FieldMemo {
  /** Bytes of the section that came last: the next one is likely to be as long. */
  lastSize = 0;
  /** The one used last comes first. */
  readonly #entries: Entry[] = [];
  readonly #sizes = new Uint16Array(SIZES);

  /** Fills `head` if `text` goes on at `start` with a section that is known. Answers the offset behind it, or -1. */
  recall(head: RequestHead, text: string, start: number): number {
    const entries = this.#entries;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (!text.startsWith(entry.text, start)) continue;
      if (i > 0) {
        entries[i] = entries[0]!;
        entries[0] = entry;
      }
      const { headers } = head;
      for (const field of entry.headers) headers.push([field[0], field[1]]);
      head.contentLength = entry.contentLength;
      head.flags = entry.flags;
      this.lastSize = entry.text.length;
      return start + entry.text.length;
    }
    return -1;
  }

  /** Notes an accepted section; one whose size has been seen before is kept. */
  note(head: RequestHead, text: string, start: number, end: number): void {
    const size = end - start;
    this.lastSize = size;
    if (size > MAX_LENGTH) return;
    const isRepeated = this.#sizes[size % SIZES] === size;
    this.#sizes[size % SIZES] = size;
    if (!isRepeated || head.headers.some(([name]) => CREDENTIALS.test(name))) return;
    const entry = {
      // A copy: a substring would keep the whole text alive.
      text: Buffer.from(text.slice(start, end), 'latin1').toString('latin1'),
      headers: head.headers.map(([name, value]) => [name, value] as const),
      contentLength: head.contentLength,
      flags: head.flags,
    };
    this.#entries[this.#entries.length < ENTRIES ? this.#entries.length : ENTRIES - 1] = entry;
  }
}
