/**
 * The only builder of request scopes. A scope is a plain object with own properties, so that middleware can spread
 * it into a changed copy; nothing in it is shared between requests but what is frozen or belongs to the connection.
 */
import type {
  Extensions,
  HttpScope,
  RequestScope,
  SseScope,
  TsagiVersion,
  WebSocketScope,
} from '../contract/scope.ts';
import { hexValue } from '../wire/grammar.ts';
import type { Exchange, RequestHead } from './exchange.ts';
import type { RequestConnection, ScopeTransport } from './scope-handles.ts';

export const TSAGI_VERSION: TsagiVersion = Object.freeze({ version: '0.3', specVersion: '0.3' });

/** What the server contributes to every scope. */
export interface ScopeContext {
  readonly rootPath: string;
  readonly extensions: Extensions;
  readonly shutdownSignal: AbortSignal;
  /** The lifespan state, of which every scope gets a shallow copy. */
  readonly state: Readonly<Record<string, unknown>>;
}

export function httpScope(
  exchange: Exchange,
  context: ScopeContext,
  connection: RequestConnection,
  transport: ScopeTransport,
): HttpScope {
  const { head, peer } = exchange;
  const { client } = peer;
  const scope: Omit<HttpScope, 'client'> & { client: HttpScope['client'] | undefined } = {
    type: 'http',
    tsagi: TSAGI_VERSION,
    httpVersion: head.httpVersion,
    method: head.method,
    scheme: peer.isSecure ? 'https' : 'http',
    path: pathOf(head),
    rawPath: head.rawPath,
    queryString: head.queryString,
    rootPath: context.rootPath,
    headers: headersOf(head),
    client,
    server: peer.server,
    state: shallowCopy(context.state),
    extensions: extensionsOf(exchange, context),
    'tsagi.transport': transport,
    'tsagi.connection': connection,
    'tsagi.shutdown': context.shutdownSignal,
  };
  // In the literal, a key costs nothing; added to the finished object it costs more than all the others.
  if (client !== undefined) return scope as HttpScope;
  const { client: _absent, ...withoutClient } = scope;
  return withoutClient;
}

export function sseScope(exchange: Exchange, context: ScopeContext, transport: ScopeTransport): SseScope {
  const { head, peer } = exchange;
  const scheme = peer.isSecure ? 'https' : 'http';
  return { type: 'sse', method: head.method, scheme, ...requestScope(exchange, context, transport) };
}

export function websocketScope(
  exchange: Exchange,
  context: ScopeContext,
  transport: ScopeTransport,
  subprotocols: string[],
): WebSocketScope {
  return {
    type: 'websocket',
    scheme: exchange.peer.isSecure ? 'wss' : 'ws',
    subprotocols,
    ...requestScope(exchange, context, transport),
    extensions: { ...extensionsOf(exchange, context), 'websocket.http.response': {} },
  };
}

/** What these have in common with {@link httpScope}, which cannot afford the spread. */
function requestScope(exchange: Exchange, context: ScopeContext, transport: ScopeTransport): RequestScope {
  const { head, peer } = exchange;
  const { client } = peer;
  return {
    tsagi: TSAGI_VERSION,
    httpVersion: head.httpVersion,
    path: pathOf(head),
    rawPath: head.rawPath,
    queryString: head.queryString,
    rootPath: context.rootPath,
    headers: headersOf(head),
    ...(client === undefined ? undefined : { client }),
    server: peer.server,
    state: shallowCopy(context.state),
    extensions: extensionsOf(exchange, context),
    'tsagi.transport': transport,
    'tsagi.shutdown': context.shutdownSignal,
  };
}

function extensionsOf({ peer: { tls } }: Exchange, { extensions }: ScopeContext): Extensions {
  return tls === undefined ? extensions : { ...extensions, tls };
}

function pathOf(head: RequestHead): string {
  return head.hasEscapes ? decodePath(head.rawPath) : head.rawPath;
}

function headersOf(head: RequestHead): [string, string][] {
  return head.repeatsCookie ? joinCookies(head.headers) : head.headers;
}

function shallowCopy(state: Readonly<Record<string, unknown>>): Record<string, unknown> {
  // Most applications keep nothing there, and the loop ends before it begins.
  for (const _ in state) return { ...state };
  return {};
}

/** As RFC 9113 8.2.3 has it for HTTP/2, so that applications find one cookie field whatever carried it. */
function joinCookies(headers: [string, string][]): [string, string][] {
  const cookies = headers.filter(([name]) => name === 'cookie');
  const joined: [string, string] = ['cookie', cookies.map(([, value]) => value).join('; ')];
  return headers.flatMap((field) => {
    if (field[0] !== 'cookie') return [field];
    return field === cookies[0] ? [joined] : [];
  });
}

/** Percent-decoded once, then as UTF-8; where the bytes are not UTF-8, the decoded bytes as a byte string. */
export function decodePath(rawPath: string): string {
  try {
    return decodeURIComponent(rawPath);
  } catch {
    return decodeBytes(rawPath);
  }
}

function decodeBytes(rawPath: string): string {
  return rawPath.replace(/%([0-9a-f])([0-9a-f])/gi, (_, high: string, low: string) =>
    String.fromCharCode(hexValue(high.charCodeAt(0)) * 16 + hexValue(low.charCodeAt(0))),
  );
}
