/**
 * Reads one `listen` address. What begins with `/`, `./` or `../` is the path of a unix socket; `fd:` in front of a number or
 * a name is a socket that was open when the process began; all else is a host and a port, where an IPv6 address stands in
 * brackets. `http://` or `https://` in front says whether TLS is spoken there. An address has one meaning or none:
 * nothing is guessed.
 */
import { isIPv6 } from 'node:net';

/** `isSecure` is whether TLS is spoken there; absent where that is not settled, which is without. */
export interface TcpAddress {
  readonly type: 'tcp';
  readonly host: string;
  readonly port: number;
  readonly isSecure?: boolean;
  /** Of `::`, which otherwise takes connections over IPv4 too. */
  readonly isIPv6Only?: boolean;
}

export interface UnixAddress {
  readonly type: 'unix';
  readonly path: string;
  readonly mode?: number;
  readonly isSecure?: boolean;
}

/** `on-tcp`: settled when it is known what the socket is, a TCP socket with TLS and a unix socket without. */
export type TlsUse = boolean | 'on-tcp';

/** A descriptor that the process was started with. */
export interface DescriptorAddress {
  readonly type: 'fd';
  readonly fd: number;
  readonly isSecure?: TlsUse;
}

/** A socket that the process was started with, by its name in LISTEN_FDNAMES (sd_listen_fds(3)). */
export interface NamedAddress {
  readonly type: 'named';
  readonly name: string;
  readonly isSecure?: TlsUse;
}

/** Where a socket is, once there is one. */
export type SocketAddress = TcpAddress | UnixAddress;

export type ListenAddress = SocketAddress | DescriptorAddress | NamedAddress;

/** `reason` completes "must be …" for the option that the text came from. */
export interface MalformedListenSpec {
  readonly type: 'malformed';
  readonly reason: string;
}

const EXPECTED =
  'HOST:PORT, [IPV6]:PORT, /PATH, ./PATH, fd:NUMBER or fd:NAME, with http:// or https:// in front or nothing';

/** Bytes. sockaddr_un has room for 108, the closing NUL included (unix(7)). */
export const MAX_SOCKET_PATH = 107;

const MAX_DESCRIPTOR = 0x7fffffff;

// What FileDescriptorName= may be (systemd.socket(5)).
const SOCKET_NAME = /^[\x20-\x39\x3b-\x7e]{1,255}$/;

const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?$/;

export function parseListenSpec(text: string): ListenAddress | MalformedListenSpec {
  const [, scheme, rest] = /^(https?):\/\/(.*)$/s.exec(text) ?? [];
  const address = parseAddress(rest ?? text);
  if (scheme === undefined || address.type === 'malformed') return address;
  return { ...address, isSecure: scheme === 'https' };
}

/**
 * With a certificate, TLS is spoken on TCP unless the address says otherwise, and on unix sockets where it says so. Which of
 * the two an inherited socket is shows later: `settleTls`.
 */
export function speaksTls(address: SocketAddress, hasCertificate: boolean): boolean;
export function speaksTls(address: ListenAddress, hasCertificate: boolean): TlsUse;
export function speaksTls(address: ListenAddress, hasCertificate: boolean): TlsUse {
  if (address.isSecure !== undefined) return address.isSecure;
  if (!hasCertificate || address.type === 'unix') return false;
  return address.type === 'tcp' || 'on-tcp';
}

export function settleTls(use: TlsUse, { type }: SocketAddress): boolean {
  return use === 'on-tcp' ? type === 'tcp' : use;
}

function parseAddress(text: string): ListenAddress | MalformedListenSpec {
  if (/^\.{0,2}\//.test(text)) {
    if (!isUnixSocketPath(text)) return malformed(`a path of at most ${MAX_SOCKET_PATH} bytes`);
    return { type: 'unix', path: text };
  }
  if (text.startsWith('fd:')) return parseInherited(text.slice(3));
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) return malformed(EXPECTED);
  const bracketed = match[1];
  if (bracketed !== undefined)
    return isIPv6(bracketed) ? { type: 'tcp', host: bracketed, port } : malformed(EXPECTED);
  const host = match[2] ?? '';
  return HOST_NAME.test(host) ? { type: 'tcp', host, port } : malformed(EXPECTED);
}

function parseInherited(text: string): ListenAddress | MalformedListenSpec {
  const isNumber = /^(?:0|[1-9]\d*)$/.test(text) && Number(text) <= MAX_DESCRIPTOR;
  if (isNumber) return { type: 'fd', fd: Number(text) };
  const isName = SOCKET_NAME.test(text) && !/^\d+$/.test(text);
  return isName ? { type: 'named', name: text } : malformed(EXPECTED);
}

/** The address as a user writes it, for messages. */
export function formatAddress(address: ListenAddress): string {
  switch (address.type) {
    case 'tcp':
      return formatListenSpec(address.host, address.port);
    case 'unix':
      return address.path;
    case 'fd':
      return `fd:${address.fd}`;
    case 'named':
      return `fd:${address.name}`;
  }
}

/** A host and a port in the form that `parseListenSpec` reads, whether or not an IPv6 address came in brackets. */
export function formatListenSpec(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

export function isUnixSocketPath(path: string): boolean {
  return path !== '' && !path.includes('\0') && Buffer.byteLength(path) <= MAX_SOCKET_PATH;
}

function malformed(reason: string): MalformedListenSpec {
  return { type: 'malformed', reason };
}
