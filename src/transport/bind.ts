/**
 * Opens listening sockets that nobody in this process accepts on yet. The descriptor outlives every listener that
 * adopts a copy of it, so accepting can stop and start again without resetting a connection that waits in the
 * kernel's queue. A unix socket appears under its path only when it is ready, with its mode already set.
 */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

import { type ListenAddress, MAX_SOCKET_PATH } from './listen-spec.ts';
import { closeDescriptor, duplicate, setBacklog } from '../os/descriptors.ts';
import { type RawSocket } from './socket.ts';

export interface BindSettings {
  readonly listenerBacklog: number;
  readonly reusePort: boolean;
}

/** A bound socket. `release` closes the descriptor and removes the path of a unix socket. */
export interface BoundSocket {
  readonly fd: number;
  readonly address: ListenAddress;
  /** Where clients find it: the port is the real one. */
  readonly url: string;
  release(): void;
}

type ListenOptions = Parameters<typeof Bun.listen>[0];

/** Throws an Error that names the address and says what to do. */
export async function bind(address: ListenAddress, settings: BindSettings): Promise<BoundSocket> {
  return address.type === 'tcp' ? bindTcp(address, settings) : await bindUnix(address, settings);
}

type TcpAddress = Extract<ListenAddress, { type: 'tcp' }>;
type UnixAddress = Extract<ListenAddress, { type: 'unix' }>;

function bindTcp(address: TcpAddress, settings: BindSettings): BoundSocket {
  const { host, port } = address;
  const options = { hostname: host, port, reusePort: settings.reusePort };
  const listener = attempt(() => openListener(options), formatHostPort(host, port));
  const bound = { ...address, port: listener.port };
  const fd = keepDescriptor(listener, settings.listenerBacklog);
  return {
    fd,
    address: bound,
    url: `${address.isSecure ? 'https' : 'http'}://${formatHostPort(host, bound.port)}`,
    release: () => closeDescriptor(fd),
  };
}

async function bindUnix(address: UnixAddress, settings: BindSettings): Promise<BoundSocket> {
  const { path, mode } = address;
  await refuseIfTaken(path);
  // Bound under another name and renamed: whoever finds the path finds a socket that listens, with its mode, and a
  // stale file is replaced in one step. The listener that is closed here unlinks the other name, which is gone.
  const temporary = attempt(() => freeNameBeside(path), path);
  const listener = attempt(() => openListener({ unix: temporary }), path);
  try {
    if (mode !== undefined) chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (error) {
    listener.stop();
    throw new Error(`cannot listen on ${path}: ${(error as Error).message}`, { cause: error });
  }
  const { ino } = lstatSync(path);
  const fd = keepDescriptor(listener, settings.listenerBacklog);
  return {
    fd,
    address,
    url: `unix:${path}`,
    release: () => {
      closeDescriptor(fd);
      removeOwnPath(path, ino);
    },
  };
}

/** In the same directory, because a rename stays within a file system, and within the length that an address may have. */
function freeNameBeside(path: string): string {
  const directory = dirname(path);
  const room = MAX_SOCKET_PATH - Buffer.byteLength(join(directory, 'x')) + 1;
  for (let tries = 0; tries < 100; tries++) {
    const random = randomBytes(8).toString('hex');
    const name = join(directory, room > random.length ? `.${random}` : random.slice(0, room));
    if (name !== path && lstatSync(name, { throwIfNoEntry: false }) === undefined) return name;
  }
  throw new Error('its directory leaves no room for a name beside it; choose a shorter path');
}

function openListener(options: object): Bun.TCPSocketListener<RawSocket> & { readonly fd: number } {
  const socket = { data() {} };
  return Bun.listen({ ...options, socket } as unknown as ListenOptions) as never;
}

function keepDescriptor(listener: { readonly fd: number; stop(): void }, backlog: number): number {
  const fd = duplicate(listener.fd);
  setBacklog(fd, backlog);
  listener.stop();
  return fd;
}

/** A path that exists must be a socket that nobody listens on. */
async function refuseIfTaken(path: string): Promise<void> {
  const stats = attempt(() => lstatSync(path, { throwIfNoEntry: false }), path);
  if (stats === undefined) return;
  if (!stats.isSocket()) {
    throw new Error(
      `cannot listen on ${path}: a file that is no socket is there; remove it or choose another path`,
    );
  }
  if (await answers(path)) {
    throw new Error(
      `cannot listen on ${path}: another process listens there; stop it or choose another path`,
    );
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // EAGAIN: the queue is full, so there is somebody who has one. EACCES: not ours to replace.
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

/** The path may have been taken over by a successor in the meantime. */
function removeOwnPath(path: string, inode: number): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.ino === inode) rmSync(path, { force: true });
}

function attempt<T>(open: () => T, where: string): T {
  try {
    return open();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`cannot listen on ${where}: ${ADVICE[code ?? ''] ?? message}`, { cause: error });
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is already in use; stop the other server or choose another port',
  EACCES: 'permission denied; ports below 1024 need privileges, a path needs a directory that can be written',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOENT: 'there is no such directory',
  ENOTDIR: 'there is no such directory',
};

/** IPv6 addresses stand in brackets (RFC 3986 3.2.2). */
function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
