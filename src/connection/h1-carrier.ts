/**
 * One HTTP/1.1 connection: reads requests one after another, gives each an exchange, and decides after each response
 * whether the connection goes on. Pipelined requests are answered in order, the next one starting when the response
 * before it is complete; what they write in one turn leaves in one write.
 */
import type { Buffer } from 'node:buffer';
import type { DisconnectReason } from '../contract/handles.ts';
import { plainBody, plainHeaders, plainResponse } from '../session/plain-response.ts';
import type { Peer } from '../session/exchange.ts';
import type { CheckedHeaders } from '../session/response-headers.ts';
import { createSession, runSession } from '../session/start-session.ts';
import { OutboundQueue } from '../transport/outbound-queue.ts';
import type { SocketHandler, TransportSocket } from '../transport/socket.ts';
import { END } from '../wire/h1/body-readers.ts';
import { H1_ERRORS } from '../wire/h1/errors.ts';
import { H1Reader } from '../wire/h1/h1-reader.ts';
import type { RequestHead } from '../wire/h1/request-head.ts';
import { fieldLines, statusLine } from '../wire/h1/response-writer.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import type { ConnectionContext } from './connection-context.ts';
import type { DeadlineName, Phase, Watched } from './deadlines.ts';
import { flushAtTurnEnd } from './flush-at-turn-end.ts';
import { H1Exchange } from './h1-exchange.ts';

/** Unread pipelined bytes beyond which reading pauses; a usual socket buffer's worth. */
const MAX_UNREAD = 65536;
/** Request body bytes that are read and thrown away to keep a connection; beyond, closing it is cheaper. */
const MAX_DRAIN = 262144;
const NO_BYTES = new Uint8Array(0);
const RETRY_SOON = ['retry-after', '1'] as const;

export class H1Carrier implements SocketHandler, Watched {
  readonly peer: Peer;
  phase: Phase = 'idle';
  phaseSince: number;
  lastReceived: number;
  lastSent: number;
  awaitsBodySince: number | undefined = undefined;
  readonly #socket: TransportSocket;
  readonly #context: ConnectionContext;
  readonly #reader: H1Reader;
  readonly #outbound: OutboundQueue;
  readonly #onClosed: (carrier: H1Carrier) => void;
  #exchange: H1Exchange | undefined = undefined;
  #isAdvancing = false;
  #isPumping = false;
  #isBodyPaused = false;
  #isInputEnded = false;
  #isDraining = false;
  #drained = 0;
  /** When the exchange began, for the access log: monotonic and wall time. */
  #startedAt = 0;
  #startedTime = 0;

  constructor(
    socket: TransportSocket,
    peer: Peer,
    context: ConnectionContext,
    onClosed: (carrier: H1Carrier) => void,
  ) {
    this.#socket = socket;
    this.peer = peer;
    this.#context = context;
    this.#onClosed = onClosed;
    this.#reader = new H1Reader(context.settings, context.fieldMemo);
    this.#outbound = new OutboundQueue(socket, context.settings);
    const { now } = context.deadlines;
    this.phaseSince = now;
    this.lastReceived = now;
    this.lastSent = now;
    context.deadlines.watch(this);
  }

  // What the socket says.

