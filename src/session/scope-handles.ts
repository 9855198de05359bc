/**
 * The live handles of a scope. They only report what the session below them knows; what is costly (signal, promise,
 * callback lists) is made when an application first asks for it.
 */
import type { ConnectionState, DisconnectReason, TransportState } from '../contract/handles.ts';
import type { Logger } from '../log/logger.ts';
import type { OutboundHandle } from './exchange.ts';

type EndState = 'open' | 'complete' | 'disconnected';

/** `tsagi.connection` of one request. The session moves it: {@link complete} or {@link disconnect}, once. */
export class RequestConnection implements ConnectionState {
  responseStarted = false;
  responseComplete = false;
  disconnectReason: DisconnectReason | undefined = undefined;
  readonly #log: Logger;
  #end: EndState = 'open';
  #abort: AbortController | undefined = undefined;
  #promise: Promise<DisconnectReason> | undefined = undefined;
  #resolve: ((reason: DisconnectReason) => void) | undefined = undefined;
  #onDisconnect: ((reason: DisconnectReason) => void)[] | undefined = undefined;
  #onComplete: (() => void)[] | undefined = undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  get isConnected(): boolean {
    return this.#end !== 'disconnected';
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.disconnectReason !== undefined) this.#abort.abort(abortReason(this.disconnectReason));
    }
    return this.#abort.signal;
  }

  get disconnected(): Promise<DisconnectReason> {
    this.#promise ??=
      this.disconnectReason !== undefined
        ? Promise.resolve(this.disconnectReason)
        : new Promise((resolve) => (this.#resolve = resolve));
    return this.#promise;
  }

  onDisconnect(callback: (reason: DisconnectReason) => void): void {
    if (this.disconnectReason !== undefined)
      callSafely(this.#log, 'onDisconnect', callback, this.disconnectReason);
    else if (this.#end === 'open') (this.#onDisconnect ??= []).push(callback);
  }

  onComplete(callback: () => void): void {
    if (this.#end === 'complete') callSafely(this.#log, 'onComplete', callback, undefined);
    else if (this.#end === 'open') (this.#onComplete ??= []).push(callback);
  }

  complete(): void {
    if (this.#end !== 'open') return;
    this.#end = 'complete';
    const callbacks = this.#onComplete;
    if (callbacks === undefined) return;
    for (const callback of callbacks) callSafely(this.#log, 'onComplete', callback, undefined);
  }

  /** The order is part of the contract: state, reason, promise and signal, callbacks. */
  disconnect(reason: DisconnectReason): void {
    if (this.#end !== 'open') return;
    this.#end = 'disconnected';
    this.disconnectReason = reason;
    this.#resolve?.(reason);
    // Listeners of the signal that throw are reported by the runtime and stop nobody.
    this.#abort?.abort(abortReason(reason));
    const callbacks = this.#onDisconnect;
    if (callbacks === undefined) return;
    for (const callback of callbacks) callSafely(this.#log, 'onDisconnect', callback, reason);
  }
}

function abortReason(reason: DisconnectReason): DOMException {
  return new DOMException(`the request ended: ${reason}`, 'AbortError');
}

/** `tsagi.transport` of one scope. */
export class ScopeTransport implements TransportState {
  readonly #outbound: OutboundHandle;
  readonly #log: Logger;

  constructor(outbound: OutboundHandle, log: Logger) {
    this.#outbound = outbound;
    this.#log = log;
  }

  get bufferedAmount(): number {
    return this.#outbound.bufferedAmount;
  }

  get highWaterMark(): number {
    return this.#outbound.highWaterMark;
  }

  get lowWaterMark(): number {
    return this.#outbound.lowWaterMark;
  }

  onHighWater(callback: () => void): () => void {
    return this.#outbound.onHighWater(() => callSafely(this.#log, 'onHighWater', callback, undefined));
  }

  onDrain(callback: () => void): () => void {
    return this.#outbound.onDrain(() => callSafely(this.#log, 'onDrain', callback, undefined));
  }
}

function callSafely<T>(log: Logger, name: string, callback: (value: T) => void, value: T): void {
  try {
    callback(value);
  } catch (error) {
    log.error(`a callback given to ${name} threw: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
