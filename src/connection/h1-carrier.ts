/**
 * Speaks HTTP/1.1 for a connection: reads requests one after another, gives each an exchange, and decides after each
 * response whether the connection goes on. Pipelined requests are answered in order, the next one starting when the
 * response before it is complete; what they write in one turn leaves in one write. A carrier whose connection has been
 * idle serves the next one: whatever belongs to a request lives in its exchange, which is never used twice.
 */
import type { Buffer } from 'node:buffer';
import type { DisconnectReason } from '../contract/handles.ts';
import type { Peer } from '../session/exchange.ts';
import { plainResponse } from '../session/plain-response.ts';
import { createSession, runSession } from '../session/start-session.ts';
import { OutboundQueue, type Sink } from '../transport/outbound-queue.ts';
import { H1_ERRORS } from '../wire/h1/errors.ts';
import type { FieldMemo } from '../wire/h1/field-memo.ts';
import { H1Reader } from '../wire/h1/h1-reader.ts';
import type { RequestHead } from '../wire/h1/request-head.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import { BodyPump } from './body-pump.ts';
import type { Carrier } from './carrier.ts';
import type { Connection } from './connection.ts';
import type { CarrierContext } from './connection-context.ts';
import type { DeadlineName, Phase } from './deadlines.ts';
import { faultAnswer, RETRY_SOON } from './fault-answer.ts';
import { H1Exchange } from './h1-exchange.ts';
import { atTurnEnd, type TurnMember } from './turn-end.ts';

/** Unread pipelined bytes beyond which reading pauses; a usual socket buffer's worth. */
const MAX_UNREAD = 65536;
/** Request body bytes that are read and thrown away to keep a connection; beyond, closing it is cheaper. */
const MAX_DRAIN = 262144;
/** Bytes of complete responses that may wait for the end of the turn. */
const MAX_HELD = 16384;

export class H1Carrier implements Carrier, Sink, TurnMember {
  phase: Phase = 'idle';
  phaseSince = 0;
  lastReceived = 0;
  lastSent = 0;
  awaitsBodySince: number | undefined = undefined;
  readonly #context: CarrierContext;
  readonly #reader: H1Reader;
  readonly #body: BodyPump;
  readonly #outbound: OutboundQueue;
  /** Undefined while no connection needs this carrier. */
  #connection: Connection | undefined = undefined;
  #exchange: H1Exchange | undefined = undefined;
  #isAdvancing = false;
  #isInputEnded = false;
  #awaitsTurnEnd = false;

  constructor(context: CarrierContext, fieldMemo: FieldMemo) {
    this.#context = context;
    this.#reader = new H1Reader(context.settings, fieldMemo);
    this.#body = new BodyPump(this.#reader);
    this.#outbound = new OutboundQueue(this, context.settings);
  }

  /** Begins to serve a connection that has been idle. */
  attach(connection: Connection): void {
    const { now } = this.#context.deadlines;
    this.#connection = connection;
    this.phase = 'idle';
    this.phaseSince = now;
    this.lastReceived = now;
    this.lastSent = now;
  }

  // What the socket says, by way of the connection.

