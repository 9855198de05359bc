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
import { CARRIER_FAULTS, H2_ERROR, type H2Fault, sessionFault } from '../wire/h2/errors.ts';
import { FrameGuard, type GuardVerdict } from '../wire/h2/frame-guard.ts';
import { farewellFrames, FRAME, goAwayFrame, rstStreamFrame } from '../wire/h2/frames.ts';
import type { LiteralBlocks } from '../wire/h2/literal-blocks.ts';
import { H2RequestHead, MALFORMED, readRequestFields } from '../wire/h2/request-fields.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import type { Carrier } from './carrier.ts';
import type { Connection } from './connection.ts';
import type { CarrierContext } from './connection-context.ts';
import { type DeadlineName, GRACE_SECONDS, type Phase } from './deadlines.ts';
import { H2Duplex, type H2Wire } from './h2-duplex.ts';
import { SessionFeed } from './h2-session-feed.ts';
import { H2Exchange } from './h2-exchange.ts';
import { guardLimits, type H2Service, type H2SessionOwner } from './h2-service.ts';
import { RETRY_SOON } from './fault-answer.ts';
import { ResetMemory } from './reset-memory.ts';
import { PlacedSet } from './placed-set.ts';
import { QueueProgress } from './stream-backlog.ts';
import { atTurnEnd, type TurnMember } from './turn-end.ts';

/** Bytes that may wait for the end of the turn. */
const MAX_HELD = 65_536;

/** RFC 9113 4.1: no content, type 0xff, no flags, the connection's stream. */
const NUDGE = Buffer.from([0, 0, 0, 0xff, 0, 0, 0, 0, 0]);

