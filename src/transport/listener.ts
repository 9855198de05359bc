/**
 * Accepts connections on a bound socket, with TLS or without. Accepting can be paused: the kernel goes on queueing, because
 * the bound descriptor stays open while this process's own copy of it is closed. For the same reason what is
 * needed for TLS can be replaced without losing a connection.
 */
import type { BoundSocket } from './bind.ts';
import { duplicate, setBacklog } from '../os/descriptors.ts';
import type { RawSocket, TransportSocket } from './socket.ts';
import type { TlsContext } from './tls.ts';

/** Makes the object of a connection that has been accepted. */
export type Acceptor = (raw: RawSocket) => TransportSocket;

type ListenOptions = Parameters<typeof Bun.listen>[0];

export interface ListenerSettings {
  /** Undefined: connections are not encrypted. */
  readonly tls?: TlsContext | undefined;
  readonly listenerBacklog: number;
}

export class Listener {
  readonly bound: BoundSocket;
  readonly #accept: Acceptor;
  readonly #backlog: number;
  #tls: TlsContext | undefined;
  #active: { stop(): void } | undefined;

  constructor(bound: BoundSocket, accept: Acceptor, { tls, listenerBacklog }: ListenerSettings) {
    this.bound = bound;
    this.#accept = accept;
    this.#tls = tls;
    this.#backlog = listenerBacklog;
  }

  /** Throws when no descriptor is left. */
  start(): void {
    this.#active ??= this.#open(this.#tls);
  }

  /** From here on connections are accepted with these certificates; those that are open keep theirs. */
  replaceTls(tls: TlsContext): void {
    if (this.#active !== undefined) {
      // The new one first: for a moment both accept, and where it fails the old one goes on.
      const successor = this.#open(tls);
      this.#active.stop();
      this.#active = successor;
    }
    this.#tls = tls;
  }

  #open(tls: TlsContext | undefined): { stop(): void } {
    const accept = this.#accept;
    const socket = {
      open(raw: RawSocket) {
        raw.data = accept(raw);
      },
      data(raw: RawSocket, chunk: Buffer) {
        raw.data!.received(chunk);
      },
      ...(tls === undefined ? undefined : handshakeHandler(tls)),
      drain(raw: RawSocket) {
        raw.data!.writable();
      },
      end(raw: RawSocket) {
        raw.data!.inputEnded();
      },
      close(raw: RawSocket, error?: Error) {
        raw.data?.closed(error);
      },
      error() {
        // The `close` that follows carries the error.
      },
    };
    const security = tls === undefined ? undefined : { tls: tls.options };
    const options = { fd: duplicate(this.bound.fd), allowHalfOpen: true, socket, ...security };
    const active = Bun.listen(options as unknown as ListenOptions);
    // Bun 1.4.5 listens anew on what it is given, with a queue of 511 (listen(2): the last call counts).
    setBacklog(this.bound.fd, this.#backlog);
    return active;
  }

  /** Accepts nothing more until `start` is called again. Accepted connections go on. */
  stop(): void {
    this.#active?.stop();
    this.#active = undefined;
  }

  /** Stops for good: connections that nobody has accepted are refused from here on. */
  release(): void {
    this.stop();
    this.bound.release();
  }
}

function handshakeHandler(tls: TlsContext) {
  return {
    handshake(raw: RawSocket, isComplete: boolean, error: Error | null) {
      raw.data?.handshaken(tls.judge(raw, isComplete, error));
    },
  };
}
