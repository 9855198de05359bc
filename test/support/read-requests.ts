/**
 * Drives an HTTP/1.1 reader as a connection does, without one: every request is read to the end of its body as soon
 * as its bytes are there, and nothing is read behind a request that closes or behind a fault. A reader that is
 * asked far more often than it has bytes to give is taken for one that hangs. Body pieces are looked at only once the
 * body is complete, so that a piece which is overwritten later shows.
 */

import { END } from '../../src/wire/h1/body-readers.ts';
import { H1Reader } from '../../src/wire/h1/h1-reader.ts';
import type { H1Limits } from '../../src/wire/h1/h1-reader.ts';
import type { RequestHead } from '../../src/wire/h1/request-head.ts';
import { ProtocolError } from '../../src/wire/protocol-error.ts';
import { toByteString } from './bytes.ts';

export interface ReadRequest {
  method: string;
  target: string;
  path: string;
  query: string;
  version: '1.0' | '1.1';
  headers: [name: string, value: string][];
  body: string;
  trailers: [name: string, value: string][];
  keepAlive: boolean;
  expectsContinue: boolean;
}

export interface ReadResult {
  /** Requests that are complete, their bodies included. */
  requests: ReadRequest[];
  error?: { status: number; code: string };
  /** Whether the input stops in the middle of a request. */
  incomplete: boolean;
}

/** The limits of a server that nobody has configured. */
export const DEFAULT_LIMITS: H1Limits = {
  maxRequestLine: 8192,
  maxHeaderSize: 16384,
  maxHeaderCount: 100,
  maxBodySize: 10_000_000,
};

export function readRequests(chunks: Iterable<Uint8Array>, limits: Partial<H1Limits> = {}): ReadResult {
  const drive = new Drive({ ...DEFAULT_LIMITS, ...limits });
  for (const chunk of chunks) {
    drive.push(chunk);
    if (drive.isOver) break;
  }
  return drive.result();
}

class Drive {
  readonly #reader: H1Reader;
  readonly #requests: ReadRequest[] = [];
  #head: RequestHead | undefined;
  #pieces: Uint8Array[] = [];
  #error: ProtocolError | undefined;
  #stepsLeft = 16;
  isOver = false;

  constructor(limits: H1Limits) {
    this.#reader = new H1Reader(limits);
  }

  push(chunk: Uint8Array): void {
    this.#stepsLeft += 4 + 4 * chunk.length;
    this.#reader.push(Buffer.from(chunk));
    while (!this.isOver && this.#step()) {
      if (--this.#stepsLeft < 0) throw new Error('The reader goes on without consuming anything.');
    }
  }

  result(): ReadResult {
    const error = this.#error;
    return {
      requests: this.#requests,
      ...(error && { error: { status: error.status, code: error.code } }),
      incomplete: !this.isOver && (this.#head !== undefined || this.#reader.isInsideHead),
    };
  }

  /** Reads one head or one piece of a body; false while bytes are missing. */
  #step(): boolean {
    const read = this.#head === undefined ? this.#reader.readHead() : this.#reader.readBody();
    if (read === undefined) return false;
    if (read instanceof ProtocolError) this.#fail(read);
    else if (read === END) this.#finish();
    else if (read instanceof Uint8Array) this.#pieces.push(read);
    else this.#head = read;
    return true;
  }

  #fail(error: ProtocolError): void {
    this.#error = error;
    this.isOver = true;
  }

  #finish(): void {
    const head = this.#head!;
    this.#requests.push({
      method: head.method,
      target: head.target,
      path: head.rawPath,
      query: head.queryString,
      version: head.httpVersion,
      headers: head.headers,
      body: toByteString(Buffer.concat(this.#pieces)),
      trailers: head.hasBody ? this.#reader.trailers : [],
      keepAlive: head.keepsAlive,
      expectsContinue: head.expectsContinue,
    });
    this.#head = undefined;
    this.#pieces = [];
    this.isOver = !head.keepsAlive;
  }
}
