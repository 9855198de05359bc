/**
 * Why the last call of the C library failed (errno(3)). It is read right after the call: the next one may overwrite it.
 */
import { FFIType, read } from 'bun:ffi';
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';
import { lazyCalls } from './c-library.ts';

const IS_DARWIN = process.platform === 'darwin';

const linux = lazyCalls({ __errno_location: { args: [], returns: FFIType.ptr } });
const darwin = lazyCalls({ __error: { args: [], returns: FFIType.ptr } });

/** errno, a positive number. */
export function lastErrno(): number {
  const location = IS_DARWIN ? darwin().__error() : linux().__errno_location();
  return location === null ? 0 : read.i32(location, 0);
}

/** Such as `ENOENT: no such file or directory`. */
export function describeErrno(errno: number): string {
  if (errno <= 0) return 'unknown error';
  return `${getSystemErrorName(-errno)}: ${getSystemErrorMessage(-errno)}`;
}
