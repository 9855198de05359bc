/**
 * File descriptors and their limit. Each call answers as the manual page says, and the caller turns failures into messages.
 */
import { FFIType, ptr } from 'bun:ffi';
import { lazyCalls } from './c-library.ts';

const libc = lazyCalls({
  close: { args: [FFIType.i32], returns: FFIType.i32 },
  listen: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  getrlimit: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
});

const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_DUPFD_CLOEXEC = process.platform === 'darwin' ? 67 : 1030;

/** A second descriptor for the same open socket, closed on exec. Throws when none is left. */
export function duplicate(fd: number): number {
  const copy = libc().fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw new Error(`descriptor ${fd} cannot be duplicated: out of file descriptors?`);
  return copy;
}

/** Programs that this process starts do not get the descriptor, unless it is handed to them. */
export function closeOnExec(fd: number): void {
  libc().fcntl(fd, F_SETFD, FD_CLOEXEC);
}

export function closeDescriptor(fd: number): void {
  libc().close(fd);
}

/** Sets the length of the queue of connections not yet accepted (listen(2)). */
export function setBacklog(fd: number, backlog: number): void {
  libc().listen(fd, backlog);
}

const RLIMIT_NOFILE = process.platform === 'darwin' ? 8 : 7;

/** The soft limit of open file descriptors; Infinity where it is unlimited or cannot be read. */
export function descriptorLimit(): number {
  const limits = new BigUint64Array(2);
  if (libc().getrlimit(RLIMIT_NOFILE, ptr(limits)) !== 0) return Infinity;
  const soft = limits[0]!;
  return soft > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(soft);
}
