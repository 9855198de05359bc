/**
 * An HTTP/1.1 client that does what it is told to the byte, with TLS or without: writes anything, closes half or with a
 * reset, reads nothing, and says exactly what came back and how the connection ended. Every wait has a bound.
 */
import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { certificate } from './certificates.ts';
import { readResponse, type ByteSource, type RawResponse } from './response-parser.ts';
import { within } from './within.ts';

export type { RawResponse } from './response-parser.ts';

export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/** `open`: still going; `fin`: the peer closed in order; `reset`: it did not. */
export type Ending = 'open' | 'fin' | 'reset';

/** `allowHalfOpen` is absent from the types. */
const TRUST: ConnectionOptions & { allowHalfOpen: boolean } = {
  ca: certificate('ca'),
  servername: 'localhost',
  allowHalfOpen: true,
};

export interface SimpleRequest {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array;
}

export class RawClient implements ByteSource {
  readonly socket: Socket;
  /** Bytes that the kernel has taken. */
  bytesSent = 0;
  bytesReceived = 0;
  #ending: Ending = 'open';
  #queue: Buffer[] = [];
  #onEvent: (() => void)[] = [];
  #isPaused = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.bytesReceived += chunk.length;
      this.#queue.push(chunk);
      this.#wake();
    });
    socket.on('end', () => this.#end('fin'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => this.#end('fin'));
  }

  /** With `tls` the connection is there when its handshake is over; the server must be who it says. */
  static async connect(address: Address, tls?: ConnectionOptions): Promise<RawClient> {
    const socket =
      tls === undefined
        ? connect({ ...address, allowHalfOpen: true })
        : connectTls({ ...TRUST, ...address, ...tls });
    await within(
      new Promise<void>((resolve, reject) => {
        socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve);
        socket.once('error', reject);
      }),
      `a connection to ${JSON.stringify(address)}`,
    );
    return new RawClient(socket);
  }

  get ending(): Ending {
    return this.#ending;
  }

  get isReset(): boolean {
    return this.#ending === 'reset';
  }

  /** What has arrived and not been read yet, as a byte string. */
  get unread(): string {
    return Buffer.concat(this.#queue).toString('latin1');
  }

  /** Bytes, a string being one byte per char. Resolves when the kernel has them, or the connection has ended. */
  send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    return new Promise((resolve) => {
      this.socket.write(bytes, (error) => {
        if (!error) this.bytesSent += bytes.length;
        resolve();
      });
    });
  }

  /** One request with its Host and, where it has a body, its Content-Length; then its response. */
  async request(request: SimpleRequest = {}): Promise<RawResponse> {
    const { method = 'GET', target = '/', headers = [], body = '' } = request;
    const content = typeof body === 'string' ? Buffer.from(body) : body;
    const framing = content.length > 0 ? `content-length: ${content.length}\r\n` : '';
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    void this.send(`${method} ${target} HTTP/1.1\r\nhost: test\r\n${lines}${framing}\r\n`);
    if (content.length > 0) void this.send(content);
    return await this.response(method);
  }

  /** The next final response; `isComplete` is false where the connection ended first. */
  async response(method = 'GET'): Promise<RawResponse> {
    const response = await readResponse(this, method);
    if (response !== undefined) return response;
    throw new Error(`the connection ended (${this.#ending}) where a response should begin`);
  }

  async responses(count: number): Promise<RawResponse[]> {
    const list: RawResponse[] = [];
    while (list.length < count) list.push(await this.response());
    return list;
  }

  /** How the connection ended, once it has and everything has arrived. */
  async ended(): Promise<Ending> {
    while (this.#ending === 'open') await this.#event('the end of the connection');
    return this.#ending;
  }

  /** Resolves when the unread bytes contain `text`. */
  async received(text: string): Promise<void> {
    while (!this.unread.includes(text)) {
      if (this.#ending !== 'open') throw new Error(`the connection ended (${this.#ending}) without ${text}`);
      await this.#event(JSON.stringify(text));
    }
  }

  /**
   * Resolves when the kernel has stopped taking bytes from this client: when it has taken none while `roundTrip`, a
   * whole exchange with the server on another connection, has come and gone ten times.
   */
  async settled(roundTrip: () => Promise<unknown>): Promise<void> {
    for (let quiet = 0, before = -1; quiet < 10; before = this.bytesSent) {
      await roundTrip();
      quiet = this.bytesSent === before ? quiet + 1 : 0;
    }
  }

  /** Sends FIN and goes on reading. */
  halfClose(): void {
    this.socket.end();
  }

  /** Closes with RST where the transport has such a thing. */
  reset(): void {
    this.socket.resetAndDestroy();
    this.#end('fin');
  }

  /** Closes both directions. */
  close(): void {
    this.socket.destroy();
    this.#end('fin');
  }

  /** Stops reading, so that the kernel's buffers fill. */
  pause(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.socket.resume();
  }

  async line(): Promise<string | undefined> {
    for (;;) {
      const feed = this.#queue[0]?.indexOf(10) ?? -1;
      if (feed >= 0) {
        const line = this.#take(feed + 1);
        if (line[feed - 1] !== 13) throw new Error(`a line ends in a bare LF: ${line.toString('latin1')}`);
        return line.toString('latin1', 0, feed - 1);
      }
      if (this.#queue.length > 1) this.#queue.splice(0, 2, Buffer.concat(this.#queue.slice(0, 2)));
      else if (this.#ending !== 'open') return undefined;
      else await this.#event('a line');
    }
  }

  async some(limit: number): Promise<Buffer | undefined> {
    while (this.#queue.length === 0) {
      if (this.#ending !== 'open') return undefined;
      await this.#event('more of a body');
    }
    return this.#take(Math.min(limit, this.#queue[0]!.length));
  }

  #take(count: number): Buffer {
    const first = this.#queue[0]!;
    if (count === first.length) this.#queue.shift();
    else this.#queue[0] = first.subarray(count);
    return first.subarray(0, count);
  }

  #event(what: string): Promise<void> {
    if (this.#isPaused) throw new Error(`waiting for ${what} on a paused client`);
    const happened = new Promise<void>((resolve) => this.#onEvent.push(resolve));
    return within(happened, `${what}; ${this.bytesReceived} bytes had come`);
  }

  #end(ending: Ending): void {
    if (this.#ending === 'open') this.#ending = ending;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#onEvent.splice(0)) resolve();
  }
}

/** The value of the one field called `name`, in any case; undefined without it. */
export function header(response: RawResponse, name: string): string | undefined {
  const values = response.headers.filter(([given]) => given.toLowerCase() === name);
  if (values.length > 1) throw new Error(`${name} comes ${values.length} times`);
  return values[0]?.[1];
}