  received(chunk: Buffer): void {
    this.lastReceived = this.#context.deadlines.now;
    if (this.phase === 'lingering' || this.phase === 'closed') return;
    this.#reader.push(chunk);
    if (this.#exchange === undefined) return this.#advance();
    if (!this.#exchange.isRequestDone) this.#pumpBody();
    if (this.#exchange !== undefined && this.#reader.bufferedBytes > MAX_UNREAD) this.#socket.pause();
  }

  writable(): void {
    const before = this.#outbound.bufferedAmount;
    this.#outbound.drained();
    if (this.#outbound.bufferedAmount < before) this.lastSent = this.#context.deadlines.now;
  }

  inputEnded(): void {
    this.#isInputEnded = true;
    const exchange = this.#exchange;
    // RFC 9112 9.6 and 8: a request that is complete gets its answer; one that is not has been given up.
    if (exchange === undefined) {
      if (this.phase !== 'lingering' || !this.#outbound.isBlocked) this.#endSocket();
    } else if (!exchange.isRequestDone) this.abort('client_closed');
  }

  closed(error: Error | undefined): void {
    if (this.phase === 'closed') return;
    this.#setPhase('closed');
    this.#context.deadlines.unwatch(this);
    this.#reader.discard();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange !== undefined) this.#lose(exchange, error === undefined ? 'client_closed' : reasonOf(error));
    this.#outbound.close();
    this.#onClosed(this);
  }

  // What the server says.

  /** Graceful shutdown: what is in hand is finished, nothing is begun. */
  drain(): void {
    this.#isDraining = true;
    if (this.phase === 'idle' && !this.#outbound.isBlocked) this.#endSocket();
  }

  /** One connection too many: says so, whatever the request is going to be. */
  turnAway(): void {
    this.#refuse(H1_ERRORS.overloaded, 'server_error');
  }

  /** Ends the connection so that the client can tell that a response is not whole. */
  abort(reason: DisconnectReason): void {
    if (this.phase === 'closed') return;
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#setPhase('closed');
    this.#context.deadlines.unwatch(this);
    // What a response has so far may still arrive; without a terminator or its length it cannot pass for the whole.
    if (exchange !== undefined && exchange.status !== 0) this.#outbound.flush();
    this.#socket.reset();
    if (exchange !== undefined) this.#lose(exchange, reason);
    this.#outbound.close();
    this.#onClosed(this);
  }

  // What the exchange asks for.

  get hasBodyBytes(): boolean {
    return this.#reader.bufferedBytes > 0;
  }

  /** Whether the connection can go on behind this response, as far as is known at its start. */
  mayPersist(exchange: H1Exchange): boolean {
    if (this.#isDraining) return false;
    if (this.#isInputEnded && this.#reader.bufferedBytes === 0) return false;
    if (exchange.isRequestDone) return true;
    // A client that holds its body back may or may not send it now, so what follows cannot be framed (RFC 9110 10.1.1).
    if (exchange.isBodyHeldBack) return false;
    return exchange.observer?.readsBody === true || knownRemaining(this.#reader) <= MAX_DRAIN;
  }

  defaultFields(headers: CheckedHeaders): string {
    return this.#context.defaults.text(headers);
  }

  flushSoon(): void {
    flushAtTurnEnd(this.#outbound);
  }

  /** Bytes are about to be offered: from now on the client has the write timeout to take some. */
  noteSending(): void {
    if (!this.#outbound.isBlocked) this.lastSent = this.#context.deadlines.now;
  }

  pauseBody(): void {
    this.#isBodyPaused = true;
    this.#socket.pause();
  }

  resumeBody(): void {
    if (!this.#isBodyPaused) return;
    this.#isBodyPaused = false;
    this.#socket.resume();
    this.#pumpBody();
  }

  /** The response is complete. Resolves when the kernel has all of it. */
  responseEnded(exchange: H1Exchange): Promise<void> | undefined {
    if (exchange !== this.#exchange) return undefined;
    // More requests are here already: their answers leave together with this one, at the end of the turn.
    if (this.#reader.bufferedBytes === 0 || this.#outbound.bufferedAmount > this.#outbound.highWaterMark) {
      this.#outbound.flush();
    }
    const waiting = this.#outbound.emptied();
    if (waiting === undefined) this.#settle(exchange);
    else void waiting.then(() => this.#settle(exchange));
    return waiting;
  }

  // Deadlines.

  get awaitsBody(): boolean {
    const exchange = this.#exchange;
    return exchange !== undefined && !exchange.isRequestDone && exchange.observer?.wantsBody === true;
  }

  get hasBacklog(): boolean {
    return this.#outbound.isBlocked;
  }

  expire(deadline: DeadlineName): void {
    switch (deadline) {
      case 'idle':
        return this.#endSocket();
      case 'head':
        return this.#refuse(H1_ERRORS.headerTimeout, 'client_timeout');
      case 'body':
        return this.#refuse(H1_ERRORS.bodyTimeout, 'client_timeout');
      case 'stall':
        return this.abort('idle_timeout');
      case 'write':
        return this.abort('write_timeout');
      default:
        return this.#endSocket();
    }
  }

  // Requests.

  /** Reads and starts requests until one is in hand or bytes are missing. */
  #advance(): void {
    // An application that answers at once ends its exchange inside this loop; recursion would be as deep as the pipeline.
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    while (this.#exchange === undefined && (this.phase === 'idle' || this.phase === 'head')) {
      const head = this.#reader.readHead();
      if (head === undefined) {
        this.#waitForHead();
        break;
      }
      if (head instanceof ProtocolError) this.#refuse(head, 'protocol_error');
      else this.#begin(head);
    }
    this.#isAdvancing = false;
  }

  #waitForHead(): void {
    if (this.#isInputEnded) return this.#close();
    if (this.#reader.isInsideHead) {
      if (this.phase !== 'head') this.#setPhase('head');
    } else if (this.#isDraining) return this.#close();
    else if (this.phase !== 'idle') this.#setPhase('idle');
    this.#socket.resume();
  }

  #begin(head: RequestHead): void {
    const context = this.#context;
    const exchange = new H1Exchange(this, head, this.#outbound);
    this.#exchange = exchange;
    this.#setPhase('request');
    this.#isBodyPaused = false;
    this.#drained = 0;
    if (context.requestFinished !== undefined) {
      this.#startedAt = performance.now();
      this.#startedTime = Date.now();
    }
    if (!context.admitsRequest()) return this.#overload(exchange);
    const session = createSession(exchange, context.session);
    if (session === undefined) return;
    exchange.observer = session;
    if (!exchange.isRequestDone) this.#pumpBody();
    // The first piece of a body may have been a fault.
    if (this.#exchange === exchange) runSession(session, context.session);
  }

  #overload(exchange: H1Exchange): void {
    plainResponse(exchange, 503, 'The server has too many requests in hand. Try again soon.', [RETRY_SOON]);
  }

  /** Hands body bytes to the session, or throws them away once the response is complete. */
  #pumpBody(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.isRequestDone || this.#isPumping) return;
    this.#isPumping = true;
    // One piece is held back, so that the last one can be said to be the last.
    let held: Uint8Array | undefined;
    while (!this.#isBodyPaused) {
      const piece = this.#reader.readBody();
      if (piece instanceof ProtocolError) {
        this.#isPumping = false;
        return this.#refuse(piece, piece === H1_ERRORS.bodyTooLarge ? 'body_too_large' : 'protocol_error');
      }
      if (piece === END) {
        exchange.isRequestDone = true;
        this.#deliver(exchange, held ?? NO_BYTES, false);
        held = undefined;
        break;
      }
      if (held !== undefined) this.#deliver(exchange, held, true);
      held = piece;
      if (piece !== undefined) continue;
      this.#socket.resume();
      break;
    }
    if (held !== undefined) this.#deliver(exchange, held, true);
    this.#isPumping = false;
    if (exchange.isResponseDone) this.#settle(exchange);
  }

  #deliver(exchange: H1Exchange, piece: Uint8Array, more: boolean): void {
    if (exchange.isResponseDone) this.#drained += piece.length;
    else exchange.observer?.bodyChunk(piece, more);
  }

  /** The response is with the kernel: goes on to the next request, drains the rest of this one, or closes. */
  #settle(exchange: H1Exchange): void {
    if (exchange !== this.#exchange || this.#outbound.isBlocked) return;
    if (exchange.persists && !exchange.isRequestDone) {
      if (exchange.isBodyHeldBack || this.#drained + knownRemaining(this.#reader) > MAX_DRAIN) {
        exchange.persists = false;
      } else if (this.phase !== 'draining') {
        this.#setPhase('draining');
        this.#isBodyPaused = false;
        this.#socket.resume();
        return this.#pumpBody();
      } else return;
    }
    this.#exchange = undefined;
    this.#report(exchange);
    if (!exchange.persists) return this.#close();
    this.#setPhase('idle');
    this.#advance();
  }

  // Endings.

  /** Answers what cannot be understood or has taken too long, and closes once the client has had time to read that. */
  #refuse(fault: ProtocolError, reason: DisconnectReason): void {
    const exchange = this.#exchange;
    if (exchange !== undefined && exchange.status !== 0) {
      // A response has begun, so no other can be given.
      if (!exchange.isResponseDone) return this.abort(reason);
    } else {
      const body = plainBody(fault.status, fault.message);
      const headers = plainHeaders(body, fault.status === 503 ? [RETRY_SOON] : []);
      const lines = fieldLines(headers.list) + this.#context.defaults.text(headers);
      const content = exchange?.head.method === 'HEAD' ? '' : body;
      this.#outbound.putText(`${statusLine(fault.status)}${lines}connection: close\r\n\r\n${content}`);
      this.#reportRefusal(fault.status, content.length, headers.list);
      this.#context.log.debug(`${this.peer.client?.[0] ?? 'unix'}: ${fault.status}: ${fault.message}`);
    }
    this.#exchange = undefined;
    exchange?.observer?.disconnected(reason);
    this.#close();
  }

  /** Sends what is queued, then FIN, and reads on for a while: a close with unread bytes would be a reset (RFC 9112 9.6). */
  #close(): void {
    if (this.phase === 'closed' || this.phase === 'lingering') return;
    this.#setPhase('lingering');
    this.#reader.discard();
    this.#outbound.flush();
    const waiting = this.#outbound.emptied();
    if (waiting === undefined) this.#sendFin();
    else void waiting.then(() => this.#sendFin());
  }

  #sendFin(): void {
    if (this.phase !== 'lingering') return;
    if (this.#isInputEnded) return this.#endSocket();
    this.#socket.shutdown();
    this.#socket.resume();
  }

  #endSocket(): void {
    this.#outbound.flush();
    this.#socket.end();
  }

  #lose(exchange: H1Exchange, reason: DisconnectReason): void {
    // A response that was complete, with its request still being drained, has nothing left to lose.
    if (!exchange.isResponseDone || this.#outbound.isBlocked) exchange.observer?.disconnected(reason);
    this.#report(exchange);
  }

  #report(exchange: H1Exchange): void {
    const { requestFinished } = this.#context;
    if (requestFinished === undefined) return;
    requestFinished({
      head: exchange.head,
      peer: this.peer,
      status: exchange.status,
      bytes: exchange.contentSent,
      time: this.#startedTime,
      duration: performance.now() - this.#startedAt,
      responseHeaders: exchange.responseHeaders,
    });
  }

  #reportRefusal(
    status: number,
    bytes: number,
    responseHeaders: readonly (readonly [string, string])[],
  ): void {
    const { requestFinished } = this.#context;
    if (requestFinished === undefined) return;
    const { head } = this.#exchange ?? {};
    const duration = head === undefined ? 0 : performance.now() - this.#startedAt;
    const time = head === undefined ? Date.now() : this.#startedTime;
    requestFinished({ head, peer: this.peer, status, bytes, time, duration, responseHeaders });
  }

  #setPhase(phase: Phase): void {
    this.phase = phase;
    this.phaseSince = this.#context.deadlines.now;
  }
}

/** What is known to be left of a body; nothing where chunks have not announced it. */
function knownRemaining(reader: H1Reader): number {
  const { bodyRemaining } = reader;
  return bodyRemaining === Infinity ? 0 : bodyRemaining;
}

const RESET_CODES = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

function reasonOf(error: Error & { code?: string; syscall?: string }): DisconnectReason {
  if (RESET_CODES.has(error.code ?? '')) return 'client_closed';
  return error.syscall === 'write' ? 'write_error' : 'read_error';
}
