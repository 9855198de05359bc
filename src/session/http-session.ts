/**
 * One call of the application for one HTTP request: request body and disconnect in, response events out. Every event
 * is checked against the transition table and its own fields before anything of it reaches the exchange.
 */
import { Buffer } from 'node:buffer';
import { nextTurn } from '../clock/turns.ts';
import type { DisconnectReason } from '../contract/handles.ts';
import type { HttpDisconnectEvent, HttpRequestEvent } from '../contract/receive-events.ts';
import type { HttpScope } from '../contract/scope.ts';
import type { HeaderList } from '../contract/send-events.ts';
import { isContentless } from '../wire/status.ts';
import { describe, invalidField, type RawEvent, readFlag, readStatus } from './event-fields.ts';
import type { Chunk, Exchange, ExchangeObserver, ResponseHead } from './exchange.ts';
import { HttpInbox } from './http-inbox.ts';
import { plainResponse } from './plain-response.ts';
import { openSource, type ResponseSource } from './response-source.ts';
import { checkHeaders, checkTrailers } from './response-headers.ts';
import { httpScope } from './scope.ts';
import { RequestConnection, ScopeTransport } from './scope-handles.ts';
import type { SessionContext } from './session-context.ts';
import { type HttpSendState, requireAllowed } from './transitions.ts';

const BODY = 'http.response.body';
const SENT: Promise<void> = Promise.resolve();

export class HttpSession implements ExchangeObserver {
  readonly scope: HttpScope;
  readonly #exchange: Exchange;
  readonly #context: SessionContext;
  readonly #connection: RequestConnection;
  /** Made when there is something to put in or to ask for; most requests have no body that anyone reads. */
  #inbox: HttpInbox | undefined = undefined;
  #state: HttpSendState = 'initial';
  #isGone = false;
  /** Complete or gone, and everybody has been told: there is nothing more to receive but the end. */
  #isOver = false;
  /** The file that is being sent; it holds the wire until it is done. */
  #sendingFile: Promise<void> | undefined = undefined;
  #response: ResponseHead | undefined = undefined;
  /** Content bytes still owed to the declared Content-Length; Infinity without one. */
  #owed = Infinity;

  constructor(exchange: Exchange, context: SessionContext) {
    this.#exchange = exchange;
    this.#context = context;
    this.#connection = new RequestConnection(context.log);
    this.scope = httpScope(
      exchange,
      context,
      this.#connection,
      new ScopeTransport(exchange.outbound, context.log),
    );
  }

