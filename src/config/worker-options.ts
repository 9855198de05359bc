/**
 * The rows of the option table that say how many processes serve, and when one of them is replaced: see options.ts. Those
 * that only a master looks at say so by `isForWorkers`, so that nobody believes in them where there is none.
 */
import type { OptionRow } from './option-row.ts';

export const WORKER_OPTIONS = {
  /** Processes that serve the app; 0 or 1 is this one alone, auto is one for each processor that may be used. @default 1 */
  workers: {
    kind: 'workers',
    short: 'w',
    range: [0, 1000],
    group: 'Processes',
    default: 1,
    help: 'Processes that serve the app; 0 or 1 is this one alone, auto is one for each processor that may be used.',
  },
  /** Requests after which a worker is replaced, give or take a tenth; 0 is never. @default 0 */
  maxRequests: {
    kind: 'count',
    isForWorkers: true,
    group: 'Processes',
    default: 0,
    help: 'Requests after which a worker is replaced, give or take a tenth; 0 is never.',
  },
  /** Memory (RSS) above which a worker is replaced, looked at every 30 s; 0 is unlimited. @default 0 */
  maxWorkerMemory: {
    kind: 'bytes',
    isForWorkers: true,
    group: 'Processes',
    default: 0,
    help: 'Memory (RSS) above which a worker is replaced, looked at every 30 s; 0 is unlimited.',
  },
  /** Time for which a started worker may be blocked; then it is killed and replaced; 0 is off. @default 30 */
  heartbeatTimeout: {
    kind: 'seconds',
    isForWorkers: true,
    group: 'Processes',
    default: 30,
    help: 'Time for which a started worker may be blocked; then it is killed and replaced; 0 is off.',
  },
} as const satisfies Readonly<Record<string, OptionRow>>;
