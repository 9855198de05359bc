/**
 * What waits to be received on an http or sse scope: the request body in pieces, then the disconnect event for good.
 * Calls are served in their order. When more is waiting than the bound, the exchange stops reading from the client.
 */
import type {
  HttpDisconnectEvent,
  HttpRequestEvent,
  SseDisconnectEvent,
  SseRequestEvent,
} from '../contract/receive-events.ts';
import type { Exchange } from './exchange.ts';

/** Bytes of request body that may wait for the application before reading pauses; a usual socket buffer's worth. */
const HIGH_WATER = 65536;
const NO_BYTES = new Uint8Array(0);

export class BodyInbox<
  Piece extends HttpRequestEvent | SseRequestEvent,
  End extends HttpDisconnectEvent | SseDisconnectEvent,
> {
  readonly #exchange: Exchange;
  readonly #type: Piece['type'];
  #events: Piece[] | undefined = undefined;
  #size = 0;
  #receivers: ((event: Piece | End) => void)[] | undefined = undefined;
  /** All of the body has been handed out, or there is none and its single empty event has. */
  #isBodyDone = false;
  #end: End | undefined = undefined;
  #isRead = false;

  constructor(exchange: Exchange, type: Piece['type']) {
    this.#exchange = exchange;
    this.#type = type;
  }

  /** Whether the application waits for a piece of the body. */
  get isWaiting(): boolean {
    return !this.#isBodyDone && this.#receivers !== undefined && this.#receivers.length > 0;
  }

  /** Whether the application has ever asked for something. */
  get isRead(): boolean {
    return this.#isRead;
  }

  next(): Promise<Piece | End> {
    const isFirst = !this.#isRead;
    this.#isRead = true;
    const event = this.#take();
    if (event !== undefined) return Promise.resolve(event);
    if (isFirst && !this.#isBodyDone) this.#exchange.continue();
    return new Promise((resolve) => (this.#receivers ??= []).push(resolve));
  }

  push(body: Uint8Array, more: boolean): void {
    if (this.#end !== undefined) return;
    (this.#events ??= []).push(this.#piece(body, more));
    this.#size += body.length;
    this.#serve();
    if (this.#size > HIGH_WATER) this.#exchange.pauseBody();
  }

  /** From here on there is nothing else to receive; every receiver gets a copy of it. The first one stands. */
  end(event: End): void {
    this.#end ??= event;
    this.#events = undefined;
    this.#size = 0;
    this.#serve();
  }

  #serve(): void {
    if (this.#receivers === undefined) return;
    while (this.#receivers.length > 0) {
      const event = this.#take();
      if (event === undefined) return;
      this.#receivers.shift()!(event);
    }
  }

  #take(): Piece | End | undefined {
    if (this.#end !== undefined) return { ...this.#end };
    if (this.#isBodyDone) return undefined;
    const event = this.#events?.shift();
    if (event !== undefined) {
      this.#isBodyDone = !event.more;
      const before = this.#size;
      this.#size -= event.body.length;
      if (before > HIGH_WATER && this.#size <= HIGH_WATER) this.#exchange.resumeBody();
      return event;
    }
    if (this.#exchange.head.hasBody) return undefined;
    this.#isBodyDone = true;
    return this.#piece(NO_BYTES, false);
  }

  #piece(body: Uint8Array, more: boolean): Piece {
    return { type: this.#type, body, more } as Piece;
  }
}
