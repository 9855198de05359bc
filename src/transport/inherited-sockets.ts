/**
 * Listening sockets that were open when the process began: from systemd, from a predecessor, or from whatever started it.
 * Each is looked at before it is used, is given out once, and what the environment says of them is taken out of it, so
 * that no child takes them for its own (sd_listen_fds(3)).
 */
import { realpathSync } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';

import { closeOnExec } from '../os/descriptors.ts';
import {
  canonicalIPv6,
  descriptorKind,
  socketName,
  takesIPv4Too,
  type DescriptorKind,
  type SocketName,
} from '../os/socket-names.ts';
import { formatAddress, type ListenAddress, type SocketAddress, type TcpAddress } from './listen-spec.ts';

export interface InheritedSocket {
  readonly fd: number;
  /** The number that it had in the process that got it first, which is what `fd:N` means; absent where that is `fd`. */
  readonly firstFd?: number | undefined;
  /** From LISTEN_FDNAMES. */
  readonly name: string | undefined;
  readonly address: SocketAddress;
  /** Whether its path is ours to remove at the end: a predecessor of ours handed it over. */
  readonly isOwned: boolean;
}

type Environment = Record<string, string | undefined>;

const VARIABLES = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDNAMES'];

// SD_LISTEN_FDS_START.
const FIRST_DESCRIPTOR = 3;

export class InheritedSockets {
  readonly #sockets: readonly InheritedSocket[];
  readonly #claimed = new Set<InheritedSocket>();

  constructor(sockets: readonly InheritedSocket[]) {
    this.#sockets = sockets;
  }

  /**
   * Takes the variables out of the environment. What they say is meant for the process `pid` alone, so for another one there
   * are no sockets. Throws an Error where they make no sense, or where a descriptor is no listening stream socket.
   */
  static fromEnvironment(env: Environment, pid: number): InheritedSockets {
    const [count, addressee, , names] = VARIABLES.map((name) => env[name]);
    for (const name of VARIABLES) delete env[name];
    if (!count || addressee !== String(pid)) return new InheritedSockets([]);
    return new InheritedSockets(readSockets(count, names));
  }

