/**
 * The events that `send` takes. A field with `?` may be left out and then has the default given; any other missing or
 * wrongly typed field rejects the send with a `TypeError`. Where bytes may be sent a string may too, and the server
 * encodes it as UTF-8. Source: TSAGI 0.3, sections "http", "websocket", "sse" and "lifespan".
 */

/** Bytes to send; a string is encoded as UTF-8. */
export type Bytes = Uint8Array | string;

/**
 * Header fields to send, in order, duplicates allowed. A name must be a token (RFC 9110 section 5.1) and is sent in lower
 * case over HTTP/2; a value is a byte string without CR, LF and NUL (RFC 9110 section 5.5), every char code at most 255.
 * Anything else rejects the send.
 */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** What the server uses of a `BunFile`, the result of `Bun.file(path)`. */
export interface BunFileLike {
  /** The path, where there is one. */
  readonly name?: string;
  /** Bytes. */
  readonly size: number;
  slice(begin?: number, end?: number): Blob;
  stream(): ReadableStream<Uint8Array>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** What the server uses of a `FileHandle`, the result of `open` from `node:fs/promises`. */
export interface FileHandleLike {
  readonly fd: number;
}

/** Bytes of a response body. */
export interface BytesContent {
  /** May be empty. */
  body: Bytes;
  /** Whether another body event follows. @default false */
  more?: boolean;
  file?: never;
  fh?: never;
  offset?: never;
  length?: never;
}

/** A file, or a part of it, as the rest of the response body. */
export interface FileContent {
  /** A path or a `BunFile`. A file that cannot be opened rejects the send. */
  file: string | BunFileLike;
  /** Bytes to skip, a non-negative integer; past the end nothing is sent. @default 0 */
  offset?: number;
  /** Bytes to send, a non-negative integer. @default to the end of the file */
  length?: number;
  /** Ignored: a file always ends the response. */
  more?: boolean;
  body?: never;
  fh?: never;
}

/** An open file, or a part of it, as the rest of the response body. */
export interface FileHandleContent {
  /** A `FileHandle` or a file descriptor. It stays the application's to close, once `send` has resolved. */
  fh: number | FileHandleLike;
  /** Bytes to skip from the start of the file, a non-negative integer; past the end nothing is sent. @default 0 */
  offset?: number;
  /** Bytes to send, a non-negative integer. @default to the end of the file */
  length?: number;
  /** Ignored: a file always ends the response. */
  more?: boolean;
  body?: never;
  file?: never;
}

/** What a body event carries: exactly one of `body`, `file` and `fh`. */
export type ResponseContent = BytesContent | FileContent | FileHandleContent;

/** Begins the response; sent once, first. It may be held back until the first body event. */
export interface HttpResponseStartEvent {
  type: 'http.response.start';
  /** An integer from 200 to 999 (RFC 9110 section 15); interim responses, 1xx, are the server's own. */
  status: number;
  /**
   * `transfer-encoding` is ignored: framing is the server's. A `content-length` must be a decimal number, given once.
   * @default []
   */
  headers?: HeaderList;
  /** Whether `http.response.trailers` will follow the last body event. @default false */
  trailers?: boolean;
}

/**
 * A piece of the response body; without `more: true` the last. `file` and `fh` are streamed in pieces under
 * back-pressure and end the response. More bytes than the declared `content-length` rejects the send; fewer closes the
 * connection. To a `HEAD` request and with status 204, 205 or 304 the content is not sent (RFC 9110 section 6.4.1).
 */
export type HttpResponseBodyEvent = {
  type: 'http.response.body';
} & ResponseContent;

/** Ends a response that began with `trailers: true`; sent once, after the last body event (RFC 9110 section 6.5). */
export interface HttpResponseTrailersEvent {
  type: 'http.response.trailers';
  /** Fields that frame, route, authenticate or describe the content reject (RFC 9110 section 6.5.1). @default [] */
  headers?: HeaderList;
}

/**
 * Hands everything queued to the kernel and resolves when it has been taken. Only where `scope.extensions.fullflush` is
 * advertised; rejects elsewhere.
 */
export interface HttpFullflushEvent {
  type: 'http.fullflush';
}

/** Accepts the session; the answer to `websocket.connect`. */
export interface WebSocketAcceptEvent {
  type: 'websocket.accept';
  /** One of `scope.subprotocols`; another rejects the send. @default none */
  subprotocol?: string;
  /** Fields added to the handshake response. @default [] */
  headers?: HeaderList;
}

/** Sends a text message. */
export interface WebSocketSendTextEvent {
  type: 'websocket.send';
  text: string;
  bytes?: never;
}

/** Sends a binary message. */
export interface WebSocketSendBytesEvent {
  type: 'websocket.send';
  bytes: Bytes;
  text?: never;
}

/** Sends one message: `text` or `bytes`, exactly one of them. */
export type WebSocketSendEvent = WebSocketSendTextEvent | WebSocketSendBytesEvent;

/** Closes the session; before `websocket.accept` it refuses the handshake with 403. */
export interface WebSocketCloseEvent {
  type: 'websocket.close';
  /** 1000–1003, 1007–1014 or 3000–4999 (RFC 6455 section 7.4 and its IANA registry). @default 1000 */
  code?: number;
  /** At most 123 bytes as UTF-8 (RFC 6455 section 5.5). @default '' */
  reason?: string;
}

/** Sets the protocol pings of this session (RFC 6455 section 5.5.2). The last one sent wins. */
export interface WebSocketKeepaliveEvent {
  type: 'websocket.keepalive';
  /** Seconds between pings; 0 turns them off. */
  interval: number;
  /**
   * Seconds to wait for a pong; a missing one ends the session with 1006 `keepalive_timeout`; 0 waits for none.
   * @default the server option `wsPingTimeout`
   */
  timeout?: number;
}

/**
 * Denies the handshake with an ordinary HTTP response, in place of `websocket.accept`. Only where
 * `scope.extensions['websocket.http.response']` is advertised; ignored after `websocket.accept`. No
 * `websocket.disconnect` follows.
 */
export interface WebSocketHttpResponseStartEvent {
  type: 'websocket.http.response.start';
  /** Three-digit integer (RFC 9110 section 15). */
  status: number;
  /** @default [] */
  headers?: HeaderList;
}

/** A piece of the body of a denial; without `more: true` the last. */
export interface WebSocketHttpResponseBodyEvent {
  type: 'websocket.http.response.body';
  /** @default '' */
  body?: Bytes;
  /** Whether another follows. @default false */
  more?: boolean;
}

/**
 * Begins the event stream. Where absent the server adds `content-type: text/event-stream`, `cache-control: no-cache`,
 * `date`, and on HTTP/1.1 `connection: keep-alive`.
 */
export interface SseStartEvent {
  type: 'sse.start';
  /** Three-digit integer of a response that has content: not 204, 205, 304 (RFC 9110 section 15). @default 200 */
  status?: number;
  /** @default [] */
  headers?: HeaderList;
}

/** Sends one event (WHATWG HTML section 9.2, "Server-sent events"). */
export interface SseSendEvent {
  type: 'sse.send';
  /** Split at CRLF, LF and CR into one `data:` line each. */
  data: string;
  /** The event's type; CR or LF rejects the send. @default none, which a browser takes as `message` */
  event?: string;
  /** What the client repeats as `last-event-id` when it reconnects; CR, LF or NUL rejects the send. @default none */
  id?: string;
  /** Milliseconds that the client waits before it reconnects, a non-negative integer. @default none */
  retry?: number;
}

/** Sends a comment, which clients ignore. */
export interface SseCommentEvent {
  type: 'sse.comment';
  comment: string;
}

/** Sends a comment of its own accord whenever the interval has passed. The last one sent wins. */
export interface SseKeepaliveEvent {
  type: 'sse.keepalive';
  /** Seconds; 0 turns it off. */
  interval: number;
  /** @default '' */
  comment?: string;
}

/**
 * Ends the stream; on the wire the same as returning. A second one does nothing, any other stream event after it rejects.
 */
export interface SseCloseEvent {
  type: 'sse.close';
  /** For the server's own use, never sent to the client. @default none */
  reason?: string;
}

/**
 * Declines the stream with an ordinary HTTP response, in place of `sse.start`: the first of the two wins and mixing them
 * rejects. No `sse.disconnect` follows.
 */
export interface SseHttpResponseStartEvent {
  type: 'sse.http.response.start';
  /** Three-digit integer (RFC 9110 section 15). */
  status: number;
  /** @default [] */
  headers?: HeaderList;
}

/** A piece of the body of a declining response, shaped as {@link HttpResponseBodyEvent}. */
export type SseHttpResponseBodyEvent = {
  type: 'sse.http.response.body';
} & ResponseContent;

/** The application is ready; the server may accept connections. */
export interface LifespanStartupCompleteEvent {
  type: 'lifespan.startup.complete';
}

/** The application cannot start; the server does not either, and exits with a non-zero code. */
export interface LifespanStartupFailedEvent {
  type: 'lifespan.startup.failed';
  /** Written to the log. @default '' */
  message?: string;
}

/** The application has put its things away. */
export interface LifespanShutdownCompleteEvent {
  type: 'lifespan.shutdown.complete';
}

/** The application could not put its things away; logged as an error. */
export interface LifespanShutdownFailedEvent {
  type: 'lifespan.shutdown.failed';
  /** Written to the log. @default '' */
  message?: string;
}

/** What may be sent in an `http` scope. */
export type HttpSendEvent =
  HttpResponseStartEvent | HttpResponseBodyEvent | HttpResponseTrailersEvent | HttpFullflushEvent;

/** What may be sent in a `websocket` scope. */
export type WebSocketScopeSendEvent =
  | WebSocketAcceptEvent
  | WebSocketSendEvent
  | WebSocketCloseEvent
  | WebSocketKeepaliveEvent
  | WebSocketHttpResponseStartEvent
  | WebSocketHttpResponseBodyEvent;

/** What may be sent in an `sse` scope. */
export type SseScopeSendEvent =
  | SseStartEvent
  | SseSendEvent
  | SseCommentEvent
  | SseKeepaliveEvent
  | SseCloseEvent
  | SseHttpResponseStartEvent
  | SseHttpResponseBodyEvent
  | HttpFullflushEvent;

/** What may be sent in a `lifespan` scope. */
export type LifespanSendEvent =
  | LifespanStartupCompleteEvent
  | LifespanStartupFailedEvent
  | LifespanShutdownCompleteEvent
  | LifespanShutdownFailedEvent;

/** Everything that `send` takes, told apart by `type`. */
export type SendEvent = HttpSendEvent | WebSocketScopeSendEvent | SseScopeSendEvent | LifespanSendEvent;
