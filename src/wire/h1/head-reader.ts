/**
 * Reads one request head from a byte queue, line by line as lines become complete, so that a head that trickles
 * in gives what the same head gives whole, and costs the same. Limits strike as soon as they are passed, whether
 * the line is complete or not. Of two faults the one further to the front wins.
 */
import type { ByteQueue } from '../byte-queue.ts';
import { TOKEN } from '../grammar.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { H1_ERRORS } from './errors.ts';
import { readFieldLine } from './field-line.ts';
import type { FieldMemo } from './field-memo.ts';
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

/** Bytes beyond the size of the last section: room for a request line, or for a first head of the common size. */
const TEXT_MARGIN = 512;

export class HeadReader {
  readonly #limits: HeadLimits;
  readonly #memo: FieldMemo;
  readonly #head = new RequestHead();
  #hasRequestLine = false;
  #emptyLines = 0;
  #sectionSize = 0;

  constructor(limits: HeadLimits, memo: FieldMemo) {
    this.#limits = limits;
    this.#memo = memo;
  }

  /** The complete head, the fault, or undefined while bytes are missing. Consumes what it has understood. */
  read(queue: ByteQueue): RequestHead | ProtocolError | undefined {
    for (;;) {
      const start = queue.openText(this.#memo.lastSize + TEXT_MARGIN);
      if (start < 0) return this.#judgePartialLine(queue);
      const result = this.#readLines(queue, start);
      if (result !== undefined) return result;
    }
  }

  /** Reads the complete lines of the queue's text from `start`. */
  #readLines(queue: ByteQueue, from: number): RequestHead | ProtocolError | undefined {
    const { text } = queue;
    let start = from;
    let sectionStart = -1;
    for (let feed = text.indexOf('\n', start); feed >= 0; feed = text.indexOf('\n', start)) {
      const end = feed > start && text.charCodeAt(feed - 1) === CR ? feed - 1 : feed;
      let result;
      if (this.#hasRequestLine) {
        result = this.#readField(text, start, end, feed);
        start = feed + 1;
        if (result === this.#head) this.#note(text, sectionStart, start);
      } else {
        result = this.#readFirst(text, start, end, feed);
        start = feed + 1;
        if (this.#hasRequestLine && result === undefined) {
          sectionStart = start;
          const recalled = this.#recall(text, start);
          if (recalled >= 0) {
            start = recalled;
            result = this.#head;
          }
        }
      }
      if (result !== undefined) {
        queue.closeText(start);
        return result;
      }
    }
    queue.closeText(start);
    return undefined;
  }

  /** Sections are comparable where the request line does not bear upon them: HTTP/1.1 in origin form. */
  get #isComparable(): boolean {
    return this.#head.minorVersion === 1 && this.#head.authority === undefined;
  }

  #recall(text: string, start: number): number {
    return this.#isComparable ? this.#memo.recall(this.#head, text, start) : -1;
  }

  /** `start` is -1 when the section came in more than one text. */
  #note(text: string, start: number, end: number): void {
    this.#memo.lastSize = this.#sectionSize;
    if (start >= 0 && this.#isComparable) this.#memo.note(this.#head, text, start, end);
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
