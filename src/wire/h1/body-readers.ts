/**
 * One reader per way of framing a request body (RFC 9112 6.3, 7.1). Each takes pieces from a byte queue as views,
 * answers END once, and never takes a byte beyond the end of the message.
 */
import type { ByteQueue } from '../byte-queue.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { H1_ERRORS } from './errors.ts';
import { readFieldLine } from './field-line.ts';
import type { HeadLimits } from './head-reader.ts';
import type { RequestHead } from './request-head.ts';

/** What a body reader answers when the message is complete. */
export const END = Symbol('end of body');

export interface BodyLimits extends HeadLimits {
  /** Bytes of a request body; 0 is unlimited. */
  readonly maxBodySize: number;
}

export interface BodyReader {
  /** The next piece, END, a fault, or undefined while bytes are missing. */
  read(queue: ByteQueue): Uint8Array | typeof END | ProtocolError | undefined;
  /** Bytes still to come as far as they have been announced; Infinity where they have not. */
  readonly remaining: number;
  /** Trailer fields, once END has been answered. */
  readonly trailers: [name: string, value: string][];
}

/** RFC 9112 6.3 for requests: chunked, or a length, or no body. Oversized lengths are refused before any byte. */
export function bodyReaderFor(head: RequestHead, limits: BodyLimits): BodyReader | ProtocolError | undefined {
  if (head.isChunked) return new ChunkedBodyReader(limits);
  if (head.contentLength <= 0) return undefined;
  if (limits.maxBodySize > 0 && head.contentLength > limits.maxBodySize) return H1_ERRORS.bodyTooLarge;
  return new LengthBodyReader(head.contentLength);
}

class LengthBodyReader implements BodyReader {
  remaining: number;
  readonly trailers: [string, string][] = [];

  constructor(length: number) {
    this.remaining = length;
  }

  read(queue: ByteQueue): Uint8Array | typeof END | undefined {
    if (this.remaining === 0) return END;
    if (queue.length === 0) return undefined;
    const piece = queue.take(this.remaining);
    this.remaining -= piece.length;
    return piece;
  }
}

const CR = 13;
/** Bytes of a chunk-size line with its extensions; longer than any in use, shorter than a flood. */
const MAX_CHUNK_LINE = 4096;
/** Bytes of all extensions of one body: without this bound one-byte chunks carry any amount of them. */
const MAX_EXTENSIONS = 16384;
/** RFC 9112 7.1.1: *( BWS ";" BWS name [ BWS "=" BWS value ] ) */
const EXTENSIONS =
  /^(?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~\w]+(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"))?)*$/;

class ChunkedBodyReader implements BodyReader {
  readonly trailers: [string, string][] = [];
  readonly #limits: BodyLimits;
  #state: 'size' | 'data' | 'dataEnd' | 'trailers' | 'done' = 'size';
  #chunkLeft = 0;
  #announced = 0;
  #extensionsSize = 0;
  #trailersSize = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  get remaining(): number {
    return this.#state === 'done' ? 0 : Infinity;
  }

  read(queue: ByteQueue): Uint8Array | typeof END | ProtocolError | undefined {
    while (this.#state !== 'done') {
      if (this.#state === 'data') {
        if (queue.length === 0) return undefined;
        return this.#takeData(queue);
      }
      const line = this.#takeLine(queue);
      if (typeof line !== 'string') return line;
      const fault = this.#readLine(line);
      if (fault !== undefined) return fault;
    }
    return END;
  }

  #takeData(queue: ByteQueue): Uint8Array {
    const piece = queue.take(this.#chunkLeft);
    this.#chunkLeft -= piece.length;
    if (this.#chunkLeft === 0) this.#state = 'dataEnd';
    return piece;
  }

  /** The next line without its CRLF. Limits strike as soon as they are passed. */
  #takeLine(queue: ByteQueue): string | ProtocolError | undefined {
    if (this.#state === 'dataEnd') {
      // Nothing but CRLF may stand here, and the first other byte proves that it does not.
      if (queue.length > 0 && queue.bytes[queue.at] !== CR) return H1_ERRORS.chunkData;
      if (queue.length > 1 && queue.bytes[queue.at + 1] !== 10) return H1_ERRORS.chunkData;
    }
    const feed = queue.lineFeedAt();
    const lineEnd = feed < 0 ? queue.end : feed;
    const endsInCr = lineEnd > queue.at && queue.bytes[lineEnd - 1] === CR;
    const tooLong = this.#judgeLength(lineEnd - queue.at - (endsInCr ? 1 : 0));
    if (tooLong !== undefined) return tooLong;
    if (feed < 0) return undefined;
    if (!endsInCr) return H1_ERRORS.lineEnding;
    const line = queue.takeText(feed - 1);
    queue.at = feed + 1;
    return line;
  }

  #judgeLength(lineLength: number): ProtocolError | undefined {
    if (this.#state === 'trailers') {
      const size = this.#trailersSize + lineLength + 2;
      return size > this.#limits.maxHeaderSize ? H1_ERRORS.headersTooLarge : undefined;
    }
    return lineLength > MAX_CHUNK_LINE ? H1_ERRORS.chunkExtensions : undefined;
  }

  #readLine(line: string): ProtocolError | undefined {
    if (this.#state === 'size') return this.#readSize(line);
    if (this.#state === 'trailers') return this.#readTrailer(line);
    this.#state = 'size';
    return undefined;
  }

  #readSize(line: string): ProtocolError | undefined {
    const digits = /^[0-9a-f]+/i.exec(line)?.[0];
    if (digits === undefined) return H1_ERRORS.chunkSize;
    const size = Number.parseInt(digits, 16);
    if (!Number.isSafeInteger(size)) return H1_ERRORS.chunkSize;
    if (digits.length < line.length) {
      this.#extensionsSize += line.length - digits.length;
      if (this.#extensionsSize > MAX_EXTENSIONS) return H1_ERRORS.chunkExtensions;
      if (!EXTENSIONS.test(line.slice(digits.length))) return H1_ERRORS.chunkSize;
    }
    this.#announced += size;
    const { maxBodySize } = this.#limits;
    if (maxBodySize > 0 && this.#announced > maxBodySize) return H1_ERRORS.bodyTooLarge;
    this.#chunkLeft = size;
    this.#state = size === 0 ? 'trailers' : 'data';
    return undefined;
  }

  /** RFC 9112 7.1.2: the trailer section has the grammar of the header section, and here its limits too. */
  #readTrailer(line: string): ProtocolError | undefined {
    this.#trailersSize += line.length + 2;
    if (line === '') {
      this.#state = 'done';
      return undefined;
    }
    if (this.trailers.length >= this.#limits.maxHeaderCount) return H1_ERRORS.tooManyHeaders;
    return readFieldLine(this.trailers, line, 0, line.length);
  }
}
