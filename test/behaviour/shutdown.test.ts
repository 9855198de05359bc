/**
 * Graceful shutdown: nothing new is accepted, what is in hand is finished and says `connection: close`, what is idle
 * closes at once, and it is over as soon as everything is.
 */
import { expect, test } from 'bun:test';
import { RawClient, header } from '../support/raw-client.ts';
import { until, within } from '../support/within.ts';
import { echoPath, httpApp, reply } from './apps.ts';
import { H1_CARRIERS, onEach } from './carriers.ts';

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

onEach(H1_CARRIERS, (carrier) => {
  /** A server whose requests wait for a gate, and one of them in hand. */
  const withRequestInHand = async (options = {}) => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<AbortSignal>();
    const server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        started.resolve(scope['tsagi.shutdown']);
        await gate.promise;
        await reply(
          send,
          `${scope['tsagi.connection'].isConnected} ${scope['tsagi.connection'].signal.aborted}`,
        );
      }),
      { shutdownTimeout: 20, ...options },
    );
    const client = await server.connect();
    void client.send(GET);
    const signal = await within(started.promise, 'the app');
    return { server, client, gate, signal };
  };

  test('the request in hand is told, finishes with connection: close, and then it is over', async () => {
    const { server, client, gate, signal } = await withRequestInHand();
    expect(signal.aborted).toBe(false);
    const stopping = server.server.shutdown();
    await until(() => signal.aborted, 'tsagi.shutdown');
    expect(server.server.isRunning).toBe(false);
    gate.resolve();
    const response = await client.response();
    expect([response.body.toString(), header(response, 'connection')]).toEqual(['true false', 'close']);
    expect(await client.ended()).toBe('fin');
    client.close();
    await within(stopping, 'the end of the shutdown', 2000);
    expect(server.server.connectionCount).toBe(0);
    expect(server.errors).toEqual([]);
  });

  test('idle connections close at once, used or not', async () => {
    const { server, client, gate, signal } = await withRequestInHand();
    const fresh = await server.connect();
    await until(() => server.server.connectionCount === 2, 'the second connection');
    const stopping = server.server.shutdown();
    expect(await fresh.ended()).toBe('fin');
    expect([fresh.bytesReceived, signal.aborted]).toEqual([0, true]);
    gate.resolve();
    expect((await client.response()).status).toBe(200);
    client.close();
    await stopping;
  });

  test('nothing new is accepted', async () => {
    const { server, client, gate, signal } = await withRequestInHand();
    const stopping = server.server.shutdown();
    await until(() => signal.aborted, 'tsagi.shutdown');
    gate.resolve();
    await client.response();
    client.close();
    await stopping;
    await expect(RawClient.connect(server.address)).rejects.toThrow();
  });

  test('a server with idle connections only stops at once', async () => {
    await using server = await carrier.start(echoPath, { shutdownTimeout: 20 });
    const clients = [await server.connect(), await server.connect()];
    for (const client of clients) await client.request();
    const stopping = server.server.shutdown();
    for (const client of clients) expect(await client.ended()).toBe('fin');
    for (const client of clients) client.close();
    await within(stopping, 'the end of the shutdown', 2000);
  });

  test('clients that do not close their side do not hold it up', async () => {
    await using server = await carrier.start(echoPath, { shutdownTimeout: 20 });
    const client = await server.connect();
    await client.request();
    await within(server.server.shutdown(), 'the end of the shutdown', 2000);
  });

  test('what is in hand at the deadline is cut off, and logged', async () => {
    const { server, client, gate } = await withRequestInHand({ shutdownTimeout: 0.1 });
    await within(server.server.shutdown(), 'the end of the shutdown', 2000);
    expect(await client.ended()).toBe(carrier.brokenOff);
    expect(client.bytesReceived).toBe(0);
    expect(server.log.some((line) => line.startsWith('warn shutdown: 1 connections and 1 requests'))).toBe(
      true,
    );
    gate.resolve();
  });

  test('a streaming response that heeds tsagi.shutdown ends whole', async () => {
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        const shutdown = scope['tsagi.shutdown'];
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: 'stream', more: true });
        await new Promise((resolve) => shutdown.addEventListener('abort', resolve));
        await send({ type: 'http.response.body', body: ' bye' });
      }),
      { shutdownTimeout: 20 },
    );
    const client = await server.connect();
    void client.send(GET);
    await client.received('stream');
    const stopping = server.server.shutdown();
    expect(await client.response()).toMatchObject({ isComplete: true, body: Buffer.from('stream bye') });
    expect(await client.ended()).toBe('fin');
    client.close();
    await within(stopping, 'the end of the shutdown', 2000);
  });

  test('a streaming response that does not is visibly broken at the deadline', async () => {
    const reason = Promise.withResolvers<string>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: 'stream', more: true });
        reason.resolve(await scope['tsagi.connection'].disconnected);
      }),
      { shutdownTimeout: 0.1 },
    );
    const client = await server.connect();
    void client.send(GET);
    await client.received('stream');
    await server.server.shutdown();
    expect(await client.response()).toMatchObject({ isComplete: false });
    expect(await reason.promise).toBe('server_shutdown');
  });

  test('a request whose body is still coming is finished', async () => {
    const started = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        let length = 0;
        for (;;) {
          const event = await receive();
          started.resolve();
          if (event.type !== 'http.request') throw new Error(event.type);
          length += event.body.length;
          if (!event.more) break;
        }
        await reply(send, String(length));
      }),
      { shutdownTimeout: 20 },
    );
    const client = await server.connect();
    await client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\nhalf');
    await within(started.promise, 'the app');
    const stopping = server.server.shutdown();
    void client.send('half');
    const response = await client.response();
    expect([response.body.toString(), header(response, 'connection')]).toEqual(['8', 'close']);
    client.close();
    await stopping;
  });

  test('a request whose bytes have arrived and not been read yet is answered', async () => {
    await using server = await carrier.start(echoPath, { shutdownTimeout: 20 });
    const client = await server.connect();
    await client.request();
    await client.send(GET);
    const stopping = server.server.shutdown();
    const response = await client.response();
    expect([response.status, header(response, 'connection')]).toEqual([200, 'close']);
    expect(await client.ended()).toBe('fin');
    client.close();
    await stopping;
  });

  test('pipelined requests that have arrived before it are answered or visibly not', async () => {
    const { server, client, gate, signal } = await withRequestInHand();
    await client.send(GET);
    const stopping = server.server.shutdown();
    await until(() => signal.aborted, 'tsagi.shutdown');
    gate.resolve();
    const response = await client.response();
    expect([response.status, header(response, 'connection')]).toEqual([200, 'close']);
    expect(await client.ended()).toBe('fin');
    client.close();
    await stopping;
  });
});
