/**
 * A response that an application sends event by event: a start, then a body in pieces or from a file, then trailers.
 * Messages name the event as the application sent it, so that the same rules hold for `http.response.…` and for the
 * responses that decline an event stream or deny a WebSocket.
 */
import { nextTurn } from '../clock/turns.ts';
import type { HeaderList } from '../contract/send-events.ts';
import { isContentless } from '../wire/status.ts';
import { invalidField, type RawEvent, readFlag, readStatus } from './event-fields.ts';
import type { Chunk, Exchange, ResponseHead } from './exchange.ts';
import { checkHeaders, checkTrailers } from './response-headers.ts';
import { openSource, type ResponseSource } from './response-source.ts';
import type { SessionContext } from './session-context.ts';
import { encodeText } from './text-chunk.ts';
import type { HttpSendState } from './transitions.ts';

export class HttpResponse {
  state: HttpSendState = 'initial';
  /** The client has gone: what was begun stops, and nobody is told of a completion any more. */
  isGone = false;
  /** The file that is being sent; it holds the wire until it is done. */
  pending: Promise<void> | undefined = undefined;
  protected readonly exchange: Exchange;
  protected readonly context: SessionContext;
  #head: ResponseHead | undefined = undefined;
  /** Content bytes still owed to the declared Content-Length; Infinity without one. */
  #owed = Infinity;

  constructor(exchange: Exchange, context: SessionContext) {
    this.exchange = exchange;
    this.context = context;
  }

  /** The last event has been accepted. */
  protected ended(): void {}

  /** The client has all of it. */
  protected completed(): void {}

  start(event: RawEvent, hasTrailers = false): undefined {
    const type = nameOf(event);
    const status = readStatus(type, event['status']);
    const headers = checkHeaders(type, event['headers']);
    const hasContent = this.exchange.head.method !== 'HEAD' && !isContentless(status);
    this.#head = { status, headers, hasContent, hasTrailers, isStream: false };
    if (hasContent && headers.contentLength >= 0) this.#owed = headers.contentLength;
    this.state = 'started';
    this.exchange.respond(this.#head);
  }

  /** An event with one of `body`, `file` and `fh`. */
  body(event: RawEvent): Promise<void> | undefined {
    const { body } = event;
    if (event['file'] !== undefined || event['fh'] !== undefined) return this.#sendFile(event);
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
      const expectation = 'a string or Uint8Array (or file or fh in its place)';
      throw invalidField(nameOf(event), 'body', expectation, body);
    }
    return this.#sendBytes(event, body);
  }

  /** An event with a `body` that may be left out, and with nothing in its place. */
  optionalBody(event: RawEvent): Promise<void> | undefined {
    const { body = '' } = event;
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
      throw invalidField(nameOf(event), 'body', 'a string or Uint8Array', body);
    }
    return this.#sendBytes(event, body);
  }

  trailers(event: RawEvent): Promise<void> | undefined {
    return this.#finish(undefined, checkTrailers(nameOf(event), event['headers']));
  }

  /** Ends it so that the client can tell that it is not whole. */
  breakOff(): void {
    this.state = 'complete';
    this.exchange.abort('server_error');
  }

  #sendBytes(event: RawEvent, body: string | Uint8Array): Promise<void> | undefined {
    const type = nameOf(event);
    const more = readFlag(type, 'more', event['more']);
    const content = typeof body === 'string' ? encodeText(body) : body;
    this.#owe(type, content.length);
    if (!more) return this.#endBody(content);
    // What goes nowhere waits for no client: an endless response to HEAD would not let anything else run.
    return this.#head!.hasContent && content.length > 0 ? this.exchange.write(content) : nextTurn();
  }

  /** RFC 9110 8.6: more content than declared would be read as the next response, so it is not sent. */
  #owe(type: string, count: number): void {
    if (!this.#head!.hasContent) return;
    if (count > this.#owed) {
      throw new TypeError(`${type}: ${count - this.#owed} bytes more than the declared content-length`);
    }
    this.#owed -= count;
  }

  #endBody(lastChunk: Chunk | undefined): Promise<void> | undefined {
    if (this.#owed > 0 && this.#owed !== Infinity) {
      const { method, rawPath } = this.exchange.head;
      this.context.log.error(
        `${method} ${rawPath}: the response ended ${this.#owed} bytes short of its content-length; connection closed`,
      );
      this.breakOff();
      return undefined;
    }
    const content = this.#head!.hasContent ? lastChunk : undefined;
    if (!this.#head!.hasTrailers) return this.#finish(content);
    this.state = 'trailers';
    return content !== undefined && content.length > 0 ? this.exchange.write(content) : undefined;
  }

  #finish(lastChunk?: Chunk, trailers?: HeaderList): Promise<void> | undefined {
    this.state = 'complete';
    this.ended();
    const waiting = this.exchange.end(lastChunk, trailers);
    if (waiting !== undefined) return waiting.then(() => this.#complete());
    this.#complete();
    return undefined;
  }

  #complete(): void {
    if (!this.isGone) this.completed();
  }

  #sendFile(event: RawEvent): Promise<void> | undefined {
    const { file, fh, body } = event;
    const type = nameOf(event);
    if (body !== undefined || (file !== undefined && fh !== undefined)) {
      throw new TypeError(`${type}: exactly one of body, file and fh may be given`);
    }
    const source = openSource(event, this.context.syncFileThreshold);
    if (!(source instanceof Promise)) {
      const bytes = this.#readSmall(type, source);
      if (bytes !== undefined) return this.#endBody(bytes);
    }
    this.pending = this.#stream(type, source);
    return this.pending;
  }

  #readSmall(type: string, source: ResponseSource): Uint8Array | undefined {
    let isKept = false;
    try {
      const bytes = this.#head!.hasContent ? source.readAll() : new Uint8Array(0);
      if (source.size !== Infinity) this.#owe(type, source.size);
      isKept = bytes === undefined;
      return bytes;
    } finally {
      if (!isKept) source.close();
    }
  }

  /** Piece by piece, each when the one before it is below the watermarks. */
  async #stream(type: string, opening: ResponseSource | Promise<ResponseSource>): Promise<void> {
    let source: ResponseSource | undefined;
    let hasBegun = false;
    try {
      source = await opening;
      if (opening instanceof Promise && source.size !== Infinity) this.#owe(type, source.size);
      hasBegun = true;
      if (this.#head!.hasContent) await this.#pump(type, source);
      if (!this.isGone) await this.#endBody(undefined);
    } catch (error) {
      // Pieces may have left: only breaking off tells the client that they are not the whole.
      if (hasBegun && !this.isGone) this.breakOff();
      throw error;
    } finally {
      this.pending = undefined;
      source?.close();
    }
  }

  async #pump(type: string, source: ResponseSource): Promise<void> {
    for (let piece = await source.next(); piece !== undefined; piece = await source.next()) {
      if (this.isGone) return;
      if (source.size === Infinity) this.#owe(type, piece.length);
      await this.exchange.write(piece);
      if (this.isGone) return;
    }
  }
}

/** `http.fullflush`, in whatever scope: resolves when everything queued is with the kernel. */
export function fullflush(exchange: Exchange, context: SessionContext): Promise<void> | undefined {
  if (context.extensions['fullflush'] !== undefined) return exchange.flush();
  throw new TypeError('http.fullflush is not allowed: the server does not advertise the fullflush extension');
}

function nameOf(event: RawEvent): string {
  return event['type'] as string;
}
