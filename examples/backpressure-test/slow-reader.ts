/**
 * A client on a bare socket that reads at a given rate and no faster, or not at all. What it reads it throws away.
 */
import { connect, type Socket } from 'node:net';

export type Kind = 'http' | 'ws' | 'sse';

export interface ReaderOptions {
  readonly kind: Kind;
  /** Bytes a second; 0 reads nothing. */
  readonly rate: number;
  readonly isCareless: boolean;
  /** By which the server's report calls it. */
  readonly name: string;
}

const TICKS_PER_SECOND = 20;

/** What the request of each kind says beyond the path. */
const FIELDS: Readonly<Record<Kind, string>> = {
  http: 'accept: */*\r\n',
  sse: 'accept: text/event-stream\r\n',
  // The key is the one of RFC 6455; a real client makes a new one for each connection (section 4.1).
  ws: 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
};

export class SlowReader {
  readonly options: ReaderOptions;
  readonly #socket: Socket;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #allowance = 0;

  constructor(server: URL, options: ReaderOptions) {
    this.options = options;
    this.#socket = connect(Number(server.port || 80), server.hostname);
    this.#socket.pause();
    const path = `/${options.kind}${options.isCareless ? '/careless' : ''}`;
    this.#socket.write(
      `GET ${path}?name=${encodeURIComponent(options.name)} HTTP/1.1\r\nhost: ${server.host}\r\n${FIELDS[options.kind]}\r\n`,
    );
    // The server may end the connection at any time, and does so to those of the careless.
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (piece) => this.#take(piece.length));
    if (options.rate > 0) this.#timer = setInterval(() => this.#tick(), 1000 / TICKS_PER_SECOND);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.destroy();
  }

  #tick(): void {
    const share = this.options.rate / TICKS_PER_SECOND;
    this.#allowance = Math.min(this.#allowance + share, share);
    if (this.#allowance > 0) this.#socket.resume();
  }

  #take(size: number): void {
    this.#allowance -= size;
    if (this.#allowance <= 0) this.#socket.pause();
  }
}
