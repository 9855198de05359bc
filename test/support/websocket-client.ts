/**
 * A WebSocket client that does what it is told to the byte: any handshake, any frame, no pong and no close frame unless
 * the test sends it. What a server may never send, such as a masked frame, is an error here. Tests speak through
 * `WebSocketPeer`, so that another way to carry a WebSocket is another function that opens one.
 */
import type { HeaderList } from '../../src/contract/send-events.ts';
import { header, type Ending, type RawClient, type RawResponse } from './raw-client.ts';
import type { TestServer } from './start-server.ts';
import { clientFrame, closeFrame, type ServerFrame } from './websocket-frames.ts';

/** The example of RFC 6455 1.3. */
export const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const SAMPLE_ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

export const OP = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface HandshakeOptions {
  readonly target?: string;
  /** Fields of the request besides those of the handshake itself. */
  readonly headers?: HeaderList;
  /** Bytes that leave together with the handshake, before there is an answer. */
  readonly early?: Uint8Array;
}

/** What the server made of the handshake. */
export interface HandshakeAnswer {
  readonly status: number;
  readonly headers: [name: string, value: string][];
  /** Empty where the handshake was accepted. */
  readonly body: Buffer;
}

export interface CloseFrame {
  /** 1005 where the frame had none. */
  readonly code: number;
  readonly reason: string;
}

/** One WebSocket as its client sees it, whatever carries it. Every wait has a bound. */
export interface WebSocketPeer {
  /** Frame bytes that have left. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly ending: Ending;
  /** The answer to the handshake, with its body where it was denied. */
  answer(): Promise<HandshakeAnswer>;
  /** Frame bytes, well formed or not. Resolves when the kernel has them, or the connection has ended. */
  send(bytes: Uint8Array): Promise<void>;
  /** The same, each byte by itself. */
  sendByteByByte(bytes: Uint8Array): Promise<void>;
  text(text: string): Promise<void>;
  binary(bytes: Uint8Array): Promise<void>;
  ping(payload?: string): Promise<void>;
  pong(payload: Uint8Array | string): Promise<void>;
  close(code?: number, reason?: string): Promise<void>;
  /** The next frame, whatever it is. */
  frame(): Promise<ServerFrame>;
  /** The next frame, which must be a whole text message. */
  nextText(): Promise<string>;
  /** The next frame, which must be a close frame. */
  nextClose(): Promise<CloseFrame>;
  /** How the connection ended, when nothing but that is left to come. */
  ended(): Promise<Ending>;
  /** Resolves when the transport has stopped taking bytes: see `RawClient.settled`. */
  settled(roundTrip: () => Promise<unknown>): Promise<void>;
  /** Stops reading. */
  pause(): void;
  resume(): void;
  /** Says that nothing more is to come, without a close frame, and goes on reading. */
  halfClose(): void;
  reset(): void;
  /** Leaves without a word. */
  drop(): void;
}

