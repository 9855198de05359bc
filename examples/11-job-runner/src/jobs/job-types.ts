/**
 * The kinds of jobs there are, with what each takes. A kind is one entry here and one file that does the work.
 */
import { countDown } from './countdown.ts';
import { findPrimes } from './primes.ts';
import { tryLuck } from './flaky.ts';
import type { JobPlan, Work } from './job.ts';

/** A number that a job takes. */
export interface Parameter {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly default: number;
}

export interface JobType {
  readonly title: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** The parameters are there and within their limits. */
  create(params: Readonly<Record<string, number>>): Work;
}

export const JOB_TYPES: Readonly<Record<string, JobType>> = {
  countdown: {
    title: 'Countdown',
    parameters: { seconds: { label: 'Seconds', min: 1, max: 600, default: 10 } },
    create: ({ seconds = 0 }) => countDown(seconds),
  },
  primes: {
    title: 'Primes',
    parameters: { limit: { label: 'Up to', min: 2, max: 20_000_000, default: 5_000_000 } },
    create: ({ limit = 0 }) => findPrimes(limit),
  },
  flaky: {
    title: 'Flaky',
    parameters: {
      steps: { label: 'Steps', min: 1, max: 100, default: 20 },
      risk: { label: 'Risk of each, percent', min: 0, max: 100, default: 5 },
    },
    create: ({ steps = 0, risk = 0 }) => tryLuck(steps, risk / 100),
  },
};

/** What is wrong with a wish for a job, in words for the one who made it. */
export class JobRefusal {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Reads what a client sent, of which nothing is known yet. */
export function planJob(input: unknown): JobPlan | JobRefusal {
  if (!isRecord(input)) return new JobRefusal('a job is an object with type and params');
  const { type, params = {} } = input;
  if (typeof type !== 'string' || !Object.hasOwn(JOB_TYPES, type)) {
    return new JobRefusal(`type must be one of ${Object.keys(JOB_TYPES).join(', ')}`);
  }
  if (!isRecord(params)) return new JobRefusal('params must be an object');
  const jobType = JOB_TYPES[type]!;
  const unknown = Object.keys(params).find((name) => !Object.hasOwn(jobType.parameters, name));
  if (unknown !== undefined) return new JobRefusal(`a job of type ${type} takes no such parameter`);

  const checked: Record<string, number> = {};
  for (const [name, { min, max, default: byDefault }] of Object.entries(jobType.parameters)) {
    const value = params[name] ?? byDefault;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      return new JobRefusal(`${name} must be a whole number from ${min} to ${max}`);
    }
    checked[name] = value;
  }
  return { type, params: checked, work: jobType.create(checked) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
