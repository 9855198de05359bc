/**
 * The live objects of a scope: unlike its other values they change while the application runs. They only report; nothing
 * here sends, and reading a getter has no effect. Source: TSAGI 0.3, "ConnectionState" and "TransportState".
 */

/**
 * Why a connection or stream ended abnormally. Own reasons begin with `x-`.
 *
 * | reason | meaning |
 * | --- | --- |
 * | `client_closed` | the client closed the connection or reset the stream |
 * | `client_timeout` | the client did not send the body that the application waited for in time |
 * | `idle_timeout` | no byte went either way for the time allowed |
 * | `keepalive_timeout` | a ping was not answered in time |
 * | `write_timeout` | the client did not take queued bytes in time |
 * | `write_error`, `read_error` | the socket failed |
 * | `protocol_error` | the client broke the protocol |
 * | `server_shutdown` | the shutdown time was over while the request was still in hand |
 * | `server_error` | the application failed after its response had begun, or left it incomplete |
 * | `body_too_large` | the request body passed the limit |
 * | `queue_overflow` | more messages waited for the application than the queue holds, or far more bytes for the client than the high-water mark |
 */
export type DisconnectReason =
  | 'client_closed'
  | 'client_timeout'
  | 'idle_timeout'
  | 'keepalive_timeout'
  | 'write_timeout'
  | 'write_error'
  | 'read_error'
  | 'protocol_error'
  | 'server_shutdown'
  | 'server_error'
  | 'body_too_large'
  | 'queue_overflow'
  | `x-${string}`;

/**
 * `scope['tsagi.connection']` of an `http` scope, one per request: is the client still there, and how did it end?
 *
 * A request ends in exactly one of two ways. *Complete*: the whole response has been sent. *Abnormal*: anything else. On
 * an abnormal end, in this order: `isConnected` turns false, `disconnectReason` is set, `disconnected` resolves and
 * `signal` aborts, the `onDisconnect` callbacks run, and only then does `receive` yield `http.disconnect`.
 */
export interface ConnectionState {
  /** Whether the client can still be reached by this request. */
  readonly isConnected: boolean;
  /** Why the request ended abnormally; `undefined` while it goes on and after a complete response. */
  readonly disconnectReason: DisconnectReason | undefined;
  /**
   * Aborted on an abnormal end, never by a complete response. Pass it to `fetch`, a database call or a timer, so that
   * work for a client that has gone stops.
   */
  readonly signal: AbortSignal;
  /** Resolves with the reason on an abnormal end; stays pending for ever after a complete response. Never rejects. */
  readonly disconnected: Promise<DisconnectReason>;
  /** Whether `http.response.start` has been accepted. */
  readonly responseStarted: boolean;
  /** Whether the last event of the response has been accepted. */
  readonly responseComplete: boolean;
  /**
   * Registers a callback for an abnormal end. Callbacks run once, in the order of registration, and at once when the
   * request has already ended so. One that throws is logged and does not stop the next.
   */
  onDisconnect(callback: (reason: DisconnectReason) => void): void;
  /** Registers a callback for a complete response, under the same rules. Exactly one of the two kinds runs per request. */
  onComplete(callback: () => void): void;
}

/**
 * `scope['tsagi.transport']` of every scope except `lifespan`: how much of what was sent is still waiting. An
 * application that awaits `send` needs none of it; it is for those that skip, merge or drop when a client is slow.
 */
export interface TransportState {
  /** Bytes that `send` accepted for this scope and that the kernel has not taken yet; on HTTP/2 those of this stream. */
  readonly bufferedAmount: number;
  /** Bytes. Above it `send` waits. Set by the server option `writeHighWatermark`. @default 65536 */
  readonly highWaterMark: number;
  /** Bytes. Below it a waiting `send` resolves. Set by the server option `writeLowWatermark`. @default 16384 */
  readonly lowWaterMark: number;
  /**
   * Calls back each time `bufferedAmount` rises past the high-water mark, and at once if it is already above. It does not
   * fire again until the amount has been below the low-water mark. Returns a function that unregisters the callback.
   */
  onHighWater(callback: () => void): () => void;
  /**
   * Calls back each time `bufferedAmount` falls below the low-water mark after having been above the high-water mark,
   * never without such a crossing. Returns a function that unregisters the callback.
   */
  onDrain(callback: () => void): () => void;
}
