/**
 * A client that sends FIN behind its last request still gets its answers; one that sends FIN inside a request has given
 * it up (RFC 9112 8, 9.6).
 */
import { expect, test } from 'bun:test';
import { header } from '../support/raw-client.ts';
import { within } from '../support/within.ts';
import { echoBody, echoPath, httpApp, reply } from './apps.ts';
import { H1_CARRIERS, onEach } from './carriers.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;

onEach(H1_CARRIERS, (carrier) => {
  test('an answer at once still comes, then FIN', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    void client.send(get('/a'));
    client.halfClose();
    expect((await client.response()).body.toString()).toBe('/a');
    expect(await client.ended()).toBe('fin');
  });

  test('a slow answer still comes, and the app sees no disconnect', async () => {
    const gate = Promise.withResolvers<void>();
    let reason: string | undefined = 'not asked';
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        if (scope.path === '/fence') return reply(send);
        await gate.promise;
        reason = scope['tsagi.connection'].disconnectReason;
        await reply(send, 'late');
      }),
    );
    const client = await server.connect();
    await client.send(get('/slow'));
    client.halfClose();
    await server.request({ target: '/fence' });
    gate.resolve();
    const response = await client.response();
    expect([response.body.toString(), header(response, 'connection'), reason]).toEqual([
      'late',
      'close',
      undefined,
    ]);
    expect(await client.ended()).toBe('fin');
  });

  test('several pipelined requests in front of the FIN are all answered', async () => {
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        await new Promise((resolve) => setImmediate(resolve));
        await reply(send, scope.path);
      }),
    );
    const client = await server.connect();
    void client.send(get('/a') + get('/b') + get('/c'));
    client.halfClose();
    expect((await client.responses(3)).map(({ body }) => body.toString())).toEqual(['/a', '/b', '/c']);
    expect(await client.ended()).toBe('fin');
  });

  test('a body in front of the FIN is read to its end', async () => {
    await using server = await carrier.start(echoBody);
    const client = await server.connect();
    const body = Buffer.alloc(1_000_000, 'z');
    void client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n`);
    void client.send(body);
    client.halfClose();
    expect((await client.response()).body.equals(body)).toBe(true);
    expect(await client.ended()).toBe('fin');
  });

  test('FIN inside a body ends the request as client_closed', async () => {
    const reason = Promise.withResolvers<string>();
    await using server = await carrier.start(
      httpApp(async (scope, receive) => {
        scope['tsagi.connection'].onDisconnect(reason.resolve);
        while ((await receive()).type !== 'http.disconnect');
      }),
    );
    const client = await server.connect();
    void client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf');
    client.halfClose();
    expect(await within(reason.promise, 'the reason')).toBe('client_closed');
    await client.ended();
    expect(client.bytesReceived).toBe(0);
    expect(server.errors).toEqual([]);
  });

  for (const part of ['', 'GET / HT', 'GET / HTTP/1.1\r\nhost: a\r\n']) {
    test(`FIN behind ${JSON.stringify(part)} closes the connection without a word`, async () => {
      await using server = await carrier.start(echoPath);
      const client = await server.connect();
      if (part !== '') await client.send(part);
      client.halfClose();
      expect(await client.ended()).toBe('fin');
      expect(client.bytesReceived).toBe(0);
    });
  }

  test('FIN on an idle kept-alive connection closes it', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    await client.request();
    client.halfClose();
    expect(await client.ended()).toBe('fin');
  });
});
