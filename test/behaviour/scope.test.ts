/**
 * What the application is told of a request: every key of the http scope, faithful to what was sent.
 */
import { expect, test } from 'bun:test';
import type { HttpScope } from '../../src/contract/scope.ts';
import { httpApp, reply } from './apps.ts';
import { CARRIERS, H1_CARRIERS, onEach, type Carrier } from './carriers.ts';
import type { StartOptions } from '../support/start-server.ts';

/** A server that keeps the scopes that it has seen. */
async function recording(carrier: Carrier, options: StartOptions = {}) {
  const scopes: HttpScope[] = [];
  const server = await carrier.start(
    httpApp(async (scope, _receive, send) => {
      scopes.push(scope);
      await reply(send);
    }),
    options,
  );
  return Object.assign(server, { scopes });
}

onEach(CARRIERS, (carrier) => {
  test('a plain request has exactly the keys of the contract', async () => {
    await using server = await recording(carrier);
    expect((await server.request({ target: '/a?b=c' })).status).toBe(200);
    const scope = server.scopes[0]!;
    const keys = [
      'type,tsagi,httpVersion,method,scheme,path,rawPath,queryString,rootPath,headers,server,state,extensions',
      'tsagi.transport,tsagi.connection,tsagi.shutdown',
      ...(carrier.isUnix ? [] : ['client']),
    ];
    expect(Object.keys(scope).sort()).toEqual(keys.join(',').split(',').sort());
    expect(scope).toMatchObject({
      type: 'http',
      tsagi: { version: '0.3', specVersion: '0.3' },
      httpVersion: carrier.protocol === 'h2' ? '2' : '1.1',
      method: 'GET',
      scheme: carrier.isSecure ? 'https' : 'http',
      path: '/a',
      rawPath: '/a',
      queryString: 'b=c',
      rootPath: '',
      state: {},
      extensions: {},
    });
    expect(scope['tsagi.shutdown'].aborted).toBe(false);
    expect(scope['tsagi.transport']).toMatchObject({ highWaterMark: 65536, lowWaterMark: 16384 });
    expect(scope['tsagi.transport'].bufferedAmount).toBe(0);
  });

  test('header fields keep order, repeats, underscores and bytes; names are lower-case', async () => {
    await using server = await recording(carrier);
    await server.request({
      headers: [
        ['X-Second', '2'],
        ['X_Real_IP', 'forged'],
        ['x-real-ip', 'true'],
        ['X-Second', '1'],
        ['x-bytes', 'caf\xe9'],
        ['x-empty', ''],
      ],
    });
    expect(server.scopes[0]!.headers).toEqual([
      ['host', 'test'],
      ['x-second', '2'],
      ['x_real_ip', 'forged'],
      ['x-real-ip', 'true'],
      ['x-second', '1'],
      ['x-bytes', 'caf\xe9'],
      ['x-empty', ''],
    ]);
  });

  test('several cookie fields become one, where the first stood', async () => {
    await using server = await recording(carrier);
    await server.request({
      headers: [
        ['cookie', 'a=1'],
        ['x-between', 'y'],
        ['Cookie', 'b=2; c=3'],
        ['cookie', 'd=4'],
      ],
    });
    expect(server.scopes[0]!.headers).toEqual([
      ['host', 'test'],
      ['cookie', 'a=1; b=2; c=3; d=4'],
      ['x-between', 'y'],
    ]);
  });

  const paths: [target: string, path: string, rawPath: string, query: string][] = [
    ['/', '/', '/', ''],
    ['/?', '/', '/', ''],
    ['/a%20b', '/a b', '/a%20b', ''],
    ['/caf%C3%A9', '/café', '/caf%C3%A9', ''],
    ['/caf%E9', '/caf\xe9', '/caf%E9', ''],
    ['/%c3%a9/%ff', '/\xc3\xa9/\xff', '/%c3%a9/%ff', ''],
    ['/%2561', '/%61', '/%2561', ''],
    ['/a%2Fb', '/a/b', '/a%2Fb', ''],
    ['/a/../b/./c//d', '/a/../b/./c//d', '/a/../b/./c//d', ''],
    ['/q?x=%20%zz&y=a?b', '/q', '/q', 'x=%20%zz&y=a?b'],
    ['/%F0%9F%98%80', '/😀', '/%F0%9F%98%80', ''],
    ['/a+b', '/a+b', '/a+b', ''],
  ];
  for (const [target, path, rawPath, queryString] of paths) {
    test(`the target ${target} is the path ${path}`, async () => {
      await using server = await recording(carrier);
      expect((await server.request({ target })).status).toBe(200);
      expect(server.scopes[0]).toMatchObject({ path, rawPath, queryString });
    });
  }

  test('the method is as sent', async () => {
    await using server = await recording(carrier);
    const client = await server.connect();
    for (const method of ['PATCH', 'get', 'M-SEARCH']) await client.request({ method });
    expect(server.scopes.map((scope) => scope.method)).toEqual(['PATCH', 'get', 'M-SEARCH']);
  });

  test('rootPath and extensions are as configured', async () => {
    await using server = await recording(carrier, { rootPath: '/mount', extensions: { fullflush: {} } });
    await server.request({ target: '/mount/a' });
    expect(server.scopes[0]).toMatchObject({
      rootPath: '/mount',
      path: '/mount/a',
      extensions: { fullflush: {} },
    });
  });

  test('client and server are the ends of the connection', async () => {
    await using server = await recording(carrier);
    const client = await server.connect();
    await client.request();
    const scope = server.scopes[0]!;
    if ('path' in server.address) {
      expect(Object.hasOwn(scope, 'client')).toBe(false);
      expect(scope.server).toEqual([server.address.path, null]);
    } else {
      expect(scope.client).toEqual(['127.0.0.1', client.socket.localPort!]);
      expect(scope.server).toEqual(['127.0.0.1', server.address.port]);
    }
  });

  test('state is a shallow copy of the lifespan state, fresh for every request', async () => {
    const shared = { hits: 0 };
    await using server = await carrier.start(
      async (scope, receive, send) => {
        if (scope.type === 'lifespan') {
          scope.state['shared'] = shared;
          scope.state['count'] = 1;
          await receive();
          await send({ type: 'lifespan.startup.complete' });
          await receive();
          await send({ type: 'lifespan.shutdown.complete' });
        } else if (scope.type === 'http') {
          const seen = `${String(scope.state['count'])} ${String(scope.state['own'])} ${++shared.hits}`;
          scope.state['count'] = 99;
          scope.state['own'] = 'private';
          await reply(send, `${seen} ${scope.state['shared'] === shared}`);
        }
      },
      { lifespan: 'on' },
    );
    const client = await server.connect();
    expect((await client.request()).body.toString()).toBe('1 undefined 1 true');
    expect((await client.request()).body.toString()).toBe('1 undefined 2 true');
  });

  test('what an app does to its scope is not seen by the next request', async () => {
    const seen: string[] = [];
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        seen.push(JSON.stringify([scope.headers, scope.server, scope.rootPath, scope.client?.[0] ?? '']));
        scope.headers.push(['x-added', '1']);
        scope.server[0] = 'changed';
        if (scope.client) scope.client[0] = 'changed';
        scope.rootPath = '/changed';
        await reply(send);
      }),
    );
    const client = await server.connect();
    await client.request();
    await client.request();
    expect(seen[1]).toBe(seen[0]!);
  });
});

