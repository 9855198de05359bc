/**
 * The scope of a request: what is in it, and that nothing in it is another request's.
 */
import { describe, expect, test } from 'bun:test';
import type { HttpScope, SseScope, TlsExtension, WebSocketScope } from '../../src/contract/scope.ts';
import { RequestConnection, ScopeTransport } from '../../src/session/scope-handles.ts';
import { decodePath, httpScope, sseScope, websocketScope } from '../../src/session/scope.ts';
import { FakeExchange, TCP_PEER } from '../support/fake-exchange.ts';
import { sessionContext, type TestSessionOptions } from '../support/session-context.ts';

function scopeOf(exchange: FakeExchange, options: TestSessionOptions = {}): HttpScope {
  const context = sessionContext(options);
  const connection = new RequestConnection(context.log);
  return httpScope(exchange, context, connection, new ScopeTransport(exchange.outbound, context.log));
}

test('a scope has what the request says, what the server says, and the live handles', () => {
  const shutdownSignal = new AbortController().signal;
  const extensions = { fullflush: {} };
  const exchange = new FakeExchange({
    method: 'PUT',
    rawPath: '/a',
    queryString: 'b=%20',
    headers: [['x', 'y']],
  });
  const scope = scopeOf(exchange, { rootPath: '/mounted', extensions, shutdownSignal, state: { db: 1 } });
  const { 'tsagi.connection': connection, 'tsagi.transport': transport, ...rest } = scope;
  expect(rest).toEqual({
    type: 'http',
    tsagi: { version: '0.3', specVersion: '0.3' },
    httpVersion: '1.1',
    method: 'PUT',
    scheme: 'http',
    path: '/a',
    rawPath: '/a',
    queryString: 'b=%20',
    rootPath: '/mounted',
    headers: [['x', 'y']],
    client: ['192.0.2.7', 50_000],
    server: ['192.0.2.1', 80],
    state: { db: 1 },
    extensions: { fullflush: {} },
    'tsagi.shutdown': shutdownSignal,
  });
  expect([connection.isConnected, transport.highWaterMark]).toEqual([true, 1000]);
});

test('on a unix socket there is no client, and the server is the path', () => {
  const peer = {
    client: undefined,
    server: ['/run/a.sock', null] as [string, null],
    isSecure: false,
    tls: undefined,
  };
  const scope = scopeOf(new FakeExchange({}, peer));
  expect('client' in scope).toBe(false);
  expect(scope.server).toEqual(['/run/a.sock', null]);
});

test('on a connection with TLS the scheme is https', () => {
  const peer = { client: undefined, server: ['/x', null] as [string, null], isSecure: true, tls: undefined };
  expect(scopeOf(new FakeExchange({}, peer)).scheme).toBe('https');
});

test('the tls extension stands beside those of the server, which stay as they are', () => {
  const tls: TlsExtension = {
    serverCert: null,
    clientCertChain: [],
    clientCertName: null,
    clientCertError: null,
    tlsVersion: 0x0304,
    cipherSuite: 0x1301,
  };
  const extensions = Object.freeze({ fullflush: {} });
  const exchange = new FakeExchange({}, { ...TCP_PEER, isSecure: true, tls });
  expect(scopeOf(exchange, { extensions }).extensions).toEqual({ fullflush: {}, tls });
  expect(scopeOf(new FakeExchange(), { extensions }).extensions).toBe(extensions);
});

test('spreading a scope keeps everything, handles included', () => {
  const scope = scopeOf(new FakeExchange());
  const copy = { ...scope, path: '/elsewhere' };
  expect(Object.keys(copy)).toEqual(Object.keys(scope));
  expect(copy['tsagi.connection']).toBe(scope['tsagi.connection']);
});

test('the state is a shallow copy: keys are the own ones of each scope, values are shared', () => {
  const state = { shared: { count: 0 } };
  const [first, second] = [scopeOf(new FakeExchange(), { state }), scopeOf(new FakeExchange(), { state })];
  first.state['own'] = 1;
  (first.state['shared'] as { count: number }).count++;
  expect(second.state).toEqual({ shared: { count: 1 } });
  expect(state).toEqual({ shared: { count: 1 } });
  const empty = [scopeOf(new FakeExchange()), scopeOf(new FakeExchange())];
  expect(empty[0]!.state).not.toBe(empty[1]!.state);
});

test('the version is frozen, since all scopes share it', () => {
  expect(Object.isFrozen(scopeOf(new FakeExchange()).tsagi)).toBe(true);
});

test('several cookie fields become one in the place of the first; other repeats stay', () => {
  const headers: [string, string][] = [
    ['a', '1'],
    ['cookie', 'x=1'],
    ['a', '2'],
    ['cookie', 'y=2; z=3'],
    ['b', '3'],
    ['cookie', 'w=4'],
  ];
  expect(scopeOf(new FakeExchange({ headers, repeatsCookie: true })).headers).toEqual([
    ['a', '1'],
    ['cookie', 'x=1; y=2; z=3; w=4'],
    ['a', '2'],
    ['b', '3'],
  ]);
});

