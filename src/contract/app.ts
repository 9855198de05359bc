/**
 * The application: one async function that is called once per scope. This file names the function and its two channels;
 * what travels through them is in receive-events.ts and send-events.ts, what it is told at the start in scope.ts.
 * Source: TSAGI 0.3, the TypeScript form of PAGI 0.3, itself in the spirit of ASGI 3.
 */
import type { ReceiveEvent } from './receive-events.ts';
import type { Scope } from './scope.ts';
import type { SendEvent } from './send-events.ts';

/**
 * Waits for the next event from the client or the server. Several calls may be pending at once; they are served in the
 * order in which they were made.
 */
export type ReceiveFunction = () => Promise<ReceiveEvent>;

/**
 * Hands one event to the server. The promise resolves once the event is queued below the high-water mark, or else when
 * the queue has drained below the low-water mark: awaiting it is all the flow control an application needs.
 *
 * Rejects with a `TypeError` that names event, field and what was expected, when the event's `type` is unknown or a field
 * is missing or of the wrong type, and with one that names the situation when the event is not allowed at this point.
 * Nothing of a rejected event reaches the wire. Unknown extra fields are ignored. After the peer has gone `send` does nothing and resolves.
 */
export type SendFunction = (event: SendEvent) => Promise<void>;

/**
 * A TSAGI application. It is called once for every HTTP request, WebSocket session and SSE request, and once per process
 * for `lifespan`. Its promise resolving completes the request, and the value is ignored; rejecting is an application
 * error: 500 when nothing has been sent, an aborted connection or stream otherwise.
 *
 * An application must throw on a `scope.type` that it does not know.
 *
 * @example
 * const app: App = async (scope, receive, send) => {
 *   if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`)
 *   await send({ type: 'http.response.start', status: 200, headers: [['content-type', 'text/plain']] })
 *   await send({ type: 'http.response.body', body: 'Hello from TSAGI' })
 * }
 */
export type App = (scope: Scope, receive: ReceiveFunction, send: SendFunction) => Promise<void> | void;

/** The `key=value` arguments that follow the application on the command line, as strings. */
export type AppArguments = Readonly<Record<string, string>>;

/**
 * Makes an application from the `key=value` arguments of the command line. An export is called as a factory when such
 * arguments are given, or when it is named `createApp`.
 */
export type AppFactory = (args: AppArguments) => App | Promise<App>;
