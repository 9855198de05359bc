/**
 * The receiving half of an HTTP/1.1 connection without its socket: bytes in, heads and body pieces out, one
 * message after another, each pulled when the caller is ready for it. After a fault nothing more is read.
 */
import type { Buffer } from 'node:buffer';

import { ByteQueue } from '../byte-queue.ts';
import { ProtocolError } from '../protocol-error.ts';
import { type BodyLimits, type BodyReader, bodyReaderFor, END } from './body-readers.ts';
import { FieldMemo } from './field-memo.ts';
import { HeadReader } from './head-reader.ts';
import type { RequestHead } from './request-head.ts';

export type H1Limits = BodyLimits;

export class H1Reader {
  readonly #limits: H1Limits;
  readonly #queue = new ByteQueue();
  #headReader: HeadReader | undefined;
  #bodyReader: BodyReader | undefined;
  #fault: ProtocolError | undefined;
  #trailers: [name: string, value: string][] = [];
  readonly #memo: FieldMemo;

  constructor(limits: H1Limits, memo = new FieldMemo()) {
    this.#limits = limits;
    this.#memo = memo;
  }

  /** Bytes received and not yet consumed. */
  get bufferedBytes(): number {
    return this.#queue.length;
  }

  /** Whether part of a head has arrived. */
  get isInsideHead(): boolean {
    return this.#headReader !== undefined || this.#queue.length > 0;
  }

  /** Body bytes still to come as far as they have been announced; Infinity where they have not. */
  get bodyRemaining(): number {
    return this.#bodyReader?.remaining ?? 0;
  }

  /** Trailer fields of the last body read to its end. */
  get trailers(): [name: string, value: string][] {
    return this.#trailers;
  }

  /** Takes bytes from the peer; the buffer is the reader's from now on. */
  push(chunk: Buffer): void {
    if (this.#fault === undefined) this.#queue.push(chunk);
  }

  /** The next head, a fault, or undefined while bytes are missing. Only once the last body has been read to its end. */
  readHead(): RequestHead | ProtocolError | undefined {
    if (this.#fault !== undefined) return this.#fault;
    if (this.#queue.length === 0) return undefined;
    this.#headReader ??= new HeadReader(this.#limits, this.#memo);
    const head = this.#headReader.read(this.#queue);
    if (head === undefined) return undefined;
    if (head instanceof ProtocolError) return this.#fail(head);
    this.#headReader = undefined;
    if (head.contentLength > 0 || head.isChunked) {
      const reader = bodyReaderFor(head, this.#limits);
      if (reader instanceof ProtocolError) return this.#fail(reader);
      this.#bodyReader = reader;
    }
    return head;
  }

  /** The next body piece, END, a fault, or undefined while bytes are missing. */
  readBody(): Uint8Array | typeof END | ProtocolError | undefined {
    if (this.#fault !== undefined) return this.#fault;
    if (this.#bodyReader === undefined) return END;
    const piece = this.#bodyReader.read(this.#queue);
    if (piece instanceof ProtocolError) return this.#fail(piece);
    if (piece === END) {
      this.#trailers = this.#bodyReader.trailers;
      this.#bodyReader = undefined;
    }
    return piece;
  }

  /** Takes everything that has not been consumed: it belongs to another protocol. */
  takeRest(): Buffer {
    return this.#queue.take(Infinity);
  }

  /** Lets go of everything that has not been consumed. */
  discard(): void {
    this.#queue.clear();
  }

  #fail(fault: ProtocolError): ProtocolError {
    this.#fault = fault;
    this.#queue.clear();
    return fault;
  }
}
