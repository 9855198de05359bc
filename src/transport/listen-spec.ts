/**
 * Reads one `listen` address. What begins with `/`, `./` or `../` is the path of a unix socket; all else is a host and a
 * port, where an IPv6 address stands in brackets. `http://` or `https://` in front says whether TLS is spoken there. An
 * address has one meaning or none: nothing is guessed.
 */
import { isIPv6 } from 'node:net';

/** `isSecure` is whether TLS is spoken there; absent where that is not settled, which is without. */
export type ListenAddress =
  | { readonly type: 'tcp'; readonly host: string; readonly port: number; readonly isSecure?: boolean }
  | { readonly type: 'unix'; readonly path: string; readonly mode?: number; readonly isSecure?: boolean };

/** `reason` completes "must be …" for the option that the text came from. */
export interface MalformedListenSpec {
  readonly type: 'malformed';
  readonly reason: string;
}

const EXPECTED = 'HOST:PORT, [IPV6]:PORT, /PATH or ./PATH, with http:// or https:// in front or nothing';

/** Bytes. sockaddr_un has room for 108, the closing NUL included (unix(7)). */
export const MAX_SOCKET_PATH = 107;

const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?$/;

export function parseListenSpec(text: string): ListenAddress | MalformedListenSpec {
  const [, scheme, rest] = /^(https?):\/\/(.*)$/s.exec(text) ?? [];
  const address = parseAddress(rest ?? text);
  if (scheme === undefined || address.type === 'malformed') return address;
  return { ...address, isSecure: scheme === 'https' };
}

/** With a certificate, TLS is spoken on TCP unless the address says otherwise, and on unix sockets where it says so. */
export function speaksTls(address: ListenAddress, hasCertificate: boolean): boolean {
  return address.isSecure ?? (hasCertificate && address.type === 'tcp');
}

function parseAddress(text: string): ListenAddress | MalformedListenSpec {
  if (/^\.{0,2}\//.test(text)) {
    if (!isUnixSocketPath(text)) return malformed(`a path of at most ${MAX_SOCKET_PATH} bytes`);
    return { type: 'unix', path: text };
  }
  if (/^fd:|^systemd$/.test(text)) return malformed(`${EXPECTED} (inherited sockets are not supported yet)`);
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) return malformed(EXPECTED);
  const bracketed = match[1];
  if (bracketed !== undefined)
    return isIPv6(bracketed) ? { type: 'tcp', host: bracketed, port } : malformed(EXPECTED);
  const host = match[2] ?? '';
  return HOST_NAME.test(host) ? { type: 'tcp', host, port } : malformed(EXPECTED);
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
