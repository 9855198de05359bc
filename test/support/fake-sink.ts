/**
 * The writing half of a socket whose kernel buffer the test fills and empties: it takes as many bytes as there is room
 * for, and keeps a copy of what it took.
 */
import type { Sink } from '../../src/transport/outbound-queue.ts';

export class FakeSink implements Sink {
  /** Bytes that it takes before it refuses; negative once the socket is closed. */
  room: number;
  /** What was offered with each call, as it was given. */
  readonly offers: (Uint8Array | string)[] = [];
  #received = '';

  constructor(room = Infinity) {
    this.room = room;
  }

  /** How often the system has been called. */
  get calls(): number {
    return this.offers.length;
  }

  /** Everything taken, as a byte string. */
  get received(): string {
    return this.#received;
  }

  write(data: Uint8Array | string, size = data.length): number {
    const offer = size === data.length || typeof data === 'string' ? data : data.subarray(0, size);
    this.offers.push(offer);
    if (this.room < 0) return -1;
    const text = typeof offer === 'string' ? offer : Buffer.from(offer).toString('latin1');
    const count = Math.min(this.room, text.length);
    this.#received += text.slice(0, count);
    this.room -= count;
    return count;
  }
}
