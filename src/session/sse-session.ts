/**
 * One call of the application for one event stream: request body and disconnect in, stream events out. The stream, or the
 * ordinary response that declines it, whichever is begun first, is all that the client gets; however the application
 * leaves a stream, it ends in order, unless the application fails.
 */
import { nextTurn } from '../clock/turns.ts';
import type { DisconnectReason } from '../contract/handles.ts';
import type { SseDisconnectEvent, SseRequestEvent } from '../contract/receive-events.ts';
import type { SseScope } from '../contract/scope.ts';
import { encodeComment, encodeEvent, type EventFields } from '../wire/sse.ts';
import { isContentless } from '../wire/status.ts';
import { BodyInbox } from './body-inbox.ts';
import {
  asEvent,
  invalidField,
  type RawEvent,
  readCount,
  readLine,
  readSeconds,
  readStatus,
  readText,
} from './event-fields.ts';
import type { Exchange, ExchangeObserver } from './exchange.ts';
import { fullflush, HttpResponse } from './http-response.ts';
import { plainResponse } from './plain-response.ts';
import { checkHeaders } from './response-headers.ts';
import { sseScope } from './scope.ts';
import { ScopeTransport } from './scope-handles.ts';
import type { SessionContext } from './session-context.ts';
import { type AlarmedStream, SseAlarms } from './sse-alarms.ts';
import { streamHeaders } from './stream-headers.ts';
import { requireAllowed, SSE_SEND, type SseSendState } from './transitions.ts';

const SENT: Promise<void> = Promise.resolve();

export class SseSession implements ExchangeObserver, AlarmedStream {
  readonly scope: SseScope;
  readonly #exchange: Exchange;
  readonly #context: SessionContext;
  readonly #alarms: SseAlarms;
  readonly #inbox: BodyInbox<SseRequestEvent, SseDisconnectEvent>;
  #state: 'initial' | 'streaming' | 'closed' = 'initial';
  /** The response in place of the stream. */
  #decline: HttpResponse | undefined = undefined;
  /** The client, or the stream for reasons that are not the application's: what it sends from here on goes nowhere. */
  #isGone = false;

  constructor(exchange: Exchange, context: SessionContext) {
    this.#exchange = exchange;
    this.#context = context;
    this.#alarms = new SseAlarms(context.alarms, this, context.sseIdleTimeout);
    this.#inbox = new BodyInbox(exchange, 'sse.request');
    this.scope = sseScope(exchange, context, new ScopeTransport(exchange.outbound, context.log));
  }

  // What the carrier reports and asks.

  get wantsBody(): boolean {
    return this.#inbox.isWaiting;
  }

  get readsBody(): boolean {
    return this.#inbox.isRead;
  }

  bodyChunk(chunk: Uint8Array, more: boolean): void {
    this.#inbox.push(chunk, more);
  }

