/**
 * HTTP/2 behind the interfaces that tests of HTTP/1.1 speak through: what a test writes as a request of HTTP/1.1 becomes a stream
 * of its own, and a stream that the server resets is to it what a broken connection is. What is on the wire is the raw client's.
 */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { App } from '../../src/contract/app.ts';
import type { Field } from './h2/hpack.ts';
import type { H2ClientOptions, H2Response, RawH2Client } from './h2/raw-h2-client.ts';
import { H2Connection, StreamClient } from './h2-stream-client.ts';
import type { Address, Ending, RawClient, RawResponse, SimpleRequest } from './raw-client.ts';
import { startServer, type StartOptions, type TestServer } from './start-server.ts';
import {
  H1WebSocketPeer,
  type HandshakeAnswer,
  type HandshakeOptions,
  type WebSocketPeer,
} from './websocket-client.ts';

interface Pending {
  readonly client: StreamClient;
  /** Body bytes that are still to be written. */
  left: number;
}

/** Of the surface of a raw client what is not tied to the bytes of HTTP/1.1. */
export class H2CarrierClient {
  readonly #connection: H2Connection;
  /** In the order of the requests; the first is the one that is answered next. */
  readonly #pending: Pending[] = [];
  #last: Pending | undefined;
  #head = '';

  private constructor(connection: H2Connection) {
    this.#connection = connection;
  }

  static async connect(address: Address, options?: H2ClientOptions): Promise<H2CarrierClient> {
    return new H2CarrierClient(await H2Connection.open(address, options));
  }

  get socket(): Socket {
    return this.#connection.socket;
  }

  get raw(): RawH2Client {
    return this.#connection;
  }

  /** Of the stream that is next, or else of the connection. */
  get ending(): Ending {
    return this.#connection.ending === 'open'
      ? (this.#last?.client.isReset ?? false)
        ? 'reset'
        : 'open'
      : this.#connection.ending;
  }

  get isReset(): boolean {
    return this.ending === 'reset';
  }

  get bytesReceived(): number {
    return this.#last?.client.bytesReceived ?? 0;
  }

  get bytesSent(): number {
    return this.#last?.client.bytesSent ?? 0;
  }

  get unread(): string {
    return this.#pending[0]?.client.unread ?? '';
  }

  /** Requests of HTTP/1.1, well formed and framed by their length, in any pieces. */
  async send(data: string | Uint8Array): Promise<void> {
    let bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data);
    while (bytes.length > 0) {
      if (this.#last === undefined || this.#last.left === 0) {
        this.#head += bytes.toString('latin1');
        const end = this.#head.indexOf('\r\n\r\n');
        if (end < 0) return;
        bytes = Buffer.from(this.#head.slice(end + 4), 'latin1');
        const head = this.#head.slice(0, end);
        this.#head = '';
        this.#open(readHead(head));
      } else {
        const piece = bytes.subarray(0, this.#last.left);
        bytes = bytes.subarray(piece.length);
        this.#last.left -= piece.length;
        await this.#last.client.send(piece, { endStream: this.#last.left === 0 });
      }
    }
  }

  async request(request: SimpleRequest = {}): Promise<RawResponse> {
    const { method = 'GET', target = '/', headers = [], body = '' } = request;
    const content = typeof body === 'string' ? Buffer.from(body) : body;
    const length = String(content.length);
    const framing: Field[] = content.length > 0 ? [['content-length', length]] : [];
    this.#open({ method, target, headers: [['host', 'test'], ...headers, ...framing] });
    if (content.length > 0) void this.send(content);
    return await this.response();
  }

  async response(_method?: string): Promise<RawResponse> {
    const next = this.#pending.shift();
    if (next === undefined) throw new Error('no request is waiting for a response');
    const { client } = next;
    await client.when(() => client.stream.isOver, 'a response');
    const { response } = client.stream;
    if (response.status === 0)
      throw new Error(`the stream ended (${client.ending}) where a response should begin`);
    if (this.raw.peerFaults.length > 0) throw new Error(this.raw.peerFaults.join('; '));
    return toRawResponse(response);
  }

  async responses(count: number): Promise<RawResponse[]> {
    const list: RawResponse[] = [];
    while (list.length < count) list.push(await this.response());
    return list;
  }

  async ended(): Promise<Ending> {
    await this.#connection.when(() => this.ending !== 'open', 'the end of the connection');
    return this.ending;
  }

  async received(text: string): Promise<void> {
    await this.#connection.when(() => this.unread.includes(text), JSON.stringify(text));
    if (!this.unread.includes(text)) throw new Error(`the connection ended without ${text}`);
  }

  async settled(roundTrip: () => Promise<unknown>): Promise<void> {
    await this.#last!.client.settled(roundTrip);
  }

  halfClose(): void {
    this.#connection.halfClose();
  }

  reset(): void {
    this.#connection.socket.resetAndDestroy();
    this.#connection.close();
  }

  close(): void {
    this.#connection.close();
  }

  pause(): void {
    this.#connection.reads(false);
  }

  resume(): void {
    this.#connection.reads(true);
  }

  #open({ method, target, headers }: RequestLines): void {
    const fields = headers
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => name !== 'host' && name !== 'connection');
    const authority = headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? 'test';
    const left = Number(fields.find(([name]) => name === 'content-length')?.[1] ?? 0);
    const request = { method, path: target, authority, headers: fields };
    const id = this.#connection.open(request, { endStream: left === 0 });
    this.#last = { client: new StreamClient(this.#connection, id), left };
    this.#pending.push(this.#last);
  }
}

