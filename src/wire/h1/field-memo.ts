/**
 * Remembers header sections that clients repeat byte for byte, so that a connection which sends the same fields with
 * every request has them parsed and judged once. Shared by all connections of a server, bounded, and only ever a
 * shortcut: a section is taken from here when it equals one that has been accepted, in full, to the last byte.
 */
import type { RequestHead } from './request-head.ts';

interface Entry {
  /** The section with its closing empty line. */
  readonly text: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly contentLength: number;
  readonly flags: number;
}

const SLOTS = 64;
/** Longer sections carry tokens of some kind more often than not, and are not repeated to the byte. */
const MAX_LENGTH = 2048;
/** Credentials are not kept beyond their request. */
const CREDENTIALS = /^(?:cookie|authorization|proxy-authorization)$/;

export class FieldMemo {
  readonly #entries: (Entry | undefined)[] = Array.from({ length: SLOTS });
  #next = 0;

  /** Fills `head` from the entry in `slot` if `text` goes on with it at `start`. Answers the offset behind it, or -1. */
  recall(slot: number, head: RequestHead, text: string, start: number): number {
    const entry = this.#entries[slot];
    if (entry === undefined || !text.startsWith(entry.text, start)) return -1;
    const { headers } = head;
    for (const field of entry.headers) headers.push([field[0], field[1]]);
    head.contentLength = entry.contentLength;
    head.flags = entry.flags;
    return start + entry.text.length;
  }

  /** Remembers an accepted section; answers its slot, or -1 where it is not to be kept. */
  remember(head: RequestHead, text: string): number {
    if (text.length > MAX_LENGTH || head.headers.some(([name]) => CREDENTIALS.test(name))) return -1;
    const slot = this.#next;
    this.#next = (slot + 1) % SLOTS;
    this.#entries[slot] = {
      text,
      headers: head.headers.map(([name, value]) => [name, value]),
      contentLength: head.contentLength,
      flags: head.flags,
    };
    return slot;
  }
}
