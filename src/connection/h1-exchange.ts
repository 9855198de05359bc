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
import type { OutboundQueue, Watermarks } from '../transport/outbound-queue.ts';
import type { RequestHead } from '../wire/h1/request-head.ts';
import {
  chunkHead,
  CONTINUE,
  fieldLines,
  filteredFieldLines,
  LAST_CHUNK,
  statusLine,
} from '../wire/h1/response-writer.ts';
import type { FinishedRequest } from './connection-context.ts';
import type { H1Carrier } from './h1-carrier.ts';

/**
 * What a response may send before the event loop turns: so many bytes, each write counting for some beyond its own. The
 * first share is smaller, because any number of responses may begin in one turn.
 */
const TURN_SHARE = 524_288;
const FIRST_SHARE = 131_072;
const WRITE_COST = 4096;

const NOTHING_TO_UNREGISTER = (): void => undefined;

export class H1Exchange implements Exchange, OutboundHandle {
  readonly head: RequestHead;
  readonly peer: Peer;
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
  readonly #settings: Watermarks;
  #isChunked = false;
  #hasContinued = false;
  #contentSent = 0;
  /** Of its share, since it last waited for a turn. */
  #spent = TURN_SHARE - FIRST_SHARE;
  #responseHeaders: HeaderList | undefined = undefined;
  /** For the access log: wall time and monotonic, in milliseconds. */
  #time = 0;
  #startedAt = 0;

  constructor(carrier: H1Carrier, head: RequestHead) {
    this.#carrier = carrier;
    this.#settings = carrier.context.settings;
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
    return this.#carrier?.outbound.bufferedAmount ?? 0;
  }

  get highWaterMark(): number {
    return this.#settings.writeHighWatermark;
  }

  get lowWaterMark(): number {
    return this.#settings.writeLowWatermark;
  }

  onHighWater(callback: () => void): () => void {
    return this.#carrier?.outbound.onHighWater(callback) ?? NOTHING_TO_UNREGISTER;
  }

  onDrain(callback: () => void): () => void {
    return this.#carrier?.outbound.onDrain(callback) ?? NOTHING_TO_UNREGISTER;
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

  respond({ status, headers, hasContent, hasTrailers }: ResponseHead): void {
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
    carrier.outbound.putText(this.#headText(status, headers, carrier.defaultFields(headers)));
    carrier.flushSoon();
  }

  /** The head as text; the one made last of the same list serves again where nothing else differs. */
  #headText(status: number, headers: CheckedHeaders, defaults: string): string {
    const isHttp11 = this.head.minorVersion === 1;
    const key = status * 8 + (this.#isChunked ? 4 : 0) + (this.persists ? 2 : 0) + (isHttp11 ? 1 : 0);
    const { rendered, fields } = headers;
    if (rendered !== undefined && rendered.key === key && rendered.defaults === defaults)
      return rendered.text;

    const dropsLength =
      (fields & FIELD.contentLength) !== 0 && (this.#isChunked || status === 204 || status === 205);
    const isPlain = (fields & (FIELD.hopByHop | FIELD.transferEncoding)) === 0 && !dropsLength;
    let text =
      statusLine(status) +
      (isPlain ? fieldLines(headers.list) : filteredFieldLines(headers.list, dropsLength));
    text += defaults;
    if (this.#isChunked) text += 'transfer-encoding: chunked\r\n';
    // RFC 9110 15.3.6: a 205 says that it has no content.
    else if (status === 205) text += 'content-length: 0\r\n';
    if (!this.persists) text += 'connection: close\r\n';
    else if (!isHttp11) text += 'connection: keep-alive\r\n';
    text += '\r\n';
    headers.rendered = { key, defaults, text };
    return text;
  }

  write(chunk: Chunk): Promise<void> | undefined {
    const carrier = this.#carrier;
    if (carrier === undefined) return undefined;
    carrier.noteSending();
    this.#put(carrier.outbound, chunk);
    carrier.outbound.flush();
    return carrier.outbound.settle() ?? this.#spend(chunk.length + WRITE_COST);
  }

  /** A client that takes everything at once gets its share, and then it is the others' turn. */
  #spend(cost: number): Promise<void> | undefined {
    this.#spent += cost;
    if (this.#spent < TURN_SHARE) return undefined;
    this.#spent = 0;
    return nextTurn();
  }

  end(lastChunk?: Chunk, trailers?: HeaderList): Promise<void> | undefined {
    const carrier = this.#carrier;
    if (carrier === undefined) return undefined;
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
    this.#carrier?.outbound.flush();
    return this.#carrier?.outbound.emptied();
  }

  pauseBody(): void {
    this.#carrier?.pauseBody();
  }

  resumeBody(): void {
    this.#carrier?.resumeBody();
  }

  abort(reason: DisconnectReason): void {
    this.#carrier?.abort(reason);
  }

  /** The exchange is over: from here on nothing that a session does reaches the connection. */
  detach(): void {
    this.#carrier?.outbound.forgetListeners();
    this.#carrier = undefined;
  }

  /** Tells the access log, of the response given here or of another that took its place. */
  report(replacement?: Pick<FinishedRequest, 'status' | 'bytes' | 'responseHeaders'>): void {
    const requestFinished = this.#carrier?.context.requestFinished;
    if (requestFinished === undefined) return;
    requestFinished({
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
      outbound.putText(this.#isChunked ? `${chunkHead(length)}${chunk}\r\n` : chunk);
      return;
    }
    if (this.#isChunked) outbound.putText(chunkHead(length));
    outbound.putBytes(chunk);
    if (this.#isChunked) outbound.putText('\r\n');
  }
}