  disconnected(reason: DisconnectReason): void {
    this.#isGone = true;
    this.#alarms.stop();
    if (this.#decline !== undefined) {
      this.#decline.isGone = true;
      if (this.#decline.state === 'complete') return;
    }
    this.#tell(reason);
  }

  /** What has not begun is answered, and what declines is finished, however long that takes. */
  shutdown(): void {
    if (this.#state === 'streaming') this.#leaveSoon();
  }

  // What its alarms see and do.

  get isTaken(): boolean {
    const { bufferedAmount, lowWaterMark } = this.#exchange.outbound;
    return bufferedAmount <= lowWaterMark;
  }

  sendComment(encoded: string): void {
    void this.#write(encoded);
  }

  idle(): void {
    if (this.#exchange.outbound.bufferedAmount === 0) {
      this.#leave('idle_timeout');
      return;
    }
    this.#exchange.abort('idle_timeout');
    this.disconnected('idle_timeout');
  }

  // What becomes of the application.

  get standing(): 'initial' | 'started' | 'complete' | 'gone' {
    if (this.#isGone) return 'gone';
    const state = this.#sendState;
    if (state === 'initial') return 'initial';
    return state === 'closed' || state === 'declined' ? 'complete' : 'started';
  }

  get pending(): Promise<void> | undefined {
    return this.#decline?.pending;
  }

  finish(): string | undefined {
    const { standing } = this;
    if (standing === 'initial') return 'without a response';
    if (standing !== 'started') return undefined;
    if (this.#decline !== undefined) return 'before its response was complete; connection closed';
    void this.#end('x-app-closed');
    return undefined;
  }

  fail(): void {
    this.#alarms.stop();
    if (this.#decline !== undefined) return this.#decline.breakOff();
    const isUnanswered = this.#state === 'initial';
    this.#state = 'closed';
    if (isUnanswered) plainResponse(this.#exchange, 500, 'The application failed.');
    else this.#exchange.abort('server_error');
    this.#tell('server_error');
  }

  // What the application does.

  receive(): Promise<SseRequestEvent | SseDisconnectEvent> {
    return this.#inbox.next();
  }

  send(event: unknown): Promise<void> {
    // A client that has gone is never an application's error, and an application that does not notice blocks nobody.
    if (this.#isGone) return nextTurn();
    try {
      return this.#dispatch(asEvent(event)) ?? SENT;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  get #sendState(): SseSendState {
    if (this.#decline === undefined) return this.#state;
    return this.#decline.state === 'complete' ? 'declined' : 'declining';
  }

  #dispatch(event: RawEvent): Promise<void> | undefined {
    const { type } = event;
    requireAllowed(SSE_SEND, this.#sendState, type);
    switch (type) {
      case 'sse.start':
        return this.#start(event);
      case 'sse.send':
        return this.#write(encodeEvent(readEvent(event)));
      case 'sse.comment':
        return this.#write(encodeComment(readText(type, 'comment', event['comment'])));
      case 'sse.keepalive':
        return this.#keepAlive(event);
      case 'sse.close':
        return this.#close(event);
      case 'sse.http.response.start':
        return this.#beginDecline(event);
      case 'sse.http.response.body':
        if (this.pending !== undefined)
          throw new TypeError(`${type} is not allowed while a file is being sent`);
        return this.#decline!.body(event);
      case 'http.fullflush':
        return fullflush(this.#exchange, this.#context);
    }
  }

  #start(event: RawEvent): undefined {
    const type = 'sse.start';
    const status = event['status'] === undefined ? 200 : readStatus(type, event['status']);
    if (isContentless(status)) throw invalidField(type, 'status', 'one that has content', status);
    const headers = streamHeaders(checkHeaders(type, event['headers']));
    const hasContent = this.#exchange.head.method !== 'HEAD';
    this.#state = 'streaming';
    this.#exchange.respond({ status, headers, hasContent, hasTrailers: false, isStream: true });
    // RFC 9110 9.3.2: a response to HEAD has only a head, and is complete with it.
    if (!hasContent) return this.#leave('x-head');
    this.#alarms.start();
    // A stream that begins while the server shuts down has not been told.
    if (this.#context.shutdownSignal.aborted) this.#leaveSoon();
  }

  #write(encoded: string): Promise<void> | undefined {
    this.#alarms.noteSent();
    return this.#exchange.write(encoded);
  }

  #keepAlive(event: RawEvent): undefined {
    const type = 'sse.keepalive';
    const interval = readSeconds(type, 'interval', event['interval']);
    const { comment = '' } = event;
    this.#alarms.keepAlive(interval, encodeComment(readText(type, 'comment', comment)));
  }

  #close(event: RawEvent): Promise<void> | undefined {
    const { reason = 'x-app-closed' } = event;
    const text = readText('sse.close', 'reason', reason);
    // The reason is the application's own, and comes back to nobody else.
    return this.#state === 'closed' ? undefined : this.#end(text as DisconnectReason);
  }

  #beginDecline(event: RawEvent): undefined {
    const response = new HttpResponse(this.#exchange, this.#context);
    response.start(event);
    this.#decline = response;
  }

  /** Ends the stream in order. Resolves when the client has all of it. */
  #end(reason: DisconnectReason): Promise<void> | undefined {
    this.#state = 'closed';
    this.#alarms.stop();
    const waiting = this.#exchange.end();
    if (waiting !== undefined) return waiting.then(() => this.#tell(reason));
    this.#tell(reason);
    return undefined;
  }

  /** Ends it although the application goes on. */
  #leave(reason: DisconnectReason): undefined {
    this.#isGone = true;
    void this.#end(reason);
  }

  /** Tells the application, and gives it this turn to say goodbye. */
  #leaveSoon(): void {
    this.#tell('server_shutdown');
    void nextTurn().then(() => {
      if (this.#state === 'streaming' && !this.#isGone) this.#leave('server_shutdown');
    });
  }

  #tell(reason: DisconnectReason): void {
    this.#inbox.end({ type: 'sse.disconnect', reason });
  }
}

function readEvent(event: RawEvent): EventFields {
  const type = 'sse.send';
  const data = readText(type, 'data', event['data']);
  const id = readLine(type, 'id', event['id']);
  // WHATWG HTML 9.2.6: clients ignore an id with NUL.
  if (id?.includes('\0')) throw invalidField(type, 'id', 'a string without NUL', id);
  return {
    data,
    event: readLine(type, 'event', event['event']),
    id,
    retry: readCount(type, 'retry', event['retry']),
  };
}
