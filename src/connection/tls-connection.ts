/**
 * A connection with TLS. Until the handshake is over it has nothing to say and hears nothing, but it counts like any
 * other, and has a deadline. A client that is not let in never gets as far as a request.
 */
import type { Buffer } from 'node:buffer';
import type { DisconnectReason } from '../contract/handles.ts';
import type { TlsExtension } from '../contract/scope.ts';
import type { RawSocket } from '../transport/socket.ts';
import type { HandshakeOutcome, NegotiatedProtocol } from '../transport/tls.ts';
import { Connection, type ListenerContext } from './connection.ts';
import type { DeadlineName, Phase } from './deadlines.ts';

export class TlsConnection extends Connection {
  readonly #context: ListenerContext;
  #handshake: 'running' | 'done' | 'failed' = 'running';
  /** One connection too many: it can only be told so once it understands. */
  #isTurnedAway = false;
  #tls: TlsExtension | undefined = undefined;
  #negotiated: NegotiatedProtocol | undefined = undefined;

  constructor(raw: RawSocket, context: ListenerContext) {
    super(raw, context);
    this.#context = context;
  }

  override get isSecure(): boolean {
    return true;
  }

  override get tls(): TlsExtension | undefined {
    return this.#tls;
  }

  override get negotiated(): NegotiatedProtocol | undefined {
    return this.#negotiated;
  }

  override get phase(): Phase {
    return this.#handshake === 'running' ? 'handshake' : super.phase;
  }

  override get isBusy(): boolean {
    return this.#handshake !== 'failed' && super.isBusy;
  }

  override handshaken(outcome: HandshakeOutcome): void {
    if (this.#handshake !== 'running') return;
    if (outcome.type === 'failed') {
      this.#fail(outcome.reason, outcome.isNoteworthy);
      // Behind the alert that says why. Where the library has closed already, this is nothing.
      return this.end();
    }
    this.#handshake = 'done';
    this.#tls = outcome.details;
    this.#negotiated = outcome.protocol;
    this.phaseSince = this.#context.deadlines.now;
    if (this.#isTurnedAway) super.turnAway();
  }

  override received(chunk: Buffer): void {
    // Bytes of somebody who has not been let in.
    if (this.#handshake === 'done') super.received(chunk);
    else this.abort('protocol_error');
  }

  override inputEnded(): void {
    if (this.#handshake === 'done') super.inputEnded();
    else this.end();
  }

  override closed(error: Error | undefined): void {
    if (this.#handshake === 'running') this.#fail('it has left', false);
    super.closed(error);
  }

  /** At once: alone, `end` of Bun 1.4.5 sends close_notify and then waits for the client's for as long as that takes. */
  override end(): void {
    this.shutdown();
    super.end();
  }

  override drain(): void {
    if (this.#handshake === 'done') return super.drain();
    // Whoever is about to connect gets the whole grace for it, and again for the request behind it.
    this.phaseSince = this.#context.deadlines.now;
  }

  override turnAway(): void {
    if (this.#handshake === 'done') super.turnAway();
    else this.#isTurnedAway = true;
  }

  override abort(reason: DisconnectReason): void {
    if (this.#handshake === 'running') this.#handshake = 'failed';
    super.abort(reason);
  }

  override expire(deadline: DeadlineName): void {
    if (this.#handshake === 'done') return super.expire(deadline);
    this.#fail(
      deadline === 'handshake' ? 'it takes too long (handshakeTimeout)' : 'it does not close',
      false,
    );
    this.abort('client_timeout');
  }

  /** One line each: a client that should know better is worth telling about, a scanner is not. */
  #fail(reason: string, isNoteworthy: boolean): void {
    this.#handshake = 'failed';
    const line = `${this.client?.[0] ?? 'unix'}: no TLS handshake: ${reason}`;
    if (isNoteworthy) this.#context.log.info(line);
    else this.#context.log.debug(line);
  }
}
