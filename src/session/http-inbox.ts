/**
 * What waits to be received on an http scope: the request body in pieces, then `http.disconnect` for good. Calls
 * are served in their order. When more is waiting than the bound, the exchange stops reading from the client.
 */
import type { HttpDisconnectEvent, HttpRequestEvent } from '../contract/receive-events.ts';
import type { Exchange } from './exchange.ts';

type HttpReceiveEvent = HttpRequestEvent | HttpDisconnectEvent;

/** Bytes of request body that may wait for the application before reading pauses; a usual socket buffer's worth. */
const HIGH_WATER = 65536;
const NO_BYTES = new Uint8Array(0);

export class HttpInbox {
  readonly #exchange: Exchange;
  #events: HttpRequestEvent[] | undefined = undefined;
  #size = 0;
  #receivers: ((event: HttpReceiveEvent) => void)[] | undefined = undefined;
  /** All of the body has been handed out, or there is none and its single empty event has. */
  #isBodyDone = false;
  #isOver = false;
  #isRead = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Whether the application waits for a piece of the body. */
  get isWaiting(): boolean {
    return !this.#isBodyDone && this.#receivers !== undefined && this.#receivers.length > 0;
  }

  /** Whether the application has ever asked for something. */
  get isRead(): boolean {
    return this.#isRead;
  }

  next(): Promise<HttpReceiveEvent> {
    const isFirst = !this.#isRead;
    this.#isRead = true;
    const event = this.#take();
    if (event !== undefined) return Promise.resolve(event);
    if (isFirst && !this.#isBodyDone) this.#exchange.continue();
    return new Promise((resolve) => (this.#receivers ??= []).push(resolve));
  }

  push(body: Uint8Array, more: boolean): void {
    if (this.#isOver) return;
    (this.#events ??= []).push({ type: 'http.request', body, more });
    this.#size += body.length;
    this.#serve();
    if (this.#size > HIGH_WATER) this.#exchange.pauseBody();
  }

  /** The response is complete or the client is gone: from here on there is nothing else to receive. */
  end(): void {
    this.#isOver = true;
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

  #take(): HttpReceiveEvent | undefined {
    if (this.#isOver) return { type: 'http.disconnect' };
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
    return { type: 'http.request', body: NO_BYTES, more: false };
  }
}