describe('the scope of an event stream', () => {
  const open = (exchange: FakeExchange, options: TestSessionOptions = {}): SseScope => {
    const context = sessionContext(options);
    return sseScope(exchange, context, new ScopeTransport(exchange.outbound, context.log));
  };

  test('is that of an http request without its connection', () => {
    const options = { rootPath: '/mounted', extensions: { fullflush: {} }, state: { db: 1 } };
    const headers: [string, string][] = [
      ['cookie', 'a=1'],
      ['accept', 'text/event-stream'],
      ['cookie', 'b=2'],
    ];
    const head = { method: 'POST', rawPath: '/%41', hasEscapes: true, headers, repeatsCookie: true };
    const { 'tsagi.transport': transport, ...rest } = open(new FakeExchange(head), options);
    const {
      'tsagi.transport': _transport,
      'tsagi.connection': _connection,
      ...http
    } = scopeOf(new FakeExchange(head), options);
    expect(transport.lowWaterMark).toBe(200);
    expect(rest).toEqual({ ...http, type: 'sse', 'tsagi.shutdown': rest['tsagi.shutdown'] });
  });

  test('has no client on a unix socket, and the scheme of its connection', () => {
    const peer = {
      client: undefined,
      server: ['/x', null] as [string, null],
      isSecure: true,
      tls: undefined,
    };
    const scope = open(new FakeExchange({}, peer));
    expect(['client' in scope, scope.scheme]).toEqual([false, 'https']);
  });
});

describe('the scope of a WebSocket', () => {
  const open = (exchange: FakeExchange, options: TestSessionOptions = {}): WebSocketScope => {
    const context = sessionContext(options);
    return websocketScope(exchange, context, new ScopeTransport(exchange.outbound, context.log), ['chat']);
  };

  test('has what the request says, what was offered, and the denial extension; no method, no connection', () => {
    const { 'tsagi.transport': transport, ...rest } = open(
      new FakeExchange({ rawPath: '/a', queryString: 'b=c' }),
      { extensions: { fullflush: {} }, state: { db: 1 } },
    );
    expect(transport.highWaterMark).toBe(1000);
    expect(rest).toEqual({
      type: 'websocket',
      tsagi: { version: '0.3', specVersion: '0.3' },
      httpVersion: '1.1',
      scheme: 'ws',
      path: '/a',
      rawPath: '/a',
      queryString: 'b=c',
      rootPath: '',
      headers: [],
      client: ['192.0.2.7', 50_000],
      server: ['192.0.2.1', 80],
      subprotocols: ['chat'],
      state: { db: 1 },
      extensions: { fullflush: {}, 'websocket.http.response': {} },
      'tsagi.shutdown': rest['tsagi.shutdown'],
    });
  });

  test('has the scheme wss with TLS, and extensions of its own', () => {
    const peer = {
      client: undefined,
      server: ['/x', null] as [string, null],
      isSecure: true,
      tls: undefined,
    };
    const extensions = {};
    const first = open(new FakeExchange({}, peer), { extensions });
    expect(first.scheme).toBe('wss');
    expect(first.extensions).not.toBe(open(new FakeExchange({}, peer), { extensions }).extensions);
    expect(extensions).toEqual({});
  });
});

describe('the path', () => {
  const paths: [string, string, string][] = [
    ['as it is without escapes', '/a/b', '/a/b'],
    ['decoded once', '/a%2Fb%20c', '/a/b c'],
    ['not decoded twice', '/%2541', '/%41'],
    ['as UTF-8', '/caf%C3%A9/%e2%82%ac', '/caf\u00e9/\u20ac'],
    ['as UTF-8 beyond the basic plane', '/%F0%9F%98%80', '/\u{1f600}'],
    ['as bytes where it is not UTF-8', '/caf%E9', '/caf\xe9'],
    ['as bytes for overlong forms', '/%C0%AF', '/\xc0\xaf'],
    ['as bytes for surrogates', '/%ED%A0%80', '/\xed\xa0\x80'],
    ['as bytes for a sequence cut short', '/%E2%82/x%20y', '/\xe2\x82/x y'],
    ['as bytes as a whole where a part is not UTF-8', '/%C3%A9%FF', '/\xc3\xa9\xff'],
    ['with a NUL', '/a%00b', '/a\0b'],
    ['with a percent sign', '/100%25', '/100%'],
    ['with a plus, which is no space', '/a+b%2B', '/a+b+'],
    ['with dots, which nobody resolves', '/a/%2e%2E/b', '/a/../b'],
  ];
  for (const [name, raw, path] of paths) {
    test(`is ${name}`, () => {
      expect(decodePath(raw)).toBe(path);
      const scope = scopeOf(new FakeExchange({ rawPath: raw, hasEscapes: raw.includes('%') }));
      expect([scope.path, scope.rawPath]).toEqual([path, raw]);
    });
  }
});
