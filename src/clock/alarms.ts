/**
 * Any number of alarms on one timer. Thousands of sessions each have something to do in a while (the next ping, the
 * end of a wait), and put it off all the time: an alarm costs a place in a heap, and its object is the session's own.
 */
import type { Clock, Timer } from './clock.ts';

/** Something that wants to be woken. */
export interface Alarm {
  /** Its place in the heap, -1 while it is not set; kept by {@link Alarms} alone. */
  alarmIndex: number;
  /** Milliseconds of the clock; kept by {@link Alarms} alone. */
  alarmAt: number;
  /** Called once, when the time has come; it may be set again meanwhile. */
  ring(): void;
}

/** Milliseconds that a timer of the system can be set to; beyond, it fires at once. */
const LONGEST_WAIT = 2 ** 31 - 1;

export class Alarms {
  readonly #clock: Clock;
  /** A binary heap: the earliest first. */
  readonly #heap: Alarm[] = [];
  #timer: Timer | undefined;
  #timerAt = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds, as the clock has them. */
  get now(): number {
    return this.#clock.now();
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Rings in `delay` milliseconds, at least 1, in place of any earlier setting. */
  set(alarm: Alarm, delay: number): void {
    const before = alarm.alarmIndex < 0 ? Infinity : alarm.alarmAt;
    alarm.alarmAt = this.#clock.now() + Math.max(1, delay);
    if (alarm.alarmIndex < 0) alarm.alarmIndex = this.#heap.push(alarm) - 1;
    if (alarm.alarmAt < before) this.#rise(alarm);
    else this.#sink(alarm);
    this.#schedule();
  }

  cancel(alarm: Alarm): void {
    const index = alarm.alarmIndex;
    if (index < 0) return;
    alarm.alarmIndex = -1;
    const last = this.#heap.pop()!;
    if (last !== alarm) {
      this.#place(last, index);
      this.#rise(last);
      this.#sink(last);
    }
    this.#schedule();
  }

  /** Puts the timer where the earliest alarm is; one that is set too early just looks again. */
  #schedule(): void {
    const first = this.#heap[0];
    if (first === undefined) {
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#timerAt = Infinity;
      return;
    }
    if (first.alarmAt >= this.#timerAt) return;
    this.#timer?.cancel();
    const now = this.#clock.now();
    this.#timerAt = Math.min(first.alarmAt, now + LONGEST_WAIT);
    this.#timer = this.#clock.after(Math.max(0, this.#timerAt - now), () => this.#ring());
  }

  #ring(): void {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    const now = this.#clock.now();
    // A timer may fire a fraction of a millisecond early.
    for (let first = this.#heap[0]; first !== undefined && first.alarmAt < now + 1; first = this.#heap[0]) {
      this.cancel(first);
      first.ring();
    }
    this.#schedule();
  }

  #place(alarm: Alarm, index: number): void {
    this.#heap[index] = alarm;
    alarm.alarmIndex = index;
  }

  #rise(alarm: Alarm): void {
    let index = alarm.alarmIndex;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex]!;
      if (parent.alarmAt <= alarm.alarmAt) break;
      this.#place(parent, index);
      index = parentIndex;
    }
    this.#place(alarm, index);
  }

  #sink(alarm: Alarm): void {
    let index = alarm.alarmIndex;
    for (;;) {
      let childIndex = 2 * index + 1;
      const right = this.#heap[childIndex + 1];
      let child = this.#heap[childIndex];
      if (child === undefined) break;
      if (right !== undefined && right.alarmAt < child.alarmAt) {
        child = right;
        childIndex++;
      }
      if (child.alarmAt >= alarm.alarmAt) break;
      this.#place(child, index);
      index = childIndex;
    }
    this.#place(alarm, index);
  }
}
