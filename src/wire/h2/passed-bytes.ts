/**
 * Collects what of a chunk goes on, without copying: neighbouring frames become one piece, and a chunk that passes whole stays
 * one.
 */
import type { Buffer } from 'node:buffer';

export class PassedBytes {
  #chunk: Buffer | undefined;
  #from = 0;
  #to = 0;
  #pieces: Buffer[] = [];

  begin(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#from = 0;
    this.#to = 0;
    this.#pieces = [];
  }

  /** The bytes `[from, to)` of the chunk; never before ones that were passed already. */
  pass(from: number, to: number): void {
    if (from !== this.#to) {
      this.#flush();
      this.#from = from;
    }
    this.#to = to;
  }

  /** A frame that is not in the chunk. */
  insert(frame: Buffer): void {
    this.#flush();
    this.#from = this.#to;
    this.#pieces.push(frame);
  }

  take(): readonly Buffer[] {
    this.#flush();
    this.#chunk = undefined;
    return this.#pieces;
  }

  #flush(): void {
    const chunk = this.#chunk!;
    if (this.#to === this.#from) return;
    const isWhole = this.#from === 0 && this.#to === chunk.length;
    this.#pieces.push(isWhole ? chunk : chunk.subarray(this.#from, this.#to));
  }
}
