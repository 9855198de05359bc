/**
 * A pipe (pipe(2)) to hand to a child. What Bun 1.4.5 itself gives a child for `pipe` is a socket, to which the child writes with
 * send(2), so that nothing but a socket can take its place later.
 */
import { FFIType, ptr } from 'bun:ffi';
import { lazyCalls } from './c-library.ts';
import { describeErrno, lastErrno } from './errno.ts';

const libc = lazyCalls({
  pipe: { args: [FFIType.ptr], returns: FFIType.i32 },
  fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
});

const F_SETFD = 2;
const FD_CLOEXEC = 1;

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** Both ends are closed on exec; the caller closes them here. */
export function openPipe(): Pipe {
  const ends = new Int32Array(2);
  if (libc().pipe(ptr(ends)) !== 0) throw new Error(`no pipe can be opened: ${describeErrno(lastErrno())}`);
  const [readEnd, writeEnd] = ends;
  for (const fd of ends) libc().fcntl(fd, F_SETFD, FD_CLOEXEC);
  return { readEnd: readEnd!, writeEnd: writeEnd! };
}