onEach(H1_CARRIERS, (carrier) => {
  test('the authority of an absolute target replaces Host', async () => {
    await using server = await recording(carrier);
    const client = await server.connect();
    void client.send('GET http://real.example:81/p?q HTTP/1.1\r\nx: 1\r\nHost: other\r\n\r\n');
    expect((await client.response()).status).toBe(200);
    const { headers, path, queryString } = server.scopes[0]!;
    expect({ headers, path, queryString }).toEqual({
      headers: [
        ['x', '1'],
        ['host', 'real.example:81'],
      ],
      path: '/p',
      queryString: 'q',
    });
  });

  test('an absolute target without a path has the path /, and OPTIONS * the path *', async () => {
    await using server = await recording(carrier);
    const client = await server.connect();
    void client.send('GET http://a HTTP/1.1\r\nhost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n');
    expect((await client.responses(2)).map(({ status }) => status)).toEqual([200, 200]);
    expect(server.scopes.map(({ path }) => path)).toEqual(['/', '*']);
  });

  test('an HTTP/1.0 request is 1.0 in its scope', async () => {
    await using server = await recording(carrier);
    const client = await server.connect();
    void client.send('GET / HTTP/1.0\r\n\r\n');
    expect((await client.response()).status).toBe(200);
    expect(server.scopes[0]).toMatchObject({ httpVersion: '1.0', headers: [] });
  });

  test('blanks and tabs around a field value are not part of it', async () => {
    await using server = await recording(carrier);
    const client = await server.connect();
    void client.send('GET / HTTP/1.1\r\nhost:\t test \t\r\nx:\t a\tb \r\n\r\n');
    await client.response();
    expect(server.scopes[0]!.headers).toEqual([
      ['host', 'test'],
      ['x', 'a\tb'],
    ]);
  });
});
