/**
 * The first bytes of a connection without TLS say which protocol it speaks: HTTP/2 with prior knowledge begins with a preface
 * that no request of HTTP/1.1 can begin with (RFC 9113 3.4). As soon as they can tell, the carrier for it takes over.
 */
import { Buffer } from 'node:buffer';
import type { DisconnectReason } from '../contract/handles.ts';
import type { Carrier } from './carrier.ts';
import type { Connection } from './connection.ts';
import type { DeadlineName, Deadlines, Phase } from './deadlines.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Whether the first line is there and names no version of HTTP. */
function isForeign(bytes: Buffer): boolean {
  const end = bytes.indexOf('\n');
  return end > 1 && !bytes.subarray(0, end).includes(' HTTP/');
}

export class ProtocolChooser implements Carrier {
  phase: Phase = 'idle';
  phaseSince: number;
  lastReceived: number;
  readonly lastSent: number;
  readonly awaitsBodySince = undefined;
  readonly hasBacklog = false;
  readonly #connection: Connection;
  readonly #deadlines: Deadlines<Connection>;
  #early: Buffer = Buffer.alloc(0);

  constructor(connection: Connection, deadlines: Deadlines<Connection>) {
    this.#connection = connection;
    this.#deadlines = deadlines;
    this.phaseSince = deadlines.now;
    this.lastReceived = this.phaseSince;
    this.lastSent = this.phaseSince;
  }

  received(chunk: Buffer): void {
    this.lastReceived = this.#deadlines.now;
    const early = this.#early.length === 0 ? chunk : Buffer.concat([this.#early, chunk]);
    const length = Math.min(early.length, PREFACE.length);
    const isHttp2 = early.compare(PREFACE, 0, length, 0, length) === 0;
    if (isHttp2 && length < PREFACE.length) {
      this.#early = early;
      if (this.phase === 'idle') this.phaseSince = this.lastReceived;
      this.phase = 'head';
      return;
    }
    this.phase = 'closed';
    // RFC 9113 3.4: to what is no preface and no request of HTTP/1.1 either, nothing can be said that it would understand.
    if (!isHttp2 && isForeign(early)) return this.#connection.end();
    this.#connection.chosen(isHttp2 ? 'h2' : 'http/1.1').received(early);
  }

  inputEnded(): void {
    this.#connection.abort('client_closed');
  }

  expire(_deadline: DeadlineName): void {
    this.#connection.abort('client_timeout');
  }

  /** Whoever has begun to speak gets to finish, within the grace. */
  drain(): void {
    this.phase = 'idle';
    this.phaseSince = this.#deadlines.now;
  }

  writable(): void {}
  lost(_reason: DisconnectReason): void {}
  flushStarted(): void {}
}
