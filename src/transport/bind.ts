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

import { inspectSocket, type InheritedSocket } from './inherited-sockets.ts';
import {
  formatAddress,
  formatListenSpec,
  MAX_SOCKET_PATH,
  settleTls,
  type DescriptorAddress,
  type ListenAddress,
  type SocketAddress,
  type TcpAddress,
  type TlsUse,
  type UnixAddress,
} from './listen-spec.ts';
import { closeDescriptor, duplicate, setBacklog } from '../os/descriptors.ts';
import { type RawSocket } from './socket.ts';

export interface BindSettings {
  readonly listenerBacklog: number;
  readonly reusePort: boolean;
}

export interface ReleaseOptions {
  /** For a successor that goes on serving the unix socket. */
  readonly keepPath?: boolean;
}

/** A bound socket. `release` closes the descriptor, once, and removes the path of a unix socket that is ours. */
export interface BoundSocket {
  readonly fd: number;
  readonly address: SocketAddress;
  /** Where clients find it: the port is the real one. */
  readonly url: string;
  /** Whether it was open when the process began. */
  readonly isInherited: boolean;
  /** By what `fd:NUMBER` and `fd:NAME` mean it, if somebody else opened it: for a successor that is to know it by the same. */
  readonly knownAs?: { readonly firstFd: number; readonly name: string | undefined };
  /** Whether this process or a predecessor of its opened it, and not whoever started them. */
  readonly isOwned: boolean;
  release(options?: ReleaseOptions): void;
}

type ListenOptions = Parameters<typeof Bun.listen>[0];

/** Throws an Error that names the address and says what to do. */
export async function bind(address: ListenAddress, settings: BindSettings): Promise<BoundSocket> {
  switch (address.type) {
    case 'tcp':
      return bindTcp(address, settings);
    case 'unix':
      return await bindUnix(address, settings);
    case 'fd':
      return adoptDescriptor(address);
    case 'named':
      throw new Error(
        `cannot listen on ${formatAddress(address)}: no socket of that name was handed to this process ` +
          '(LISTEN_FDNAMES); give its number, or the name that the socket unit says in FileDescriptorName=',
      );
  }
}

/** The queue of an inherited socket keeps the length that its opener gave it, and its path the mode. */
export function adopt(socket: InheritedSocket, tls: TlsUse = false): BoundSocket {
  const { fd, firstFd = fd, name, address, isOwned } = socket;
  const place = { ...address, isSecure: settleTls(tls, address) };
  const bound = { fd, address: place, url: urlOf(place), isInherited: true, isOwned };
  if (!isOwned) return { ...bound, knownAs: { firstFd, name }, release: releaseOf(fd) };
  return { ...bound, release: releaseOf(fd, address.type === 'unix' ? address.path : undefined) };
}

function adoptDescriptor(address: DescriptorAddress): BoundSocket {
  const { fd, isSecure } = address;
  try {
    return adopt(inspectSocket(fd), isSecure);
  } catch (error) {
    throw new Error(`cannot listen on fd:${fd}: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws as {@link bind} does. */
export function bindTcp(address: TcpAddress, settings: BindSettings): BoundSocket {
  const { host, port } = address;
  const ipv6Only = address.isIPv6Only === true;
  const options = { hostname: host, port, reusePort: settings.reusePort, ipv6Only };
  const listener = attempt(() => openListener(options), formatListenSpec(host, port));
  const bound = { ...address, port: listener.port };
  const fd = keepDescriptor(listener, settings.listenerBacklog);
  return {
    fd,
    address: bound,
    url: urlOf(bound),
    isInherited: false,
    isOwned: true,
    release: releaseOf(fd),
  };
}

async function bindUnix(address: UnixAddress, settings: BindSettings): Promise<BoundSocket> {
  const { path, mode } = address;
  await refuseIfTaken(path);
  // Bound under another name and renamed: whoever finds the path finds a socket that listens, with its mode, and a
  // stale file is replaced in one step. The listener that is closed here unlinks the other name, which is gone.
  const temporary = attempt(() => freeNameBeside(path), path);
  const listener = attempt(() => withMode(mode, () => openListener({ unix: temporary })), path);
  try {
    if (mode !== undefined) chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (error) {
    listener.stop();
    throw new Error(`cannot listen on ${path}: ${(error as Error).message}`, { cause: error });
  }
  const fd = keepDescriptor(listener, settings.listenerBacklog);
  return {
    fd,
    address,
    url: urlOf(address),
    isInherited: false,
    isOwned: true,
    release: releaseOf(fd, path),
  };
}

/** The temporary name can be found as well, so the socket has no more than its mode from its first moment on. */
function withMode<T>(mode: number | undefined, open: () => T): T {
  if (mode === undefined) return open();
  const before = process.umask(0o777 & ~mode);
  try {
    return open();
  } finally {
    process.umask(before);
  }
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

/**
 * Works once, because the number may be another descriptor's by the second time. The path may have been taken over by a
 * successor in the meantime: then it is left alone.
 */
export function releaseOf(fd: number, path?: string): BoundSocket['release'] {
  const inodeAt = (): number | undefined =>
    path === undefined ? undefined : lstatSync(path, { throwIfNoEntry: false })?.ino;
  const inode = inodeAt();
  let isOpen = true;
  return ({ keepPath = false } = {}) => {
    if (!isOpen) return;
    isOpen = false;
    closeDescriptor(fd);
    if (path !== undefined && inode !== undefined && !keepPath && inodeAt() === inode)
      rmSync(path, { force: true });
  };
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
function urlOf(address: SocketAddress): string {
  if (address.type === 'unix') return `unix:${address.path}`;
  return `${address.isSecure ? 'https' : 'http'}://${formatListenSpec(address.host, address.port)}`;
}
