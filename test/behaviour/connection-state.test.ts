/**
 * `tsagi.connection`: how a request ended, told once, in one order, for each way of ending.
 */
import { expect, test } from 'bun:test';
import type { ConnectionState } from '../../src/contract/handles.ts';
import { until, within } from '../support/within.ts';
import { httpApp, reply } from './apps.ts';
import { CARRIERS, onEach } from './carriers.ts';

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

onEach(CARRIERS, (carrier) => {
  /** An app that waits for the end of its request and keeps what it is told of it. */
  const observed = () => {
    const events: string[] = [];
    const started = Promise.withResolvers<ConnectionState>();
    const app = httpApp(async (scope, receive, send) => {
      const connection = scope['tsagi.connection'];
      const state = () => `${connection.isConnected} ${connection.disconnectReason}`;
      connection.signal.addEventListener('abort', () => events.push(`signal ${state()}`));
      void connection.disconnected.then((reason) => events.push(`promise ${reason}`));
      connection.onDisconnect((reason) => events.push(`first ${reason} ${state()}`));
      connection.onComplete(() => events.push('complete'));
      connection.onDisconnect(() => {
        throw new Error('careless callback');
      });
      connection.onDisconnect((reason) => events.push(`second ${reason}`));
      started.resolve(connection);
      if (scope.path === '/started') {
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: 'begun', more: true });
      }
      while ((await receive()).type !== 'http.disconnect');
      events.push(`http.disconnect ${state()}`);
    });
    return { events, started, app };
  };

  const expectEnd = async (events: string[], reason: string) => {
    await until(() => events.some((event) => event.startsWith('http.disconnect')), 'http.disconnect');
    expect(events.filter((event) => !event.startsWith('promise'))).toEqual([
      `signal false ${reason}`,
      `first ${reason} false ${reason}`,
      `second ${reason}`,
      `http.disconnect false ${reason}`,
    ]);
    expect(events).toContain(`promise ${reason}`);
  };

  test('client reset: everything fires once, in order, and a throwing callback is logged', async () => {
    const { app, events, started } = observed();
    await using server = await carrier.start(app);
    const client = await server.connect();
    void client.send('GET /started HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.received('begun');
    expect(await within(started.promise, 'the app')).toMatchObject({
      isConnected: true,
      responseStarted: true,
    });
    client.reset();
    await expectEnd(events, 'client_closed');
    expect(server.errors).toHaveLength(1);
    expect(server.errors[0]).toContain('a callback given to onDisconnect threw: Error: careless callback');
  });

  test('a client that closes in order is missed at the latest when the app goes on sending', async () => {
    const over = Promise.withResolvers<string>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        const connection = scope['tsagi.connection'];
        await send({ type: 'http.response.start', status: 200 });
        while (connection.isConnected) {
          await send({ type: 'http.response.body', body: 'tick', more: true });
          await new Promise((resolve) => setImmediate(resolve));
        }
        over.resolve(String(connection.disconnectReason));
      }),
    );
    const client = await server.connect();
    void client.send(GET);
    await client.received('tick');
    client.close();
    expect(await within(over.promise, 'the reason')).toBe('client_closed');
    expect(server.errors).toEqual([]);
  });

  test('shutdown deadline: server_shutdown', async () => {
    const { app, events, started } = observed();
    await using server = await carrier.start(app, { shutdownTimeout: 0.05 });
    const client = await server.connect();
    void client.send(GET);
    await within(started.promise, 'the app');
    await server.server.shutdown();
    await expectEnd(events, 'server_shutdown');
    await client.ended();
  });

  test('body timeout: client_timeout', async () => {
    const { app, events, started } = observed();
    await using server = await carrier.start(app, { bodyTimeout: 0.1 });
    const client = await server.connect();
    void client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n');
    await within(started.promise, 'the app');
    await expectEnd(events, 'client_timeout');
    expect((await client.response()).status).toBe(408);
  });

  test('a complete response: onComplete fires, nothing else does, signal and promise stay quiet', async () => {
    const events: string[] = [];
    let connection: ConnectionState | undefined;
    await using server = await carrier.start(
      httpApp(async (scope, receive, send) => {
        connection = scope['tsagi.connection'];
        const { signal } = connection;
        signal.addEventListener('abort', () => events.push('signal'));
        void connection.disconnected.then(() => events.push('promise'));
        connection.onDisconnect(() => events.push('disconnect'));
        connection.onComplete(() => events.push('complete 1'));
        connection.onComplete(() => {
          throw new Error('careless');
        });
        connection.onComplete(() => events.push('complete 2'));
        const states = () => `${connection!.responseStarted} ${connection!.responseComplete}`;
        events.push(states());
        await send({ type: 'http.response.start', status: 200 });
        events.push(states());
        await send({ type: 'http.response.body', body: 'x' });
        events.push(states());
        await receive();
        connection.onComplete(() => events.push('late complete'));
        connection.onDisconnect(() => events.push('late disconnect'));
      }),
    );
    const client = await server.connect();
    expect((await client.request()).body.toString()).toBe('x');
    await until(() => events.includes('late complete'), 'the late callback');
    client.close();
    await until(() => server.server.connectionCount === 0, 'the connection to close');
    expect(events).toEqual([
      'false false',
      'true false',
      'complete 1',
      'complete 2',
      'true true',
      'late complete',
    ]);
    expect(connection).toMatchObject({ isConnected: true, disconnectReason: undefined });
    expect(connection!.signal.aborted).toBe(false);
    expect(server.errors).toHaveLength(1);
  });

  test('asked only after the end: signal, promise and callback know the reason at once', async () => {
    const started = Promise.withResolvers<ConnectionState>();
    await using server = await carrier.start(
      httpApp(async (scope, receive) => {
        await receive();
        started.resolve(scope['tsagi.connection']);
        await receive();
      }),
    );
    const client = await server.connect();
    void client.send(GET);
    const connection = await within(started.promise, 'the app');
    client.reset();
    await until(() => !connection.isConnected, 'the disconnect');
    expect(connection.signal.aborted).toBe(true);
    expect((connection.signal.reason as Error).name).toBe('AbortError');
    expect(await connection.disconnected).toBe('client_closed');
    let late = '';
    connection.onDisconnect((reason) => (late = reason));
    connection.onComplete(() => (late = 'complete'));
    expect(late).toBe('client_closed');
  });

  test('send after the client has gone resolves, whatever it is given', async () => {
    const results: unknown[] = [];
    const over = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        await receive();
        while ((await receive()).type !== 'http.disconnect');
        results.push(await send({ type: 'http.response.start', status: 200 }));
        results.push(await send({ type: 'http.response.body', body: 'x' }));
        results.push(await send({ type: 'nonsense' } as never));
        over.resolve();
      }),
    );
    const client = await server.connect();
    await client.send(GET);
    await server.connect();
    client.reset();
    await within(over.promise, 'the sends');
    expect(results).toEqual([undefined, undefined, undefined]);
    expect(server.errors).toEqual([]);
  });

  test('each request of a connection has its own state', async () => {
    const states: ConnectionState[] = [];
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        states.push(scope['tsagi.connection']);
        await reply(send);
      }),
    );
    const client = await server.connect();
    await client.request();
    await client.request();
    expect(states[0]).not.toBe(states[1]!);
  });
});
