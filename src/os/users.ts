/**
 * Users and groups as the system knows them, whichever source it asks: files, LDAP, systemd (getpwnam_r(3), getgrnam_r(3)).
 * A name goes before a number, as in chown(1): a user may be called 1000.
 */
import { FFIType, ptr, type Pointer } from 'bun:ffi';
import { endianness } from 'node:os';
import { lazyCalls } from './c-library.ts';
import { describeErrno } from './errno.ts';

export interface User {
  readonly name: string;
  readonly uid: number;
  /** Of its primary group. */
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

export interface Group {
  readonly name: string;
  readonly gid: number;
}

const BY_NAME = [FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.u64, FFIType.ptr] as const;
const BY_NUMBER = [FFIType.u32, FFIType.ptr, FFIType.ptr, FFIType.u64, FFIType.ptr] as const;

const libc = lazyCalls({
  getpwnam_r: { args: BY_NAME, returns: FFIType.i32 },
  getpwuid_r: { args: BY_NUMBER, returns: FFIType.i32 },
  getgrnam_r: { args: BY_NAME, returns: FFIType.i32 },
  getgrgid_r: { args: BY_NUMBER, returns: FFIType.i32 },
});

/** Offsets in `struct passwd` and `struct group` where pointers have 8 bytes. */
const IS_DARWIN = process.platform === 'darwin';
const NAME = 0;
const UID = 16;
const GID_OF_USER = 20;
const HOME = IS_DARWIN ? 48 : 32;
const SHELL = IS_DARWIN ? 56 : 40;
const GID_OF_GROUP = 16;
const STRUCT_SIZE = 128;
const IS_LITTLE_ENDIAN = endianness() === 'LE';

/** The largest uid_t and gid_t; the one after it means "leave as it is" to setreuid(2) and its like. */
const MOST = 0xffff_fffe;

export function findUserByName(name: string): User | undefined {
  const key = cString(name);
  return lookUp((entry, text, size, found) => libc().getpwnam_r(ptr(key), entry, text, size, found), asUser);
}

export function findUserByUid(uid: number): User | undefined {
  return lookUp((entry, text, size, found) => libc().getpwuid_r(uid, entry, text, size, found), asUser);
}

export function findGroupByName(name: string): Group | undefined {
  const key = cString(name);
  return lookUp((entry, text, size, found) => libc().getgrnam_r(ptr(key), entry, text, size, found), asGroup);
}

export function findGroupByGid(gid: number): Group | undefined {
  return lookUp((entry, text, size, found) => libc().getgrgid_r(gid, entry, text, size, found), asGroup);
}

/** A uid or gid written as a number; undefined for anything else. */
export function parseId(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MOST ? id : undefined;
}

type Call = (entry: Pointer, text: Pointer, size: number, found: Pointer) => number;

const ENOENT = 2;
const EINTR = 4;
const ERANGE = 34;
/** Enough for any entry of a user; groups with thousands of members take more, up to the bound. */
const FIRST_TEXT_SIZE = 4096;
const LAST_TEXT_SIZE = 16 * 1024 * 1024;

function lookUp<T>(call: Call, convert: (entry: Entry) => T): T | undefined {
  let size = FIRST_TEXT_SIZE;
  for (;;) {
    const entry = new Uint8Array(STRUCT_SIZE);
    const text = new Uint8Array(size);
    const found = new BigUint64Array(1);
    const errno = call(ptr(entry), ptr(text), size, ptr(found));
    if (errno === 0) return found[0] === 0n ? undefined : convert(new Entry(entry, text));
    if (errno === ERANGE && size < LAST_TEXT_SIZE) size *= 4;
    // Some sources answer so for an entry that is not there (getpwnam(3), NOTES).
    else if (errno === ENOENT) return undefined;
    else if (errno !== EINTR) {
      throw new Error(`the users and groups of this system cannot be read: ${describeErrno(errno)}`);
    }
  }
}

function asUser(entry: Entry): User {
  return {
    name: entry.textAt(NAME),
    uid: entry.numberAt(UID),
    gid: entry.numberAt(GID_OF_USER),
    home: entry.textAt(HOME),
    shell: entry.textAt(SHELL),
  };
}

function asGroup(entry: Entry): Group {
  return { name: entry.textAt(NAME), gid: entry.numberAt(GID_OF_GROUP) };
}

/** A structure that the C library has filled in, and the room in which it has put what the structure points to. */
class Entry {
  readonly #fields: DataView;
  readonly #text: Buffer;

  constructor(fields: Uint8Array, text: Uint8Array) {
    this.#fields = new DataView(fields.buffer, fields.byteOffset, fields.byteLength);
    this.#text = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  }

  numberAt(offset: number): number {
    return this.#fields.getUint32(offset, IS_LITTLE_ENDIAN);
  }

  textAt(offset: number): string {
    const start = Number(this.#fields.getBigUint64(offset, IS_LITTLE_ENDIAN)) - ptr(this.#text);
    // A field that is missing points nowhere.
    if (start < 0 || start >= this.#text.length) return '';
    return this.#text.toString('utf8', start, this.#text.indexOf(0, start));
  }
}

function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`);
}