  get standing(): 'initial' | 'started' | 'complete' | 'gone' {
    if (this.#state === 'complete') return 'complete';
    if (this.#isGone) return 'gone';
    return this.#state === 'initial' ? 'initial' : 'started';
  }

  get pending(): Promise<void> | undefined {
    return this.#sendingFile;
  }

  get wantsBody(): boolean {
    return this.#inbox?.isWaiting === true;
  }

  get readsBody(): boolean {
    return this.#inbox?.isRead === true;
  }

  bodyChunk(chunk: Uint8Array, more: boolean): void {
    (this.#inbox ??= new HttpInbox(this.#exchange)).push(chunk, more);
  }

  disconnected(reason: DisconnectReason): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#connection.disconnect(reason);
    this.#isOver = true;
    this.#inbox?.end();
  }

  receive(): Promise<HttpRequestEvent | HttpDisconnectEvent> {
    const inbox = (this.#inbox ??= new HttpInbox(this.#exchange));
    if (this.#isOver) inbox.end();
    return inbox.next();
  }

  send(event: unknown): Promise<void> {
    // A client that has gone is never an application's error, and an application that does not notice blocks nobody.
    if (this.#isGone) return nextTurn();
    try {
      return this.#dispatch(event as RawEvent) ?? SENT;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  fail(): void {
    const isUnanswered = this.#state === 'initial';
    this.#state = 'complete';
    if (!isUnanswered) return this.#exchange.abort('server_error');
    plainResponse(this.#exchange, 500, 'The application failed.');
    this.#complete();
  }

  #dispatch(event: RawEvent): Promise<void> | undefined {
    if (typeof event !== 'object' || event === null) {
      throw new TypeError(`send: an event must be an object with a type, not ${describe(event)}`);
    }
    const { type } = event;
    requireAllowed(this.#state, type);
    if (this.#sendingFile !== undefined)
      throw new TypeError(`${type} is not allowed while a file is being sent`);
    switch (type) {
      case 'http.response.start':
        return this.#start(event);
      case 'http.response.body':
        return this.#body(event);
      case 'http.response.trailers':
        return this.#finish(undefined, checkTrailers(type, event['headers']));
      case 'http.fullflush':
        return this.#fullflush();
    }
  }

  #start(event: RawEvent): undefined {
    const type = 'http.response.start';
    const status = readStatus(type, event['status']);
    const headers = checkHeaders(type, event['headers']);
    const hasTrailers = readFlag(type, 'trailers', event['trailers']);
    const hasContent = this.#exchange.head.method !== 'HEAD' && !isContentless(status);
    this.#response = { status, headers, hasContent, hasTrailers };
    if (hasContent && headers.contentLength >= 0) this.#owed = headers.contentLength;
    this.#state = 'started';
    this.#connection.responseStarted = true;
    this.#exchange.respond(this.#response);
  }

  #body(event: RawEvent): Promise<void> | undefined {
    const { body } = event;
    if (event['file'] !== undefined || event['fh'] !== undefined) return this.#sendFile(event);
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
      throw invalidField(BODY, 'body', 'a string or Uint8Array (or file or fh in its place)', body);
    }
    const more = readFlag(BODY, 'more', event['more']);
    const content = typeof body === 'string' ? encode(body) : body;
    this.#owe(content.length);
    if (!more) return this.#endBody(content);
    // What goes nowhere waits for no client: an endless response to HEAD would not let anything else run.
    return this.#response!.hasContent && content.length > 0 ? this.#exchange.write(content) : nextTurn();
  }

  /** RFC 9110 8.6: more content than declared would be read as the next response, so it is not sent. */
  #owe(count: number): void {
    if (!this.#response!.hasContent) return;
    if (count > this.#owed) {
      throw new TypeError(`${BODY}: ${count - this.#owed} bytes more than the declared content-length`);
    }
    this.#owed -= count;
  }

  #endBody(lastChunk: Chunk | undefined): Promise<void> | undefined {
    if (this.#owed > 0 && this.#owed !== Infinity) {
      this.#context.log.error(
        `${this.#requestName}: the response ended ${this.#owed} bytes short of its content-length; connection closed`,
      );
      this.#state = 'complete';
      this.#exchange.abort('server_error');
      return undefined;
    }
    const content = this.#response!.hasContent ? lastChunk : undefined;
    if (!this.#response!.hasTrailers) return this.#finish(content);
    this.#state = 'trailers';
    return content !== undefined && content.length > 0 ? this.#exchange.write(content) : undefined;
  }

  #finish(lastChunk?: Chunk, trailers?: HeaderList): Promise<void> | undefined {
    this.#state = 'complete';
    this.#connection.responseComplete = true;
    const waiting = this.#exchange.end(lastChunk, trailers);
    if (waiting !== undefined) return waiting.then(() => this.#complete());
    this.#complete();
    return undefined;
  }

  #complete(): void {
    if (this.#isGone) return;
    this.#connection.complete();
    this.#isOver = true;
    this.#inbox?.end();
  }

  #fullflush(): Promise<void> | undefined {
    if (this.#context.extensions['fullflush'] === undefined) {
      throw new TypeError(
        'http.fullflush is not allowed: the server does not advertise the fullflush extension',
      );
    }
    return this.#exchange.flush();
  }

  #sendFile(event: RawEvent): Promise<void> | undefined {
    const { file, fh, body } = event;
    if (body !== undefined || (file !== undefined && fh !== undefined)) {
      throw new TypeError(`${BODY}: exactly one of body, file and fh may be given`);
    }
    const source = openSource(event, this.#context.syncFileThreshold);
    if (!(source instanceof Promise)) {
      const bytes = this.#readSmall(source);
      if (bytes !== undefined) return this.#endBody(bytes);
    }
    const sending = this.#stream(source);
    this.#sendingFile = sending;
    return sending;
  }

  #readSmall(source: ResponseSource): Uint8Array | undefined {
    let isKept = false;
    try {
      const bytes = this.#response!.hasContent ? source.readAll() : new Uint8Array(0);
      if (source.size !== Infinity) this.#owe(source.size);
      isKept = bytes === undefined;
      return bytes;
    } finally {
      if (!isKept) source.close();
    }
  }

  /** Piece by piece, each when the one before it is below the watermarks. */
  async #stream(opening: ResponseSource | Promise<ResponseSource>): Promise<void> {
    let source: ResponseSource | undefined;
    let hasBegun = false;
    try {
      source = await opening;
      if (opening instanceof Promise && source.size !== Infinity) this.#owe(source.size);
      hasBegun = true;
      if (this.#response!.hasContent) await this.#pump(source);
      if (!this.#isGone) await this.#endBody(undefined);
    } catch (error) {
      // Pieces may have left: only breaking off tells the client that they are not the whole.
      if (hasBegun && !this.#isGone) {
        this.#state = 'complete';
        this.#exchange.abort('server_error');
      }
      throw error;
    } finally {
      this.#sendingFile = undefined;
      source?.close();
    }
  }

  async #pump(source: ResponseSource): Promise<void> {
    for (let piece = await source.next(); piece !== undefined; piece = await source.next()) {
      if (this.#isGone) return;
      if (source.size === Infinity) this.#owe(piece.length);
      await this.#exchange.write(piece);
      if (this.#isGone) return;
    }
  }

  get #requestName(): string {
    return `${this.scope.method} ${this.scope.rawPath}`;
  }
}

/** Text as UTF-8. ASCII, with as many bytes as chars, is a byte string as it stands. */
function encode(text: string): Chunk {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text);
}
