/**
 * A clock whose hands the test turns. Timers run while it advances, each at its time and in the order of their times.
 */
import type { Clock, Timer } from '../../src/clock/clock.ts';

interface Pending {
  at: number;
  readonly interval: number | undefined;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #time = 0;
  #wallTime: number;
  readonly #pending = new Set<Pending>();

  constructor(wallTime = Date.UTC(2024, 0, 1)) {
    this.#wallTime = wallTime;
  }

  /** How many timers are waiting. */
  get timers(): number {
    return this.#pending.size;
  }

  now(): number {
    return this.#time;
  }

  wallTime(): number {
    return this.#wallTime;
  }

  after(delay: number, callback: () => void): Timer {
    return this.#add({ at: this.#time + delay, interval: undefined, callback });
  }

  every(interval: number, callback: () => void): Timer {
    return this.#add({ at: this.#time + interval, interval, callback });
  }

  /** Time passes, and every timer runs when it is due. */
  advance(milliseconds: number): void {
    const end = this.#time + milliseconds;
    for (;;) {
      const next = this.#nextDue(end);
      if (next === undefined) break;
      this.#pass(Math.max(0, next.at - this.#time));
      this.#run(next);
    }
    this.#pass(end - this.#time);
  }

  /** Time passes in which the event loop does nothing else; then every timer that is due runs once, late. */
  block(milliseconds: number): void {
    this.#pass(milliseconds);
    const due = Array.from(this.#pending).filter(({ at }) => at <= this.#time);
    for (const pending of due) this.#run(pending);
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  #pass(milliseconds: number): void {
    this.#time += milliseconds;
    this.#wallTime += milliseconds;
  }

  #nextDue(end: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.at <= end && (first === undefined || pending.at < first.at)) first = pending;
    }
    return first;
  }

  #run(pending: Pending): void {
    if (pending.interval === undefined) this.#pending.delete(pending);
    else pending.at = this.#time + pending.interval;
    pending.callback();
  }
}
