/**
 * Where time comes from. Everything that waits takes a Clock, so that tests can turn the hands themselves.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since an arbitrary moment, never going back. */
  now(): number;
  /** Milliseconds since 1970, as the wall clock has it. */
  wallTime(): number;
  /** Runs `callback` once after `delay` milliseconds. */
  after(delay: number, callback: () => void): Timer;
  /** Runs `callback` every `interval` milliseconds until cancelled; does not keep the process alive by itself. */
  every(interval: number, callback: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, delay);
    return { cancel: () => clearTimeout(timer) };
  },
  every(interval, callback) {
    const timer = setInterval(callback, interval);
    timer.unref();
    return { cancel: () => clearInterval(timer) };
  },
};
