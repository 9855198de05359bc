/**
 * What waits to be received on a websocket scope: `websocket.connect`, messages in their order, and one
 * `websocket.disconnect`, last. Calls are served in their order. It says when it is full; whoever fills it then stops.
 */
import type { WebSocketDisconnectEvent, WebSocketScopeReceiveEvent } from '../contract/receive-events.ts';

/** Bytes of messages that may wait, whatever their number. */
const MAX_BYTES = 1_048_576;

export class MessageInbox {
  readonly #maxMessages: number;
  #events: WebSocketScopeReceiveEvent[] = [{ type: 'websocket.connect' }];
  #bytes = 0;
  #receivers: ((event: WebSocketScopeReceiveEvent | Promise<never>) => void)[] = [];
  /** The disconnect is queued, or has been handed out. */
  #isEnded = false;
  #isDiscarded = false;

  /** 0 messages: only their bytes are bounded. */
  constructor(maxMessages: number) {
    this.#maxMessages = maxMessages === 0 ? Infinity : maxMessages;
  }

  get isFull(): boolean {
    return this.#events.length >= this.#maxMessages || this.#bytes >= MAX_BYTES;
  }

  /** Rejects behind the disconnect: an application that went on would otherwise wait for ever. */
  next(): Promise<WebSocketScopeReceiveEvent> {
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#bytes -= sizeOf(event);
      return Promise.resolve(event);
    }
    if (this.#isEnded) return nothingFollows();
    const received = new Promise<WebSocketScopeReceiveEvent>((resolve) => this.#receivers.push(resolve));
    // Only one of those who wait gets the disconnect.
    return this.#receivers.length > 1 ? unminded(received) : received;
  }

  push(event: WebSocketScopeReceiveEvent): void {
    if (this.#isEnded) return;
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) return receiver(event);
    if (this.#isDiscarded && event.type !== 'websocket.disconnect') return;
    this.#events.push(event);
    this.#bytes += sizeOf(event);
  }

  /** Nothing follows this. */
  end(event: WebSocketDisconnectEvent): void {
    this.push(event);
    this.#isEnded = true;
    for (const receiver of this.#receivers.splice(0)) receiver(nothingFollows());
  }

  /** The application has ended. What it left running, if anything, need only learn of the disconnect. */
  discard(): void {
    this.#isDiscarded = true;
    this.#events = [];
    this.#bytes = 0;
  }
}

function nothingFollows(): Promise<never> {
  return unminded(Promise.reject(new Error('receive: websocket.disconnect was the last event')));
}

/** A promise whose rejection may go unheard: Bun 1.4.5 would end the process, and so could a client by closing. */
function unminded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Bytes of a message; of a text, as many as it has UTF-16 units. */
function sizeOf(event: WebSocketScopeReceiveEvent): number {
  if (event.type !== 'websocket.receive') return 0;
  return event.text === undefined ? event.bytes.length : event.text.length;
}
