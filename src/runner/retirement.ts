/**
 * When a worker asks to be replaced although nothing is wrong with it: after so many requests, or when it has grown too large. Whether and
 * when that happens is for its master to say, so it asks again.
 */
import type { Clock } from '../clock/clock.ts';

/** Milliseconds between looks at the memory. */
const MEMORY_INTERVAL = 30_000;

type Retire = (reason: string) => void;

/** After `maxRequests`, a tenth more or less, so that workers do not retire together. Undefined for 0. */
export function requestLimit(
  maxRequests: number,
  retire: Retire,
  random: () => number = Math.random,
): { readonly count: number; reached(): void } | undefined {
  if (maxRequests === 0) return undefined;
  const count = Math.max(1, Math.round(maxRequests * (0.9 + 0.2 * random())));
  return { count, reached: () => retire(`has taken ${count} requests (maxRequests)`) };
}

export interface MemoryWatch {
  /** Bytes of resident memory; 0 is none. */
  readonly limit: number;
  readonly clock: Clock;
  readonly retire: Retire;
  /** Bytes. @default of this process */
  readonly used?: () => number;
}

export function watchMemory({ limit, clock, retire, used = residentMemory }: MemoryWatch): void {
  if (limit === 0) return;
  clock.every(MEMORY_INTERVAL, () => {
    const size = used();
    if (size > limit) retire(`uses ${inMiB(size)} of memory, more than ${inMiB(limit)} (maxWorkerMemory)`);
  });
}

function residentMemory(): number {
  return process.memoryUsage.rss();
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
