/**
 * An HTTP/2 client that does what it is told to the byte: sends any frames, well formed or not, keeps every frame that came, and
 * says how the connection ended. What a client must do by itself (acknowledge SETTINGS and PING, grant windows) it does
 * unless told not to. Every wait has a bound.
 */
import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Address } from '../raw-client.ts';
import { within } from '../within.ts';
import {
  CODE,
  contentOf,
  dataFrame,
  continuationFrame,
  describeFrame,
  FLAG,
  type Frame,
  headersFrame,
  pingFrame,
  PREFACE,
  readSettings,
  rstStreamFrame,
  SETTING,
  settingsAckFrame,
  settingsFrame,
  TYPE,
  windowUpdateFrame,
} from './frames.ts';
import { FrameSocket } from './frame-socket.ts';
import { type Field, HpackDecoder, HpackEncoder } from './hpack.ts';
import { type H2Response, ReceivedStream } from './received-stream.ts';

export type { H2Response } from './received-stream.ts';

const DEFAULT_WINDOW = 65_535;

export interface H2ClientOptions {
  /** Over TLS, with ALPN `h2` unless this says otherwise; certificates are not verified unless it says so. */
  readonly tls?: ConnectionOptions;
  readonly acksSettings?: boolean;
  readonly answersPings?: boolean;
  /** Whether windows are granted again once half of them is used. */
  readonly refillsWindows?: boolean;
}

export interface H2Request {
  readonly method?: string;
  readonly path?: string;
  readonly scheme?: string;
  readonly authority?: string;
  readonly protocol?: string;
  readonly headers?: readonly Field[];
  readonly body?: Uint8Array | string;
  readonly trailers?: readonly Field[];
}

export interface Goaway {
  readonly lastStream: number;
  readonly code: number;
  readonly debug: string;
}

export class RawH2Client extends FrameSocket {
  readonly encoder = new HpackEncoder();
  readonly decoder = new HpackDecoder();
  readonly goaways: Goaway[] = [];
  /** The peer's settings as it sent them last. */
  readonly peerSettings = new Map<number, number>();
  acksSettings: boolean;
  answersPings: boolean;
  refillsWindows: boolean;
  sendWindow = DEFAULT_WINDOW;
  receiveWindow = DEFAULT_WINDOW;
  #initialReceiveWindow = DEFAULT_WINDOW;
  #settingsAcks = 0;
  #nextId = 1;
  #block: { stream: number; isEnd: boolean; parts: Buffer[] } | undefined;
  readonly #streams = new Map<number, ReceivedStream>();

  /** `socket` is connected, and its TLS handshake done. */
  constructor(socket: Socket, options: H2ClientOptions = {}) {
    super(socket);
    this.acksSettings = options.acksSettings ?? true;
    this.answersPings = options.answersPings ?? true;
    this.refillsWindows = options.refillsWindows ?? true;
  }

