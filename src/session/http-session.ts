/**
 * One call of the application for one HTTP request: request body and disconnect in, response events out. Every event
 * is checked against the transition table and its own fields before anything of it reaches the exchange.
 */
import { nextTurn } from '../clock/turns.ts';
import type { DisconnectReason } from '../contract/handles.ts';
import type { HttpDisconnectEvent, HttpRequestEvent } from '../contract/receive-events.ts';
import type { HttpScope } from '../contract/scope.ts';
import { BodyInbox } from './body-inbox.ts';
import { asEvent, type RawEvent, readFlag } from './event-fields.ts';
import type { Exchange, ExchangeObserver } from './exchange.ts';
import { fullflush, HttpResponse } from './http-response.ts';
import { plainResponse } from './plain-response.ts';
import { httpScope } from './scope.ts';
import { RequestConnection, ScopeTransport } from './scope-handles.ts';
import type { SessionContext } from './session-context.ts';
import { HTTP_SEND, requireAllowed } from './transitions.ts';

const SENT: Promise<void> = Promise.resolve();
const DISCONNECT: HttpDisconnectEvent = { type: 'http.disconnect' };

/** It is its own response: a request costs one object less. */
export class HttpSession extends HttpResponse implements ExchangeObserver {
  readonly scope: HttpScope;
  readonly #connection: RequestConnection;
  /** Made when there is something to put in or to ask for; most requests have no body that anyone reads. */
  #inbox: BodyInbox<HttpRequestEvent, HttpDisconnectEvent> | undefined = undefined;
  /** Complete or gone, and everybody has been told: there is nothing more to receive but the end. */
  #isOver = false;

  constructor(exchange: Exchange, context: SessionContext) {
    super(exchange, context);
    this.#connection = new RequestConnection(context.log);
    this.scope = httpScope(
      exchange,
      context,
      this.#connection,
      new ScopeTransport(exchange.outbound, context.log),
    );
  }

  get standing(): 'initial' | 'started' | 'complete' | 'gone' {
    if (this.state === 'complete') return 'complete';
    if (this.isGone) return 'gone';
    return this.state === 'initial' ? 'initial' : 'started';
  }

  get wantsBody(): boolean {
    return this.#inbox?.isWaiting === true;
  }

  get readsBody(): boolean {
    return this.#inbox?.isRead === true;
  }

  bodyChunk(chunk: Uint8Array, more: boolean): void {
    (this.#inbox ??= new BodyInbox(this.exchange, 'http.request')).push(chunk, more);
  }

  disconnected(reason: DisconnectReason): void {
    if (this.isGone) return;
    this.isGone = true;
    this.#connection.disconnect(reason);
    this.#isOver = true;
    this.#inbox?.end(DISCONNECT);
  }

  /** A request in hand is finished, however long that takes; the signal of its scope tells the application. */
  shutdown(): void {}

  receive(): Promise<HttpRequestEvent | HttpDisconnectEvent> {
    const inbox = (this.#inbox ??= new BodyInbox(this.exchange, 'http.request'));
    if (this.#isOver) inbox.end(DISCONNECT);
    return inbox.next();
  }

  send(event: unknown): Promise<void> {
    // A client that has gone is never an application's error, and an application that does not notice blocks nobody.
    if (this.isGone) return nextTurn();
    try {
      return this.#dispatch(asEvent(event)) ?? SENT;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  finish(): string | undefined {
    const { standing } = this;
    if (standing === 'initial') return 'without a response';
    return standing === 'started' ? 'before its response was complete; connection closed' : undefined;
  }

  fail(): void {
    if (this.state !== 'initial') return this.breakOff();
    this.state = 'complete';
    plainResponse(this.exchange, 500, 'The application failed.');
    if (!this.isGone) this.completed();
  }

  #dispatch(event: RawEvent): Promise<void> | undefined {
    const { type } = event;
    requireAllowed(HTTP_SEND, this.state, type);
    if (this.pending !== undefined) throw new TypeError(`${type} is not allowed while a file is being sent`);
    switch (type) {
      case 'http.response.start':
        this.start(event, readFlag(type, 'trailers', event['trailers']));
        this.#connection.responseStarted = true;
        return undefined;
      case 'http.response.body':
        return this.body(event);
      case 'http.response.trailers':
        return this.trailers(event);
      case 'http.fullflush':
        return fullflush(this.exchange, this.context);
    }
  }

  protected override ended(): void {
    this.#connection.responseComplete = true;
  }

  protected override completed(): void {
    this.#connection.complete();
    this.#isOver = true;
    this.#inbox?.end(DISCONNECT);
  }
}
