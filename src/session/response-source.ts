/**
 * Where the bytes of a `file` or `fh` body come from: an open descriptor or a Blob, read in pieces on demand. A
 * source knows its size before the first byte is sent, and one that turns out shorter is an error, never a short
 * body passed off as whole.
 */
import { Buffer } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, read, readFileSync, readSync } from 'node:fs';
import type { BunFileLike } from '../contract/send-events.ts';
import { invalidField, type RawEvent, readCount } from './event-fields.ts';

/** Bytes per piece: large enough that system calls do not count, small enough to keep a slow client cheap. */
const PIECE_SIZE = 256 * 1024;

/** A FIFO without a writer must not hold up the process; regular files do not know the difference. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Where the files inside a compiled executable are: in memory, and in Bun 1.4.5 without descriptors. */
const EMBEDDED_FILES = '/$bunfs/';

export interface ResponseSource {
  /** Bytes that will be sent; Infinity for a pipe, which ends when it ends, whatever length was asked for. */
  readonly size: number;
  /** The next piece, or undefined at the end. Valid until the call after the next one. */
  next(): Promise<Uint8Array | undefined>;
  /** All of it at once, where that is small enough and cannot block. */
  readAll(): Uint8Array | undefined;
  close(): void;
}

/** Opens what the event names. Throws or rejects when it cannot be opened, with the path in the message. */
export function openSource(event: RawEvent, syncThreshold: number): ResponseSource | Promise<ResponseSource> {
  const type = event['type'] as string;
  const range = {
    offset: readCount(type, 'offset', event['offset']) ?? 0,
    length: readCount(type, 'length', event['length']),
  };
  const { file, fh } = event;
  if (fh !== undefined)
    return new DescriptorSource(descriptorOf(type, fh), { ...range, syncThreshold, isOwned: false });
  if (typeof file === 'string') {
    if (file.startsWith(EMBEDDED_FILES)) return new BlobSource(new Blob([readFileSync(file)]), range);
    return new DescriptorSource(openSync(file, OPEN_FLAGS), { ...range, syncThreshold, isOwned: true });
  }
  if (file instanceof Blob) return openBlob(file as unknown as BunFileLike & Blob, range);
  throw invalidField(type, 'file', 'a path or a BunFile', file);
}

function descriptorOf(type: string, fh: unknown): number {
  const fd: unknown = typeof fh === 'object' && fh !== null && 'fd' in fh ? fh.fd : fh;
  if (typeof fd === 'number' && Number.isInteger(fd) && fd >= 0) return fd;
  throw invalidField(type, 'fh', 'an open FileHandle or file descriptor', fh);
}

interface Range {
  readonly offset: number;
  readonly length: number | undefined;
}

function sizeOf(available: number, { offset, length = Infinity }: Range): number {
  return Math.min(Math.max(0, available - offset), length);
}

interface DescriptorOptions extends Range {
  readonly syncThreshold: number;
  readonly isOwned: boolean;
}

/** Reads ahead by one piece, so that the disk works while the socket does. */
class DescriptorSource implements ResponseSource {
  readonly size: number;
  readonly #fd: number;
  readonly #options: DescriptorOptions;
  readonly #isSeekable: boolean;
  #position: number;
  #left: number;
  readonly #buffers: Buffer[] = [];
  #turn = 0;
  #ahead: Promise<Uint8Array | undefined> | undefined;
  #isClosed = false;

  constructor(fd: number, options: DescriptorOptions) {
    this.#fd = fd;
    this.#options = options;
    this.#position = options.offset;
    try {
      const stats = fstatSync(fd);
      if (stats.isDirectory())
        throw Object.assign(new Error('EISDIR: a directory cannot be sent'), { code: 'EISDIR' });
      this.#isSeekable = stats.isFile();
      // What a name leads to may never end, or never begin; who means a pipe opens it and sends the descriptor.
      if (options.isOwned && !this.#isSeekable)
        throw new Error('only a regular file can be sent by its path');
      this.size = this.#isSeekable ? sizeOf(stats.size, options) : Infinity;
    } catch (error) {
      if (options.isOwned) closeSync(fd);
      throw error;
    }
    this.#left = this.#isSeekable ? this.size : (options.length ?? Infinity);
  }

  readAll(): Uint8Array | undefined {
    if (!this.#isSeekable || this.size > this.#options.syncThreshold) return undefined;
    const bytes = Buffer.allocUnsafe(this.size);
    let filled = 0;
    while (filled < bytes.length) {
      const count = readSync(this.#fd, bytes, filled, bytes.length - filled, this.#position + filled);
      if (count === 0) throw new Error(`the file ended ${bytes.length - filled} bytes early`);
      filled += count;
    }
    return bytes;
  }

  async next(): Promise<Uint8Array | undefined> {
    const piece = await (this.#ahead ?? this.#read());
    this.#ahead = piece !== undefined && this.#left > 0 ? this.#read() : undefined;
    // A failure of the piece ahead is reported when that piece is asked for.
    this.#ahead?.catch(() => undefined);
    return piece;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#options.isOwned) return;
    // A read under way must not find the number given to another file.
    if (this.#ahead === undefined) closeSync(this.#fd);
    else void this.#ahead.catch(() => undefined).then(() => closeSync(this.#fd));
  }

  #read(): Promise<Uint8Array | undefined> {
    if (this.#left === 0) return Promise.resolve(undefined);
    const wanted = Math.min(PIECE_SIZE, this.#left);
    // Two buffers take turns: one is with the socket while the other is filled.
    const buffer = (this.#buffers[this.#turn] ??= Buffer.allocUnsafeSlow(wanted));
    this.#turn = 1 - this.#turn;
    return new Promise((resolve, reject) => {
      const position = this.#isSeekable ? this.#position : null;
      read(this.#fd, buffer, 0, Math.min(wanted, buffer.length), position, (error, count) => {
        if (error !== null) return reject(error);
        if (count === 0) {
          if (this.#isSeekable) return reject(new Error(`the file ended ${this.#left} bytes early`));
          this.#left = 0;
          return resolve(undefined);
        }
        this.#position += count;
        this.#left -= count;
        return resolve(count === buffer.length ? buffer : buffer.subarray(0, count));
      });
    });
  }
}

async function openBlob(blob: BunFileLike & Blob, range: Range): Promise<ResponseSource> {
  const exists = 'exists' in blob && typeof blob.exists === 'function' ? await blob.exists() : true;
  if (exists !== true)
    throw Object.assign(new Error(`ENOENT: no such file, '${blob.name ?? '?'}'`), { code: 'ENOENT' });
  return new BlobSource(blob, range);
}

class BlobSource implements ResponseSource {
  readonly size: number;
  readonly #blob: Blob;
  #position: number;
  readonly #end: number;

  constructor(blob: Blob, range: Range) {
    this.#blob = blob;
    this.size = sizeOf(blob.size, range);
    this.#position = range.offset;
    this.#end = range.offset + this.size;
  }

  readAll(): undefined {
    return undefined;
  }

  async next(): Promise<Uint8Array | undefined> {
    if (this.#position >= this.#end) return undefined;
    const until = Math.min(this.#end, this.#position + PIECE_SIZE);
    const bytes = new Uint8Array(await this.#blob.slice(this.#position, until).arrayBuffer());
    if (bytes.length === 0) throw new Error(`the file ended ${this.#end - this.#position} bytes early`);
    this.#position += bytes.length;
    return bytes;
  }

  close(): void {
    // A Blob has nothing to close.
  }
}
