/**
 * What a session of node:http2 gets to read: what its peer sends, and frames that are put in between. A frame is put in when the
 * session is not reading, and never within a frame or a header block of the peer (RFC 9113 4.3).
 */
import type { Buffer } from 'node:buffer';
import type { FrameGuard } from '../wire/h2/frame-guard.ts';
import type { H2Duplex } from './h2-duplex.ts';

export class SessionFeed {
  readonly #duplex: H2Duplex;
  readonly #guard: FrameGuard;
  readonly #frames: Buffer[] = [];
  readonly #answers: Buffer[] = [];
  #isScheduled = false;

  constructor(duplex: H2Duplex, guard: FrameGuard) {
    this.#duplex = duplex;
    this.#guard = guard;
  }

  /** What the guard lets through. */
  pass(pieces: readonly Buffer[]): void {
    for (const bytes of pieces) this.#duplex.push(bytes);
    if (!this.#isScheduled) this.#putIn();
  }

  /** A frame for the session, and what is to be sent to the peer behind all that the session has written so far. */
  put(frame: Buffer, answer?: Buffer): void {
    this.#frames.push(frame);
    if (answer !== undefined) this.#answers.push(answer);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#putIn();
      this.sendAnswers();
    });
  }

  sendAnswers(): void {
    for (const frame of this.#answers.splice(0)) if (!this.#duplex.destroyed) this.#duplex.write(frame);
  }

  #putIn(): void {
    if (this.#frames.length === 0 || this.#guard.isInsideFrame) return;
    for (const frame of this.#frames.splice(0)) if (!this.#duplex.destroyed) this.#duplex.push(frame);
  }
}
