/**
 * One call of the application for one WebSocket: the handshake is answered when the application has decided, then
 * messages go both ways until one `websocket.disconnect`. Every event is checked against the transition table and its own
 * fields before anything of it reaches the wire.
 */
import { Buffer } from 'node:buffer';
import { nextTurn } from '../clock/turns.ts';
import type { DisconnectReason } from '../contract/handles.ts';
import type { WebSocketScopeReceiveEvent } from '../contract/receive-events.ts';
import type { WebSocketScope } from '../contract/scope.ts';
import { CLOSE, isSendableCloseCode } from '../wire/websocket/close-codes.ts';
import { type DeflateAgreement, negotiateDeflate } from '../wire/websocket/extensions.ts';
import { OPCODE } from '../wire/websocket/frame-writer.ts';
import type { Handshake } from '../wire/websocket/handshake.ts';
import { asEvent, describe, invalidField, type RawEvent, readSeconds } from './event-fields.ts';
import type { Exchange, OutboundHandle } from './exchange.ts';
import { HttpResponse } from './http-response.ts';
import { MessageInbox } from './message-inbox.ts';
import { plainResponse } from './plain-response.ts';
import { CheckedHeaders, checkHeaders } from './response-headers.ts';
import { websocketScope } from './scope.ts';
import { ScopeTransport } from './scope-handles.ts';
import type { SessionContext } from './session-context.ts';
import type { Session } from './start-session.ts';
import { requireAllowed, WEBSOCKET_SEND, type WebSocketSendState } from './transitions.ts';
import { WebSocketChannel } from './websocket-channel.ts';

const SENT: Promise<void> = Promise.resolve();
/** RFC 6455 5.5: 125 bytes in a control frame, less two for the code. */
const MAX_REASON = 123;

export class WebSocketSession implements Session, OutboundHandle {
  readonly scope: WebSocketScope;
  /** Nothing that the application sends is ever under way without its waiting. */
  readonly pending = undefined;
  readonly wantsBody = false;
  readonly readsBody = true;
  readonly #exchange: Exchange;
  readonly #context: SessionContext;
  readonly #handshake: Handshake;
  readonly #inbox: MessageInbox;
  #state: WebSocketSendState = 'connecting';
  #channel: WebSocketChannel | undefined = undefined;
  /** In place of a channel, where the handshake is denied. */
  #denial: HttpResponse | undefined = undefined;
  /** Seconds, sent before the session was open. */
  #keepalive: { interval: number; timeout: number } | undefined = undefined;
  #isGone = false;
  #isShuttingDown = false;

  constructor(exchange: Exchange, context: SessionContext, handshake: Handshake) {
    this.#exchange = exchange;
    this.#context = context;
    this.#handshake = handshake;
    this.#inbox = new MessageInbox(context.maxReceiveQueue);
    const transport = new ScopeTransport(this, context.log);
    this.scope = websocketScope(exchange, context, transport, handshake.subprotocols);
  }

