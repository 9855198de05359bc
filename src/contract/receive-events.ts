/**
 * The events that `receive` yields. Everything received as bytes is a `Uint8Array` that belongs to the application.
 * Fields without `?` are always there. Source: TSAGI 0.3, sections "http", "websocket", "sse" and "lifespan".
 */
import type { DisconnectReason } from './handles.ts';

/** A piece of the request body, de-chunked. A request without a body yields one, empty, with `more: false`. */
export interface HttpRequestEvent {
  type: 'http.request';
  /** Possibly empty. */
  body: Uint8Array;
  /** Whether another `http.request` follows. */
  more: boolean;
}

/** The response is complete or the client has gone; which of the two, `scope['tsagi.connection']` tells. */
export interface HttpDisconnectEvent {
  type: 'http.disconnect';
}

/** The client asks for a session. Answer with `websocket.accept`, `websocket.close` or a denial response. */
export interface WebSocketConnectEvent {
  type: 'websocket.connect';
}

/** A text message (RFC 6455 section 5.6), complete and valid UTF-8. */
export interface WebSocketReceiveTextEvent {
  type: 'websocket.receive';
  text: string;
  bytes?: never;
}

/** A binary message (RFC 6455 section 5.6), complete. */
export interface WebSocketReceiveBytesEvent {
  type: 'websocket.receive';
  bytes: Uint8Array;
  text?: never;
}

/** One message of the client: `text` or `bytes`, exactly one of them. */
export type WebSocketReceiveEvent = WebSocketReceiveTextEvent | WebSocketReceiveBytesEvent;

/** The session is over. Comes once; nothing follows. */
export interface WebSocketDisconnectEvent {
  type: 'websocket.disconnect';
  /**
   * The code of the peer's close frame, 1005 if that had none; 1006 when the connection dropped without a close frame
   * (RFC 6455 section 7.4.1); or the code with which the server closed: 1002, 1007, 1008, 1009.
   */
  code: number;
  /** The text of the peer's close frame, possibly empty; in the other cases a {@link DisconnectReason}. */
  reason: string;
}

/** A piece of the body of the request that asks for the event stream, as in {@link HttpRequestEvent}. */
export interface SseRequestEvent {
  type: 'sse.request';
  /** Possibly empty. */
  body: Uint8Array;
  /** Whether another `sse.request` follows. */
  more: boolean;
}

/**
 * The client has gone or the server shuts down; or the application itself has ended the stream, with the reason that it
 * gave or `x-app-closed`; or the method was HEAD, whose answer ends with its head: `x-head`.
 */
export interface SseDisconnectEvent {
  type: 'sse.disconnect';
  reason: DisconnectReason;
}

/** The process starts; nothing is accepted before this is answered. */
export interface LifespanStartupEvent {
  type: 'lifespan.startup';
}

/** The process stops; its connections have drained. */
export interface LifespanShutdownEvent {
  type: 'lifespan.shutdown';
}

/** What `receive` yields in an `http` scope. */
export type HttpReceiveEvent = HttpRequestEvent | HttpDisconnectEvent;
/** What `receive` yields in a `websocket` scope. */
export type WebSocketScopeReceiveEvent =
  WebSocketConnectEvent | WebSocketReceiveEvent | WebSocketDisconnectEvent;
/** What `receive` yields in an `sse` scope. */
export type SseReceiveEvent = SseRequestEvent | SseDisconnectEvent;
/** What `receive` yields in a `lifespan` scope. */
export type LifespanReceiveEvent = LifespanStartupEvent | LifespanShutdownEvent;

/** Everything that `receive` can yield, told apart by `type`. */
export type ReceiveEvent =
  HttpReceiveEvent | WebSocketScopeReceiveEvent | SseReceiveEvent | LifespanReceiveEvent;
