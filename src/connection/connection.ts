/**
 * One socket, from accept to close. Idle, it is this object and nothing else; a carrier is lent to it while there is
 * something to read or to answer, and goes back when there is not. After the last response it lingers: it has sent FIN
 * and reads on for a while, because closing with unread bytes would be a reset that takes the answer away (RFC 9112 9.6).
 */
import type { Buffer } from 'node:buffer';
import type { DisconnectReason } from '../contract/handles.ts';
import type { TlsExtension } from '../contract/scope.ts';
import type { Peer } from '../session/exchange.ts';
import { type RawSocket, TransportSocket } from '../transport/socket.ts';
import type { NegotiatedProtocol } from '../transport/tls.ts';
import { CARRIER_FAULTS } from '../wire/h2/errors.ts';
import { refusalFrames } from '../wire/h2/frames.ts';
import type { ConnectionContext } from './connection-context.ts';
import type { DeadlineName, Phase, Watchable, Watched } from './deadlines.ts';
import type { Carrier } from './carrier.ts';
import { H2Carrier } from './h2-carrier.ts';
import { ProtocolChooser } from './protocol-chooser.ts';
import type { H1Carrier } from './h1-carrier.ts';

/** What the connections of one listener share. */
export interface ListenerContext extends ConnectionContext {
  /** The path of a unix socket, or undefined. */
  readonly path: string | undefined;
  /** Whether it speaks TLS. */
  readonly isSecure: boolean;
  /** The address that the listener is bound to, or undefined where it takes connections on any. */
  readonly host: string | undefined;
  readonly port: number;
  /** The last host that connected: most strings of one address are equal, so one of them serves for all. */
  lastRemoteHost: string;
}

export class Connection extends TransportSocket implements Peer, Watchable, Watched {
  phaseSince: number;
  readonly #context: ListenerContext;
  readonly #remoteHost: string;
  readonly #remotePort: number;
  #carrier: Carrier | undefined = undefined;
  #stage: 'open' | 'lingering' | 'closed' = 'open';
  #hasChosen = false;
  watchIndex = -1;

  constructor(raw: RawSocket, context: ListenerContext) {
    super(raw);
    this.#context = context;
    context.deadlines.watch(this);
    this.phaseSince = context.deadlines.now;
    this.#remoteHost = context.path === undefined ? intern(this.remoteHost, context) : '';
    this.#remotePort = context.path === undefined ? this.remotePort : 0;
  }

  get client(): [host: string, port: number] | undefined {
    return this.#context.path === undefined ? [this.#remoteHost, this.#remotePort] : undefined;
  }

  get server(): [host: string, port: number] | [path: string, port: null] {
    const { path, host, port } = this.#context;
    return path === undefined ? [host ?? this.localHost, port] : [path, null];
  }

  get isSecure(): boolean {
    return false;
  }

  get tls(): TlsExtension | undefined {
    return undefined;
  }

  /** The protocol that TLS has settled; undefined where the bytes themselves tell. */
  get negotiated(): NegotiatedProtocol | undefined {
    return undefined;
  }

  /** Whether it holds up a shutdown: not when it only waits for its peer to close. */
  get isBusy(): boolean {
    return this.#stage === 'open';
  }

  // What the socket says.

  received(chunk: Buffer): void {
    if (this.#stage !== 'open') return;
    (this.#carrier ?? this.#choose()).received(chunk);
  }

  writable(): void {
    this.#carrier?.writable();
  }

  inputEnded(): void {
    if (this.#carrier === undefined) this.end();
    else this.#carrier.inputEnded();
  }

  closed(error: Error | undefined): void {
    this.#leave(error === undefined ? 'client_closed' : reasonOf(error));
  }

  // What the server says.

  /** Graceful shutdown: what is in hand is finished. What is idle ends by its deadline, as a request may be on its way. */
  drain(): void {
    this.#carrier?.drain();
  }

  /** One connection too many: says so, whatever the request is going to be. HTTP/1.1 is for those that have not settled a protocol. */
  turnAway(): void {
    if (this.negotiated !== 'h2') return this.#borrow().turnAway();
    const { errorCode, message } = CARRIER_FAULTS.overloaded;
    this.write(refusalFrames(errorCode, message));
    this.linger();
  }

  /** Ends at once, so that the client can tell that a response is not whole. */
  abort(reason: DisconnectReason): void {
    if (this.#stage === 'closed') return;
    // Its last response is whole, and may still be on its way: a reset would take it back.
    if (this.#stage === 'lingering') return this.end();
    this.#carrier?.flushStarted();
    // In this order: the reset calls `closed` at once, which would take the client for the one that left.
    this.#leave(reason);
    this.reset();
  }

  // What the carrier says.

  /** There is nothing to read and nothing to answer: the carrier can serve another connection. */
  giveBack(carrier: H1Carrier): void {
    this.#carrier = undefined;
    this.phaseSince = this.#context.deadlines.now;
    this.#context.carriers.giveBack(carrier);
  }

  /** The first bytes have said which protocol the connection speaks. */
  chosen(protocol: 'h2' | 'http/1.1'): Carrier {
    this.#hasChosen = true;
    if (protocol === 'http/1.1') return this.#borrow();
    const carrier = new H2Carrier(this, this.#context, this.#context.h2!);
    this.#carrier = carrier;
    if (this.#context.isDraining()) carrier.drain();
    return carrier;
  }

  /** Another protocol is spoken from here on. */
  switchTo(carrier: Carrier): void {
    this.#carrier = carrier;
  }

  /** The last response is with the kernel. */
  linger(): void {
    this.#carrier = undefined;
    this.#stage = 'lingering';
    this.phaseSince = this.#context.deadlines.now;
    this.shutdown();
    this.resume();
  }

  // Deadlines: the carrier's while there is one.

  get phase(): Phase {
    return this.#stage === 'open' ? (this.#carrier?.phase ?? 'idle') : this.#stage;
  }

  get watched(): Watched {
    return this.#carrier ?? this;
  }

  get lastReceived(): number {
    return this.phaseSince;
  }

  get lastSent(): number {
    return this.phaseSince;
  }

  get awaitsBodySince(): undefined {
    return undefined;
  }

  get hasBacklog(): boolean {
    return false;
  }

  expire(_deadline: DeadlineName): void {
    this.end();
  }

  /** Before the first byte: the carrier for the protocol that has been negotiated, or one that finds out. */
  #choose(): Carrier {
    if (this.#context.h2 === undefined || this.#hasChosen) return this.#borrow();
    if (this.negotiated !== undefined) return this.chosen(this.negotiated);
    this.#carrier = new ProtocolChooser(this, this.#context.deadlines);
    return this.#carrier;
  }

  #borrow(): H1Carrier {
    const carrier = this.#context.carriers.lend(this);
    this.#carrier = carrier;
    return carrier;
  }

  #leave(reason: DisconnectReason): void {
    if (this.#stage === 'closed') return;
    this.#stage = 'closed';
    this.#context.deadlines.unwatch(this);
    const carrier = this.#carrier;
    this.#carrier = undefined;
    carrier?.lost(reason);
  }
}

function intern(host: string, context: ListenerContext): string {
  if (host !== context.lastRemoteHost) context.lastRemoteHost = host;
  return context.lastRemoteHost;
}

const RESET_CODES = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

function reasonOf(error: Error & { code?: string; syscall?: string }): DisconnectReason {
  if (RESET_CODES.has(error.code ?? '')) return 'client_closed';
  return error.syscall === 'write' ? 'write_error' : 'read_error';
}
