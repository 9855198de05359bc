/**
 * Accepts connections on a bound socket. Accepting can be paused: the kernel goes on queueing, because the bound
 * descriptor stays open while this process's own copy of it is closed.
 */
import type { BoundSocket } from './bind.ts';
import { duplicate } from './libc.ts';
import type { RawSocket, TransportSocket } from './socket.ts';

/** Makes the object of a connection that has been accepted. */
export type Acceptor = (raw: RawSocket) => TransportSocket;

type ListenOptions = Parameters<typeof Bun.listen>[0];

export class Listener {
  readonly bound: BoundSocket;
  readonly #accept: Acceptor;
  #active: { stop(): void } | undefined;

  constructor(bound: BoundSocket, accept: Acceptor) {
    this.bound = bound;
    this.#accept = accept;
  }

  /** Throws when no descriptor is left. */
  start(): void {
    if (this.#active !== undefined) return;
    const accept = this.#accept;
    const socket = {
      open(raw: RawSocket) {
        raw.data = accept(raw);
      },
      data(raw: RawSocket, chunk: Buffer) {
        raw.data!.received(chunk);
      },
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
    const options = { fd: duplicate(this.bound.fd), allowHalfOpen: true, socket };
    this.#active = Bun.listen(options as unknown as ListenOptions);
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