  received(chunk: Buffer): void {
    this.lastReceived = this.#context.deadlines.now;
    if (this.phase === 'closing') return;
    this.#reader.push(chunk);
    if (this.#exchange === undefined) return this.#advance();
    if (!this.#exchange.isRequestDone) this.#pumpBody();
    if (this.#exchange !== undefined && this.#reader.bufferedBytes > MAX_UNREAD) this.#connection?.pause();
  }

  writable(): void {
    const before = this.#outbound.bufferedAmount;
    this.#outbound.drained();
    if (this.#outbound.bufferedAmount < before) this.lastSent = this.#context.deadlines.now;
  }

  inputEnded(): void {
    this.#isInputEnded = true;
    const exchange = this.#exchange;
    if (exchange === undefined) {
      if (this.phase !== 'closing') this.#close();
      return;
    }
    // RFC 9112 8: a request that has been cut short is given up; one that is complete gets its answer.
    if (!exchange.isRequestDone) return this.#connection?.abort('client_closed');
    // Who listens to a stream of events and sends FIN has closed it.
    if (this.phase === 'stream') return this.#connection?.abort('client_closed');
    // Whether the client still waits or has gone altogether, only the kernel can find out.
    this.#connection?.probe();
  }

  /** The connection is no more. */
  lost(reason: DisconnectReason): void {
    this.#connection = undefined;
    this.#setPhase('closed');
    this.#reader.discard();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange !== undefined) {
      // A response that was complete, with its request still being drained, has nothing left to lose.
      if (!exchange.isResponseDone || this.#outbound.isBlocked) exchange.observer?.disconnected(reason);
      exchange.finish();
    }
    this.#outbound.close();
  }

  // What the server says.

  drain(): void {
    this.#exchange?.observer?.shutdown();
  }

  turnAway(): void {
    this.#refuse(H1_ERRORS.overloaded, 'server_error');
  }

  /** What a response that is to be broken off has so far may still arrive; it cannot pass for the whole. */
  flushStarted(): void {
    if (this.#exchange !== undefined && this.#exchange.status !== 0) this.#outbound.flush();
  }

  // What the queue and the exchange ask for.

  write(data: Uint8Array | string, size?: number): number {
    return this.#connection?.write(data, size) ?? -1;
  }

  get outbound(): OutboundQueue {
    return this.#outbound;
  }

  get context(): CarrierContext {
    return this.#context;
  }

  get peer(): Peer {
    return this.#connection!;
  }

  get hasBodyBytes(): boolean {
    return this.#reader.bufferedBytes > 0;
  }

  /** Whether the connection can go on behind this response, as far as is known at its start. */
  mayPersist(exchange: H1Exchange): boolean {
    if (this.#context.isDraining()) return false;
    if (this.#isInputEnded && this.#reader.bufferedBytes === 0) return false;
    if (exchange.isRequestDone) return true;
    // A client that holds its body back may or may not send it now, so what follows cannot be framed (RFC 9110 10.1.1).
    if (exchange.isBodyHeldBack) return false;
    return exchange.observer?.readsBody === true || this.#body.remaining <= MAX_DRAIN;
  }

  /** What is queued leaves at the end of this turn, if nothing sends it earlier. */
  flushSoon(): void {
    if (this.#awaitsTurnEnd) return;
    this.#awaitsTurnEnd = true;
    atTurnEnd(this);
  }

  turnEnded(): void {
    this.#awaitsTurnEnd = false;
    this.#outbound.flush();
    if (this.phase === 'idle') this.#retire();
  }

  /** Bytes are about to be offered: from now on the client has the write timeout to take some. */
  noteSending(): void {
    if (!this.#outbound.isBlocked) this.lastSent = this.#context.deadlines.now;
  }

  pauseBody(): void {
    this.#body.isPaused = true;
    this.#connection?.pause();
  }

  resumeBody(): void {
    if (!this.#body.isPaused) return;
    this.#body.isPaused = false;
    this.#connection?.resume();
    this.#pumpBody();
  }

  abort(reason: DisconnectReason): void {
    this.#connection?.abort(reason);
  }

  /** The response has begun, and is a stream of events. */
  beginStream(): void {
    this.#setPhase('stream');
  }

  /** The protocol changes: gives away the connection, the queue, and what has been read ahead. */
  handOver(): { connection: Connection; isInputEnded: boolean; early: Buffer } {
    const connection = this.#connection!;
    const early = this.#reader.takeRest();
    this.#connection = undefined;
    this.#exchange = undefined;
    this.#setPhase('closed');
    return { connection, isInputEnded: this.#isInputEnded, early };
  }

  /** The response is complete. Resolves when the kernel has all of it. */
  responseEnded(exchange: H1Exchange): Promise<void> | undefined {
    if (exchange !== this.#exchange) return undefined;
    if (!this.#awaitsTurnEnd || this.#outbound.bufferedAmount > MAX_HELD) this.#outbound.flush();
    else this.#outbound.own();
    const waiting = this.#outbound.emptied();
    if (waiting === undefined) this.#settle(exchange);
    else void waiting.then(() => this.#settle(exchange));
    return waiting;
  }

  // Deadlines.

  noteWait(now: number): void {
    const exchange = this.#exchange;
    const isWaiting =
      exchange !== undefined && !exchange.isRequestDone && exchange.observer?.wantsBody === true;
    this.awaitsBodySince = isWaiting ? (this.awaitsBodySince ?? now) : undefined;
  }

  get hasBacklog(): boolean {
    return this.#outbound.isBlocked;
  }

  expire(deadline: DeadlineName): void {
    switch (deadline) {
      case 'head':
        return this.#refuse(H1_ERRORS.headerTimeout, 'client_timeout');
      case 'body':
        return this.#refuse(H1_ERRORS.bodyTimeout, 'client_timeout');
      case 'stall':
        return this.abort('idle_timeout');
      case 'write':
        return this.abort('write_timeout');
      default:
        return this.#close();
    }
  }

  // Requests.

  /** Reads and starts requests until one is in hand or bytes are missing. */
  #advance(): void {
    // An application that answers at once ends its exchange inside this loop; recursion would be as deep as the pipeline.
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    let head: RequestHead | ProtocolError | undefined;
    while (this.#exchange === undefined && (this.phase === 'idle' || this.phase === 'head')) {
      head = this.#reader.readHead();
      if (head === undefined) break;
      if (head instanceof ProtocolError) this.#refuse(head, 'protocol_error');
      else this.#begin(head);
    }
    this.#isAdvancing = false;
    if (this.#exchange === undefined && head === undefined) this.#waitForHead();
  }

  #waitForHead(): void {
    if (this.phase !== 'idle' && this.phase !== 'head') return;
    if (this.#isInputEnded) return this.#close();
    const connection = this.#connection!;
    connection.resume();
    if (this.#reader.isInsideHead) {
      if (this.phase !== 'head') this.#setPhase('head');
      return;
    }
    this.#reader.discard();
    this.#retire();
  }

  /** Leaves a connection that has nothing to read and nothing to send. */
  #retire(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#awaitsTurnEnd || this.#outbound.isBlocked) return;
    this.#connection = undefined;
    connection.giveBack(this);
  }

  #begin(head: RequestHead): void {
    const context = this.#context;
    const exchange = new H1Exchange(this, head);
    this.#exchange = exchange;
    this.#setPhase('request');
    this.#body.reset();
    if (!context.admitsRequest()) {
      plainResponse(exchange, 503, 'The server has too many requests in hand. Try again soon.', [RETRY_SOON]);
      return;
    }
    const session = createSession(exchange, context.session);
    if (session === undefined) return;
    exchange.observer = session;
    if (!exchange.isRequestDone) this.#pumpBody();
    // The first piece of a body may have been a fault.
    if (this.#exchange === exchange) runSession(session, context.session);
  }

  /** Hands body bytes to the session, or throws them away once the response is complete. */
  #pumpBody(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const fault = this.#body.run(exchange);
    if (fault !== undefined) {
      return this.#refuse(fault, fault === H1_ERRORS.bodyTooLarge ? 'body_too_large' : 'protocol_error');
    }
    if (!exchange.isRequestDone && !this.#body.isPaused) this.#connection?.resume();
    if (exchange.isResponseDone) this.#settle(exchange);
  }

  /** The response is with the kernel: goes on to the next request, drains the rest of this one, or closes. */
  #settle(exchange: H1Exchange): void {
    if (exchange !== this.#exchange || this.#outbound.isBlocked) return;
    if (exchange.persists && !exchange.isRequestDone) {
      const isTooMuch = this.#body.discarded + this.#body.remaining > MAX_DRAIN;
      if (!isTooMuch && !exchange.isBodyHeldBack) return this.#drainBody();
      exchange.persists = false;
    }
    this.#exchange = undefined;
    exchange.finish();
    if (!exchange.persists) return this.#close();
    this.#setPhase('idle');
    this.#advance();
  }

  #drainBody(): void {
    if (this.phase === 'draining') return;
    this.#setPhase('draining');
    this.#body.isPaused = false;
    this.#connection?.resume();
    this.#pumpBody();
  }

  // Endings.

  /** Answers what cannot be understood or has taken too long, and closes once the client has had time to read that. */
  #refuse(fault: ProtocolError, reason: DisconnectReason): void {
    const exchange = this.#exchange;
    if (exchange !== undefined && exchange.status !== 0 && !exchange.isResponseDone) {
      // A response has begun, so no other can be given.
      return this.abort(reason);
    }
    if (exchange === undefined || exchange.status === 0) {
      this.#answerFault(fault, exchange);
      this.#exchange = undefined;
      exchange?.observer?.disconnected(reason);
      exchange?.detach();
    }
    this.#close();
  }

  #answerFault(fault: ProtocolError, exchange: H1Exchange | undefined): void {
    const { text, ...response } = faultAnswer(fault, exchange?.head.method, this.#context.defaults);
    this.noteSending();
    this.#outbound.putText(text);
    const { peer } = this;
    this.#context.log.debug(`${peer.client?.[0] ?? 'unix'}: ${fault.status}: ${fault.message}`);
    if (exchange !== undefined) exchange.report(response);
    else
      this.#context.requestFinished?.({ head: undefined, peer, time: Date.now(), duration: 0, ...response });
  }

  /** Sends what is queued, then ends the connection. */
  #close(): void {
    if (this.phase === 'closing' || this.phase === 'closed') return;
    this.#setPhase('closing');
    this.#reader.discard();
    // One whose response is complete, and whose body is not going to be.
    this.#exchange?.finish();
    this.#exchange = undefined;
    this.#outbound.flush();
    const waiting = this.#outbound.emptied();
    if (waiting === undefined) this.#leave();
    else void waiting.then(() => this.#leave());
  }

  #leave(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#setPhase('closed');
    if (this.#isInputEnded) connection.end();
    else connection.linger();
  }

  #setPhase(phase: Phase): void {
    this.phase = phase;
    this.phaseSince = this.#context.deadlines.now;
  }
}
