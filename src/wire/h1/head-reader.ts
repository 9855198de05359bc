/**
 * Reads one request head from a byte queue, line by line as lines become complete, so that a head that trickles
 * in gives what the same head gives whole, and costs the same. Limits strike as soon as they are passed, whether
 * the line is complete or not. Of two faults the one further to the front wins.
 */
import type { ByteQueue } from '../byte-queue.ts';
import { TOKEN } from '../grammar.ts';
import { ProtocolError } from '../protocol-error.ts';
import { H1_ERRORS } from './errors.ts';
import { readFieldLine } from './field-line.ts';
import { judgeFields, noteField } from './message-fields.ts';
import { RequestHead } from './request-head.ts';
import { readRequestLine } from './request-line.ts';

export interface HeadLimits {
  /** Bytes of the request line, CRLF excluded. */
  readonly maxRequestLine: number;
  /** Bytes of the field section, all CRLFs and the empty line included. */
  readonly maxHeaderSize: number;
  readonly maxHeaderCount: number;
}

const CR = 13;
/** RFC 9112 2.2 asks to ignore at least one empty line before a request; more than a few is a flood. */
const MAX_EMPTY_LINES = 8;
/** Bytes turned into text at a time: the common head in one piece, and not much of a body that follows it. */
const TEXT_WINDOW = 4096;

export class HeadReader {
  readonly #limits: HeadLimits;
  readonly #head = new RequestHead();
  #hasRequestLine = false;
  #emptyLines = 0;
  #sectionSize = 0;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** The complete head, the fault, or undefined while bytes are missing. Consumes what it has understood. */
  read(queue: ByteQueue): RequestHead | ProtocolError | undefined {
    for (;;) {
      const feed = queue.lineFeedAt();
      if (feed < 0) return this.#judgePartialLine(queue);
      // The window always holds the line that has been found, however long it is.
      const windowEnd = Math.min(queue.end, Math.max(feed + 1, queue.at + TEXT_WINDOW));
      const result = this.#readLines(queue, queue.text(queue.at, windowEnd));
      if (result !== undefined) return result;
    }
  }

  /** Reads the complete lines of `text`, which begins at the front of the queue. */
  #readLines(queue: ByteQueue, text: string): RequestHead | ProtocolError | undefined {
    let start = 0;
    for (let feed = text.indexOf('\n'); feed >= 0; feed = text.indexOf('\n', start)) {
      const end = feed > start && text.charCodeAt(feed - 1) === CR ? feed - 1 : feed;
      const result = this.#hasRequestLine
        ? this.#readField(text, start, end, feed)
        : this.#readFirst(text, start, end, feed);
      start = feed + 1;
      if (result !== undefined) {
        queue.at += start;
        return result;
      }
    }
    queue.at += start;
    return undefined;
  }

  #readFirst(text: string, start: number, end: number, feed: number): ProtocolError | undefined {
    if (end === start && end < feed) {
      return ++this.#emptyLines > MAX_EMPTY_LINES ? H1_ERRORS.emptyLines : undefined;
    }
    if (!TOKEN[text.charCodeAt(start)]) return H1_ERRORS.requestLine;
    if (end - start > this.#limits.maxRequestLine) return H1_ERRORS.requestLineTooLong;
    if (end === feed) return H1_ERRORS.lineEnding;
    this.#hasRequestLine = true;
    return readRequestLine(this.#head, text, start, end);
  }

  #readField(
    text: string,
    start: number,
    end: number,
    feed: number,
  ): RequestHead | ProtocolError | undefined {
    const limits = this.#limits;
    const head = this.#head;
    // Counted as if it ended in CR LF, as a line is counted that has not ended yet.
    this.#sectionSize += end - start + 2;
    if (this.#sectionSize > limits.maxHeaderSize) return H1_ERRORS.headersTooLarge;
    if (end === feed) return H1_ERRORS.lineEnding;
    if (end === start) return judgeFields(head) ?? head;
    const { headers } = head;
    if (headers.length >= limits.maxHeaderCount) return H1_ERRORS.tooManyHeaders;
    const fault = readFieldLine(headers, text, start, end);
    if (fault !== undefined) return fault;
    const field = headers[headers.length - 1]!;
    return noteField(head, field[0], field[1]);
  }

  /** A line without its LF can already be too long, or begin with what no method begins with. */
  #judgePartialLine(queue: ByteQueue): ProtocolError | undefined {
    const { length } = queue;
    if (length === 0) return undefined;
    const mayEndInCr = queue.bytes[queue.end - 1] === CR ? 1 : 0;
    if (this.#hasRequestLine) {
      const size = this.#sectionSize + length - mayEndInCr;
      return size + 2 > this.#limits.maxHeaderSize ? H1_ERRORS.headersTooLarge : undefined;
    }
    const first = queue.bytes[queue.at]!;
    if (first === CR) return length > 1 ? H1_ERRORS.requestLine : undefined;
    if (!TOKEN[first]) return H1_ERRORS.requestLine;
    return length - mayEndInCr > this.#limits.maxRequestLine ? H1_ERRORS.requestLineTooLong : undefined;
  }
}
