/**
 * The kernel's monotonic clock, which other processes read too (clock_gettime(2)). Bun's own, `performance.now()` and
 * `process.hrtime()`, count from the start of the process and mean nothing to others.
 */
import { FFIType, ptr } from 'bun:ffi';
import { lazyCalls } from './c-library.ts';

const libc = lazyCalls({ clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 } });

const CLOCK_MONOTONIC = process.platform === 'darwin' ? 6 : 1;

/** CLOCK_MONOTONIC in microseconds. */
export function monotonicMicroseconds(): bigint {
  const time = new BigInt64Array(2);
  libc().clock_gettime(CLOCK_MONOTONIC, ptr(time));
  return time[0]! * 1_000_000n + time[1]! / 1000n;
}
