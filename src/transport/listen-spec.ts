/**
 * Reads one `listen` address. What begins with `/`, `./` or `../` is the path of a unix socket; all else is a host and a
 * port, where an IPv6 address stands in brackets. An address has one meaning or none: nothing is guessed.
 */
import { isIPv6 } from 'node:net';

export type ListenAddress =
  | { readonly type: 'tcp'; readonly host: string; readonly port: number }
  | { readonly type: 'unix'; readonly path: string; readonly mode?: number };

/** `reason` completes "must be …" for the option that the text came from. */
export interface MalformedListenSpec {
  readonly type: 'malformed';
  readonly reason: string;
}

const EXPECTED = 'HOST:PORT, [IPV6]:PORT, /PATH or ./PATH';

/** Bytes. sockaddr_un has room for 108, the closing NUL included (unix(7)). */
export const MAX_SOCKET_PATH = 107;

const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?$/;

export function parseListenSpec(text: string): ListenAddress | MalformedListenSpec {
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
