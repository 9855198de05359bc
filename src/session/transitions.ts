/**
 * Which event an application may send when: one table per scope type, state by event. What is absent is illegal.
 * Where an event can lead to two states, its content decides, and the session takes the one of the two that applies.
 */

export interface SendTable<State extends string, Type extends string> {
  /** For messages: `an http scope`. */
  readonly scope: string;
  readonly types: readonly Type[];
  readonly next: Readonly<Record<State, Partial<Record<Type, readonly [State, ...State[]]>>>>;
  /** For messages: `… is not allowed` followed by this. */
  readonly situations: Readonly<Record<State, string>>;
}

/** Throws a TypeError for an event that is unknown or not allowed now. */
export function requireAllowed<State extends string, Type extends string>(
  table: SendTable<State, Type>,
  state: State,
  type: unknown,
): asserts type is Type {
  // Rows are arrays, which `toString` and the like, found on every object, are not.
  if (typeof type === 'string' && Array.isArray(table.next[state][type as Type])) return;
  if (!table.types.includes(type as Type)) {
    throw new TypeError(`send: unknown event type ${JSON.stringify(type)} on ${table.scope}`);
  }
  throw new TypeError(`${String(type)} is not allowed ${table.situations[state]}`);
}

export type HttpSendState = 'initial' | 'started' | 'trailers' | 'complete';

export type HttpSendType =
  'http.response.start' | 'http.response.body' | 'http.response.trailers' | 'http.fullflush';

export const HTTP_SEND: SendTable<HttpSendState, HttpSendType> = {
  scope: 'an http scope',
  types: ['http.response.start', 'http.response.body', 'http.response.trailers', 'http.fullflush'],
  next: {
    initial: { 'http.response.start': ['started'], 'http.fullflush': ['initial'] },
    // With `more` the body goes on; without, it ends the response, or leaves it to the trailers that were announced.
    started: { 'http.response.body': ['started', 'complete', 'trailers'], 'http.fullflush': ['started'] },
    trailers: { 'http.response.trailers': ['complete'], 'http.fullflush': ['trailers'] },
    complete: {},
  },
  situations: {
    initial: 'before http.response.start',
    started: 'while the response body is being sent',
    trailers: 'where http.response.trailers is due',
    complete: 'after the response is complete',
  },
};

/** A declining response takes the place of the stream: once one of them has begun, the other cannot. */
export type SseSendState = 'initial' | 'streaming' | 'closed' | 'declining' | 'declined';

export type SseSendType =
  | 'sse.start'
  | 'sse.send'
  | 'sse.comment'
  | 'sse.keepalive'
  | 'sse.close'
  | 'sse.http.response.start'
  | 'sse.http.response.body'
  | 'http.fullflush';

export const SSE_SEND: SendTable<SseSendState, SseSendType> = {
  scope: 'an sse scope',
  types: [
    'sse.start',
    'sse.send',
    'sse.comment',
    'sse.keepalive',
    'sse.close',
    'sse.http.response.start',
    'sse.http.response.body',
    'http.fullflush',
  ],
  next: {
    initial: {
      'sse.start': ['streaming'],
      // Takes effect once the stream has begun.
      'sse.keepalive': ['initial'],
      'sse.http.response.start': ['declining'],
    },
    streaming: {
      'sse.send': ['streaming'],
      'sse.comment': ['streaming'],
      'sse.keepalive': ['streaming'],
      'http.fullflush': ['streaming'],
      'sse.close': ['closed'],
    },
    closed: { 'sse.close': ['closed'] },
    declining: { 'sse.http.response.body': ['declining', 'declined'] },
    declined: {},
  },
  situations: {
    initial: 'before sse.start or sse.http.response.start',
    streaming: 'once the stream has begun',
    closed: 'after sse.close',
    declining: 'once the stream is being declined',
    declined: 'after the stream has been declined',
  },
};

export type WebSocketSendState = 'connecting' | 'open' | 'denying' | 'denied' | 'closed';

export type WebSocketSendType =
  | 'websocket.accept'
  | 'websocket.send'
  | 'websocket.close'
  | 'websocket.keepalive'
  | 'websocket.http.response.start'
  | 'websocket.http.response.body';

export const WEBSOCKET_SEND: SendTable<WebSocketSendState, WebSocketSendType> = {
  scope: 'a websocket scope',
  types: [
    'websocket.accept',
    'websocket.send',
    'websocket.close',
    'websocket.keepalive',
    'websocket.http.response.start',
    'websocket.http.response.body',
  ],
  next: {
    connecting: {
      'websocket.accept': ['open'],
      'websocket.close': ['closed'],
      // Takes effect once the session is open.
      'websocket.keepalive': ['connecting'],
      'websocket.http.response.start': ['denying'],
    },
    open: {
      'websocket.send': ['open'],
      'websocket.close': ['closed'],
      'websocket.keepalive': ['open'],
      // A denial comes too late and is ignored.
      'websocket.http.response.start': ['open'],
      'websocket.http.response.body': ['open'],
    },
    denying: { 'websocket.http.response.body': ['denying', 'denied'] },
    denied: {},
    closed: {
      'websocket.close': ['closed'],
      'websocket.http.response.start': ['closed'],
      'websocket.http.response.body': ['closed'],
    },
  },
  situations: {
    connecting: 'before websocket.accept',
    open: 'once the session is open',
    denying: 'once the handshake is being denied',
    denied: 'after the handshake has been denied',
    closed: 'after websocket.close',
  },
};
