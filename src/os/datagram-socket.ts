/**
 * Sends one datagram to a unix socket (unix(7)), which neither Bun nor node:dgram can. Every call opens a socket and closes it:
 * these are rare messages, and a receiver that has been restarted is found again.
 */
import { FFIType, ptr } from 'bun:ffi';
import { endianness } from 'node:os';
import { lazyCalls } from './c-library.ts';
import { describeErrno, lastErrno } from './errno.ts';

const libc = lazyCalls({
  socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  sendto: {
    args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32, FFIType.ptr, FFIType.u32],
    returns: FFIType.i64,
  },
  setsockopt: {
    args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.u32],
    returns: FFIType.i32,
  },
  close: { args: [FFIType.i32], returns: FFIType.i32 },
});

const IS_DARWIN = process.platform === 'darwin';
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = IS_DARWIN ? 0 : 0o2000000;
const SOL_SOCKET = IS_DARWIN ? 0xffff : 1;
const SO_SNDTIMEO = IS_DARWIN ? 0x1005 : 21;
const MSG_NOSIGNAL = IS_DARWIN ? 0 : 0x4000;

/** `struct timeval`: a quarter of a second for a receiver whose queue is full. This process does nothing else meanwhile. */
const PATIENCE = new BigInt64Array([0n, 250_000n]);

/** `address` is an absolute path, or the name of an abstract socket with `@` in front. Throws where nobody gets it. */
export function sendDatagram(address: string, message: string): void {
  const target = socketAddress(address);
  const fd = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error(`no socket can be opened: ${describeErrno(lastErrno())}`);
  try {
    const bytes = Buffer.from(message);
    libc().setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, ptr(PATIENCE), PATIENCE.byteLength);
    const sent = libc().sendto(fd, ptr(bytes), bytes.length, MSG_NOSIGNAL, ptr(target), target.length);
    if (sent < 0n) throw new Error(`nothing can be sent to ${address}: ${describeErrno(lastErrno())}`);
  } finally {
    libc().close(fd);
  }
}

/** The room for a path in `struct sockaddr_un`, and the family and length before it. */
const PATH_SIZE = IS_DARWIN ? 104 : 108;
const PATH_OFFSET = 2;

/** `struct sockaddr_un`, as long as it needs to be: for an abstract name the length is part of the name. */
export function socketAddress(address: string): Uint8Array {
  const isAbstract = address.startsWith('@') && !IS_DARWIN;
  if (!isAbstract && !address.startsWith('/')) {
    throw new Error(`${address} is neither an absolute path nor an abstract name with @ in front`);
  }
  const name = Buffer.from(address);
  if (name.length >= PATH_SIZE || name.includes(0)) {
    throw new Error(
      `${address} cannot be the address of a socket: it has at most ${PATH_SIZE - 1} bytes, none of them NUL`,
    );
  }
  const bytes = new Uint8Array(PATH_OFFSET + name.length + (isAbstract ? 0 : 1));
  if (IS_DARWIN) bytes.set([bytes.length, AF_UNIX]);
  else new DataView(bytes.buffer).setUint16(0, AF_UNIX, endianness() === 'LE');
  bytes.set(name, PATH_OFFSET);
  // The byte NUL in front is what makes a name abstract; the `@` stands for it.
  if (isAbstract) bytes[PATH_OFFSET] = 0;
  return bytes;
}
