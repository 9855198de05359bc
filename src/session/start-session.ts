/**
 * From a request to a running application: chooses the scope type, calls the application, and answers for it when it
 * fails. A failure before the response becomes 500; after its start the exchange is aborted, so that the client can tell.
 */
import type { ReceiveEvent } from '../contract/receive-events.ts';
import type { Scope } from '../contract/scope.ts';
import { listMembers } from '../wire/grammar.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import { handshakeErrorHeaders, judgeHandshake } from '../wire/websocket/handshake.ts';
import type { Exchange, ExchangeObserver, RequestHead } from './exchange.ts';
import { HttpSession } from './http-session.ts';
import { plainResponse } from './plain-response.ts';
import type { SessionContext } from './session-context.ts';

import { SseSession } from './sse-session.ts';
import { WebSocketSession } from './websocket-session.ts';

/** One application call, whatever its scope type. Body pieces may be pushed before it runs. */
export interface Session extends ExchangeObserver {
  readonly scope: Scope;
  /** `initial`: another response can still take its place. `gone`: the client is no longer there. */
  readonly standing: 'initial' | 'started' | 'complete' | 'gone';
  /** What was sent last and is still under way by itself, a file for instance. */
  readonly pending: Promise<void> | undefined;
  receive(): Promise<ReceiveEvent>;
  send(event: unknown): Promise<void>;
  /** The application has returned: ends what it left open in the way of its scope type, or says what it left undone. */
  finish(): string | undefined;
  /** Answers in the application's place when it failed before it answered, else breaks the response off. */
  fail(): void;
}

export type RequestKind = 'http' | 'websocket' | 'sse';

/** Creates the session for a request; undefined when the request has been answered without one. */
export function createSession(exchange: Exchange, context: SessionContext): Session | undefined {
  const kind = classify(exchange.head);
  if (kind === 'websocket') return createWebSocketSession(exchange, context);
  if (kind === 'sse') return new SseSession(exchange, context);
  if (exchange.head.method !== 'CONNECT') return new HttpSession(exchange, context);
  // RFC 9110 9.1: 501 for what the server does not implement; CONNECT needs a proxy.
  plainResponse(exchange, 501, 'CONNECT is not implemented by this server.');
  return undefined;
}

function createWebSocketSession(exchange: Exchange, context: SessionContext): Session | undefined {
  const handshake = judgeHandshake(exchange.head);
  if (!(handshake instanceof ProtocolError)) return new WebSocketSession(exchange, context, handshake);
  plainResponse(exchange, handshake.status, handshake.message, handshakeErrorHeaders(handshake));
  return undefined;
}

/** Which scope a request gets: a WebSocket handshake, else an event stream when it accepts one, else plain HTTP. */
export function classify(head: RequestHead): RequestKind {
  if (head.protocol === 'websocket') return 'websocket';
  if (head.hasUpgrade && isWebSocketHandshake(head)) return 'websocket';
  if (!head.mentionsEventStream) return 'http';
  return head.headers.some(([name, value]) => name === 'accept' && acceptsEventStream(value))
    ? 'sse'
    : 'http';
}

/**
 * RFC 6455 4.2.1: `websocket` among Upgrade and `upgrade` among Connection, in any case. HTTP/1.0 has no Upgrade (RFC 9110
 * 7.8); whatever else a handshake must be is judged once it is known to be meant as one.
 */
function isWebSocketHandshake(head: RequestHead): boolean {
  if (head.httpVersion !== '1.1') return false;
  const lists = (wanted: string, member: string): boolean =>
    head.headers.some(([name, value]) => name === wanted && listMembers(value).includes(member));
  return lists('upgrade', 'websocket') && lists('connection', 'upgrade');
}

/** RFC 9110 12.5.1: lists `text/event-stream` itself, with a weight that is not zero. Ranges like `*` do not count. */
function acceptsEventStream(accept: string): boolean {
  return listMembers(accept).some((member) => {
    const [range, ...parameters] = member.split(';').map((part) => part.trim());
    if (range !== 'text/event-stream') return false;
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    return weight === undefined || Number(weight.slice(2)) !== 0;
  });
}

/** Calls the application. Its failures end here. */
export function runSession(session: Session, context: SessionContext): void {
  context.sessionStarted();
  let returned: Promise<void> | void;
  try {
    returned = context.app(
      session.scope,
      () => session.receive(),
      (event) => session.send(event),
    );
  } catch (error) {
    appThrew(session, context, error);
    return;
  }
  Promise.resolve(returned).then(
    () => appReturned(session, context),
    (error: unknown) => appThrew(session, context, error),
  );
}

function appReturned(session: Session, context: SessionContext): void {
  if (session.pending !== undefined) {
    // Returned without waiting for what it sent: that is allowed, and the verdict waits instead.
    const judge = (): void => appReturned(session, context);
    session.pending.then(judge, judge);
    return;
  }
  context.sessionEnded();
  const failure = session.standing === 'gone' ? undefined : session.finish();
  if (failure === undefined) return;
  context.log.error(`${nameOf(session)}: the application returned ${failure}`);
  session.fail();
}

function appThrew(session: Session, context: SessionContext, error: unknown): void {
  context.sessionEnded();
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  if (session.standing === 'gone') {
    // An application that stumbles over a client that has gone is doing nothing wrong.
    context.log.debug(`${nameOf(session)}: after the client had gone: ${text}`);
    return;
  }
  context.log.error(`${nameOf(session)}: the application threw: ${text}`);
  if (session.standing !== 'complete') session.fail();
}

function nameOf({ scope }: Session): string {
  if (scope.type === 'lifespan') return scope.type;
  return `${scope.type === 'websocket' ? 'WebSocket' : scope.method} ${scope.rawPath}`;
}
