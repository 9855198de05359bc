/**
 * Listening sockets as another program opens them, without any code of the server: nobody accepts on them here, and the
 * descriptor is for handing to a child. Disposing of one closes it and removes its path.
 */
import { renameSync, rmSync } from 'node:fs';
import { dlopen, FFIType } from 'bun:ffi';

const LIBRARY = process.platform === 'darwin' ? 'libSystem.dylib' : 'libc.so.6';

const F_SETFL = 4;
const libc = dlopen(LIBRARY, {
  dup: { args: [FFIType.i32], returns: FFIType.i32 },
  close: { args: [FFIType.i32], returns: FFIType.i32 },
  listen: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
}).symbols;

export interface ForeignSocket extends Disposable {
  readonly fd: number;
  /** 0 for a unix socket. */
  readonly port: number;
}

export type Place = { readonly backlog?: number } & (
  | { readonly hostname: string; readonly port?: number; readonly ipv6Only?: boolean }
  | { readonly unix: string }
);

/** Blocking, as sockets are that nobody has made otherwise. */
export function openForeignSocket(place: Place): ForeignSocket {
  const socket = { data() {} };
  const listener = Bun.listen({ port: 0, ...place, socket } as never) as unknown as {
    readonly fd: number;
    readonly port?: number;
    stop(): void;
  };
  const fd = libc.dup(listener.fd);
  if (fd < 0) throw new Error('out of file descriptors');
  const port = listener.port ?? 0;
  // `stop` of Bun 1.4.5 removes the path of a unix socket.
  if ('unix' in place) renameSync(place.unix, `${place.unix}~`);
  listener.stop();
  if ('unix' in place) renameSync(`${place.unix}~`, place.unix);
  if (place.backlog !== undefined) libc.listen(fd, place.backlog);
  libc.fcntl(fd, F_SETFL, 0);
  return {
    fd,
    port,
    [Symbol.dispose]: () => {
      libc.close(fd);
      if ('unix' in place) rmSync(place.unix, { force: true });
    },
  };
}