  get standing(): 'initial' | 'started' | 'complete' | 'gone' {
    if (this.#isGone || this.#channel?.isOver === true) return 'gone';
    if (this.#state === 'connecting') return 'initial';
    return this.#state === 'open' || this.#state === 'denying' ? 'started' : 'complete';
  }

  // What a scope sees of the queue, with what is being compressed.

  get bufferedAmount(): number {
    return this.#exchange.outbound.bufferedAmount + (this.#channel?.sender.waitingBytes ?? 0);
  }

  get highWaterMark(): number {
    return this.#exchange.outbound.highWaterMark;
  }

  get lowWaterMark(): number {
    return this.#exchange.outbound.lowWaterMark;
  }

  get overflowMark(): number {
    return this.#exchange.outbound.overflowMark;
  }

  onHighWater(callback: () => void): () => void {
    return this.#exchange.outbound.onHighWater(callback);
  }

  onDrain(callback: () => void): () => void {
    return this.#exchange.outbound.onDrain(callback);
  }

  // What the exchange says.

  bodyChunk(chunk: Uint8Array, more: boolean): void {
    this.#channel?.received(chunk, more);
  }

  disconnected(reason: DisconnectReason): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (this.#denial !== undefined) this.#denial.isGone = true;
    if (this.#channel !== undefined) this.#channel.lost(reason);
    else this.#inbox.end({ type: 'websocket.disconnect', code: CLOSE.abnormal, reason });
  }

  shutdown(): void {
    // A session that is accepted later has not been told.
    this.#isShuttingDown = true;
    void this.#channel?.close(CLOSE.goingAway, 'the server is shutting down', 'server_shutdown');
  }

  // What the application says.

  receive(): Promise<WebSocketScopeReceiveEvent> {
    const event = this.#inbox.next();
    // There may be room again for what has been held back.
    if (this.#channel?.isHeldBack === true) this.#channel.pump();
    return event;
  }

  send(event: unknown): Promise<void> {
    // A client that has gone is never an application's error, and an application that does not notice blocks nobody.
    const channel = this.#channel;
    if (channel === undefined ? this.#isGone : !channel.isOpen && (channel.isOver || this.#state === 'open'))
      return nextTurn();
    try {
      return this.#dispatch(asEvent(event)) ?? SENT;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  finish(): string | undefined {
    this.#inbox.discard();
    if (this.#state === 'connecting') return 'without an answer to websocket.connect';
    if (this.#state === 'denying') return 'before its response was complete; connection closed';
    if (this.#state === 'open') void this.#channel!.close(CLOSE.normal, '');
    return undefined;
  }

  fail(): void {
    this.#inbox.discard();
    const state = this.#state;
    this.#state = 'closed';
    if (state === 'connecting') plainResponse(this.#exchange, 500, 'The application failed.');
    else if (state === 'denying') this.#exchange.abort('server_error');
    else if (state === 'open') void this.#channel!.close(CLOSE.internalError, '', 'server_error');
  }

  #dispatch(event: RawEvent): Promise<void> | undefined {
    const { type } = event;
    // As the table has it, for the event that most are.
    if (type === 'websocket.send' && this.#state === 'open') return this.#send(event);
    requireAllowed(WEBSOCKET_SEND, this.#state, type);
    switch (type) {
      case 'websocket.send':
        return this.#send(event);
      case 'websocket.accept':
        return this.#accept(event);
      case 'websocket.close':
        return this.#close(event);
      case 'websocket.keepalive':
        return this.#setKeepalive(event);
      case 'websocket.http.response.start':
        return this.#state === 'connecting' ? this.#deny(event) : undefined;
      case 'websocket.http.response.body':
        return this.#denial === undefined ? undefined : this.#sendDenial(this.#denial, event);
    }
  }

  #send({ type, text, bytes }: RawEvent): Promise<void> | undefined {
    if ((text === undefined) === (bytes === undefined)) {
      throw new TypeError(`${String(type)}: exactly one of text and bytes must be given`);
    }
    if (text !== undefined) {
      if (typeof text !== 'string') throw invalidField('websocket.send', 'text', 'a string', text);
      return this.#channel!.message(OPCODE.text, text);
    }
    if (typeof bytes !== 'string' && !(bytes instanceof Uint8Array)) {
      throw invalidField('websocket.send', 'bytes', 'a Uint8Array or a string', bytes);
    }
    return this.#channel!.message(OPCODE.binary, bytes);
  }

  #accept(event: RawEvent): undefined {
    const subprotocol = readSubprotocol(event, this.#handshake.subprotocols);
    const headers = readHandshakeHeaders(event);
    const deflate = this.#context.wsCompression ? negotiateDeflate(this.#handshake.extensions) : undefined;
    const fields: [string, string][] = [];
    const { acceptKey } = this.#handshake;
    if (acceptKey !== undefined) fields.push(['sec-websocket-accept', acceptKey]);
    if (subprotocol !== undefined) fields.push(['sec-websocket-protocol', subprotocol]);
    if (deflate !== undefined) fields.push(['sec-websocket-extensions', deflate.response]);
    this.#open(new CheckedHeaders([...fields, ...headers.list], headers.fields, -1), deflate);
  }

  #open(headers: CheckedHeaders, deflate: DeflateAgreement | undefined): void {
    this.#state = 'open';
    this.#channel = new WebSocketChannel(this.#exchange, this.#context, { inbox: this.#inbox, deflate });
    if (this.#keepalive !== undefined) {
      this.#channel.keepalive(this.#keepalive.interval, this.#keepalive.timeout);
    }
    this.#exchange.openTunnel(headers);
    if (this.#isShuttingDown || this.#context.shutdownSignal.aborted) this.shutdown();
  }

  #close(event: RawEvent): Promise<void> | undefined {
    const { code = CLOSE.normal, reason = '' } = event;
    if (typeof code !== 'number' || !isSendableCloseCode(code)) {
      throw invalidField('websocket.close', 'code', '1000–1003, 1007–1014 or 3000–4999', code);
    }
    if (typeof reason !== 'string' || Buffer.byteLength(reason) > MAX_REASON) {
      throw invalidField('websocket.close', 'reason', `a string of at most ${MAX_REASON} bytes`, reason);
    }
    const state = this.#state;
    this.#state = 'closed';
    if (state === 'open') return this.#channel!.close(code, reason);
    if (state === 'connecting') this.#refuse();
    return undefined;
  }

  #refuse(): void {
    plainResponse(this.#exchange, 403, 'The application refused the WebSocket handshake.');
    this.#inbox.end({ type: 'websocket.disconnect', code: CLOSE.abnormal, reason: '' });
  }

  #setKeepalive(event: RawEvent): undefined {
    const interval = readSeconds('websocket.keepalive', 'interval', event['interval']);
    const { timeout: given = this.#context.wsPingTimeout } = event;
    const timeout = readSeconds('websocket.keepalive', 'timeout', given);
    if (this.#channel === undefined) this.#keepalive = { interval, timeout };
    else this.#channel.keepalive(interval, timeout);
  }

  #deny(event: RawEvent): undefined {
    const denial = new HttpResponse(this.#exchange, this.#context);
    denial.start(event);
    this.#denial = denial;
    this.#state = 'denying';
  }

  #sendDenial(denial: HttpResponse, event: RawEvent): Promise<void> | undefined {
    const written = denial.optionalBody(event);
    if (denial.state === 'complete') this.#state = 'denied';
    return written;
  }
}

/** RFC 6455 4.2.2: one of those that the client offered, or none. */
function readSubprotocol({ subprotocol }: RawEvent, offered: readonly string[]): string | undefined {
  if (subprotocol === undefined) return undefined;
  if (typeof subprotocol === 'string' && offered.includes(subprotocol)) return subprotocol;
  const expectation =
    offered.length === 0 ? 'absent, because the client offers none' : `one of ${describeAll(offered)}`;
  throw invalidField('websocket.accept', 'subprotocol', expectation, subprotocol);
}

function describeAll(values: readonly string[]): string {
  return values.map(describe).join(', ');
}

/** The fields of the handshake itself are the server's. */
function readHandshakeHeaders({ headers }: RawEvent): CheckedHeaders {
  const checked = checkHeaders('websocket.accept', headers);
  const owned = checked.list.find(([name]) => /^sec-websocket-/i.test(name));
  if (owned === undefined) return checked;
  throw invalidField('websocket.accept', 'headers', 'without fields of the handshake itself', owned[0]);
}
