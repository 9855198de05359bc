/**
 * Keep-alive and pipelining (RFC 9112 9.3): answers come in the order of the requests, each request is its own, and what
 * goes wrong with a later one takes nothing from an earlier one.
 */
import { expect, test } from 'bun:test';
import { header } from '../support/raw-client.ts';
import { echoPath, httpApp, readBody, reply } from './apps.ts';
import { H1_CARRIERS, onEach } from './carriers.ts';

const get = (path: string, extra = '') => `GET ${path} HTTP/1.1\r\nhost: a\r\n${extra}\r\n`;

onEach(H1_CARRIERS, (carrier) => {
  test('many requests, one after another, on one connection', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    for (let i = 0; i < 50; i++) {
      expect((await client.request({ target: `/${i}` })).body.toString()).toBe(`/${i}`);
    }
    expect(server.server.connectionCount).toBe(1);
  });

  test('a slow first answer holds back the ones behind it, and the order stays', async () => {
    const gate = Promise.withResolvers<void>();
    const started: string[] = [];
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        started.push(scope.path);
        if (scope.path === '/slow') await gate.promise;
        await reply(send, scope.path);
      }),
    );
    const client = await server.connect();
    await client.send(get('/slow') + get('/b') + get('/c'));
    await server.request({ target: '/fence' });
    expect([client.bytesReceived, started]).toEqual([0, ['/slow', '/fence']]);
    gate.resolve();
    const bodies = (await client.responses(3)).map(({ body }) => body.toString());
    expect(bodies).toEqual(['/slow', '/b', '/c']);
  });

  test('a thousand pipelined requests are answered in order', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    const paths = Array.from({ length: 1000 }, (_, i) => `/${i}`);
    void client.send(paths.map((path) => get(path)).join(''));
    expect((await client.responses(1000)).map(({ body }) => body.toString())).toEqual(paths);
  });

  test('a thousand pipelined requests to an app that takes a turn for each', async () => {
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        await new Promise((resolve) => setImmediate(resolve));
        await reply(send, scope.path);
      }),
    );
    const client = await server.connect();
    const paths = Array.from({ length: 1000 }, (_, i) => `/${i}`);
    void client.send(paths.map((path) => get(path)).join(''));
    expect((await client.responses(1000)).map(({ body }) => body.toString())).toEqual(paths);
  });

  test('pipelined requests that come byte by byte', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    for (const char of get('/a') + get('/b')) await client.send(char);
    expect((await client.responses(2)).map(({ body }) => body.toString())).toEqual(['/a', '/b']);
  });

  test('bodies and heads that stand next to each other are told apart', async () => {
    await using server = await carrier.start(
      httpApp(async (scope, receive, send) =>
        reply(send, `${scope.path}:${(await readBody(receive)).toString()}`),
      ),
    );
    const client = await server.connect();
    void client.send(
      'POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc' +
        'POST /b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n' +
        'POST /c HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n' +
        get('/d'),
    );
    const bodies = (await client.responses(4)).map(({ body }) => body.toString());
    expect(bodies).toEqual(['/a:abc', '/b:de', '/c:', '/d:']);
  });

  test('an unread body in front of a pipelined request is skipped', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    void client.send(
      `POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 26\r\n\r\nGET /evil HTTP/1.1\r\nx: y\r\n${get('/b')}`,
    );
    expect((await client.responses(2)).map(({ body }) => body.toString())).toEqual(['/a', '/b']);
  });

  test('empty lines between requests are ignored', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    void client.send(`\r\n\r\n${get('/a')}\r\n${get('/b')}`);
    expect((await client.responses(2)).map(({ body }) => body.toString())).toEqual(['/a', '/b']);
  });

  for (const value of ['close', 'Close', 'x, CLOSE , y']) {
    test(`bytes behind connection: ${value} are ignored`, async () => {
      const paths: string[] = [];
      await using server = await carrier.start(
        httpApp((scope, _receive, send) => {
          paths.push(scope.path);
          return reply(send, scope.path);
        }),
      );
      const client = await server.connect();
      void client.send(`${get('/a', `connection: ${value}\r\n`)}${get('/b')}\x00\x00rubbish`);
      const response = await client.response();
      expect([response.body.toString(), header(response, 'connection')]).toEqual(['/a', 'close']);
      expect(await client.ended()).toBe('fin');
      expect([client.unread, paths]).toEqual(['', ['/a']]);
    });
  }

  test('a malformed second request gets its 400 behind the first one’s answer', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        await gate.promise;
        await reply(send, 'first');
      }),
    );
    const client = await server.connect();
    await client.send(`${get('/a')}BAD \x01\r\n\r\n`);
    gate.resolve();
    expect((await client.response()).body.toString()).toBe('first');
    expect((await client.response()).status).toBe(400);
    expect(await client.ended()).toBe('fin');
  });

  test('a malformed second request in the same turn gets its 400 behind the first one’s answer', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    void client.send(`${get('/a')}${get('/b')}GET / HTTP/1.1\r\n\r\n`);
    expect((await client.responses(3)).map(({ status }) => status)).toEqual([200, 200, 400]);
    expect(await client.ended()).toBe('fin');
  });

  test('a pipelined HEAD among GETs', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    void client.send(`${get('/a')}HEAD /head HTTP/1.1\r\nhost: a\r\n\r\n${get('/c')}`);
    const first = await client.response();
    const head = await client.response('HEAD');
    const last = await client.response();
    expect([first.body.toString(), header(head, 'content-length'), last.body.toString()]).toEqual([
      '/a',
      '5',
      '/c',
    ]);
  });

  test('a client that pipelines without end is not read without end', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        if (scope.path === '/slow') await gate.promise;
        await reply(send, 'x');
      }),
    );
    const client = await server.connect();
    void client.send(get('/slow'));
    const block = get('/b').repeat(2000);
    const blocks = 400;
    let isDone = false;
    const sending = (async () => {
      for (let i = 0; i < blocks; i++) await client.send(block);
      isDone = true;
    })();
    await client.settled(() => server.request({ target: '/fence' }));
    expect(isDone).toBe(false);
    expect(client.bytesSent).toBeLessThan(block.length * blocks * 0.9);
    gate.resolve();
    await client.responses(1 + 2000 * 20);
    client.close();
    await sending;
  });
});