interface RequestLines {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Field[];
}

function readHead(text: string): RequestLines {
  const [first, ...lines] = text.split('\r\n');
  const [method, target] = first!.split(' ');
  const headers = lines.map((line): Field => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { method: method!, target: target!, headers };
}

function toRawResponse(response: H2Response): RawResponse {
  const { status, headers, body, trailers, informational, isComplete } = response;
  return {
    version: 'HTTP/2',
    status,
    reason: '',
    headers: headers as [string, string][],
    body,
    chunks: [],
    trailers: (trailers ?? []) as [string, string][],
    framing: 'none',
    isComplete,
    interim: informational.map((fields) => Number(fields.find(([name]) => name === ':status')?.[1])),
  };
}

/** A WebSocket within a stream (RFC 8441). */
export class H2WebSocketPeer extends H1WebSocketPeer {
  readonly tunnel: StreamClient;

  constructor(tunnel: StreamClient) {
    // It has of a raw client what a WebSocket takes.
    super(tunnel as unknown as RawClient, 0);
    this.tunnel = tunnel;
  }

  get raw(): RawH2Client {
    return this.tunnel.connection;
  }

  override async answer(): Promise<HandshakeAnswer> {
    const { stream } = this.tunnel;
    await this.tunnel.when(
      () => stream.headers !== undefined || stream.isOver,
      'the answer to the handshake',
    );
    if (stream.headers === undefined) throw new Error(`the stream ended (${this.ending}) without an answer`);
    const { status } = stream.response;
    if (status !== 200) await this.tunnel.when(() => stream.isOver, 'the end of the answer');
    const { headers, body } = stream.response;
    return { status, headers: headers as [string, string][], body: status === 200 ? Buffer.alloc(0) : body };
  }
}

/** Fields of an extended CONNECT for a WebSocket, on a connection of its own or on `connection`. */
export async function askForH2WebSocket(
  address: Address,
  options: HandshakeOptions & { readonly on?: RawH2Client; readonly tls?: H2ClientOptions['tls'] } = {},
): Promise<H2WebSocketPeer> {
  const { target = '/', headers = [], early, on, tls } = options;
  const connection =
    (on as H2Connection | undefined) ?? (await H2Connection.open(address, tls === undefined ? {} : { tls }));
  const id = connection.open({
    method: 'CONNECT',
    protocol: 'websocket',
    path: target,
    headers: [['sec-websocket-version', '13'], ...headers],
  });
  const tunnel = new StreamClient(connection, id, on === undefined);
  if (early !== undefined) await tunnel.send(early);
  tunnel.bytesSent = 0;
  return new H2WebSocketPeer(tunnel);
}

/** The same server, whose clients speak HTTP/2. */
export function overHttp2(server: TestServer, options: H2ClientOptions = {}): TestServer {
  const clients: { close(): void }[] = [];
  const dispose = server[Symbol.asyncDispose].bind(server);
  const connectClient = async (): Promise<RawClient> => {
    const client = await H2CarrierClient.connect(server.address, options);
    clients.push(client);
    // It has of a raw client what tests use that run on every carrier.
    return client as unknown as RawClient;
  };
  return Object.assign(server, {
    connect: connectClient,
    async request(request?: SimpleRequest) {
      const client = await connectClient();
      const response = await client.request(request);
      client.close();
      return response;
    },
    async askForWebSocket(handshake: HandshakeOptions): Promise<WebSocketPeer> {
      const { tls } = options;
      const peer = await askForH2WebSocket(server.address, {
        ...handshake,
        ...(tls === undefined ? {} : { tls }),
      });
      clients.push(peer.tunnel);
      return peer;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await dispose();
    },
  });
}

export interface H2TestServer extends TestServer {
  /** A raw client of its own. */
  open(options?: H2ClientOptions): Promise<RawH2Client>;
}

/** A server that speaks HTTP/2 with prior knowledge, and the raw clients of a test. */
export async function startH2Server(app: App, options: StartOptions = {}): Promise<H2TestServer> {
  const server = overHttp2(await startServer(app, { http2: true, ...options }));
  const dispose = server[Symbol.asyncDispose].bind(server);
  const clients: RawH2Client[] = [];
  return Object.assign(server, {
    async open(clientOptions?: H2ClientOptions) {
      const client = await H2Connection.open(server.address, clientOptions);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await dispose();
    },
  });
}
