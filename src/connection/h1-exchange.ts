/**
 * One HTTP/1.1 request and its response: turns what a session says into response bytes on the connection's queue.
 * Framing is decided once, in `respond`: a declared length, chunks, no content, or the end of the connection.
 */
import { nextTurn } from '../clock/turns.ts';
import type { DisconnectReason } from '../contract/handles.ts';
import type { HeaderList } from '../contract/send-events.ts';
import type {
  Chunk,
  Exchange,
  ExchangeObserver,
  OutboundHandle,
  Peer,
  ResponseHead,
} from '../session/exchange.ts';
import { type CheckedHeaders, FIELD } from '../session/response-headers.ts';
import type { OutboundQueue } from '../transport/outbound-queue.ts';
import type { RequestHead } from '../wire/h1/request-head.ts';
import {
  chunkHead,
  textChunk,
  CONTINUE,
  fieldLines,
  filteredFieldLines,
  LAST_CHUNK,
  statusLine,
} from '../wire/h1/response-writer.ts';
import type { CarrierContext, FinishedRequest } from './connection-context.ts';
import type { H1Carrier } from './h1-carrier.ts';
import { Tunnel } from './tunnel.ts';
import { TurnShare } from './turn-share.ts';

/** RFC 9110 7.8, RFC 6455 4.2.2. */
const SWITCHES = 'upgrade: websocket\r\nconnection: Upgrade\r\n\r\n';

/** Bytes of an event stream that may wait for the end of the turn. */
const MAX_HELD = 16_384;
/** Bytes that may wait however low the high-water mark is: as many as the largest message that is usual. */
const MIN_OVERFLOW = 16_777_216;

const NOTHING_TO_UNREGISTER = (): void => undefined;

export class H1Exchange implements Exchange, OutboundHandle {
  readonly head: RequestHead;
  readonly peer: Peer;
  readonly context: CarrierContext;
  /** Set by the carrier before anything happens; absent for a request that is answered without a session. */
  observer: ExchangeObserver | undefined = undefined;
  /** Of the response; 0 before it has begun. */
  status = 0;
  /** Whether the connection goes on behind this response. */
  persists: boolean;
  isResponseDone = false;
  isRequestDone: boolean;
  /** Undefined once the exchange is over: the carrier may be at another one, which is none of this one's business. */
  #carrier: H1Carrier | undefined;
  /** In place of the carrier, once the protocol has been switched. */
  #tunnel: Tunnel | undefined = undefined;
  #isChunked = false;
  #isStream = false;
  #hasContinued = false;
  #contentSent = 0;
  /** Made for the first write; most responses have none before their end. */
  #share: TurnShare | undefined = undefined;
  #responseHeaders: HeaderList | undefined = undefined;
  /** For the access log: wall time and monotonic, in milliseconds. */
  #time = 0;
  #startedAt = 0;

  constructor(carrier: H1Carrier, head: RequestHead) {
    this.#carrier = carrier;
    this.context = carrier.context;
    this.head = head;
    this.peer = carrier.peer;
    this.persists = head.keepsAlive;
    this.isRequestDone = !head.hasBody;
    if (carrier.context.requestFinished === undefined) return;
    this.#time = Date.now();
    this.#startedAt = performance.now();
  }

  // What a session sees of the queue, for as long as the exchange lasts.

  get outbound(): OutboundHandle {
    return this;
  }

  get bufferedAmount(): number {
    return this.#queue?.bufferedAmount ?? 0;
  }

  get highWaterMark(): number {
    return this.context.settings.writeHighWatermark;
  }

  get lowWaterMark(): number {
    return this.context.settings.writeLowWatermark;
  }

  get overflowMark(): number {
    return Math.max(MIN_OVERFLOW, 4 * this.highWaterMark);
  }

  onHighWater(callback: () => void): () => void {
    return this.#queue?.onHighWater(callback) ?? NOTHING_TO_UNREGISTER;
  }

  onDrain(callback: () => void): () => void {
    return this.#queue?.onDrain(callback) ?? NOTHING_TO_UNREGISTER;
  }

  get #queue(): OutboundQueue | undefined {
    return (this.#carrier ?? this.#tunnel)?.outbound;
  }

