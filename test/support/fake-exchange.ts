/**
 * An exchange without a connection: it says what the test wants of the request, and writes down, in order, what the
 * session does to it.
 */
import type { DisconnectReason } from '../../src/contract/handles.ts';
import type { Bytes, HeaderList } from '../../src/contract/send-events.ts';
import type { CheckedHeaders } from '../../src/session/response-headers.ts';
import type {
  Exchange,
  OutboundHandle,
  Peer,
  RequestHead,
  ResponseHead,
} from '../../src/session/exchange.ts';

const GET: RequestHead = {
  method: 'GET',
  rawPath: '/',
  hasEscapes: false,
  queryString: '',
  httpVersion: '1.1',
  headers: [],
  hasBody: false,
  hasUpgrade: false,
  protocol: undefined,
  mentionsEventStream: false,
  repeatsCookie: false,
};

/** A plain GET, less what the test says. */
export function fakeHead(head: Partial<RequestHead> = {}): RequestHead {
  return { ...GET, headers: [], ...head };
}

export const TCP_PEER: Peer = {
  client: ['192.0.2.7', 50_000],
  server: ['192.0.2.1', 80],
  isSecure: false,
  tls: undefined,
};

export class FakeOutbound implements OutboundHandle {
  bufferedAmount = 0;
  readonly highWaterMark = 1000;
  readonly lowWaterMark = 200;
  overflowMark = 10_000;
  readonly highListeners = new Set<() => void>();
  readonly drainListeners = new Set<() => void>();

  onHighWater(callback: () => void): () => void {
    this.highListeners.add(callback);
    return () => void this.highListeners.delete(callback);
  }

  onDrain(callback: () => void): () => void {
    this.drainListeners.add(callback);
    return () => void this.drainListeners.delete(callback);
  }
}

export class FakeExchange implements Exchange {
  readonly head: RequestHead;
  readonly peer: Peer;
  readonly outbound = new FakeOutbound();
  /** One entry per call: `respond 200`, `write hello`, `end`, `abort server_error` and so on. */
  readonly calls: string[] = [];
  response: ResponseHead | undefined;
  trailers: HeaderList | undefined;
  /** Of the answer that opened a tunnel. */
  tunnelHeaders: HeaderList | undefined;
  /** All content, as a byte string. */
  content = '';
  #gate: PromiseWithResolvers<void> | undefined;

  constructor(head: Partial<RequestHead> = {}, peer: Peer = TCP_PEER) {
    this.head = fakeHead(head);
    this.peer = peer;
  }

  /** From now on the client takes nothing: writes, flushes and the end wait until {@link release}. */
  hold(): void {
    this.#gate = Promise.withResolvers();
  }

  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  continue(): void {
    this.calls.push('continue');
  }

  respond(response: ResponseHead): void {
    this.response = response;
    this.calls.push(`respond ${response.status}`);
  }

  openTunnel(headers: CheckedHeaders): void {
    this.tunnelHeaders = headers.list;
    this.calls.push('openTunnel');
  }

  write(chunk: Bytes, second?: Bytes): Promise<void> | undefined {
    this.calls.push(`write ${this.#take(chunk)}`);
    if (second !== undefined) this.calls.push(`write ${this.#take(second)}`);
    return this.#gate?.promise;
  }

  end(lastChunk?: Bytes, trailers?: HeaderList): Promise<void> | undefined {
    this.calls.push(lastChunk === undefined ? 'end' : `end ${this.#take(lastChunk)}`);
    this.trailers = trailers;
    return this.#gate?.promise;
  }

  flush(): Promise<void> | undefined {
    this.calls.push('flush');
    return this.#gate?.promise;
  }

  pauseBody(): void {
    this.calls.push('pauseBody');
  }

  resumeBody(): void {
    this.calls.push('resumeBody');
  }

  abort(reason: DisconnectReason): void {
    this.calls.push(`abort ${reason}`);
  }

  /** Keeps the content; for the list of calls, the text itself where it is short, else its size. */
  #take(chunk: Bytes): string {
    // A string is a byte string.
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1');
    this.content += text;
    return text.length <= 40 ? text : `${text.length} bytes`;
  }
}
