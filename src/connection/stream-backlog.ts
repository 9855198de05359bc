/**
 * What one HTTP/2 stream has to send. Bytes count from the moment when the application sends them: first they wait for the
 * stream's window, then with those of other streams in the connection's queue, which the kernel empties. Watermarks have hysteresis, as those of a
 * connection.
 */
import type { OutboundHandle } from '../session/exchange.ts';
import type { OutboundQueue, Watermarks } from '../transport/outbound-queue.ts';

type Listener = () => void;

const MIN_OVERFLOW = 16_777_216;

export class StreamBacklog implements OutboundHandle {
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  readonly #connection: OutboundQueue;
  /** Waiting for the stream's window. */
  #held = 0;
  /** Passed on to the connection's queue since that was last empty. */
  #passed = 0;
  #isOver = false;
  #isClosed = false;
  #waiters: Listener[] = [];
  #emptyWaiters: Listener[] = [];
  #closeWaiters: Listener[] = [];
  readonly #highListeners = new Set<Listener>();
  readonly #drainListeners = new Set<Listener>();
  #isAwaitingConnection = false;

  constructor(watermarks: Watermarks, connection: OutboundQueue) {
    this.highWaterMark = watermarks.writeHighWatermark;
    this.lowWaterMark = watermarks.writeLowWatermark;
    this.#connection = connection;
  }

  get bufferedAmount(): number {
    if (this.#isClosed) return 0;
    return this.#held + Math.min(this.#passed, this.#connection.bufferedAmount);
  }

  get overflowMark(): number {
    return Math.max(MIN_OVERFLOW, 4 * this.highWaterMark);
  }

  get isOverflowing(): boolean {
    return this.bufferedAmount > this.overflowMark;
  }

  add(size: number): void {
    this.#held += size;
    this.#judge();
  }

  /** The stream has passed so many bytes on. */
  take(size: number): void {
    if (this.#isClosed) return;
    this.#held -= size;
    if (this.#connection.bufferedAmount === 0) this.#passed = 0;
    else this.#passed += size;
    this.#awaitConnection();
    this.#judge();
  }

  settle(): Promise<void> | undefined {
    if (!this.#isOver || this.#isClosed) return undefined;
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  emptied(): Promise<void> | undefined {
    if (this.#isClosed || this.bufferedAmount === 0) return undefined;
    return new Promise((resolve) => this.#emptyWaiters.push(resolve));
  }

  whenClosed(callback: Listener): void {
    this.#closeWaiters.push(callback);
  }

  close(): void {
    this.#isClosed = true;
    for (const waiters of [this.#waiters, this.#emptyWaiters, this.#closeWaiters]) release(waiters);
    this.#highListeners.clear();
    this.#drainListeners.clear();
  }

  onHighWater(callback: Listener): () => void {
    const listener = (): void => callback();
    this.#highListeners.add(listener);
    if (this.#isOver) listener();
    return () => void this.#highListeners.delete(listener);
  }

  onDrain(callback: Listener): () => void {
    const listener = (): void => callback();
    this.#drainListeners.add(listener);
    return () => void this.#drainListeners.delete(listener);
  }

  /** The kernel's part of the way is the connection's: it is looked at again when its queue is empty. */
  #awaitConnection(): void {
    if (this.#isAwaitingConnection || this.#passed === 0) return;
    const emptied = this.#connection.emptied();
    if (emptied === undefined) return;
    this.#isAwaitingConnection = true;
    void emptied.then(() => {
      this.#isAwaitingConnection = false;
      this.#passed = 0;
      if (!this.#isClosed) this.#judge();
    });
  }

  #judge(): void {
    const amount = this.bufferedAmount;
    if (!this.#isOver && amount > this.highWaterMark) {
      this.#isOver = true;
      for (const listener of Array.from(this.#highListeners)) listener();
    } else if (this.#isOver && amount <= this.lowWaterMark) {
      this.#isOver = false;
      release(this.#waiters);
      for (const listener of Array.from(this.#drainListeners)) listener();
    }
    if (amount === 0) release(this.#emptyWaiters);
  }
}

function release(waiters: Listener[]): void {
  for (const resolve of waiters.splice(0)) resolve();
}
