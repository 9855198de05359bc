/**
 * Moves the body of a request from the reader to whoever wants it: the session while it answers, nobody afterwards, when
 * the rest is read only to find the next request. It stops while the session has enough.
 */
import { END } from '../wire/h1/body-readers.ts';
import type { H1Reader } from '../wire/h1/h1-reader.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import type { H1Exchange } from './h1-exchange.ts';

const NO_BYTES = new Uint8Array(0);

export class BodyPump {
  isPaused = false;
  /** Bytes of the body under way that nobody wanted. */
  discarded = 0;
  readonly #reader: H1Reader;
  #isRunning = false;

  constructor(reader: H1Reader) {
    this.#reader = reader;
  }

  /** Bytes that are known to be left of the body; none where chunks have not announced them. */
  get remaining(): number {
    const { bodyRemaining } = this.#reader;
    return bodyRemaining === Infinity ? 0 : bodyRemaining;
  }

  /** Another request begins. */
  reset(): void {
    this.isPaused = false;
    this.discarded = 0;
  }

  /** Delivers what is there; answers a fault in it. A session that pauses or resumes meanwhile changes nothing else. */
  run(exchange: H1Exchange): ProtocolError | undefined {
    if (this.#isRunning || exchange.isRequestDone) return undefined;
    this.#isRunning = true;
    const fault = this.#deliverAll(exchange);
    this.#isRunning = false;
    return fault;
  }

  #deliverAll(exchange: H1Exchange): ProtocolError | undefined {
    // One piece is held back, so that the last one can be said to be the last.
    let held: Uint8Array | undefined;
    while (!this.isPaused) {
      const piece = this.#reader.readBody();
      if (piece instanceof ProtocolError) return piece;
      if (piece === END) {
        exchange.isRequestDone = true;
        this.#deliver(exchange, held ?? NO_BYTES, false);
        return undefined;
      }
      if (held !== undefined) this.#deliver(exchange, held, true);
      held = piece;
      if (piece === undefined) return undefined;
    }
    if (held !== undefined) this.#deliver(exchange, held, true);
    return undefined;
  }

  #deliver(exchange: H1Exchange, piece: Uint8Array, more: boolean): void {
    if (exchange.isResponseDone) this.discarded += piece.length;
    else exchange.observer?.bodyChunk(piece, more);
  }
}
