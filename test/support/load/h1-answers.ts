/**
 * Reads HTTP/1.1 answers as they come: a head, then a body by its length or in chunks (RFC 9112 sections 6 and 7). An answer
 * is over only where its framing says so; the end of a connection never completes one.
 */
import { Buffer } from 'node:buffer';
import { LoadFault } from './load-fault.ts';

export interface AnswerHead {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
}

interface H1AnswerObserver {
  head?(head: AnswerHead): void;
  body(bytes: Buffer): void;
  end(): void;
}

type State = 'head' | 'length' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'raw';

export class H1Answers {
  readonly #observer: H1AnswerObserver;
  #unread: Buffer = Buffer.alloc(0);
  #state: State = 'head';
  #left = 0;

  constructor(observer: H1AnswerObserver) {
    this.#observer = observer;
  }

  /** Whether nothing of the next answer has come. */
  get isBetween(): boolean {
    return this.#state === 'head' && this.#unread.length === 0;
  }

  /** Throws a fault at what is no HTTP. */
  feed(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    while (this.#unread.length > 0 && this.#step());
  }

  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#head();
      case 'raw':
      case 'length':
      case 'chunk':
        return this.#content();
      default:
        return this.#line();
    }
  }

  #head(): boolean {
    const size = this.#unread.indexOf('\r\n\r\n');
    if (size < 0) return false;
    const lines = this.#unread.toString('latin1', 0, size).split('\r\n');
    this.#unread = this.#unread.subarray(size + 4);
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(lines[0]!) ?? [];
    if (status === undefined) throw new LoadFault('bad answer', `a status line: ${lines[0]}`);
    const fields = new Map(
      lines.slice(1).map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    this.#observer.head?.({ status: Number(status), fields });
    if (status === '101') this.#state = 'raw';
    else if (fields.get('transfer-encoding') === 'chunked') this.#state = 'chunk-size';
    else {
      this.#state = 'length';
      this.#left = Number(fields.get('content-length'));
      if (!Number.isSafeInteger(this.#left)) throw new LoadFault('bad answer', 'no framing');
      if (this.#left === 0) this.#end();
    }
    return true;
  }

  #content(): boolean {
    const size = this.#state === 'raw' ? this.#unread.length : Math.min(this.#left, this.#unread.length);
    const piece = this.#unread.subarray(0, size);
    this.#unread = this.#unread.subarray(size);
    this.#left -= size;
    this.#observer.body(piece);
    if (this.#state === 'raw' || this.#left > 0) return true;
    if (this.#state === 'length') this.#end();
    else this.#state = 'chunk-end';
    return true;
  }

  #line(): boolean {
    const size = this.#unread.indexOf('\r\n');
    if (size < 0) return false;
    const line = this.#unread.toString('latin1', 0, size);
    this.#unread = this.#unread.subarray(size + 2);
    if (this.#state === 'chunk-size') {
      if (!/^[\da-f]+$/i.test(line)) throw new LoadFault('bad answer', `a chunk size: ${line}`);
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    } else if (line !== '' && this.#state === 'chunk-end') {
      throw new LoadFault('bad answer', `behind a chunk: ${line}`);
    } else if (this.#state === 'chunk-end') this.#state = 'chunk-size';
    else if (line === '') this.#end();
    return true;
  }

  #end(): void {
    this.#state = 'head';
    this.#observer.end();
  }
}
