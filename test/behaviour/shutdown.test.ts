/**
 * Graceful shutdown: nothing new is accepted, what is in hand is finished and says `connection: close`, a client that has
 * been heard of within the last second may have sent a request and gets its answer, and it is over as soon as everything is.
 */
import { expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { certificate } from '../support/certificates.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { beginShutdown, pass, passUntil } from '../support/passing-time.ts';
import { RawClient, header } from '../support/raw-client.ts';
import { startServer, type TestServer } from '../support/start-server.ts';
import { until, within } from '../support/within.ts';
import { echoPath, httpApp, reply } from './apps.ts';
import { H1_CARRIERS, onEach } from './carriers.ts';

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

/** A client that has connected and is yet to begin its TLS handshake. */
function connectPlainly(server: TestServer): Promise<Socket> {
  const socket = connect({ ...server.address } as { host: string; port: number });
  return within(
    new Promise((resolve, reject) => socket.once('connect', () => resolve(socket)).once('error', reject)),
    'a connection',
  );
}

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

  test('a client that was heard of within the last second may still ask, and is told close', async () => {
    const clock = new FakeClock();
    await using server = await carrier.start(echoPath, { shutdownTimeout: 20, clock });
    const [used, fresh] = [await server.connect(), await server.connect()];
    await used.request();
    await until(() => server.server.connectionCount === 2, 'the second connection');
    const { stopped } = await beginShutdown(server, clock);
    await pass(clock, 900);
    for (const client of [used, fresh]) {
      const response = await client.request({ target: '/late' });
      expect([response.body.toString(), header(response, 'connection')]).toEqual(['/late', 'close']);
      expect(await client.ended()).toBe('fin');
      client.close();
    }
    expect(await passUntil(clock, stopped)).toBeLessThan(100);
    expect(server.errors).toEqual([]);
  });

  test('when the second is over its connection closes, used or not', async () => {
    const clock = new FakeClock();
    await using server = await carrier.start(echoPath, { shutdownTimeout: 20, clock });
    const [used, fresh] = [await server.connect(), await server.connect()];
    await used.request();
    await until(() => server.server.connectionCount === 2, 'the second connection');
    const { stopped } = await beginShutdown(server, clock);
    const before = used.bytesReceived;
    const closed = Promise.all([used, fresh].map((client) => client.ended()));
    expect(await passUntil(clock, closed)).toBeWithin(900, 1300);
    expect([await closed, used.bytesReceived, fresh.bytesReceived]).toEqual([['fin', 'fin'], before, 0]);
    for (const client of [used, fresh]) client.close();
    await passUntil(clock, stopped);
  });

  test('a connection that has been idle for longer closes at once, and the others do not', async () => {
    const clock = new FakeClock();
    await using server = await carrier.start(echoPath, { shutdownTimeout: 20, clock });
    const idle = await server.connect();
    await idle.request();
    await pass(clock, 2000);
    const recent = await server.connect();
    await recent.request();
    const { stopped } = await beginShutdown(server, clock);
    expect(await idle.ended()).toBe('fin');
    expect((await recent.request({ target: '/late' })).body.toString()).toBe('/late');
    for (const client of [idle, recent]) client.close();
    await passUntil(clock, stopped);
  });

  test('a response that began with keep-alive keeps its word for a second', async () => {
    const clock = new FakeClock();
    const gate = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: scope.path, more: true });
        await gate.promise;
        await send({ type: 'http.response.body', body: '!' });
      }),
      { shutdownTimeout: 20, clock },
    );
    const client = await server.connect();
    void client.send(GET);
    await client.received('\r\n\r\n1\r\n/');
    const { stopped } = await beginShutdown(server, clock);
    await pass(clock, 3000);
    gate.resolve();
    const response = await client.response();
    expect([response.body.toString(), header(response, 'connection')]).toEqual(['/!', undefined]);
    await pass(clock, 500);
    const next = await client.request({ target: '/next' });
    expect([next.body.toString(), header(next, 'connection')]).toEqual(['/next!', 'close']);
    client.close();
    await passUntil(clock, stopped);
  });

  test('a whole response that its client has not read yet is not taken back', async () => {
    // What the kernel takes at once, on TCP most of it on this side of the connection.
    const content = Buffer.alloc(carrier.isUnix ? 100_000 : 2_000_000, 'x');
    await using server = await carrier.start(
      httpApp((_scope, _receive, send) => reply(send, content)),
      { shutdownTimeout: 20 },
    );
    const client = await server.connect();
    client.pause();
    await client.send('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    await within(server.server.shutdown(), 'the end of the shutdown');
    expect(server.server.connectionCount).toBe(0);
    client.resume();
    const response = await client.response();
    expect([response.isComplete, response.body.equals(content)]).toEqual([true, true]);
  });

  test('whoever connects while it stops is refused, and does not wait in vain', async () => {
    const { server, client, gate, signal } = await withRequestInHand();
    const stopping = server.server.shutdown();
    await until(() => signal.aborted && server.server.listeners.length === 0, 'tsagi.shutdown');
    await expect(RawClient.connect(server.address)).rejects.toThrow();
    gate.resolve();
    await client.response();
    client.close();
    await stopping;
  });

  test('a server with idle connections only stops soon', async () => {
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

test('a TLS handshake that is under way gets its second, and its request another', async () => {
  const clock = new FakeClock();
  await using server = await startServer(echoPath, { shutdownTimeout: 20, isSecure: true, clock });
  const plain = await connectPlainly(server);
  await until(() => server.server.connectionCount === 1, 'the connection');
  await pass(clock, 2000);
  const { stopped } = await beginShutdown(server, clock);
  await pass(clock, 800);
  const socket = connectTls({ socket: plain, ca: certificate('ca'), servername: 'localhost' });
  await within(new Promise<void>((resolve) => socket.once('secureConnect', resolve)), 'the handshake');
  await pass(clock, 800);
  const bytes = Promise.withResolvers<string>();
  socket.once('data', (chunk: Buffer) => bytes.resolve(chunk.toString('latin1')));
  socket.write(GET);
  expect(await within(bytes.promise, 'the response')).toStartWith('HTTP/1.1 200');
  socket.destroy();
  await passUntil(clock, stopped);
});

test('a TLS handshake that does not begin is given up after a second', async () => {
  const clock = new FakeClock();
  await using server = await startServer(echoPath, { shutdownTimeout: 20, isSecure: true, clock });
  const plain = await connectPlainly(server);
  await until(() => server.server.connectionCount === 1, 'the connection');
  const { stopped } = await beginShutdown(server, clock);
  expect(await passUntil(clock, stopped)).toBeWithin(900, 1500);
  plain.destroy();
});

test('a client whose first bytes fit both protocols gets to finish', async () => {
  const clock = new FakeClock();
  await using server = await startServer(echoPath, { shutdownTimeout: 20, http2: true, clock });
  const client = await server.connect();
  await client.send('P');
  await server.request();
  const { stopped } = await beginShutdown(server, clock);
  await pass(clock, 800);
  await client.send('OST /late HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n');
  const response = await client.response();
  expect([response.body.toString(), header(response, 'connection')]).toEqual(['/late', 'close']);
  client.close();
  await passUntil(clock, stopped);
});
