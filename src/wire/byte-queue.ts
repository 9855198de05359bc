/**
 * Bytes received and not yet consumed, as one contiguous window. A chunk that arrives when the queue is empty
 * is taken as it is; only what must be joined to a rest is copied, into a buffer that doubles, so that bytes
 * which trickle in cost linear time. Views handed out stay valid: consumed bytes are never overwritten.
 */
import { Buffer } from 'node:buffer';

const EMPTY = Buffer.alloc(0);
const LF = 10;
/** Present at run time in Node and Bun, absent from the types; `toString` costs twice as much. */
type Latin1Buffer = Buffer & { latin1Slice(start: number, end: number): string };

export class ByteQueue {
  /** The window is `bytes[at, end)`. Readers advance `at`; only the queue itself changes the other two. */
  bytes: Buffer = EMPTY;
  at = 0;
  end = 0;
  /** A part of the window as a byte string: see {@link openText}. */
  text = '';
  #textFrom = 0;
  #isOwned = false;
  #scannedTo = 0;

  get length(): number {
    return this.end - this.at;
  }

  push(chunk: Buffer): void {
    if (this.at === this.end) {
      this.bytes = chunk;
      this.at = 0;
      this.end = chunk.length;
      this.#scannedTo = 0;
      this.#isOwned = false;
      this.text = '';
      return;
    }
    if (!this.#isOwned || this.end + chunk.length > this.bytes.length) this.#grow(chunk.length);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
  }

  /** Offset of the first LF at or behind `at`, or -1. Bytes searched in vain are not searched again. */
  lineFeedAt(): number {
    const { bytes, end } = this;
    for (let i = Math.max(this.at, this.#scannedTo); i < end; i++) {
      if (bytes[i] !== LF) continue;
      this.#scannedTo = i;
      return i;
    }
    this.#scannedTo = end;
    return -1;
  }

  /**
   * Makes `text` hold at least the line that begins at `at`, LF included, and answers where in `text` it begins; -1 when
   * the line is not complete. `size` is how many bytes to turn into text at a time: a whole head should fit, and not
   * much of a body behind it. Pipelined requests are read from one text.
   */
  openText(size: number): number {
    const offset = this.at - this.#textFrom;
    if (offset < this.text.length && this.text.includes('\n', offset)) return offset;
    const feed = this.lineFeedAt();
    if (feed < 0) return -1;
    const to = Math.min(this.end, Math.max(feed + 1, this.at + size));
    this.text = (this.bytes as Latin1Buffer).latin1Slice(this.at, to);
    this.#textFrom = this.at;
    return 0;
  }

  /** Consumes the text up to this offset. */
  closeText(offset: number): void {
    this.at = this.#textFrom + offset;
  }

  /** Takes the bytes up to `to` as a byte string. */
  takeText(to: number): string {
    const text = (this.bytes as Latin1Buffer).latin1Slice(this.at, to);
    this.at = to;
    return text;
  }

  /** Takes up to `limit` bytes from the front as a view. */
  take(limit: number): Buffer {
    const to = Math.min(this.end, this.at + limit);
    const view = this.bytes.subarray(this.at, to);
    this.at = to;
    return view;
  }

  /** Lets go of everything, consumed or not. */
  clear(): void {
    this.bytes = EMPTY;
    this.at = 0;
    this.end = 0;
    this.text = '';
    this.#scannedTo = 0;
    this.#isOwned = false;
  }

  #grow(added: number): void {
    const rest = this.end - this.at;
    const grown = Buffer.allocUnsafe(Math.max(256, 2 * (rest + added)));
    grown.set(this.bytes.subarray(this.at, this.end), 0);
    this.#scannedTo = Math.max(0, this.#scannedTo - this.at);
    this.bytes = grown;
    this.at = 0;
    this.end = rest;
    this.text = '';
    this.#isOwned = true;
  }
}
