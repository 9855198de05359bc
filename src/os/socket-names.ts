/**
 * What a file descriptor is, and the address that a socket is bound to. Nothing is changed and nothing is kept: the kernel
 * is asked each time, and answers as the manual pages say.
 */
import { Buffer } from 'node:buffer';
import { fstatSync, type Stats } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { FFIType, ptr } from 'bun:ffi';
import { lazyCalls } from './c-library.ts';

/** `path` of a unix socket as it was bound; that of an abstract one begins with `@` (unix(7)). */
export type SocketName =
  | { readonly family: 'ipv4' | 'ipv6'; readonly host: string; readonly port: number }
  | { readonly family: 'unix'; readonly path: string }
  | { readonly family: 'other' };

export type DescriptorKind =
  | 'closed'
  | 'file'
  | 'directory'
  | 'pipe'
  | 'device'
  | 'other'
  | 'listening socket'
  | 'connected socket'
  | 'idle socket'
  | 'datagram socket';

const libc = lazyCalls({
  fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  getsockname: { args: [FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
  getpeername: { args: [FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
  getsockopt: {
    args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.ptr],
    returns: FFIType.i32,
  },
});

const IS_DARWIN = process.platform === 'darwin';

const F_GETFD = 1;
const SOCK_STREAM = 1;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = IS_DARWIN ? 30 : 10;

const SOL_SOCKET = IS_DARWIN ? 0xffff : 1;
const SO_TYPE = IS_DARWIN ? 0x1008 : 3;
const SO_ACCEPTCONN = IS_DARWIN ? 0x0002 : 30;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = IS_DARWIN ? 27 : 26;

// sockaddr_storage has 128 bytes on both systems; that of a unix socket ends with its path, which may lack the NUL.
const ADDRESS_ROOM = 128;

export function descriptorKind(fd: number): DescriptorKind {
  if (libc().fcntl(fd, F_GETFD, 0) < 0) return 'closed';
  const type = socketOption(fd, SOL_SOCKET, SO_TYPE);
  if (type === undefined) return fileKind(fstatSync(fd));
  if (type !== SOCK_STREAM) return 'datagram socket';
  if (socketOption(fd, SOL_SOCKET, SO_ACCEPTCONN)) return 'listening socket';
  return readAddress(fd, 'getpeername') === undefined ? 'idle socket' : 'connected socket';
}

/** The address that a socket is bound to; undefined where the descriptor is no socket. */
export function socketName(fd: number): SocketName | undefined {
  const address = readAddress(fd, 'getsockname');
  return address && parseAddress(address);
}

/** Whether a listening IPv6 socket takes connections over IPv4 as well (ipv6(7)). */
export function takesIPv4Too(fd: number): boolean {
  return socketOption(fd, IPPROTO_IPV6, IPV6_V6ONLY) === 0;
}

function fileKind(stats: Stats): DescriptorKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isFIFO()) return 'pipe';
  return stats.isCharacterDevice() || stats.isBlockDevice() ? 'device' : 'other';
}

function socketOption(fd: number, level: number, name: number): number | undefined {
  const value = new Int32Array(1);
  const size = new Uint32Array([value.byteLength]);
  return libc().getsockopt(fd, level, name, ptr(value), ptr(size)) === 0 ? value[0] : undefined;
}

function readAddress(fd: number, call: 'getsockname' | 'getpeername'): Buffer | undefined {
  const address = Buffer.alloc(ADDRESS_ROOM);
  const size = new Uint32Array([ADDRESS_ROOM]);
  if (libc()[call](fd, ptr(address), ptr(size)) !== 0) return undefined;
  return address.subarray(0, Math.min(size[0]!, ADDRESS_ROOM));
}

/** Darwin's addresses begin with a byte for their length and one for the family, Linux's with two for the family. */
function parseAddress(address: Buffer): SocketName {
  const family = IS_DARWIN ? address[1] : new Uint16Array(address.buffer, address.byteOffset, 1)[0];
  if (family === AF_INET) {
    return { family: 'ipv4', host: address.subarray(4, 8).join('.'), port: address.readUInt16BE(2) };
  }
  if (family === AF_INET6) return parseIPv6(address);
  if (family === AF_UNIX) return { family: 'unix', path: parsePath(address.subarray(2)) };
  return { family: 'other' };
}

/** Port, flow label, address, and the index of the interface for addresses that belong to one (ipv6(7)). */
function parseIPv6(address: Buffer): SocketName {
  const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(8 + 2 * i).toString(16));
  const index = new Uint32Array(address.buffer, address.byteOffset + 24, 1)[0]!;
  const zone = index === 0 ? '' : `%${interfaceName(index)}`;
  const host = canonicalIPv6(groups.join(':')) + zone;
  return { family: 'ipv6', host, port: address.readUInt16BE(2) };
}

/** The one form of an IPv6 address that is for comparing and showing (RFC 5952). */
export function canonicalIPv6(host: string): string {
  return new URL(`http://[${host}]`).hostname.slice(1, -1);
}

function interfaceName(index: number): string {
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    if (addresses.some((address) => address.family === 'IPv6' && address.scopeid === index)) return name;
  }
  return String(index);
}

function parsePath(bytes: Buffer): string {
  if (bytes.length > 0 && bytes[0] === 0) return `@${bytes.toString('utf8', 1)}`;
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