  static async connect(address: Address, options: H2ClientOptions = {}): Promise<RawH2Client> {
    const { tls } = options;
    const socket =
      tls === undefined
        ? connect({ ...address, allowHalfOpen: true })
        : connectTls({
            ...address,
            ALPNProtocols: ['h2'],
            rejectUnauthorized: false,
            servername: 'localhost',
            ...tls,
          });
    await within(
      new Promise<void>((resolve, reject) => {
        socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve);
        socket.once('error', reject);
      }),
      `a connection to ${JSON.stringify(address)}`,
    );
    return new RawH2Client(socket, options);
  }

  /** Connected, and with the settings of both sides exchanged. */
  static async open(address: Address, options: H2ClientOptions = {}): Promise<RawH2Client> {
    const client = await RawH2Client.connect(address, options);
    await client.start();
    return client;
  }

  /** The last GOAWAY. */
  get goaway(): Goaway | undefined {
    return this.goaways.at(-1);
  }

  // Sending.

  /** Preface and SETTINGS, then waits for the peer's SETTINGS and its acknowledgement. */
  async start(settings: readonly (readonly [id: number, value: number])[] = []): Promise<void> {
    void this.send(PREFACE);
    await this.settings(settings);
    await this.seen(
      ({ type, flags }) => type === TYPE.settings && (flags & FLAG.ack) === 0,
      'the SETTINGS of the server',
    );
  }

  /** Sends SETTINGS, and waits until they are acknowledged; own limits follow them. */
  async settings(settings: readonly (readonly [id: number, value: number])[]): Promise<void> {
    const acks = this.#settingsAcks + 1;
    for (const [id, value] of settings) this.#promise(id, value);
    void this.send(settingsFrame(settings));
    await this.until(() => this.#settingsAcks >= acks, 'the acknowledgement of SETTINGS');
    const tableSize = settings.findLast(([id]) => id === SETTING.headerTableSize);
    if (tableSize !== undefined) this.decoder.limit(tableSize[1]);
  }

  #promise(id: number, value: number): void {
    if (id === SETTING.maxFrameSize) this.maxFrameSize = value;
    if (id !== SETTING.initialWindowSize) return;
    for (const stream of this.#streams.values()) stream.receiveWindow += value - this.#initialReceiveWindow;
    this.#initialReceiveWindow = value;
  }

  /** A field section through the encoder of the connection, in as many frames as the peer's frame size asks for. */
  sendSection(stream: number, fields: readonly Field[], { endStream = false } = {}): void {
    const most = this.peerSettings.get(SETTING.maxFrameSize) ?? 16_384;
    const block = this.encoder.encode(fields);
    const parts = [
      headersFrame(stream, block.subarray(0, most), { endStream, endHeaders: block.length <= most }),
    ];
    for (let at = most; at < block.length; at += most) {
      parts.push(
        continuationFrame(stream, block.subarray(at, at + most), { endHeaders: at + most >= block.length }),
      );
    }
    void this.send(...parts);
  }

  /** Sends the head of a request on the next stream, which it returns; the body is the caller's to send. */
  open(request: H2Request = {}, { endStream = false } = {}): number {
    const stream = this.#nextId;
    this.#nextId += 2;
    this.stream(stream);
    this.sendSection(stream, requestFields(request), { endStream });
    return stream;
  }

  /** DATA as the windows of the peer allow; stops silently when the stream is over before its end. */
  async sendBody(id: number, body: Uint8Array | string, { endStream = true } = {}): Promise<void> {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const stream = this.stream(id);
    const most = this.peerSettings.get(SETTING.maxFrameSize) ?? 16_384;
    const room = (): number => Math.min(this.sendWindow, stream.sendWindow, most);
    let left = Buffer.from(bytes);
    do {
      await this.until(() => stream.isOver || left.length === 0 || room() > 0, `a window for stream ${id}`);
      if (stream.isOver) return;
      const piece = left.subarray(0, Math.max(room(), 0));
      left = left.subarray(piece.length);
      this.sendWindow -= piece.length;
      stream.sendWindow -= piece.length;
      if (piece.length > 0 || endStream)
        await this.send(dataFrame(id, piece, { endStream: endStream && left.length === 0 }));
    } while (left.length > 0);
  }

  /** A whole request on a stream of its own, and its response. */
  async request(request: H2Request = {}): Promise<H2Response> {
    const { body, trailers } = request;
    const stream = this.open(request, { endStream: body === undefined && trailers === undefined });
    if (body !== undefined) await this.sendBody(stream, body, { endStream: trailers === undefined });
    if (trailers !== undefined) this.sendSection(stream, trailers, { endStream: true });
    return await this.response(stream);
  }

  /** Grants window by hand; stream 0 is the connection. */
  grant(stream: number, increment: number): void {
    if (stream === 0) this.receiveWindow += increment;
    else this.stream(stream).receiveWindow += increment;
    void this.send(windowUpdateFrame(stream, increment));
  }

  reset(stream: number, code: number = CODE.cancel): void {
    void this.send(rstStreamFrame(stream, code));
  }

  /** Sends PING and waits for the answer with the same payload. */
  async ping(payload: string = String(this.frames.length % 100_000_000).padStart(8, '0')): Promise<void> {
    const from = this.frames.length;
    void this.send(pingFrame(payload));
    const isAnswer = ({ type, flags, payload: given }: Frame): boolean =>
      type === TYPE.ping && (flags & FLAG.ack) !== 0 && given.toString('latin1') === payload;
    await this.seen(isAnswer, 'the answer to PING', from);
  }

  // Waiting.

  /** What stream `id` has brought. */
  stream(id: number): ReceivedStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      const window = this.peerSettings.get(SETTING.initialWindowSize) ?? DEFAULT_WINDOW;
      stream = new ReceivedStream(id, window, this.#initialReceiveWindow);
      this.#streams.set(id, stream);
    }
    return stream;
  }

  /** The response on `id` once the stream, or the connection, is over. */
  async response(id: number): Promise<H2Response> {
    const stream = this.stream(id);
    while (!stream.isOver && this.ending === 'open') await this.event(`the response on stream ${id}`);
    return stream.response;
  }

  /** The head of the final response on `id` has come. */
  async responseHead(id: number): Promise<H2Response> {
    const stream = this.stream(id);
    await this.until(
      () => stream.headers !== undefined || stream.isOver,
      `the head of the response on stream ${id}`,
    );
    return stream.response;
  }

  /** So many bytes of the body on `id` have come. */
  async received(id: number, count: number): Promise<void> {
    await this.until(() => this.stream(id).received >= count, `${count} bytes on stream ${id}`);
  }

  // Receiving.

  protected override note(frame: Frame): void {
    const { type, flags, stream, payload } = frame;
    if (this.#block !== undefined && (type !== TYPE.continuation || stream !== this.#block.stream)) {
      this.peerFaults.push(`in the middle of a field section: ${describeFrame(frame)}`);
    }
    if (type === TYPE.settings) this.#noteSettings(frame);
    else if (type === TYPE.ping && (flags & FLAG.ack) === 0) {
      if (this.answersPings) void this.send(pingFrame(payload, { ack: true }));
    } else if (type === TYPE.windowUpdate) {
      if (stream === 0) this.sendWindow += payload.readUInt32BE(0);
      else this.stream(stream).sendWindow += payload.readUInt32BE(0);
    } else if (type === TYPE.rstStream) this.#noteReset(frame);
    else if (type === TYPE.goaway) {
      const debug = payload.toString('latin1', 8);
      this.goaways.push({ lastStream: payload.readUInt32BE(0), code: payload.readUInt32BE(4), debug });
    } else if (type === TYPE.data) this.#noteData(frame);
    else if (type === TYPE.headers || type === TYPE.continuation) this.#noteBlock(frame);
  }

  /** Nothing may follow on a stream that is closed, another RST_STREAM included (RFC 9113 5.1). */
  #noteReset(frame: Frame): void {
    const stream = this.stream(frame.stream);
    if (stream.resetCode !== undefined) this.peerFaults.push(`once more: ${describeFrame(frame)}`);
    stream.resetCode ??= frame.payload.readUInt32BE(0);
  }

  #noteSettings(frame: Frame): void {
    if ((frame.flags & FLAG.ack) !== 0) {
      this.#settingsAcks += 1;
      return;
    }
    for (const [id, value] of readSettings(frame)) {
      const before = this.peerSettings.get(id) ?? DEFAULT_WINDOW;
      this.peerSettings.set(id, value);
      if (id === SETTING.headerTableSize) this.encoder.limit(value);
      if (id !== SETTING.initialWindowSize) continue;
      for (const stream of this.#streams.values()) stream.sendWindow += value - before;
    }
    if (this.acksSettings) void this.send(settingsAckFrame());
  }

  #noteData(frame: Frame): void {
    const stream = this.stream(frame.stream);
    const size = frame.payload.length;
    stream.pieces.push(contentOf(frame));
    stream.receiveWindow -= size;
    this.receiveWindow -= size;
    if (stream.receiveWindow < 0 || this.receiveWindow < 0)
      this.peerFaults.push(`beyond its window: ${describeFrame(frame)}`);
    if ((frame.flags & FLAG.endStream) !== 0) stream.isComplete = true;
    if (!this.refillsWindows) return;
    if (this.receiveWindow <= DEFAULT_WINDOW / 2) this.grant(0, DEFAULT_WINDOW - this.receiveWindow);
    const half = this.#initialReceiveWindow / 2;
    if (!stream.isOver && stream.receiveWindow <= half && size > 0) {
      this.grant(stream.id, this.#initialReceiveWindow - stream.receiveWindow);
    }
  }

  #noteBlock(frame: Frame): void {
    const { flags, stream } = frame;
    const isEnd = frame.type === TYPE.headers && (flags & FLAG.endStream) !== 0;
    this.#block ??= { stream, isEnd, parts: [] };
    this.#block.parts.push(contentOf(frame));
    if ((flags & FLAG.endHeaders) === 0) return;
    const block = this.#block;
    this.#block = undefined;
    try {
      this.stream(stream).section(this.decoder.decode(Buffer.concat(block.parts)));
    } catch (error) {
      this.peerFaults.push(`a field section on stream ${stream}: ${(error as Error).message}`);
    }
    if (block.isEnd) this.stream(stream).isComplete = true;
  }
}

/** The fields of a request, its pseudo-header fields first (RFC 9113 section 8.3.1). */
export function requestFields(request: H2Request = {}): Field[] {
  const { method = 'GET', path = '/', scheme = 'http', authority = 'test', protocol, headers = [] } = request;
  return [
    [':method', method],
    ...(protocol === undefined ? [] : [[':protocol', protocol] as const]),
    [':scheme', scheme],
    [':authority', authority],
    [':path', path],
    ...headers,
  ];
}

/** The value of the one field called `name`; undefined without it. */
export function h2Header(
  { headers }: { readonly headers: readonly Field[] },
  name: string,
): string | undefined {
  const values = headers.filter(([given]) => given === name);
  if (values.length > 1) throw new Error(`${name} comes ${values.length} times`);
  return values[0]?.[1];
}
