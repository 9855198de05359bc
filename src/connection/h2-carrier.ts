/**
 * Speaks HTTP/2 for a connection: bytes pass the frame guard on their way to a session of node:http2, streams become exchanges. What
 * the guard finds ends the connection with GOAWAY, or one stream with RST_STREAM, before the session hears of it.
 */
import { Buffer } from 'node:buffer';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { DisconnectReason } from '../contract/handles.ts';
import type { Peer } from '../session/exchange.ts';
import { plainResponse } from '../session/plain-response.ts';
import { createSession, runSession } from '../session/start-session.ts';
import { OutboundQueue } from '../transport/outbound-queue.ts';
import { H1_ERRORS } from '../wire/h1/errors.ts';
import type { H2Fault } from '../wire/h2/errors.ts';
import { FrameGuard, type GuardVerdict } from '../wire/h2/frame-guard.ts';
import { H2RequestHead, MALFORMED, readRequestFields } from '../wire/h2/request-fields.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import type { Carrier } from './carrier.ts';
import type { Connection } from './connection.ts';
import type { CarrierContext } from './connection-context.ts';
import type { DeadlineName, Phase } from './deadlines.ts';
import { H2Duplex, type H2Wire } from './h2-duplex.ts';
import { H2Exchange } from './h2-exchange.ts';
import type { H2Service, H2SessionOwner } from './h2-service.ts';
import { RETRY_SOON } from './fault-answer.ts';
import { atTurnEnd, type TurnMember } from './turn-end.ts';

/** Bytes that may wait for the end of the turn. */
const MAX_HELD = 65_536;
/** RFC 9113 6.4, 6.8: frame types; 7: error codes. */
const RST_STREAM = 3;
const GOAWAY = 7;
const PROTOCOL_ERROR = 1;
const CANCEL = 8;

export class H2Carrier implements Carrier, H2Wire, H2SessionOwner, TurnMember {
  phase: Phase = 'idle';
  phaseSince: number;
  lastReceived: number;
  lastSent: number;
  readonly awaitsBodySince = undefined;
  readonly context: CarrierContext;
  readonly outbound: OutboundQueue;
  readonly #guard: FrameGuard;
  readonly #duplex: H2Duplex;
  readonly #session: ServerHttp2Session;
  readonly #exchanges = new Set<H2Exchange>();
  #connection: Connection | undefined;
  #isInputEnded = false;
  #isPaused = false;
  #awaitsTurnEnd = false;

