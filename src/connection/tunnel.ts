/**
 * A connection that has switched from HTTP/1.1 to another protocol: bytes go through as they are. It takes the place of
 * the carrier, which is of no more use, so that a session which is quiet for hours holds little. What is sent in one
 * turn of the event loop leaves in one write.
 */
import { Buffer } from 'node:buffer';
import { nextTurn } from '../clock/turns.ts';
import type { DisconnectReason } from '../contract/handles.ts';
import type { Chunk } from '../session/exchange.ts';
import type { OutboundQueue } from '../transport/outbound-queue.ts';
import type { Carrier } from './carrier.ts';
import type { Connection } from './connection.ts';
import type { DeadlineName, Phase } from './deadlines.ts';
import type { H1Exchange } from './h1-exchange.ts';
import { TurnShare } from './turn-share.ts';
import { atTurnEnd, type TurnMember } from './turn-end.ts';

/** Bytes from which on a write costs less than a copy that can wait for the end of the turn. */
const MIN_COPIED = 4096;
/** Bytes that may wait for the end of the turn. */
const MAX_HELD = 16_384;
const NO_BYTES = Buffer.alloc(0);

function put(outbound: OutboundQueue, chunk: Chunk): void {
  if (typeof chunk === 'string') outbound.putText(chunk);
  else outbound.putBytes(chunk);
}

export class Tunnel implements Carrier, TurnMember {
  phase: Phase = 'tunnel';
  phaseSince: number;
  lastReceived: number;
  lastSent: number;
  readonly awaitsBodySince = undefined;
  readonly outbound: OutboundQueue;
  readonly #exchange: H1Exchange;
  readonly #share = new TurnShare();
  /** Undefined once the connection is gone, or its end is none of this tunnel's business any more. */
  #connection: Connection | undefined;
  #isInputEnded = false;
  #awaitsTurnEnd = false;

  /** The queue may still hold what was sent before the switch. */
  constructor(connection: Connection, exchange: H1Exchange, outbound: OutboundQueue) {
    const { now } = exchange.context.deadlines;
    this.#connection = connection;
    this.#exchange = exchange;
    this.outbound = outbound;
    outbound.sink = connection;
    this.phaseSince = now;
    this.lastReceived = now;
    this.lastSent = now;
  }

  /** What was read ahead of the switch, and whether the peer has already sent FIN. */
  begin(early: Buffer, isInputEnded: boolean): void {
    this.#flushSoon();
    this.resume();
    this.#isInputEnded = isInputEnded;
    if (early.length > 0) this.received(early);
    if (isInputEnded) this.inputEnded();
  }

  // What the socket says, by way of the connection.

  received(chunk: Buffer): void {
    this.lastReceived = this.#exchange.context.deadlines.now;
    if (this.phase === 'tunnel') this.#exchange.observer!.bodyChunk(chunk, true);
  }

  writable(): void {
    const before = this.outbound.bufferedAmount;
    this.outbound.drained();
    if (this.outbound.bufferedAmount < before) this.lastSent = this.#exchange.context.deadlines.now;
  }

  inputEnded(): void {
    this.#isInputEnded = true;
    if (this.phase === 'tunnel') this.#exchange.observer!.bodyChunk(NO_BYTES, false);
  }

  lost(reason: DisconnectReason): void {
    this.#connection = undefined;
    const wasOpen = this.phase === 'tunnel';
    this.#setPhase('closed');
    if (wasOpen) this.#exchange.observer!.disconnected(reason);
    this.#exchange.finish();
    this.outbound.close();
  }

  drain(): void {
    if (this.phase === 'tunnel') this.#exchange.observer!.shutdown();
  }

  flushStarted(): void {
    this.outbound.flush();
  }

  // What the exchange asks for.

  /** Queues bytes; a promise says that the peer is slower than this. */
  send(chunk: Chunk, second?: Chunk): Promise<void> | undefined {
    if (this.phase !== 'tunnel') return undefined;
    const { outbound } = this;
    if (!outbound.isBlocked) this.lastSent = this.#exchange.context.deadlines.now;
    const before = outbound.bufferedAmount;
    put(outbound, chunk);
    if (second !== undefined) put(outbound, second);
    const amount = outbound.bufferedAmount;
    const size = amount - before;
    const isCopied = size < MIN_COPIED || (typeof chunk === 'string' && second === undefined);
    if (isCopied && amount <= MAX_HELD && amount <= outbound.highWaterMark) {
      // Whoever sent it believes it to be sent, and may change it.
      outbound.own();
      this.#flushSoon();
    } else {
      outbound.flush();
    }
    const waiting = outbound.settle();
    if (waiting !== undefined) return waiting;
    return this.#share.spend(size) ? nextTurn() : undefined;
  }

  turnEnded(): void {
    this.#awaitsTurnEnd = false;
    this.outbound.flush();
  }

  /** Sends what is queued, then FIN. */
  end(): Promise<void> | undefined {
    if (this.phase !== 'tunnel') return undefined;
    this.#setPhase('closing');
    this.resume();
    this.outbound.flush();
    const waiting = this.outbound.emptied();
    if (waiting === undefined) this.#leave();
    else void waiting.then(() => this.#leave());
    return waiting;
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  abort(reason: DisconnectReason): void {
    this.#connection?.abort(reason);
  }

  // Deadlines: those of the protocol inside are its session's.

  get hasBacklog(): boolean {
    return this.outbound.isBlocked;
  }

  expire(deadline: DeadlineName): void {
    if (deadline === 'write') this.abort('write_timeout');
  }

  #flushSoon(): void {
    if (this.#awaitsTurnEnd) return;
    this.#awaitsTurnEnd = true;
    atTurnEnd(this);
  }

  #leave(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#setPhase('closed');
    this.#exchange.finish();
    if (this.#isInputEnded) connection.end();
    else connection.linger();
  }

  #setPhase(phase: Phase): void {
    this.phase = phase;
    this.phaseSince = this.#exchange.context.deadlines.now;
  }
}
