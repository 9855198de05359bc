/**
 * One accepted socket. It hides Bun's socket behind the few verbs that connections need. A connection is a subclass,
 * which hears of bytes, drain, the peer's FIN and the end, which comes exactly once and last: one object per socket,
 * because ten thousand idle ones should cost next to nothing.
 */
import type { Buffer } from 'node:buffer';
import type { Sink } from './outbound-queue.ts';
import type { HandshakeOutcome } from './tls.ts';

/** What `Bun.listen` hands to its handlers; `data` is the socket's own object. */
export type RawSocket = Bun.Socket<TransportSocket | undefined> & { readonly fd?: number };

/** The `encoding` argument is there at run time, in Bun 1.4.5, and absent from the types. */
type Latin1Writer = { write(data: string, encoding: 'latin1'): number };

export abstract class TransportSocket implements Sink {
  readonly #raw: RawSocket;
  #isPaused = false;

  constructor(raw: RawSocket) {
    this.#raw = raw;
  }

  /** Bytes arrived; the buffer is the handler's. */
  abstract received(chunk: Buffer): void;
  /** The TLS handshake is over. Where it failed, `closed` follows. Never called on a socket without TLS. */
  handshaken(_outcome: HandshakeOutcome): void {}
  /** The kernel can take bytes again. */
  abstract writable(): void;
  /** The peer has sent FIN: nothing more will arrive, and writing goes on working. */
  abstract inputEnded(): void;
  /** The socket is gone, with an error where it did not end in order. Exactly once, last. */
  abstract closed(error: Error | undefined): void;

  /** Number of the descriptor. */
  get descriptor(): number | undefined {
    return this.#raw.fd;
  }

  get remoteHost(): string {
    return unmapped(this.#raw.remoteAddress);
  }

  get remotePort(): number {
    return this.#raw.remotePort;
  }

  get localHost(): string {
    return unmapped(this.#raw.localAddress);
  }

  write(data: Uint8Array | string, size?: number): number {
    if (typeof data === 'string') return (this.#raw as unknown as Latin1Writer).write(data, 'latin1');
    return size === undefined ? this.#raw.write(data) : this.#raw.write(data, 0, size);
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

  /** Asks the kernel to find out whether a silent peer is still there (RFC 9293 3.8.4). */
  probe(): void {
    this.#raw.setKeepAlive(true, PROBE_DELAY);
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

/** RFC 4291 2.5.5.2: how an IPv4 peer appears on a socket of both families; logs and allow lists know it by its own address. */
function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** Milliseconds of silence before the kernel asks. */
const PROBE_DELAY = 5000;