/** The request of a handshake over HTTP/1.1, a good one but for what `fields` puts in place: these values, or none. */
export function handshakeRequest(
  options: {
    method?: string;
    target?: string;
    fields?: Record<string, readonly string[]>;
    rest?: string;
  } = {},
): string {
  const { method = 'GET', target = '/', fields = {}, rest = '' } = options;
  const all: Record<string, readonly string[]> = {
    host: ['test'],
    upgrade: ['websocket'],
    connection: ['Upgrade'],
    'sec-websocket-key': [SAMPLE_KEY],
    'sec-websocket-version': ['13'],
    ...fields,
  };
  const lines = Object.entries(all).flatMap(([name, values]) =>
    values.map((value) => `${name}: ${value}\r\n`),
  );
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${rest}`;
}

/** Sends a handshake on a connection of its own, and does not wait for the answer. */
export async function askForWebSocket(
  server: TestServer,
  options: HandshakeOptions = {},
): Promise<WebSocketPeer> {
  if (server.askForWebSocket !== undefined) return await server.askForWebSocket(options);
  const { target = '/', headers = [], early } = options;
  const client = await server.connect();
  const fields: Record<string, string[]> = {};
  for (const [name, value] of headers) (fields[name] ??= []).push(value);
  const request = Buffer.from(handshakeRequest({ target, fields }), 'latin1');
  await client.send(early === undefined ? request : Buffer.concat([request, early]));
  return new H1WebSocketPeer(client, request.length);
}

/** A WebSocket that has been accepted. */
export async function openWebSocket(server: TestServer, options?: HandshakeOptions): Promise<WebSocketPeer> {
  const peer = await askForWebSocket(server, options);
  const { status } = await peer.answer();
  if (status !== (server.askForWebSocket === undefined ? 101 : 200))
    throw new Error(`the handshake was answered with ${status}`);
  return peer;
}

/** The answer to a handshake that is on its way on `client`; behind a 101 come frames, so they are not read. */
export async function readAnswer(client: RawClient): Promise<HandshakeAnswer & Partial<RawResponse>> {
  await client.received('\r\n');
  if (!client.unread.startsWith('HTTP/1.1 101 ')) return await client.response();
  await client.line();
  const headers: [string, string][] = [];
  for (;;) {
    const line = await client.line();
    if (line === undefined) throw new Error('the connection ended inside the answer');
    if (line === '') return { status: 101, headers, body: Buffer.alloc(0) };
    const [, name, value] = /^([\w-]+): (.*)$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`not a field line: ${line}`);
    headers.push([name, value!]);
  }
}

/** The value of the one field called `name`, in any case; undefined without it. */
export function answerHeader(answer: HandshakeAnswer, name: string): string | undefined {
  return header(answer as RawResponse, name);
}

export class H1WebSocketPeer implements WebSocketPeer {
  readonly #client: RawClient;
  readonly #before: number;

  /** `before`: bytes that were sent ahead of the first frame. */
  constructor(client: RawClient, before = client.bytesSent) {
    this.#client = client;
    this.#before = before;
    client.socket.setNoDelay(true);
  }

  get bytesSent(): number {
    return this.#client.bytesSent - this.#before;
  }

  get bytesReceived(): number {
    return this.#client.bytesReceived;
  }

  get ending(): Ending {
    return this.#client.ending;
  }

  answer(): Promise<HandshakeAnswer> {
    return readAnswer(this.#client);
  }

  send(bytes: Uint8Array): Promise<void> {
    return this.#client.send(bytes);
  }

  async sendByteByByte(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) await this.#client.send(Uint8Array.of(byte));
  }

  text(text: string): Promise<void> {
    return this.send(clientFrame({ opcode: OP.text, payload: text }));
  }

  binary(bytes: Uint8Array): Promise<void> {
    return this.send(clientFrame({ opcode: OP.binary, payload: bytes }));
  }

  ping(payload = ''): Promise<void> {
    return this.send(clientFrame({ opcode: OP.ping, payload }));
  }

  pong(payload: Uint8Array | string): Promise<void> {
    return this.send(clientFrame({ opcode: OP.pong, payload }));
  }

  close(code?: number, reason?: string): Promise<void> {
    return this.send(closeFrame(code, reason));
  }

  async frame(): Promise<ServerFrame> {
    const [first, second] = (await this.#exactly(2)) as unknown as [number, number];
    const form = second & 0x7f;
    const extended = form < 126 ? undefined : await this.#exactly(form === 126 ? 2 : 8);
    const length =
      extended === undefined
        ? form
        : form === 126
          ? extended.readUInt16BE(0)
          : Number(extended.readBigUInt64BE(0));
    const frame = {
      opcode: first & 0x0f,
      fin: (first & 0x80) !== 0,
      rsv1: (first & 0x40) !== 0,
      rsv2: (first & 0x20) !== 0,
      rsv3: (first & 0x10) !== 0,
      isMasked: second >= 0x80,
      isMinimal: form < 126 || length >= (form === 126 ? 126 : 0x10000),
      payload: await this.#exactly(length),
    };
    // RFC 6455 5.1 and 5.2
    if (frame.isMasked || !frame.isMinimal || frame.rsv2 || frame.rsv3) {
      throw new Error(`no server may send this frame: ${JSON.stringify({ ...frame, payload: length })}`);
    }
    return frame;
  }

  async nextText(): Promise<string> {
    const { opcode, fin, rsv1, payload } = await this.frame();
    if (opcode === OP.text && fin && !rsv1) return Buffer.from(payload).toString();
    throw new Error(`where a text should come: opcode ${opcode}, ${Buffer.from(payload).toString('latin1')}`);
  }

  async nextClose(): Promise<CloseFrame> {
    const { opcode, payload } = await this.frame();
    if (opcode !== OP.close || payload.length === 1) throw new Error(`not a close frame: opcode ${opcode}`);
    if (payload.length === 0) return { code: 1005, reason: '' };
    const bytes = Buffer.from(payload);
    return { code: bytes.readUInt16BE(0), reason: bytes.toString('utf8', 2) };
  }

  async ended(): Promise<Ending> {
    const ending = await this.#client.ended();
    const { unread } = this.#client;
    if (unread !== '') throw new Error(`unread at the end: ${JSON.stringify(unread.slice(0, 200))}`);
    return ending;
  }

  settled(roundTrip: () => Promise<unknown>): Promise<void> {
    return this.#client.settled(roundTrip);
  }

  pause(): void {
    this.#client.pause();
  }

  resume(): void {
    this.#client.resume();
  }

  halfClose(): void {
    this.#client.halfClose();
  }

  reset(): void {
    this.#client.reset();
  }

  drop(): void {
    this.#client.close();
  }

  async #exactly(count: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let left = count; left > 0; left -= pieces.at(-1)!.length) {
      const piece = await this.#client.some(left);
      if (piece === undefined) {
        throw new Error(`the connection ended (${this.ending}) where ${left} bytes of a frame should come`);
      }
      pieces.push(piece);
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }
}
