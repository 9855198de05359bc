/**
 * Which streams of a connection the peer has been told are over: behind its RST_STREAM nothing is said of a stream any more
 * (RFC 9113 5.1), whatever the session has to say. Only the last few are remembered.
 */
import type { Buffer } from 'node:buffer';
import { FRAME } from '../wire/h2/frames.ts';

/** Bytes of an RST_STREAM frame, and of how many such frames the streams are remembered. */
const RST_STREAM_SIZE = 13;
const MAX_KEPT = 1000;

export class ResetMemory {
  readonly #ids = new Set<number>();

  /** Whether these bytes are a reset of a stream that has been reset before; notes it where it has not. */
  isSecond(bytes: Buffer): boolean {
    if (bytes[3] !== FRAME.rstStream || bytes.length !== RST_STREAM_SIZE) return false;
    if (this.#ids.has(bytes.readUInt32BE(5))) return true;
    this.note(bytes);
    return false;
  }

  note(frame: Buffer): void {
    const ids = this.#ids;
    ids.add(frame.readUInt32BE(5));
    if (ids.size > MAX_KEPT) ids.delete(ids.values().next().value!);
  }
}
