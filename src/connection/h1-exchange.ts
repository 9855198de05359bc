/**
 * One HTTP/1.1 request and its response: turns what a session says into response bytes on the connection's queue.
 * Framing is decided once, in `respond`: a declared length, chunks, no content, or the end of the connection.
 */
import { Buffer } from 'node:buffer';
import type { DisconnectReason } from '../contract/handles.ts';
import type { Bytes, HeaderList } from '../contract/send-events.ts';
import type { Exchange, ExchangeObserver, Peer, ResponseHead } from '../session/exchange.ts';
import { type CheckedHeaders, FIELD } from '../session/response-headers.ts';
import type { OutboundQueue } from '../transport/outbound-queue.ts';
import type { RequestHead } from '../wire/h1/request-head.ts';
import {
  chunkHead,
  CONTINUE,
  fieldLines,
  filteredFieldLines,
  LAST_CHUNK,
  statusLine,
} from '../wire/h1/response-writer.ts';
import type { H1Carrier } from './h1-carrier.ts';

export class H1Exchange implements Exchange {
  readonly head: RequestHead;
  readonly outbound: OutboundQueue;
  /** Set by the carrier before anything happens; absent for a request that is answered without a session. */
  observer: ExchangeObserver | undefined = undefined;
  /** What the access log tells of the response. */
  status = 0;
  contentSent = 0;
  responseHeaders: HeaderList = [];
  /** Whether the connection goes on behind this response. */
  persists: boolean;
  isResponseDone = false;
  isRequestDone: boolean;
  readonly #carrier: H1Carrier;
  #isChunked = false;
  #hasContinued = false;

  constructor(carrier: H1Carrier, head: RequestHead, outbound: OutboundQueue) {
    this.#carrier = carrier;
    this.head = head;
    this.outbound = outbound;
    this.persists = head.keepsAlive;
    this.isRequestDone = !head.hasBody;
  }

  get peer(): Peer {
    return this.#carrier.peer;
  }

  /** Whether the client may still be waiting for a 100 before it sends the body. */
  get isBodyHeldBack(): boolean {
    return this.head.expectsContinue && !this.#hasContinued && !this.isRequestDone;
  }

  continue(): void {
    // RFC 9110 10.1.1: not once body bytes have come, and not behind the start of the final response.
    if (!this.isBodyHeldBack || this.status !== 0) return;
    this.#hasContinued = true;
    if (this.#carrier.hasBodyBytes) return;
    this.outbound.putText(CONTINUE);
    this.outbound.flush();
  }

  respond({ status, headers, hasContent, hasTrailers }: ResponseHead): void {
    const isHttp11 = this.head.minorVersion === 1;
    this.status = status;
    this.responseHeaders = headers.list;
    this.#isChunked = hasContent && isHttp11 && (headers.contentLength < 0 || hasTrailers);
    // RFC 9112 6.3: without a length and without chunks only the end of the connection ends the content.
    if (hasContent && !isHttp11 && headers.contentLength < 0) this.persists = false;
    if ((headers.fields & FIELD.closes) !== 0 || !this.#carrier.mayPersist(this)) this.persists = false;
    this.#carrier.noteSending();
    this.outbound.putText(this.#headText(status, headers));
    this.#carrier.flushSoon();
  }

  /** The head as text; the one made last of the same list serves again where nothing else differs. */
  #headText(status: number, headers: CheckedHeaders): string {
    const defaults = this.#carrier.defaultFields(headers);
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

  write(chunk: Bytes): Promise<void> | undefined {
    this.#carrier.noteSending();
    this.#put(chunk);
    this.outbound.flush();
    return this.outbound.settle();
  }

  end(lastChunk?: Bytes, trailers?: HeaderList): Promise<void> | undefined {
    this.#carrier.noteSending();
    if (lastChunk !== undefined) this.#put(lastChunk);
    if (this.#isChunked) {
      const section = trailers === undefined ? '' : fieldLines(trailers);
      this.outbound.putText(`${LAST_CHUNK}${section}\r\n`);
    }
    this.isResponseDone = true;
    return this.#carrier.responseEnded(this);
  }

  flush(): Promise<void> | undefined {
    this.outbound.flush();
    return this.outbound.emptied();
  }

  pauseBody(): void {
    this.#carrier.pauseBody();
  }

  resumeBody(): void {
    this.#carrier.resumeBody();
  }

  abort(reason: DisconnectReason): void {
    this.#carrier.abort(reason);
  }

  #put(chunk: Bytes): void {
    if (typeof chunk === 'string') {
      const size = Buffer.byteLength(chunk);
      // As many bytes as chars: ASCII, which is a byte string as it stands.
      if (size !== chunk.length) this.#putBytes(Buffer.from(chunk));
      else if (size > 0) this.#putAscii(chunk);
    } else if (chunk.byteLength > 0) this.#putBytes(chunk);
  }

  #putAscii(text: string): void {
    this.contentSent += text.length;
    this.outbound.putText(this.#isChunked ? `${chunkHead(text.length)}${text}\r\n` : text);
  }

  #putBytes(bytes: Uint8Array): void {
    this.contentSent += bytes.byteLength;
    if (this.#isChunked) this.outbound.putText(chunkHead(bytes.byteLength));
    this.outbound.putBytes(bytes);
    if (this.#isChunked) this.outbound.putText('\r\n');
  }
}
