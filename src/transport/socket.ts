/**
 * One accepted socket. It hides Bun's socket behind the few verbs that connections need, and tells its handler of
 * bytes, drain, the peer's FIN and the end, which comes exactly once and last.
 */
import type { Buffer } from 'node:buffer';
import type { Sink } from './outbound-queue.ts';

/** What a connection hears from its socket. */
export interface SocketHandler {
  /** Bytes arrived; the buffer is the handler's. */
  received(chunk: Buffer): void;
  /** The kernel can take bytes again. */
  writable(): void;
  /** The peer has sent FIN: nothing more will arrive, and writing goes on working. */
  inputEnded(): void;
  /** The socket is gone, with an error where it did not end in order. Exactly once, last. */
  closed(error: Error | undefined): void;
}

/** Address and port of one end of a TCP connection. */
export type Endpoint = [host: string, port: number];

/** What `Bun.listen` hands to its handlers; `data` is the connection's handler. */
export type RawSocket = Bun.Socket<SocketHandler | undefined> & { readonly fd?: number };

/** The `encoding` argument is there at run time, in Bun 1.4.5, and absent from the types. */
type Latin1Writer = { write(data: Uint8Array | string, encoding?: 'latin1'): number };

export class TransportSocket implements Sink {
  readonly #raw: RawSocket;
  #isPaused = false;

  constructor(raw: RawSocket) {
    this.#raw = raw;
  }

  get remoteEndpoint(): Endpoint {
    return [this.#raw.remoteAddress, this.#raw.remotePort];
  }

  get localEndpoint(): Endpoint {
    return [this.#raw.localAddress, this.#raw.localPort];
  }

  write(data: Uint8Array | string): number {
    const raw = this.#raw as Latin1Writer;
    return typeof data === 'string' ? raw.write(data, 'latin1') : raw.write(data);
  }

  /** Stops reading; the kernel then holds the peer back. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#raw.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#raw.resume();
  }

  /** Sends FIN and goes on reading. */
  shutdown(): void {
    this.#raw.shutdown();
  }

  /** Closes in order: FIN behind what the kernel has taken. */
  end(): void {
    this.#raw.end();
  }

  /** Closes at once with RST, so that a peer cannot take what it has for the whole. */
  reset(): void {
    this.#raw.terminate();
  }
}
