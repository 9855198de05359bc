/**
 * The other end of a datagram socket, such as a service manager's. A datagram is there as soon as its sender's call has
 * returned, so taking one needs no waiting.
 */
import { FFIType, ptr } from 'bun:ffi';
import { lazyCalls } from '../../src/os/c-library.ts';
import { socketAddress } from '../../src/os/datagram-socket.ts';

const libc = lazyCalls({
  socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  bind: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  recv: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
  close: { args: [FFIType.i32], returns: FFIType.i32 },
});

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = process.platform === 'darwin' ? 0x80 : 0x40;

export class DatagramReceiver implements Disposable {
  readonly #fd: number;

  /** A path, or the name of an abstract socket with `@` in front. */
  constructor(address: string) {
    this.#fd = libc().socket(AF_UNIX, SOCK_DGRAM, 0);
    const name = socketAddress(address);
    if (libc().bind(this.#fd, ptr(name), name.length) !== 0) throw new Error(`cannot bind ${address}`);
  }

  /** The oldest datagram that has not been taken; undefined without one. */
  take(): string | undefined {
    const room = new Uint8Array(65_536);
    const length = Number(libc().recv(this.#fd, ptr(room), room.length, MSG_DONTWAIT));
    return length < 0 ? undefined : Buffer.from(room.subarray(0, length)).toString();
  }

  takeAll(): string[] {
    const all: string[] = [];
    for (let next = this.take(); next !== undefined; next = this.take()) all.push(next);
    return all;
  }

  [Symbol.dispose](): void {
    libc().close(this.#fd);
  }
}