  constructor(connection: Connection, context: CarrierContext, service: H2Service) {
    const { settings, deadlines } = context;
    this.#connection = connection;
    this.context = context;
    this.phaseSince = deadlines.now;
    this.lastReceived = deadlines.now;
    this.lastSent = deadlines.now;
    this.outbound = new OutboundQueue(connection, settings);
    this.#guard = new FrameGuard({
      maxFrameSize: settings.h2MaxFrameSize,
      maxConcurrentStreams: settings.h2MaxConcurrentStreams,
      initialWindowSize: settings.h2InitialWindowSize,
      maxHeaderListSize: settings.h2MaxHeaderListSize,
      rstBurst: settings.h2RstBurst,
      rstRate: settings.h2RstRate,
    });
    this.#duplex = new H2Duplex(this);
    this.#session = service.start(this.#duplex, this);
  }

  get peer(): Peer {
    return this.#connection!;
  }

  // What the socket says.

  received(chunk: Buffer): void {
    this.lastReceived = this.context.deadlines.now;
    if (this.phase === 'closing' || this.phase === 'closed') return;
    this.#apply(this.#guard.inbound(chunk, this.lastReceived));
    this.#controlFlow();
  }

  writable(): void {
    const before = this.outbound.bufferedAmount;
    this.outbound.drained();
    if (this.outbound.bufferedAmount < before) this.lastSent = this.context.deadlines.now;
    this.#controlFlow();
  }

  inputEnded(): void {
    this.#isInputEnded = true;
    if (this.#exchanges.size === 0) this.#close();
    // RFC 9113 5.4: without its sending side a client can neither open windows nor acknowledge anything.
    else this.#connection?.abort('client_closed');
  }

  lost(reason: DisconnectReason): void {
    this.#connection = undefined;
    this.#setPhase('closed');
    this.#dropExchanges(reason);
    this.outbound.close();
    this.#session.destroy();
    this.#duplex.destroy();
  }

  drain(): void {
    if (this.phase === 'closing' || this.phase === 'closed') return;
    // RFC 9113 6.8: GOAWAY tells the client which of its streams are still served.
    this.#session.close();
    for (const exchange of Array.from(this.#exchanges)) exchange.observer?.shutdown();
    if (this.#exchanges.size === 0) this.#close();
  }

  flushStarted(): void {
    this.outbound.flush();
  }

  // What the session says.

  sendFrames(bytes: Buffer): Promise<void> | undefined {
    if (this.#connection === undefined) return undefined;
    const verdict = this.#guard.outbound(bytes, this.context.deadlines.now);
    this.#queue(bytes);
    if (verdict !== undefined) this.#apply(verdict);
    return this.outbound.settle();
  }

  sessionEnded(): void {
    if (this.phase !== 'closed') this.#close();
  }

  sessionFailed(error: Error): void {
    this.context.log.debug(`HTTP/2 ${this.#connection?.client?.[0] ?? 'unix'}: ${error.message}`);
  }

  stream(stream: ServerHttp2Stream, rawFields: readonly string[], hasBody: boolean): void {
    if (this.#connection === undefined) return;
    const head = readRequestFields(rawFields, hasBody, this.context.settings);
    if (head === MALFORMED) return this.resetStream(stream, PROTOCOL_ERROR);
    const fault = head instanceof ProtocolError ? head : undefined;
    const exchange = new H2Exchange(this, head instanceof ProtocolError ? new H2RequestHead() : head, stream);
    this.#exchanges.add(exchange);
    this.context.streamDeadlines.watch(exchange);
    this.#setPhase('request');
    if (fault !== undefined) plainResponse(exchange, fault.status, fault.message);
    else if (this.context.admitsRequest()) this.#run(exchange);
    else
      plainResponse(exchange, 503, 'The server has too many requests in hand. Try again soon.', [RETRY_SOON]);
    if (!exchange.isOver) exchange.begin();
  }

  #run(exchange: H2Exchange): void {
    const { contentLength } = exchange.head;
    const { maxBodySize } = this.context.settings;
    if (maxBodySize > 0 && contentLength > maxBodySize) return this.#tooLarge(exchange);
    const session = createSession(exchange, this.context.session);
    if (session === undefined) return;
    exchange.observer = session;
    runSession(session, this.context.session);
  }

  // What exchanges say.

  exchangeEnded(exchange: H2Exchange): void {
    this.#exchanges.delete(exchange);
    this.context.streamDeadlines.unwatch(exchange);
    if (this.#exchanges.size > 0 || this.phase !== 'request') return;
    this.#setPhase('idle');
    if (this.#isInputEnded) this.#close();
  }

  /**
   * Tells the peer with RST_STREAM, and the session as if the peer had: of a stream that it closes by itself, node:http2
   * of Bun 1.4.5 pretends that the response is whole.
   */
  resetStream(stream: ServerHttp2Stream, errorCode: number): void {
    const id = stream.id;
    if (this.#connection === undefined || id === undefined) return;
    const frame = rstStream(id, errorCode);
    this.#guard.outbound(frame, this.context.deadlines.now);
    this.#queue(frame);
    this.#duplex.push(rstStream(id, CANCEL));
  }

  /** More body than is accepted: 413 where there is still room for an answer. */
  bodyTooLarge(exchange: H2Exchange): void {
    if (exchange.status !== 0) return exchange.abort('body_too_large');
    const { observer } = exchange;
    exchange.observer = undefined;
    this.#tooLarge(exchange);
    observer?.disconnected('body_too_large');
  }

  #tooLarge(exchange: H2Exchange): void {
    const { status, message } = H1_ERRORS.bodyTooLarge;
    plainResponse(exchange, status, message);
  }

  // Deadlines.

  get hasBacklog(): boolean {
    return this.outbound.isBlocked;
  }

  expire(deadline: DeadlineName): void {
    if (deadline === 'write') this.#connection?.abort('write_timeout');
    else this.drain();
  }

  turnEnded(): void {
    this.#awaitsTurnEnd = false;
    this.outbound.flush();
  }

  #apply({ passed, replies, fault }: GuardVerdict): void {
    for (const bytes of passed) this.#duplex.push(bytes);
    for (const bytes of replies) this.#queue(bytes);
    if (fault !== undefined) this.#fail(fault);
  }

  #queue(bytes: Buffer): void {
    if (!this.outbound.isBlocked) this.lastSent = this.context.deadlines.now;
    this.outbound.putBytes(bytes);
    if (this.outbound.bufferedAmount > MAX_HELD) return this.outbound.flush();
    if (this.#awaitsTurnEnd) return;
    this.#awaitsTurnEnd = true;
    atTurnEnd(this);
  }

  /** A peer that does not take what it is owed (acknowledgements, resets) is not read either. */
  #controlFlow(): void {
    const isBehind = this.outbound.bufferedAmount > this.outbound.highWaterMark;
    if (isBehind === this.#isPaused) return;
    this.#isPaused = isBehind;
    if (isBehind) this.#connection?.pause();
    else this.#connection?.resume();
  }

  /** RFC 9113 5.4.1: says why, and closes. */
  #fail(fault: H2Fault): void {
    this.context.log.debug(
      `HTTP/2 ${this.#connection?.client?.[0] ?? 'unix'}: ${fault.errorCode}: ${fault.message}`,
    );
    this.outbound.putBytes(goaway(this.#guard.lastStreamId, fault));
    this.#dropExchanges('protocol_error');
    this.#close();
  }

  #dropExchanges(reason: DisconnectReason): void {
    for (const exchange of Array.from(this.#exchanges)) exchange.lost(reason);
  }

  #close(): void {
    if (this.phase === 'closing' || this.phase === 'closed') return;
    this.#setPhase('closing');
    this.#dropExchanges('client_closed');
    this.outbound.flush();
    const waiting = this.outbound.emptied();
    if (waiting === undefined) this.#leave();
    else void waiting.then(() => this.#leave());
  }

  #leave(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#setPhase('closed');
    this.#session.destroy();
    this.#duplex.destroy();
    if (this.#isInputEnded) connection.end();
    else connection.linger();
  }

  #setPhase(phase: Phase): void {
    this.phase = phase;
    this.phaseSince = this.context.deadlines.now;
  }
}

function rstStream(id: number, errorCode: number): Buffer {
  const frame = Buffer.alloc(13);
  frame[2] = 4;
  frame[3] = RST_STREAM;
  frame.writeUInt32BE(id, 5);
  frame.writeUInt32BE(errorCode, 9);
  return frame;
}

function goaway(lastStreamId: number, { errorCode, message }: H2Fault): Buffer {
  const frame = Buffer.alloc(9 + 8 + message.length);
  frame.writeUIntBE(8 + message.length, 0, 3);
  frame[3] = GOAWAY;
  frame.writeUInt32BE(lastStreamId, 9);
  frame.writeUInt32BE(errorCode, 13);
  frame.write(message, 17, 'latin1');
  return frame;
}
