/**
 * One HTTP/2 stream: a request and its response, or a tunnel. It turns what a session says into calls of the stream, whose
 * flow control decides how much leaves. What it writes counts until the stream and the connection below have let go of it.
 */
import type { Buffer } from 'node:buffer';
import type { ServerHttp2Stream } from 'node:http2';
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
import { CheckedHeaders } from '../session/response-headers.ts';
import { H2_ERROR } from '../wire/h2/errors.ts';
import type { BlockFields } from '../wire/h2/literal-blocks.ts';
import type { H2RequestHead } from '../wire/h2/request-fields.ts';
import type { CarrierContext, FinishedRequest } from './connection-context.ts';
import type { DeadlineName, Phase, Watchable, Watched } from './deadlines.ts';
import type { H2Carrier } from './h2-carrier.ts';
import { contentOf, fieldsOf, resetCode, responseFields } from './h2-fields.ts';
import type { Placed } from './placed-set.ts';
import { StreamBacklog } from './stream-backlog.ts';
import { TunnelInput } from './tunnel-input.ts';
import { TurnShare } from './turn-share.ts';

const NO_BYTES = new Uint8Array(0);
const NO_FIELDS: HeaderList = [];

/** Of a HEADERS frame. The date, where there is to be one, is among the fields. */
interface ResponseOptions {
  readonly endStream: boolean;
  readonly waitForTrailers: boolean;
  readonly sendDate: false;
}
const ALONE: ResponseOptions = { endStream: true, waitForTrailers: false, sendDate: false };
const WITH_CONTENT: ResponseOptions = { endStream: false, waitForTrailers: false, sendDate: false };
const WITH_TRAILERS: ResponseOptions = { endStream: false, waitForTrailers: true, sendDate: false };
/** Request body bytes that are thrown away behind a response before the client is told to stop; some clients take that for a failure. */
const MAX_DRAIN = 1_048_576;

export class H2Exchange implements Exchange, Watchable, Watched, Placed {
  readonly head: H2RequestHead;
  readonly peer: Peer;
  readonly context: CarrierContext;
  observer: ExchangeObserver | undefined = undefined;
  status = 0;
  isResponseDone = false;
  isRequestDone: boolean;
  // Deadlines.
  watchIndex = -1;
  place = -1;
  phase: Phase = 'request';
  phaseSince: number;
  lastReceived: number;
  lastSent: number;
  awaitsBodySince: number | undefined = undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #backlog: StreamBacklog;
  /** Undefined once the exchange is over. */
  #carrier: H2Carrier | undefined;
  /** Why it ends when its stream does. */
  #reason: DisconnectReason = 'client_closed';
  #share: TurnShare | undefined = undefined;
  #received = 0;
  /** Body bytes that came behind the response. */
  #discarded = 0;
  #tunnel: TunnelInput | undefined = undefined;
  /** Tunnel bytes that were sent in this turn of the event loop. */
  #fresh = 0;
  #trailers: HeaderList = NO_FIELDS;
  /** Of the promise of {@link end}. */
  #resolveEnd: (() => void) | undefined = undefined;
  #hasContinued = false;
  /** Header blocks that have been sent. */
  #blocks = 0;
  #contentSent = 0;
  #responseHeaders: HeaderList = NO_FIELDS;
  #time = 0;
  #startedAt = 0;

  constructor(carrier: H2Carrier, head: H2RequestHead, stream: ServerHttp2Stream) {
    const { context } = carrier;
    this.#carrier = carrier;
    this.#stream = stream;
    this.head = head;
    this.peer = carrier.peer;
    this.context = context;
    // A tunnel has an end of its own, whatever the request says.
    this.isRequestDone = !head.hasBody && head.protocol === undefined;
    this.#backlog = new StreamBacklog(context.settings, carrier.progress);
    this.phaseSince = context.deadlines.now;
    this.lastReceived = this.phaseSince;
    this.lastSent = this.phaseSince;
    if (context.requestFinished === undefined) return;
    this.#time = Date.now();
    this.#startedAt = performance.now();
  }

  get outbound(): OutboundHandle {
    return this.#backlog;
  }

