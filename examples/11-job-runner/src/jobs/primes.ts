/** A job that computes. It shares the process with the server, so it works in slices and lets others have their turn. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Work } from './job.ts';

/** A slice is short enough that nobody notices, and long enough that the turns between cost little. */
const SLICE_MS = 10;
const REPORT_MS = 100;

/** Counts the primes up to `limit` by trial division. */
export function findPrimes(limit: number): Work {
  return async ({ report, signal }) => {
    let count = limit >= 2 ? 1 : 0;
    let largest = 2;
    let sliceEnd = performance.now() + SLICE_MS;
    let nextReport = 0;
    for (let candidate = 3; candidate <= limit; candidate += 2) {
      if (isOddPrime(candidate)) {
        count += 1;
        largest = candidate;
      }
      // Looking at the clock costs more than a small number's test.
      if ((candidate & 127) !== 1 || performance.now() < sliceEnd) continue;
      if (performance.now() > nextReport) {
        report(workDone(candidate) / workDone(limit), `${count} primes up to ${candidate}`);
        nextReport = performance.now() + REPORT_MS;
      }
      await nextTurn();
      signal.throwIfAborted();
      sliceEnd = performance.now() + SLICE_MS;
    }
    return { count, largest };
  };
}

function isOddPrime(candidate: number): boolean {
  for (let divisor = 3; divisor * divisor <= candidate; divisor += 2) {
    if (candidate % divisor === 0) return false;
  }
  return true;
}

/** Trial division of larger numbers takes longer, about with the square root; so the progress goes evenly. */
function workDone(candidate: number): number {
  return candidate ** 1.5;
}
