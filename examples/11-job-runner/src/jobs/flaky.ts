/** A job that may fail at each step. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Work } from './job.ts';

const STEP_MS = 200;

/** `risk` is from 0, never, to 1, at once. */
export function tryLuck(steps: number, risk: number): Work {
  return async ({ report, signal }) => {
    for (let step = 1; step <= steps; step += 1) {
      report((step - 1) / steps, `step ${step} of ${steps}`);
      await wait(STEP_MS, undefined, { signal });
      if (Math.random() < risk) throw new Error(`step ${step} went wrong`);
    }
    return `${steps} steps went well`;
  };
}