  /** Begins to read; only once there is somebody to read for. */
  begin(): void {
    const stream = this.#stream;
    stream.on('close', () => this.#streamClosed());
    if (this.isRequestDone) stream.resume();
    // A client that asks for a tunnel is held back by its window until there is one.
    else if (this.head.protocol === undefined) this.#read();
  }

  // What the session asks for.

  continue(): void {
    if (!this.head.expectsContinue || this.#hasContinued || this.status !== 0 || this.isOver) return;
    this.#hasContinued = true;
    if (this.#received === 0) this.#stream.additionalHeaders(this.#block({ ':status': 100 }));
  }

  respond({ status, headers, hasContent, hasTrailers, isStream }: ResponseHead): void {
    if (this.isOver) return;
    this.status = status;
    this.#responseHeaders = headers.list;
    if (isStream) this.phase = 'stream';
    this.#answer(status, headers, hasTrailers ? WITH_TRAILERS : hasContent ? WITH_CONTENT : ALONE);
    if (!hasTrailers) return;
    const carrier = this.#carrier!;
    this.#stream.on('wantTrailers', () =>
      this.#stream.sendTrailers(this.#block(fieldsOf(this.#trailers), carrier)),
    );
  }

  openTunnel(headers: CheckedHeaders): void {
    if (this.isOver) return;
    this.status = 200;
    // RFC 9110 8.6: no length in a successful answer to CONNECT.
    const list = headers.list.filter(([name]) => name.toLowerCase() !== 'content-length');
    this.#responseHeaders = list;
    this.#tunnel = new TunnelInput((bytes, more) => {
      if (!more) this.isRequestDone = true;
      if (!this.isOver) this.observer?.bodyChunk(bytes, more);
    });
    this.phase = 'tunnel';
    this.#answer(200, new CheckedHeaders(list, headers.fields, -1), WITH_CONTENT);
    if (this.head.hasBody) return this.#read();
    // The client had nothing to say from the start.
    this.#tunnel.end();
  }

