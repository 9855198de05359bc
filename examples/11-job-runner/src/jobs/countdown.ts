/** A job that only waits. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Work } from './job.ts';

const STEPS_PER_SECOND = 5;

export function countDown(seconds: number): Work {
  return async ({ report, signal }) => {
    const steps = seconds * STEPS_PER_SECOND;
    for (let step = 0; step < steps; step += 1) {
      report(step / steps, `${Math.ceil((steps - step) / STEPS_PER_SECOND)} s to go`);
      await wait(1000 / STEPS_PER_SECOND, undefined, { signal });
    }
    return 'lift-off';
  };
}
