/**
 * Joins a connection to a session of node:http2: what the guard lets through is pushed in, what the session writes goes to the
 * connection's queue. The session goes on writing when the queue is below its watermarks.
 */
import { Duplex } from 'node:stream';
import type { Buffer } from 'node:buffer';

/** The connection, as the session sees it. */
export interface H2Wire {
  /** Takes bytes; a promise says when to go on. */
  sendFrames(bytes: Buffer): Promise<void> | undefined;
  /** The session has ended. */
  sessionEnded(): void;
}

export class H2Duplex extends Duplex {
  readonly #wire: H2Wire;

  constructor(wire: H2Wire) {
    super({ allowHalfOpen: true });
    this.#wire = wire;
    // The session reports what matters; without a listener an error would end the process.
    this.on('error', () => undefined);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, goOn: () => void): void {
    const waiting = this.#wire.sendFrames(chunk);
    if (waiting === undefined) goOn();
    else void waiting.then(goOn);
  }

  override _final(callback: () => void): void {
    callback();
    this.#wire.sessionEnded();
  }

  override _destroy(_error: Error | null, callback: (error: Error | null) => void): void {
    callback(null);
    this.#wire.sessionEnded();
  }
}
