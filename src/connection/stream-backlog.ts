/**
 * What one HTTP/2 stream has to send. Bytes count from the moment when the application sends them until the kernel has them: first
 * they wait for the stream's window, then with those of other streams in the connection's queue. Watermarks have
 * hysteresis, as those of a connection.
 */
import type { OutboundHandle } from '../session/exchange.ts';
import type { OutboundQueue, Watermarks } from '../transport/outbound-queue.ts';
import { type Placed, PlacedSet } from './placed-set.ts';

type Listener = () => void;

const MIN_OVERFLOW = 16_777_216;

/** The queue of a connection, as its streams see it: how far it has come, and who wants to know. */
export class QueueProgress {
  readonly #queue: OutboundQueue;
  readonly #followers = new PlacedSet<StreamBacklog>();
  /** Bytes queued since the connection began. */
  #queued = 0;

  constructor(queue: OutboundQueue) {
    this.#queue = queue;
  }

  get queued(): number {
    return this.#queued;
  }

  /** So many of them are with the kernel. */
  get left(): number {
    return this.#queued - this.#queue.bufferedAmount;
  }

  add(size: number): void {
    this.#queued += size;
  }

  /** The kernel may have taken some. */
  moved(): void {
    if (this.#followers.size === 0) return;
    for (const follower of this.#followers.members()) follower.look();
  }

  follow(backlog: StreamBacklog): void {
    this.#followers.add(backlog);
  }

  unfollow(backlog: StreamBacklog): void {
    this.#followers.delete(backlog);
  }
}

/** Bytes of a stream within the connection's queue, no further back than `end`. */
interface Passed {
  readonly end: number;
  readonly size: number;
}

export class StreamBacklog implements OutboundHandle, Placed {
  place = -1;
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  readonly #connection: QueueProgress;
  /** Waiting for the stream's window. */
  #held = 0;
  /** In the connection's queue: the sum of {@link #passed}. */
  #passedSize = 0;
  #isOver = false;
  #isClosed = false;
  // Made when they are needed, which for most streams is never.
  #passed: Passed[] | undefined = undefined;
  #waiters: Listener[] | undefined = undefined;
  #emptyWaiters: Listener[] | undefined = undefined;
  #highListeners: Set<Listener> | undefined = undefined;
  #drainListeners: Set<Listener> | undefined = undefined;

  constructor(watermarks: Watermarks, connection: QueueProgress) {
    this.highWaterMark = watermarks.writeHighWatermark;
    this.lowWaterMark = watermarks.writeLowWatermark;
    this.#connection = connection;
  }

  get bufferedAmount(): number {
    if (this.#isClosed) return 0;
    if (this.#passedSize > 0) this.#forget();
    return this.#held + this.#passedSize;
  }

  get isHeld(): boolean {
    return this.#held > 0;
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
    const end = this.#connection.queued;
    if (size > 0 && end > this.#connection.left) {
      (this.#passed ??= []).push({ end, size });
      this.#passedSize += size;
      this.#connection.follow(this);
    }
    this.#judge();
  }

  /** The connection's queue has moved. */
  look(): void {
    this.#judge();
    if (this.#passedSize === 0) this.#connection.unfollow(this);
  }

  settle(): Promise<void> | undefined {
    if (!this.#isOver || this.#isClosed) return undefined;
    return new Promise((resolve) => (this.#waiters ??= []).push(resolve));
  }

  emptied(): Promise<void> | undefined {
    if (this.#isClosed || this.bufferedAmount === 0) return undefined;
    return new Promise((resolve) => (this.#emptyWaiters ??= []).push(resolve));
  }

  close(): void {
    this.#isClosed = true;
    this.#connection.unfollow(this);
    release(this.#waiters);
    release(this.#emptyWaiters);
    this.#highListeners = undefined;
    this.#drainListeners = undefined;
  }

  onHighWater(callback: Listener): () => void {
    const listener = (): void => callback();
    (this.#highListeners ??= new Set()).add(listener);
    if (this.#isOver) listener();
    return () => void this.#highListeners?.delete(listener);
  }

  onDrain(callback: Listener): () => void {
    const listener = (): void => callback();
    (this.#drainListeners ??= new Set()).add(listener);
    return () => void this.#drainListeners?.delete(listener);
  }

  /** What the kernel has taken does not count any more. */
  #forget(): void {
    const { left } = this.#connection;
    const passed = this.#passed!;
    let count = 0;
    for (; count < passed.length && passed[count]!.end <= left; count++)
      this.#passedSize -= passed[count]!.size;
    if (count > 0) passed.splice(0, count);
  }

  #judge(): void {
    const amount = this.bufferedAmount;
    if (!this.#isOver && amount > this.highWaterMark) {
      this.#isOver = true;
      call(this.#highListeners);
    } else if (this.#isOver && amount <= this.lowWaterMark) {
      this.#isOver = false;
      release(this.#waiters);
      call(this.#drainListeners);
    }
    if (amount === 0) release(this.#emptyWaiters);
  }
}

function release(waiters: Listener[] | undefined): void {
  if (waiters === undefined) return;
  for (const resolve of waiters.splice(0)) resolve();
}

function call(listeners: ReadonlySet<Listener> | undefined): void {
  if (listeners === undefined) return;
  for (const listener of Array.from(listeners)) listener();
}
