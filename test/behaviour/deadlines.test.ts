/**
 * Deadlines, each with the answer that its client sees, and what none of them may cut.
 */
import { expect, test } from 'bun:test';
import { header } from '../support/raw-client.ts';
import { within } from '../support/within.ts';
import { echoBody, echoPath, httpApp, reply } from './apps.ts';
import { H1_CARRIERS, onEach } from './carriers.ts';

const SHORT = 0.15;
const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

onEach(H1_CARRIERS, (carrier) => {
  test('a connection without a first byte is closed after timeout, without a word', async () => {
    await using server = await carrier.start(echoPath, { timeout: SHORT });
    const client = await server.connect();
    const began = performance.now();
    expect(await client.ended()).toBe('fin');
    expect(performance.now() - began).toBeGreaterThan(SHORT * 1000 * 0.9);
    expect(client.bytesReceived).toBe(0);
  });

  test('a kept-alive connection is closed after timeout, without a word', async () => {
    await using server = await carrier.start(echoPath, { timeout: SHORT });
    const client = await server.connect();
    await client.request();
    const { bytesReceived } = client;
    expect(await client.ended()).toBe('fin');
    expect(client.bytesReceived).toBe(bytesReceived);
  });

  test('a head that trickles gets 408 after headerTimeout, however busily', async () => {
    await using server = await carrier.start(echoPath, { headerTimeout: SHORT, maxHeaderSize: 10_000_000 });
    const client = await server.connect();
    await client.send('GET / HTTP/1.1\r\nhost: a\r\nx: ');
    while (client.ending === 'open' && client.unread === '') {
      await client.send('y');
      await new Promise((resolve) => setImmediate(resolve));
    }
    const response = await client.response();
    expect([response.status, header(response, 'connection')]).toEqual([408, 'close']);
    expect(await client.ended()).toBe('fin');
  });

  test('a body that stalls while the app waits for it gets 408 after bodyTimeout', async () => {
    await using server = await carrier.start(echoBody, { bodyTimeout: SHORT });
    const client = await server.connect();
    void client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf');
    const response = await client.response();
    expect([response.status, header(response, 'connection')]).toEqual([408, 'close']);
    expect(await client.ended()).toBe('fin');
    expect(server.errors).toEqual([]);
  });

  test('a body that stalls behind the start of the response breaks that off', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: 'begun', more: true });
        while ((await receive()).type !== 'http.disconnect');
      }),
      { bodyTimeout: SHORT },
    );
    const client = await server.connect();
    void client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n');
    expect(await client.response()).toMatchObject({ status: 200, isComplete: false });
    expect(await client.ended()).toBe(carrier.brokenOff);
    expect(server.errors).toEqual([]);
  });

  test('requestTimeout ends a request on which nothing moves, and the app is told idle_timeout', async () => {
    const reason = Promise.withResolvers<string>();
    await using server = await carrier.start(
      httpApp(async (scope, receive) => {
        scope['tsagi.connection'].onDisconnect(reason.resolve);
        await receive();
        await receive();
      }),
      { requestTimeout: SHORT },
    );
    const client = await server.connect();
    void client.send(GET);
    expect(await within(reason.promise, 'the reason')).toBe('idle_timeout');
    expect(await client.ended()).toBe(carrier.brokenOff);
    expect(server.errors).toEqual([]);
  });

  test('a client that does not take its bytes is cut off after writeTimeout', async () => {
    const reason = Promise.withResolvers<string>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        scope['tsagi.connection'].onDisconnect(reason.resolve);
        await reply(send, Buffer.alloc(30_000_000));
      }),
      { writeTimeout: SHORT },
    );
    const client = await server.connect();
    client.pause();
    void client.send(GET);
    expect(await within(reason.promise, 'the reason')).toBe('write_timeout');
    client.resume();
    expect((await client.response()).isComplete).toBe(false);
    expect(server.errors).toEqual([]);
  });

  test('an app that is slow is not cut, with every deadline of the client short', async () => {
    const short = { timeout: SHORT, headerTimeout: SHORT, bodyTimeout: SHORT, writeTimeout: SHORT };
    await using server = await carrier.start(
      httpApp(async (scope, receive, send) => {
        await receive();
        const other = await server.connect();
        // An idle connection that began later has been closed: this one is older than every deadline.
        await other.ended();
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: 'slow ', more: true });
        await (await server.connect()).ended();
        await send({
          type: 'http.response.body',
          body: scope['tsagi.connection'].isConnected ? 'fine' : 'cut',
        });
      }),
      short,
    );
    const client = await server.connect();
    expect((await client.request()).body.toString()).toBe('slow fine');
  });

  test('a body that the app does not wait for may take its time', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        await (await server.connect()).ended();
        const event = await receive();
        await reply(send, 'body' in event ? event.body : event.type);
      }),
      { bodyTimeout: SHORT, timeout: SHORT * 2 },
    );
    const client = await server.connect();
    expect((await client.request({ method: 'POST', body: 'patient' })).body.toString()).toBe('patient');
  });

  test('0 turns a deadline off', async () => {
    await using server = await carrier.start(echoPath, { timeout: 0, headerTimeout: SHORT });
    const idle = await server.connect();
    const trickling = await server.connect();
    await trickling.send('GET ');
    expect((await trickling.response()).status).toBe(408);
    expect((await idle.request({ target: '/still' })).body.toString()).toBe('/still');
  });
});