  write(chunk: Chunk, second?: Chunk): Promise<void> | undefined {
    if (this.isOver || this.#stream.writableEnded) return undefined;
    if (this.#backlog.isOverflowing) {
      this.abort('queue_overflow');
      return undefined;
    }
    const content = contentOf(chunk, second);
    const { length } = content;
    if (length === 0) return undefined;
    this.#contentSent += length;
    this.#noteSending();
    this.#backlog.add(length);
    if (this.#tunnel !== undefined) this.#noteFresh(length);
    this.#stream.write(content, 'latin1', () => this.#written(length));
    this.#carrier!.nudge();
    const waiting = this.#backlog.settle();
    if (waiting !== undefined) return waiting;
    return (this.#share ??= new TurnShare()).spend(length) ? nextTurn() : undefined;
  }

  end(lastChunk?: Chunk, trailers?: HeaderList): Promise<void> | undefined {
    if (this.isOver || this.isResponseDone) return undefined;
    this.isResponseDone = true;
    if (trailers !== undefined) this.#trailers = trailers;
    const content = lastChunk === undefined ? '' : contentOf(lastChunk);
    const { length } = content;
    this.#contentSent += length;
    this.#noteSending();
    this.#backlog.add(length);
    this.#endStream(content, () => this.#finished(length));
    this.#carrier?.nudge();
    return this.isOver ? undefined : new Promise((resolve) => (this.#resolveEnd = resolve));
  }

  #endStream(content: Chunk, finished: () => void): void {
    const stream = this.#stream;
    if (stream.writableFinished) finished();
    else if (stream.writableEnded) stream.once('finish', finished);
    else if (content.length === 0) stream.end(finished);
    else stream.end(content, 'latin1', finished);
  }

  flush(): Promise<void> | undefined {
    this.#carrier?.flushStarted();
    return this.#backlog.emptied();
  }

  pauseBody(): void {
    if (this.#tunnel !== undefined) this.#tunnel.isPaused = true;
    this.#stream.pause();
  }

  resumeBody(): void {
    if (this.isOver) return;
    this.#stream.resume();
    this.#tunnel?.resume();
  }

  /** RFC 9113 5.4.2: RST_STREAM, so that the client can tell that the response is not whole. */
  abort(reason: DisconnectReason): void {
    if (this.isOver) return;
    // node:http2 takes nothing at once: a tunnel that has just said why it ends can still say so.
    const isTaking = this.#fresh >= this.#backlog.bufferedAmount && !this.#carrier!.outbound.isBlocked;
    const isOrderly =
      this.#tunnel !== undefined && this.#fresh > 0 && isTaking && reason !== 'queue_overflow';
    if (isOrderly && !this.isResponseDone) return void this.end();
    if (reason === 'queue_overflow') {
      this.context.log.error(
        `${this.head.method} ${this.head.rawPath}: more than ${this.#backlog.overflowMark} bytes wait for the client, ` +
          'and the application sends on without waiting for send; stream reset',
      );
    }
    this.#reset(resetCode(reason), reason);
  }

  // What the carrier says.

  get isOver(): boolean {
    return this.#carrier === undefined;
  }

  /** The stream is no more, or is not going to be. */
  lost(reason: DisconnectReason): void {
    if (this.isOver) return;
    const isWhole = this.isResponseDone && this.#stream.writableFinished;
    this.#leave();
    if (!isWhole) this.observer?.disconnected(reason);
  }

  get id(): number | undefined {
    return this.#stream.id;
  }

  /** The stream is about to be closed because of what the peer has done. */
  noteFault(): void {
    this.#reason = 'protocol_error';
  }

  shutdown(): void {
    // What has arrived comes first.
    this.#tunnel?.pass();
    this.observer?.shutdown();
  }

  /** Whether its window holds something back, or the session does. */
  get isHeld(): boolean {
    return this.#backlog.isHeld;
  }

  // Deadlines.

  get watched(): Watched {
    return this;
  }

  get hasBacklog(): boolean {
    return this.#backlog.bufferedAmount > 0;
  }

  noteWait(now: number): void {
    const isWaiting = !this.isRequestDone && this.observer?.wantsBody === true;
    this.awaitsBodySince = isWaiting ? (this.awaitsBodySince ?? now) : undefined;
  }

  expire(deadline: DeadlineName): void {
    if (deadline === 'body') this.#carrier?.bodyMissing(this);
    else if (deadline === 'stall') this.abort('idle_timeout');
    else if (deadline === 'write') this.abort('write_timeout');
    else if (deadline === 'drain') this.#leaveRest();
  }

  #answer(status: number, headers: CheckedHeaders, options: ResponseOptions): void {
    this.#noteSending();
    const fields = this.#block(responseFields(status, headers, this.context.defaults.list(headers)));
    // Options are read one by one, and cost as much as a field each.
    if (options === WITH_CONTENT && fields['date'] !== undefined) this.#stream.respond(fields);
    else this.#stream.respond(fields, options);
  }

  /** What node:http2 is to encode as the next header block; that of trailers may come when the exchange is over. */
  #block(fields: BlockFields, carrier = this.#carrier!): BlockFields {
    const before = this.#blocks++;
    return carrier.literals?.replace(this.#stream.id, before, fields) ?? fields;
  }

  #read(): void {
    this.#stream.on('data', (chunk: Buffer) => this.#bodyChunk(chunk));
    this.#stream.on('end', () => this.#bodyEnd());
  }

  #bodyChunk(chunk: Buffer): void {
    this.lastReceived = this.context.deadlines.now;
    if (this.isOver) return;
    this.#received += chunk.length;
    if (this.#tunnel !== undefined) return this.#tunnel.push(chunk);
    const { contentLength } = this.head;
    // RFC 9113 8.1.1: what differs from the declared length makes the request malformed.
    if (contentLength >= 0 && this.#received > contentLength) return this.#malformed();
    const { maxBodySize } = this.context.settings;
    if (maxBodySize > 0 && this.#received > maxBodySize) return this.#carrier?.bodyTooLarge(this);
    if (!this.isResponseDone) return this.observer?.bodyChunk(chunk, true);
    this.#discarded += chunk.length;
    if (this.#discarded > MAX_DRAIN) this.#leaveRest();
  }

  #noteFresh(size: number): void {
    if (this.#fresh === 0) setImmediate(() => (this.#fresh = 0));
    this.#fresh += size;
  }

  #bodyEnd(): void {
    if (this.isOver || this.isRequestDone) return;
    if (this.#tunnel !== undefined) {
      return this.#tunnel.end();
    }
    this.isRequestDone = true;
    const { contentLength } = this.head;
    if (contentLength >= 0 && this.#received < contentLength) return this.#malformed();
    if (!this.isResponseDone) this.observer?.bodyChunk(NO_BYTES, false);
    else if (this.phase === 'draining') this.#leave();
  }

  #malformed(): void {
    this.#reset(H2_ERROR.protocolError, 'protocol_error');
  }

  #noteSending(): void {
    if (this.#backlog.bufferedAmount === 0) this.lastSent = this.context.deadlines.now;
  }

  #written(size: number): void {
    this.lastSent = this.context.deadlines.now;
    this.#backlog.take(size);
    if (this.isHeld) this.#carrier?.nudge();
  }

  /** All of the response is with the connection. What is left of the request is read for a while, and thrown away. */
  #finished(length: number): void {
    if (this.isOver) return;
    this.#backlog.take(length);
    if (this.isRequestDone || this.#tunnel !== undefined) return this.#leave();
    this.#resolveEnd?.();
    this.phase = 'draining';
    this.phaseSince = this.context.deadlines.now;
    if (this.head.protocol !== undefined) this.#read();
    this.#stream.resume();
  }

  /** RFC 9113 8.1: a client whose request has been answered in full need not go on sending it. */
  #leaveRest(): void {
    if (!this.isOver) this.#reset(H2_ERROR.noError, 'client_closed');
  }

  #reset(errorCode: number, reason: DisconnectReason): void {
    // The session may say at once that the stream is closed.
    this.#reason = reason;
    this.#carrier!.resetStream(this.#stream, errorCode);
    this.lost(reason);
  }

  #streamClosed(): void {
    this.lost(this.#reason);
  }

  #leave(): void {
    const carrier = this.#carrier!;
    this.#report();
    this.#carrier = undefined;
    this.#backlog.close();
    this.#resolveEnd?.();
    carrier.exchangeEnded(this);
  }

  #report(): void {
    this.context.requestFinished?.({
      head: this.head,
      peer: this.peer,
      status: this.status,
      bytes: this.#contentSent,
      time: this.#time,
      duration: performance.now() - this.#startedAt,
      responseHeaders: this.#responseHeaders,
    } satisfies FinishedRequest);
  }
}
