/**
 * What comes through a tunnel within an HTTP/2 stream. Bytes that arrive together are DATA frames of their own, and one piece
 * all the same, as they are on a socket: what the first asks for can be answered before another ends the session.
 */
import { Buffer } from 'node:buffer';

const NO_BYTES = new Uint8Array(0);

export class TunnelInput {
  /** Nothing is to be handed over for now. */
  isPaused = false;
  readonly #deliver: (bytes: Uint8Array, more: boolean) => void;
  /** What came behind others in one turn of the event loop; undefined when none have come in this one. */
  #gathered: Buffer[] | undefined = undefined;
  #isScheduled = false;
  /** `passed`: it has been handed over. */
  #end: 'open' | 'ended' | 'passed' = 'open';

  /** Without `more`, nothing else comes. */
  constructor(deliver: (bytes: Uint8Array, more: boolean) => void) {
    this.#deliver = deliver;
  }

  push(chunk: Buffer): void {
    if (this.isPaused || this.#gathered !== undefined) (this.#gathered ??= []).push(chunk);
    else {
      this.#gathered = [];
      this.#deliver(chunk, true);
    }
    this.#schedule();
  }

  /** The peer sends nothing more. */
  end(): void {
    this.#end = 'ended';
    this.#schedule();
  }

  resume(): void {
    this.isPaused = false;
    if (this.#gathered !== undefined || this.#end === 'ended') this.#schedule();
  }

  /** What has been gathered, now. */
  pass(): void {
    const pieces = this.#gathered ?? [];
    if (this.isPaused && pieces.length > 0) return;
    this.#gathered = undefined;
    if (pieces.length > 0) {
      this.#deliver(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces), true);
      // The end is not in one piece with it either.
      if (this.#end === 'ended') this.#schedule();
    } else if (this.#end === 'ended') {
      this.#end = 'passed';
      this.#deliver(NO_BYTES, false);
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.pass();
    });
  }
}