  /** Whether the client may still be waiting for a 100 before it sends the body. */
  get isBodyHeldBack(): boolean {
    return this.head.expectsContinue && !this.#hasContinued && !this.isRequestDone;
  }

  continue(): void {
    // RFC 9110 10.1.1: not once body bytes have come, and not behind the start of the final response.
    const carrier = this.#carrier;
    if (carrier === undefined || !this.isBodyHeldBack || this.status !== 0) return;
    this.#hasContinued = true;
    if (carrier.hasBodyBytes) return;
    carrier.outbound.putText(CONTINUE);
    carrier.outbound.flush();
  }

  respond({ status, headers, hasContent, hasTrailers, isStream }: ResponseHead): void {
    const carrier = this.#carrier;
    if (carrier === undefined) return;
    const isHttp11 = this.head.minorVersion === 1;
    this.status = status;
    this.#responseHeaders = headers.list;
    this.#isChunked = hasContent && isHttp11 && (headers.contentLength < 0 || hasTrailers);
    // RFC 9112 6.3: without a length and without chunks only the end of the connection ends the content.
    if (hasContent && !isHttp11 && headers.contentLength < 0) this.persists = false;
    if ((headers.fields & FIELD.closes) !== 0 || !carrier.mayPersist(this)) this.persists = false;
    carrier.noteSending();
    if (isStream) {
      this.#isStream = true;
      carrier.beginStream();
    }
    carrier.outbound.putText(this.#headText(status, headers, this.context.defaults.text(headers)));
    carrier.flushSoon();
  }

  openTunnel(headers: CheckedHeaders): void {
    const carrier = this.#carrier;
    if (carrier === undefined) return;
    this.status = 101;
    this.#responseHeaders = headers.list;
    // RFC 9110 8.6: a 1xx response has no Content-Length.
    const lines = filteredFieldLines(headers.list, true) + this.context.defaults.text(headers);
    carrier.outbound.putText(`${statusLine(101)}${lines}${SWITCHES}`);
    this.#carrier = undefined;
    const { connection, isInputEnded, early } = carrier.handOver();
    this.#tunnel = new Tunnel(connection, this, carrier.outbound);
    connection.switchTo(this.#tunnel);
    this.#tunnel.begin(early, isInputEnded);
  }

  /** The head as text; the one made last of the same list serves again where nothing else differs. */
  #headText(status: number, headers: CheckedHeaders, defaults: string): string {
    const isHttp11 = this.head.minorVersion === 1;
    const framing = (this.#isChunked ? 4 : 0) + (this.persists ? 2 : 0) + (isHttp11 ? 1 : 0);
    const key = status * 16 + (this.#isStream ? 8 : 0) + framing;
    const { rendered, fields } = headers;
    if (rendered !== undefined && rendered.key === key && rendered.defaults === defaults)
      return rendered.text;

    const dropsLength =
      (fields & FIELD.contentLength) !== 0 && (this.#isChunked || status === 204 || status === 205);
    // RFC 9110 15.5.22: a 426 says what to upgrade to.
    const keepsUpgrade = status === 426;
    const isPlain = (fields & (FIELD.hopByHop | FIELD.transferEncoding)) === 0 && !dropsLength;
    let text =
      statusLine(status) +
      (isPlain ? fieldLines(headers.list) : filteredFieldLines(headers.list, dropsLength, keepsUpgrade));
    text += defaults;
    if (this.#isChunked) text += 'transfer-encoding: chunked\r\n';
    // RFC 9110 15.3.6: a 205 says that it has no content.
    else if (status === 205) text += 'content-length: 0\r\n';
    if (keepsUpgrade && !isPlain) text += `connection: ${this.persists ? 'upgrade' : 'close, upgrade'}\r\n`;
    else if (!this.persists) text += 'connection: close\r\n';
    // Said of an event stream as well, for whatever stands between that needs to be told.
    else if (!isHttp11 || this.#isStream) text += 'connection: keep-alive\r\n';
    text += '\r\n';
    headers.rendered = { key, defaults, text };
    return text;
  }

  write(chunk: Chunk, second?: Chunk): Promise<void> | undefined {
    const carrier = this.#carrier;
    if (carrier === undefined) return this.#writeToTunnel(chunk, second);
    const { outbound } = carrier;
    if (outbound.bufferedAmount > MIN_OVERFLOW && this.#isOverflowing) return this.#overflow();
    carrier.noteSending();
    this.#put(outbound, chunk);
    if (second !== undefined) this.#put(outbound, second);
    if (this.#isStream && outbound.bufferedAmount <= Math.min(MAX_HELD, outbound.highWaterMark)) {
      // Events of one turn leave in one write, and those of many clients one after another.
      outbound.own();
      carrier.flushSoon();
    } else outbound.flush();
    const waiting = outbound.settle();
    if (waiting !== undefined) return waiting;
    return (this.#share ??= new TurnShare()).spend(chunk.length) ? nextTurn() : undefined;
  }

  #writeToTunnel(chunk: Chunk, second: Chunk | undefined): Promise<void> | undefined {
    const tunnel = this.#tunnel;
    if (tunnel === undefined) return undefined;
    if (tunnel.outbound.bufferedAmount > MIN_OVERFLOW && this.#isOverflowing) return this.#overflow();
    this.#contentSent += chunk.length + (second?.length ?? 0);
    return tunnel.send(chunk, second);
  }

  get #isOverflowing(): boolean {
    return this.bufferedAmount > this.overflowMark;
  }

  /** Who sends on and on without waiting would fill the memory for a client that does not read. */
  #overflow(): undefined {
    this.abort('queue_overflow');
    return undefined;
  }

  end(lastChunk?: Chunk, trailers?: HeaderList): Promise<void> | undefined {
    const carrier = this.#carrier;
    if (carrier === undefined) return this.#tunnel?.end();
    carrier.noteSending();
    if (lastChunk !== undefined) this.#put(carrier.outbound, lastChunk);
    if (this.#isChunked) {
      const section = trailers === undefined ? '' : fieldLines(trailers);
      carrier.outbound.putText(`${LAST_CHUNK}${section}\r\n`);
    }
    this.isResponseDone = true;
    return carrier.responseEnded(this);
  }

  flush(): Promise<void> | undefined {
    const queue = this.#queue;
    queue?.flush();
    return queue?.emptied();
  }

  pauseBody(): void {
    if (this.#tunnel === undefined) this.#carrier?.pauseBody();
    else this.#tunnel.pause();
  }

  resumeBody(): void {
    if (this.#tunnel === undefined) this.#carrier?.resumeBody();
    else this.#tunnel.resume();
  }

  abort(reason: DisconnectReason): void {
    if (reason === 'queue_overflow') {
      this.context.log.error(
        `${this.head.method} ${this.head.rawPath}: more than ${this.overflowMark} bytes wait for the client, and the ` +
          'application sends on without waiting for send; connection closed',
      );
    }
    (this.#carrier ?? this.#tunnel)?.abort(reason);
  }

  /** The exchange is over: from here on nothing that a session does reaches the connection. */
  detach(): void {
    this.#queue?.forgetListeners();
    this.#carrier = undefined;
    this.#tunnel = undefined;
  }

  /** It has come to its end, as it is. */
  finish(): void {
    this.report();
    this.detach();
  }

  /** Tells the access log, of the response given here or of another that took its place. */
  report(replacement?: Pick<FinishedRequest, 'status' | 'bytes' | 'responseHeaders'>): void {
    this.context.requestFinished?.({
      head: this.head,
      peer: this.peer,
      status: replacement?.status ?? this.status,
      bytes: replacement?.bytes ?? this.#contentSent,
      time: this.#time,
      duration: performance.now() - this.#startedAt,
      responseHeaders: replacement?.responseHeaders ?? this.#responseHeaders ?? [],
    });
  }

  #put(outbound: OutboundQueue, chunk: Chunk): void {
    const { length } = chunk;
    if (length === 0) return;
    this.#contentSent += length;
    if (typeof chunk === 'string') {
      outbound.putText(this.#isChunked ? textChunk(chunk) : chunk);
      return;
    }
    if (this.#isChunked) outbound.putText(chunkHead(length));
    outbound.putBytes(chunk);
    if (this.#isChunked) outbound.putText('\r\n');
  }
}
