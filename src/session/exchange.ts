/**
 * The seam between a session and the HTTP version that carries it. The session owns both interfaces; the connection
 * layer implements the first and calls the second. Byte strings and validated headers cross it, never app events.
 */
import type { DisconnectReason } from '../contract/handles.ts';
import type { HttpVersion, TlsExtension } from '../contract/scope.ts';
import type { HeaderList } from '../contract/send-events.ts';
import type { CheckedHeaders } from './response-headers.ts';

/** What a request says, whatever carried it. */
export interface RequestHead {
  readonly method: string;
  /** Byte string, as received, without the query. */
  readonly rawPath: string;
  /** Whether `rawPath` has percent-encoded bytes. */
  readonly hasEscapes: boolean;
  /** Byte string behind `?`. */
  readonly queryString: string;
  readonly httpVersion: HttpVersion;
  /** Lower-case names, order and repeats kept. */
  readonly headers: [name: string, value: string][];
  /** Whether body bytes are to come. */
  readonly hasBody: boolean;
  /** Whether the client wants to switch protocols (HTTP/1.1 Upgrade). */
  readonly hasUpgrade: boolean;
  /** The protocol that an extended CONNECT asks for (RFC 8441), undefined for any other request. */
  readonly protocol: string | undefined;
  /** Whether an Accept field names `text/event-stream`, in whatever way. */
  readonly mentionsEventStream: boolean;
  /** Whether there is more than one Cookie field. */
  readonly repeatsCookie: boolean;
}

/** The connection below a request. */
export interface Peer {
  /** Undefined on unix sockets. A new array each time: it goes into a scope, which belongs to the application. */
  readonly client: [host: string, port: number] | undefined;
  /** Likewise. */
  readonly server: [host: string, port: number] | [path: string, port: null];
  readonly isSecure: boolean;
  /** There where it is secure. Frozen, and the same object each time. */
  readonly tls: TlsExtension | undefined;
}

/** How much is waiting to be sent. */
export interface OutboundHandle {
  readonly bufferedAmount: number;
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  /** Bytes: who sends on while more than this is waiting has waited for nothing, and is cut off with `queue_overflow`. */
  readonly overflowMark: number;
  onHighWater(callback: () => void): () => void;
  onDrain(callback: () => void): () => void;
}

/** The head of a response, validated. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: CheckedHeaders;
  /** False where the message cannot have content: HEAD, 204, 304 (RFC 9110 6.4.1). */
  readonly hasContent: boolean;
  readonly hasTrailers: boolean;
  /** Whether the content is an event stream, which may be quiet for long. */
  readonly isStream: boolean;
}

/** Bytes of content; a string is a byte string, one byte per char code. */
export type Chunk = Uint8Array | string;

/** One request and its response. A promise from `write`, `end` or `flush` means: wait, the peer is slower than this. */
export interface Exchange {
  readonly head: RequestHead;
  readonly peer: Peer;
  readonly outbound: OutboundHandle;
  /** Sends 100, once, when the application first asks for a body that the client holds back. */
  continue(): void;
  /** Queues the head; it leaves with the first content, or by itself at the end of the turn. */
  respond(response: ResponseHead): void;
  /** Resolves below the low-water mark. Of two chunks, the second follows the first without anything in between. */
  write(chunk: Chunk, second?: Chunk): Promise<void> | undefined;
  /** Completes the response. Resolves when all of it is with the kernel. */
  end(lastChunk?: Chunk, trailers?: HeaderList): Promise<void> | undefined;
  /** Resolves when everything queued is with the kernel. */
  flush(): Promise<void> | undefined;
  pauseBody(): void;
  resumeBody(): void;
  /**
   * Switches protocols in place of a response: 101 on HTTP/1.1, 200 to an extended CONNECT on HTTP/2. From here on `write`,
   * `end` and the observer's `bodyChunk` carry the bytes of the tunnel, as they are.
   */
  openTunnel(headers: CheckedHeaders): void;
  /** Ends the exchange so that the client can tell that the response is not whole. */
  abort(reason: DisconnectReason): void;
}

/** What an exchange reports upwards. */
export interface ExchangeObserver {
  /**
   * A piece of the request body, the last one with `more` false; empty only when it is the last. Once the tunnel is open,
   * bytes of the tunnel; `more` false then means that the client sends nothing more.
   */
  bodyChunk(chunk: Uint8Array, more: boolean): void;
  /** Graceful shutdown has begun: what would go on for ever ends now. */
  shutdown(): void;
  /** The exchange has ended abnormally: exactly once, always last, never after a response that is complete. */
  disconnected(reason: DisconnectReason): void;
  /** Whether the application waits for body bytes now. */
  readonly wantsBody: boolean;
  /** Whether it has ever asked for any. */
  readonly readsBody: boolean;
}
