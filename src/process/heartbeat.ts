/**
 * Finds workers whose event loop is blocked: those that have not been heard of for longer than the timeout. Time in which
 * the master itself did not run (a stopped process, a sleeping machine) is nobody's silence.
 */
import type { Clock, Timer } from '../clock/clock.ts';

export interface Beating {
  /** Milliseconds of the clock. */
  lastBeat: number;
}

const LOOKS_PER_TIMEOUT = 8;

export class Heartbeat<Worker extends Beating> {
  readonly #timeout: number;
  readonly #clock: Clock;
  readonly #workers: () => Iterable<Worker>;
  readonly #silent: (worker: Worker) => void;
  #lastLook: number;
  #timer: Timer | undefined;

  /** `timeout` in seconds; 0 is off. */
  constructor(
    timeout: number,
    clock: Clock,
    watch: { workers(): Iterable<Worker>; silent(worker: Worker): void },
  ) {
    this.#timeout = timeout * 1000;
    this.#clock = clock;
    this.#workers = () => watch.workers();
    this.#silent = (worker) => watch.silent(worker);
    this.#lastLook = clock.now();
    if (timeout > 0) this.#timer = clock.every(this.#interval, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  get #interval(): number {
    return this.#timeout / LOOKS_PER_TIMEOUT;
  }

  #look(): void {
    const now = this.#clock.now();
    const missed = now - this.#lastLook - this.#interval;
    this.#lastLook = now;
    for (const worker of this.#workers()) {
      if (missed > this.#interval) worker.lastBeat += missed;
      if (now - worker.lastBeat > this.#timeout) this.#silent(worker);
    }
  }
}
