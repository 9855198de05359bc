/**
 * Request bodies that the application does not want: the client sees the answer even while it is still sending, a small
 * rest is read away to keep the connection, a large one closes it, and what nobody reads is not taken in.
 */
import { expect, test } from 'bun:test';
import { header } from '../support/raw-client.ts';
import { within } from '../support/within.ts';
import { echoPath, httpApp, reply } from './apps.ts';
import { H1_CARRIERS, onEach } from './carriers.ts';

const MEGABYTE = Buffer.alloc(1_000_000, 'u');

onEach(H1_CARRIERS, (carrier) => {
  test('413: a client that sends 50 MB all the same reads the answer and no reset', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    void client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 50000000\r\n\r\n');
    for (let i = 0; i < 50; i++) await client.send(MEGABYTE);
    const response = await client.response();
    expect([response.status, response.isComplete, header(response, 'connection')]).toEqual([
      413,
      true,
      'close',
    ]);
    expect(await client.ended()).toBe('fin');
    expect(client.bytesSent).toBeGreaterThan(50_000_000);
  });

  test('an app that answers without reading: a client that sends 50 MB reads the answer and no reset', async () => {
    await using server = await carrier.start(
      httpApp((_scope, _receive, send) => reply(send, 'no', { status: 403 })),
      { maxBodySize: 0 },
    );
    const client = await server.connect();
    void client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 50000000\r\n\r\n');
    for (let i = 0; i < 50; i++) await client.send(MEGABYTE);
    const response = await client.response();
    expect([response.status, header(response, 'connection')]).toEqual([403, 'close']);
    expect(await client.ended()).toBe('fin');
  });

  test('a chunked body past the limit gets 413 in its middle, and the app is told body_too_large', async () => {
    const reason = Promise.withResolvers<string>();
    await using server = await carrier.start(
      httpApp(async (scope, receive) => {
        scope['tsagi.connection'].onDisconnect(reason.resolve);
        while ((await receive()).type !== 'http.disconnect');
      }),
      { maxBodySize: 100_000 },
    );
    const client = await server.connect();
    void client.send('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
    const chunk = `2710\r\n${'c'.repeat(10_000)}\r\n`;
    for (let i = 0; i < 200; i++) await client.send(chunk);
    expect((await client.response()).status).toBe(413);
    expect(await client.ended()).toBe('fin');
    expect(await within(reason.promise, 'the reason')).toBe('body_too_large');
    expect(server.errors).toEqual([]);
  });

  test('a body of exactly the limit is accepted, one byte more is not', async () => {
    await using server = await carrier.start(echoPath, { maxBodySize: 10 });
    expect((await server.request({ method: 'POST', body: '0123456789' })).status).toBe(200);
    expect((await server.request({ method: 'POST', body: '0123456789a' })).status).toBe(413);
  });

  test('an unread body of up to 256 KiB is read away and the connection goes on', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    const body = Buffer.alloc(250_000, 'GET /evil HTTP/1.1\r\n\r\n');
    const response = await client.request({ method: 'POST', target: '/a', body });
    expect([response.body.toString(), header(response, 'connection')]).toEqual(['/a', undefined]);
    expect((await client.request({ target: '/b' })).body.toString()).toBe('/b');
  });

  test('an unread body without a known end is read away up to a bound, then the connection closes', async () => {
    await using server = await carrier.start(echoPath);
    const client = await server.connect();
    void client.send('POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
    expect((await client.response()).body.toString()).toBe('/a');
    const chunk = `2710\r\n${'c'.repeat(10_000)}\r\n`;
    for (let i = 0; i < 60; i++) await client.send(chunk);
    expect(await client.ended()).toBe('fin');
    expect(client.unread).toBe('');
  });

  test('an app that does not read a 200 MB body: little of it is taken in until it does', async () => {
    const size = 200;
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (scope, receive, send) => {
        if (scope.path === '/fence') return reply(send);
        started.resolve();
        await gate.promise;
        let length = 0;
        for (;;) {
          const event = await receive();
          if (event.type !== 'http.request') throw new Error(event.type);
          length += event.body.length;
          if (!event.more) break;
        }
        await reply(send, String(length));
      }),
      { maxBodySize: 0 },
    );
    const client = await server.connect();
    void client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${size * MEGABYTE.length}\r\n\r\n`);
    const sending = (async () => {
      for (let i = 0; i < size; i++) await client.send(MEGABYTE);
    })();
    await within(started.promise, 'the app');
    await client.settled(() => server.request({ target: '/fence' }));
    // What the kernel's buffers at both ends hold, and a little of the server's own.
    expect(client.bytesSent).toBeLessThan(16_000_000);
    gate.resolve();
    expect((await client.response()).body.toString()).toBe(String(size * MEGABYTE.length));
    await sending;
  });
});