export class H2Carrier implements Carrier, H2Wire, H2SessionOwner, TurnMember {
  phase: Phase = 'idle';
  phaseSince: number;
  lastReceived: number;
  lastSent: number;
  readonly awaitsBodySince = undefined;
  readonly context: CarrierContext;
  readonly outbound: OutboundQueue;
  readonly progress: QueueProgress;
  readonly #guard: FrameGuard;
  readonly #duplex: H2Duplex;
  readonly #session: ServerHttp2Session;
  readonly #exchanges = new PlacedSet<H2Exchange>();
  readonly #feed: SessionFeed;
  readonly #resets = new ResetMemory();
  #connection: Connection | undefined;
  /** Since when a header block has been under way; undefined between them. */
  #blockSince: number | undefined = undefined;
  /** The guard has had the last word. */
  #hasFailed = false;
  /** How far the goodbye has got, and since when. */
  #farewell: 'none' | 'due' | 'announced' | 'said' = 'none';
  #farewellSince = 0;
  /** The session has. */
  #saidGoaway = false;
  #sessionFault: H2Fault = CARRIER_FAULTS.undecodable;
  #hasSentSettings = false;
  #isInputEnded = false;
  #isNudging = false;
  /** There has been more than one stream at a time; node:http2 minds some of them after their reset. */
  #isShared = false;
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
    this.progress = new QueueProgress(this.outbound);
    this.#guard = new FrameGuard(guardLimits(settings));
    this.#duplex = new H2Duplex(this);
    this.#feed = new SessionFeed(this.#duplex, this.#guard);
    this.#session = service.start(this.#duplex, this);
  }

  get peer(): Peer {
    return this.#connection!;
  }

  get literals(): LiteralBlocks | undefined {
    return this.#guard.literals;
  }

  // What the socket says.

  received(chunk: Buffer): void {
    this.lastReceived = this.context.deadlines.now;
    if (!this.#isReading) return;
    this.#apply(this.#guard.inbound(chunk, this.lastReceived));
    if (this.#farewell === 'announced' && !this.#guard.awaitsPing) this.#sayFarewell();
    this.#controlFlow();
  }

  writable(): void {
    const before = this.outbound.bufferedAmount;
    this.outbound.drained();
    if (this.outbound.bufferedAmount < before) this.lastSent = this.context.deadlines.now;
    this.progress.moved();
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

  /**
   * RFC 9113 6.8: the first GOAWAY asks for no new streams and refuses none, as some may be on their way; whoever has acknowledged the
   * PING behind it has heard of that. Not by way of the session, which of Bun 1.4.5 then drops the trailers of streams in hand.
   */
  drain(): void {
    if (!this.#isReading) return;
    if (this.#farewell === 'none') this.#farewell = 'due';
    this.#announceFarewell();
    for (const exchange of this.#exchanges.members()) exchange.shutdown();
    if (this.#farewell === 'said' && this.#exchanges.size === 0) this.#close();
  }

  /** RFC 9113 3.4: nothing goes ahead of the SETTINGS of the session, which come in their own time. */
  #announceFarewell(): void {
    if (this.#farewell !== 'due' || !this.#hasSentSettings) return;
    this.#farewell = 'announced';
    this.#farewellSince = this.context.deadlines.now;
    this.#saidGoaway = true;
    this.#send(farewellFrames());
  }

  /** The last GOAWAY tells the client which of its streams are still served; from here on the guard refuses new ones. */
  #sayFarewell(): void {
    if (!this.#isReading) return;
    this.#farewell = 'said';
    this.#send(goAwayFrame(this.#guard.lastStreamId, H2_ERROR.noError));
    // The request that a header block belongs to is one of those that are served.
    if (this.#exchanges.size === 0 && !this.#guard.isInsideHeaderBlock) this.#close();
  }

  #send(written: Buffer): void {
    const frames = this.literals?.translate(written) ?? written;
    const verdict = this.#guard.outbound(frames, this.context.deadlines.now);
    this.#queue(frames);
    if (verdict !== undefined) this.#apply(verdict);
  }

  flushStarted(): void {
    this.outbound.flush();
    this.progress.moved();
  }

  // What the session says.

  sendFrames(bytes: Buffer): Promise<void> | undefined {
    if (this.#connection === undefined || this.#hasFailed || this.#resets.isSecond(bytes)) return undefined;
    if (bytes[3] === FRAME.goAway) {
      // RFC 9113 6.8: a later one must not name a higher stream, which the session's own would.
      if (this.#saidGoaway) return undefined;
      this.#saidGoaway = true;
    }
    // A content-length that is not kept is found by node:http2 itself.
    else if (bytes[3] === FRAME.rstStream) this.#noteFault(bytes.readUInt32BE(5));
    this.#send(bytes);
    this.#hasSentSettings = true;
    this.#announceFarewell();
    return this.outbound.settle();
  }

  sessionEnded(): void {
    if (this.phase === 'closing' || this.phase === 'closed') return;
    if (this.#saidGoaway || this.#isInputEnded) return this.#close();
    // node:http2 of Bun 1.4.5 gives up without a word (RFC 9113 5.4.1), and says why a little later.
    this.#dropExchanges('protocol_error');
    setImmediate(() => this.#isReading && this.#fail(this.#sessionFault));
  }

  sessionFailed(error: NodeJS.ErrnoException): void {
    this.#sessionFault = sessionFault(error.errno);
    this.context.log.debug(`HTTP/2 ${this.#connection?.client?.[0] ?? 'unix'}: ${error.message}`);
  }

  stream(stream: ServerHttp2Stream, rawFields: readonly string[], hasBody: boolean): void {
    if (this.#connection === undefined) return;
    const isCut = this.#guard.hasDropped(stream.id, rawFields.length / 2);
    const head = isCut ? MALFORMED : readRequestFields(rawFields, hasBody, this.context.settings);
    if (head === MALFORMED) return this.resetStream(stream, H2_ERROR.protocolError);
    const fault = head instanceof ProtocolError ? head : undefined;
    const exchange = new H2Exchange(this, head instanceof ProtocolError ? new H2RequestHead() : head, stream);
    this.#exchanges.add(exchange);
    this.#isShared ||= this.#exchanges.size > 1;
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
    if (maxBodySize > 0 && contentLength > maxBodySize) {
      const { status, message } = H1_ERRORS.bodyTooLarge;
      return plainResponse(exchange, status, message);
    }
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
    if (this.#isInputEnded || this.#farewell === 'said') this.#close();
  }

  /**
   * Tells the peer with RST_STREAM, and the session as if the peer had: of a stream that it closes by itself, node:http2
   * of Bun 1.4.5 pretends that the response is whole. The peer is told behind all that the session has written for the stream,
   * because nothing may follow (RFC 9113 6.4).
   */
  resetStream(stream: ServerHttp2Stream, errorCode: number): void {
    const id = stream.id;
    if (this.#connection === undefined || id === undefined) return;
    this.#feed.put(rstStreamFrame(id, H2_ERROR.cancel), rstStreamFrame(id, errorCode));
  }

  /**
   * While one stream waits for its window, node:http2 of Bun 1.4.5 keeps what is written to others until bytes arrive from the
   * peer. A frame of a type that nobody knows, which is to be ignored (RFC 9113 5.5), is as good.
   */
  nudge(): void {
    if (this.#isNudging || !this.#isShared) return;
    this.#isNudging = true;
    setImmediate(() => {
      this.#isNudging = false;
      if (this.#exchanges.find(({ isHeld }) => isHeld) !== undefined) this.#feed.put(NUDGE);
    });
  }

  /** More body than is accepted: 413 where there is still room for an answer. */
  bodyTooLarge(exchange: H2Exchange): void {
    this.#refuseBody(exchange, 'body_too_large');
  }

  /** Less of it than is waited for: 408 likewise. */
  bodyMissing(exchange: H2Exchange): void {
    this.#refuseBody(exchange, 'client_timeout');
  }

  #refuseBody(exchange: H2Exchange, reason: 'body_too_large' | 'client_timeout'): void {
    if (exchange.status !== 0) return exchange.abort(reason);
    const { observer } = exchange;
    exchange.observer = undefined;
    const { status, message } = reason === 'client_timeout' ? H1_ERRORS.bodyTimeout : H1_ERRORS.bodyTooLarge;
    plainResponse(exchange, status, message);
    observer?.disconnected(reason);
  }

  // Deadlines.

  get hasBacklog(): boolean {
    return this.outbound.isBlocked;
  }

  /** A header block has the time of a whole request head, however it trickles, and whatever other streams do. */
  noteWait(now: number): void {
    // Not everybody answers a PING.
    if (this.#farewell === 'announced' && now - this.#farewellSince >= GRACE_SECONDS * 1000)
      this.#sayFarewell();
    if (!this.#guard.isInsideHeaderBlock) {
      this.#blockSince = undefined;
      return;
    }
    this.#blockSince ??= now;
    const limit = this.context.settings.headerTimeout * 1000;
    if (limit > 0 && now - this.#blockSince >= limit && this.#isReading)
      this.#fail(CARRIER_FAULTS.headerBlockSlow);
  }

  get #isReading(): boolean {
    return this.phase !== 'closing' && this.phase !== 'closed';
  }

  expire(deadline: DeadlineName): void {
    if (deadline === 'write') this.#connection?.abort('write_timeout');
    // What has stalled is a stream, which has deadlines of its own.
    else if (deadline === 'idle') this.drain();
  }

  turnEnded(): void {
    this.#awaitsTurnEnd = false;
    this.flushStarted();
    // What the kernel has taken at once makes no drain.
    this.#controlFlow();
  }

  /** What the guard says comes first: the session may have another code for the same. */
  #apply({ passed, replies, fault }: GuardVerdict): void {
    for (const bytes of replies) {
      if (bytes[3] === FRAME.rstStream) this.#resets.note(bytes);
      this.#queue(bytes);
    }
    for (const bytes of replies) if (bytes[3] === FRAME.rstStream) this.#noteFault(bytes.readUInt32BE(5));
    this.#feed.pass(passed);
    if (fault !== undefined) this.#fail(fault);
  }

  /** A stream is reset for what its peer has done. */
  #noteFault(id: number): void {
    this.#exchanges.find((exchange) => exchange.id === id)?.noteFault();
  }

  #queue(bytes: Buffer): void {
    if (!this.outbound.isBlocked) this.lastSent = this.context.deadlines.now;
    this.outbound.putBytes(bytes);
    this.progress.add(bytes.length);
    if (this.outbound.bufferedAmount > MAX_HELD) return this.flushStarted();
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
  #fail(fault: Pick<H2Fault, 'errorCode' | 'message'>): void {
    this.context.log.debug(
      `HTTP/2 ${this.#connection?.client?.[0] ?? 'unix'}: ${fault.errorCode}: ${fault.message}`,
    );
    this.#hasFailed = true;
    this.outbound.putBytes(goAwayFrame(this.#guard.lastStreamId, fault.errorCode, fault.message));
    this.#dropExchanges('protocol_error');
    this.#close();
  }

  #dropExchanges(reason: DisconnectReason): void {
    for (const exchange of this.#exchanges.members()) exchange.lost(reason);
  }

  #close(): void {
    if (this.phase === 'closing' || this.phase === 'closed') return;
    this.#setPhase('closing');
    this.#dropExchanges('client_closed');
    this.#feed.sendAnswers();
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