  /**
   * Every socket that is this address, this descriptor, or has this name. Throws an Error where an address before has taken
   * them already; for port 0 there may always be another one.
   */
  claim(address: ListenAddress): InheritedSocket[] {
    const found = find(this.unclaimed, address);
    const isAnyPort = address.type === 'tcp' && address.port === 0;
    if (found.length === 0 && !isAnyPort && find([...this.#claimed], address).length > 0) {
      throw new Error(
        `cannot listen on ${formatAddress(address)}: another address names the same inherited socket; name it once`,
      );
    }
    for (const socket of found) this.#claimed.add(socket);
    return found;
  }

  get unclaimed(): readonly InheritedSocket[] {
    return this.#sockets.filter((socket) => !this.#claimed.has(socket));
  }
}

function find(sockets: readonly InheritedSocket[], address: ListenAddress): InheritedSocket[] {
  switch (address.type) {
    case 'fd':
      // What a predecessor has opened by itself was never anybody's descriptor to name.
      return sockets.filter(({ fd, firstFd = fd, isOwned }) => firstFd === address.fd && !isOwned);
    case 'named':
      return sockets.filter(({ name }) => name === address.name);
    case 'unix': {
      const path = realPath(address.path);
      return sockets.filter(({ address: at }) => at.type === 'unix' && realPath(at.path) === path);
    }
    case 'tcp':
      return findTcp(sockets, address);
  }
}

/** What `fd` is; throws an Error that says so where it is no listening stream socket of the internet or of unix. */
export function inspectSocket(fd: number, name?: string): InheritedSocket {
  const kind = descriptorKind(fd);
  const label = name === undefined ? `descriptor ${fd}` : `descriptor ${fd} (${name})`;
  if (kind !== 'listening socket') throw new Error(`${label} is ${REFUSALS[kind]}`);
  const found = socketName(fd);
  if (found === undefined || found.family === 'other') {
    throw new Error(`${label} is a listening socket, but neither of TCP nor a unix socket`);
  }
  return { fd, name, address: addressOf(found, fd), isOwned: false };
}

function addressOf(name: Exclude<SocketName, { family: 'other' }>, fd: number): SocketAddress {
  if (name.family === 'unix') return { type: 'unix', path: name.path };
  const isIPv6Only = name.host === '::' && !takesIPv4Too(fd);
  return { type: 'tcp', host: name.host, port: name.port, ...(isIPv6Only ? { isIPv6Only } : undefined) };
}

const EXPECTED = 'a listening socket is needed';

const REFUSALS: Readonly<Record<Exclude<DescriptorKind, 'listening socket'>, string>> = {
  closed: `not open; ${EXPECTED}`,
  file: `a file; ${EXPECTED}`,
  directory: `a directory; ${EXPECTED}`,
  pipe: `a pipe; ${EXPECTED}`,
  device: `a terminal or another device; ${EXPECTED}`,
  other: `no socket; ${EXPECTED}`,
  'connected socket': `a connection; ${EXPECTED} (of systemd: Accept=no)`,
  'idle socket': `a socket that does not listen; ${EXPECTED}`,
  'datagram socket': `not a stream socket; ${EXPECTED} (of systemd: ListenStream=)`,
};

function readSockets(count: string, names: string | undefined): InheritedSocket[] {
  if (!/^\d{1,5}$/.test(count)) {
    throw new Error(
      `the environment variable LISTEN_FDS must be a number of descriptors, not ${JSON.stringify(count)}`,
    );
  }
  const list = names?.split(':');
  if (list !== undefined && list.length !== Number(count)) {
    throw new Error(
      `the environment variable LISTEN_FDNAMES has ${list.length} names for the ${count} descriptors of LISTEN_FDS; ` +
        'give one for each, with colons between them',
    );
  }
  return Array.from({ length: Number(count) }, (_, i) => {
    const socket = inspectSocket(FIRST_DESCRIPTOR + i, list?.[i] || undefined);
    closeOnExec(socket.fd);
    return socket;
  });
}

/** The path without symbolic links, and never the socket's own: what is at the path may not be this socket any more. */
function realPath(path: string): string {
  if (path.startsWith('@')) return path;
  const full = resolve(path);
  try {
    return join(realpathSync(dirname(full)), basename(full));
  } catch {
    return full;
  }
}

/** Port 0 is a new port, but where a predecessor has found one, a server that takes over stays there. */
function findTcp(sockets: readonly InheritedSocket[], { host, port }: TcpAddress): InheritedSocket[] {
  if (!sockets.some(({ address }) => address.type === 'tcp')) return [];
  const wanted = numericHost(host);
  const at = (hostOf: string, isMatch: (socket: InheritedSocket) => boolean = () => true) => {
    const matches = sockets.filter(
      (socket) =>
        socket.address.type === 'tcp' &&
        socket.address.host === hostOf &&
        (socket.address.port === port || (port === 0 && socket.isOwned)) &&
        isMatch(socket),
    );
    return matches.filter((socket) => portOf(socket) === portOf(matches[0]!));
  };
  const found = at(wanted);
  if (found.length > 0 || wanted !== '0.0.0.0') return found;
  // Which is what systemd opens for a port alone, and binding 0.0.0.0 beside it would fail (ipv6(7)).
  return at('::', ({ fd }) => takesIPv4Too(fd));
}

function portOf({ address }: InheritedSocket): number | undefined {
  return address.type === 'tcp' ? address.port : undefined;
}

/** A name stands for the address that binding it would take, which a socket on a free port tells. */
function numericHost(host: string): string {
  const [address = '', zone] = host.split('%');
  if (isIPv6(address)) return canonicalIPv6(address) + (zone === undefined ? '' : `%${zone}`);
  if (isIP(address)) return address;
  try {
    const listener = Bun.listen({ hostname: host, port: 0, socket: { data() {} } });
    const name = socketName((listener as unknown as { fd: number }).fd);
    listener.stop();
    return name !== undefined && 'host' in name ? name.host : host;
  } catch {
    return host;
  }
}
