/**
 * A place for one worker: the process that serves in it, the one that is about to take over, and what is known of those that
 * did not last. A place outlives its processes; the sockets that wait for it are the master's.
 */
import type { Timer } from '../clock/clock.ts';
import type { Worker } from './worker.ts';

/**
 * Milliseconds. The first replacement of a worker that has served for a while comes at once. Connections wait in its sockets for the
 * others, so even the longest is a wait that a client takes for slowness and not for an outage.
 */
const FIRST_DELAY = 250;
const LONGEST_DELAY = 2_000;
const SERVED_FOR_A_WHILE = 2_000;

/** Milliseconds. A failed startup seldom mends itself; when it does, a database is back or a disk has room again. */
const FIRST_DELAY_AFTER_FAILED_START = 10_000;
const LONGEST_DELAY_AFTER_FAILED_START = 300_000;

export class Slot {
  /** From 1. */
  readonly number: number;
  /** The sets of sockets that its next process accepts on. */
  sets: readonly number[];
  /** The process that serves, or did until just now. */
  current: Worker | undefined;
  /** The process that is starting. */
  next: Worker | undefined;
  /** When the next attempt is due. */
  retry: Timer | undefined;
  #shortLives = 0;
  #failedStarts = 0;

  constructor(number: number, sets: readonly number[]) {
    this.number = number;
    this.sets = sets;
  }

  get isServing(): boolean {
    return this.current?.phase === 'ready';
  }

  serveWith(worker: Worker): void {
    this.current = worker;
    this.#failedStarts = 0;
  }

  /** Milliseconds until a worker that has ended is replaced. */
  delayAfterServing(milliseconds: number): number {
    this.#shortLives = milliseconds >= SERVED_FOR_A_WHILE ? 0 : this.#shortLives + 1;
    if (this.#shortLives === 0) return 0;
    return Math.min(FIRST_DELAY * 2 ** (this.#shortLives - 1), LONGEST_DELAY);
  }

  /** Milliseconds until a startup that has failed is tried again. */
  delayAfterFailedStart(): number {
    const delay = FIRST_DELAY_AFTER_FAILED_START * 2 ** this.#failedStarts++;
    return Math.min(delay, LONGEST_DELAY_AFTER_FAILED_START);
  }
}
