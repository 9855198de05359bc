/**
 * An HTTP/2 connection of the load driver (RFC 9113), without TLS and with prior knowledge. A GOAWAY splits its streams: those up
 * to the last one that it names must be answered, those above have not been looked at and may be sent elsewhere (section 6.8).
 */
import { Buffer } from 'node:buffer';
import {
  CODE,
  contentOf,
  dataFrame,
  FLAG,
  type Frame,
  headersFrame,
  pingFrame,
  PREFACE,
  readFrame,
  SETTING,
  settingsAckFrame,
  settingsFrame,
  TYPE,
  windowUpdateFrame,
} from '../h2/frames.ts';
import { type Field, HpackDecoder, plainBlock } from '../h2/hpack.ts';
import { LoadFault } from './load-fault.ts';
import type { Target } from './load-plan.ts';
import type { Answer } from './load-request.ts';
import { LoadSocket } from './load-socket.ts';

/** The stream was above the last one of a GOAWAY. */
export const UNPROCESSED = Symbol('unprocessed');

const WINDOW = 2 ** 24;
const REFILL = 2 ** 20;

interface OpenStream {
  status: number;
  readonly body: Buffer[];
  /** Takes the body as it comes, instead of having it kept. */
  readonly onData: ((bytes: Buffer) => void) | undefined;
  readonly ended: PromiseWithResolvers<Answer | typeof UNPROCESSED>;
}

export interface H2LoadRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: readonly Field[];
  readonly body?: string;
  readonly onData?: (bytes: Buffer) => void;
}

export class H2Connection {
  readonly #socket: LoadSocket;
  readonly #decoder = new HpackDecoder();
  readonly #streams = new Map<number, OpenStream>();
  #unread: Buffer = Buffer.alloc(0);
  #nextId = 1;
  #received = 0;
  #isLeaving = false;
  #block: { frame: Frame; parts: Buffer[] } | undefined;
  answers = 0;
  pid: number | undefined;

  static async open(target: Target): Promise<H2Connection> {
    return new H2Connection(await LoadSocket.connect(target));
  }

  private constructor(socket: LoadSocket) {
    this.#socket = socket;
    const settings = settingsFrame([
      [SETTING.enablePush, 0],
      [SETTING.initialWindowSize, WINDOW],
    ]);
    socket.write(PREFACE, settings, windowUpdateFrame(0, WINDOW));
    socket.observe({
      data: (bytes) => this.#feed(bytes),
      closed: (isReset) => this.#fail(new LoadFault(isReset ? 'reset' : 'closed before an answer')),
    });
  }

  /** Whether another stream may be opened. */
  get isUsable(): boolean {
    return !this.#isLeaving && !this.#socket.isClosed;
  }

  get history(): { readonly answers: number; readonly pid: number | undefined } {
    return { answers: this.answers, pid: this.pid };
  }

  ask({
    method,
    path,
    headers = [],
    body = '',
    onData,
  }: H2LoadRequest): Promise<Answer | typeof UNPROCESSED> {
    const id = this.#nextId;
    this.#nextId += 2;
    const ended = Promise.withResolvers<Answer | typeof UNPROCESSED>();
    this.#streams.set(id, { status: 0, body: [], onData, ended });
    const block = plainBlock([
      [':method', method],
      [':scheme', 'http'],
      [':path', path],
      [':authority', 'test'],
      ...headers,
    ]);
    const head = headersFrame(id, block, { endStream: body === '' });
    if (body === '') this.#socket.write(head);
    else this.#socket.write(head, dataFrame(id, body, { endStream: true }));
    return ended.promise;
  }

  close(): void {
    this.#isLeaving = true;
    this.#socket.close();
  }

  #feed(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    try {
      for (let read = readFrame(this.#unread); read !== undefined; read = readFrame(this.#unread)) {
        this.#unread = this.#unread.subarray(read.size);
        this.#frame(read.frame);
      }
    } catch (error) {
      this.#fail(error instanceof LoadFault ? error : new LoadFault('bad answer', String(error)));
      this.close();
      return;
    }
    if (this.#isLeaving && this.#streams.size === 0) this.#socket.close();
  }

  #frame(frame: Frame): void {
    const { type, flags, stream: id, payload } = frame;
    if (type === TYPE.headers) this.#block = { frame, parts: [contentOf(frame)] };
    if (type === TYPE.continuation) this.#block?.parts.push(payload);
    if ((type === TYPE.headers || type === TYPE.continuation) && flags & FLAG.endHeaders) this.#head();
    if (type === TYPE.data) this.#data(frame);
    if (type === TYPE.settings && !(flags & FLAG.ack)) this.#socket.write(settingsAckFrame());
    if (type === TYPE.ping && !(flags & FLAG.ack)) this.#socket.write(pingFrame(payload, { ack: true }));
    if (type === TYPE.goaway) this.#goaway(payload.readUInt32BE(0), payload.readUInt32BE(4));
    if (type === TYPE.rstStream) {
      const stream = this.#streams.get(id);
      this.#streams.delete(id);
      stream?.ended.reject(new LoadFault('stream reset', `code ${payload.readUInt32BE(0)}`));
    }
  }

  #head(): void {
    const { frame, parts } = this.#block!;
    this.#block = undefined;
    const fields = this.#decoder.decode(Buffer.concat(parts));
    const stream = this.#streams.get(frame.stream);
    if (stream === undefined) return;
    stream.status = Number(fields.find(([name]) => name === ':status')?.[1]);
    if (frame.flags & FLAG.endStream) this.#end(frame.stream, stream);
  }

  #data(frame: Frame): void {
    this.#received += frame.payload.length;
    if (this.#received >= REFILL) {
      this.#socket.write(windowUpdateFrame(0, this.#received));
      this.#received = 0;
    }
    const stream = this.#streams.get(frame.stream);
    if (stream === undefined) return;
    if (stream.onData === undefined) stream.body.push(contentOf(frame));
    else stream.onData(contentOf(frame));
    if (frame.flags & FLAG.endStream) this.#end(frame.stream, stream);
  }

  #end(id: number, { status, body, ended }: OpenStream): void {
    this.#streams.delete(id);
    ended.resolve({ status, body: Buffer.concat(body).toString() });
  }

  #goaway(last: number, code: number): void {
    this.#isLeaving = true;
    if (code !== CODE.noError) this.#fail(new LoadFault('bad answer', `GOAWAY with code ${code}`));
    for (const [id, { ended }] of this.#streams) {
      if (id <= last) continue;
      this.#streams.delete(id);
      ended.resolve(UNPROCESSED);
    }
  }

  #fail(fault: LoadFault): void {
    this.#isLeaving = true;
    for (const { ended } of this.#streams.values()) ended.reject(fault);
    this.#streams.clear();
  }
}
