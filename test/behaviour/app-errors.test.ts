/**
 * Applications that fail: 500 while nothing has been sent, a response that is visibly broken afterwards, a line in the
 * log either way, and no word about it where it was the client that left.
 */
import { expect, test } from 'bun:test';
import type { App } from '../../src/contract/app.ts';
import { until, within } from '../support/within.ts';
import { httpApp, reply } from './apps.ts';
import { CARRIERS, onEach } from './carriers.ts';

onEach(CARRIERS, (carrier) => {
  const failing: [string, App, string][] = [
    [
      'throws at once',
      () => {
        throw new Error('at once');
      },
      'GET /x: the application threw: Error: at once',
    ],
    ['rejects', () => Promise.reject(new Error('later')), 'GET /x: the application threw: Error: later'],
    [
      'rejects with a string',
      () => Promise.reject('words' as unknown as Error),
      'the application threw: words',
    ],
    [
      'rejects with nothing',
      () => Promise.reject(undefined as unknown as Error),
      'the application threw: undefined',
    ],
    ['returns without answering', () => {}, 'GET /x: the application returned without a response'],
    ['resolves without answering', async () => {}, 'GET /x: the application returned without a response'],
  ];
  for (const [name, app, message] of failing) {
    test(`an app that ${name} is answered for with 500, once logged, and the connection goes on`, async () => {
      await using server = await carrier.start(app);
      const client = await server.connect();
      const response = await client.request({ target: '/x' });
      expect(response).toMatchObject({ status: 500, isComplete: true });
      expect(response.body.toString()).not.toMatch(/at once|later|words/);
      expect(server.errors).toHaveLength(1);
      expect(server.errors[0]).toContain(message);
      expect((await client.request({ method: 'HEAD' })).status).toBe(500);
      expect(client.unread).toBe('');
    });
  }

  test('the stack is in the log', async () => {
    await using server = await carrier.start(function recognisable() {
      throw new Error('with a stack');
    });
    await server.request();
    expect(server.errors[0]).toContain('recognisable');
    expect(server.errors[0]).toContain('app-errors.test.ts');
  });

  const broken: [string, readonly (readonly [string, string])[]][] = [
    ['a chunked response', []],
    ['a response with a length', [['content-length', '100']]],
  ];
  for (const [name, headers] of broken) {
    for (const way of ['throws', 'returns'] as const) {
      test(`an app that ${way} inside ${name} breaks it off`, async () => {
        await using server = await carrier.start(
          httpApp(async (_scope, _receive, send) => {
            await send({ type: 'http.response.start', status: 200, headers });
            await send({ type: 'http.response.body', body: 'part', more: true });
            if (way === 'throws') throw new Error('midway');
          }),
        );
        const client = await server.connect();
        const response = await client.request();
        expect(response).toMatchObject({ status: 200, isComplete: false });
        expect(await client.ended()).toBe(carrier.brokenOff);
        expect(server.errors).toHaveLength(1);
        expect(server.errors[0]).toContain(
          way === 'throws' ? 'Error: midway' : 'before its response was complete',
        );
      });
    }
  }

  test('an app that throws behind its complete response has answered; it is logged', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        await reply(send, 'whole');
        throw new Error('afterwards');
      }),
    );
    const client = await server.connect();
    expect((await client.request()).body.toString()).toBe('whole');
    expect((await client.request()).body.toString()).toBe('whole');
    await until(() => server.errors.length === 2, 'the log');
    expect(server.errors[0]).toContain('the application threw: Error: afterwards');
  });

  test('disconnectReason is server_error where the app itself broke its response', async () => {
    const reason = Promise.withResolvers<string>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        scope['tsagi.connection'].onDisconnect(reason.resolve);
        await send({ type: 'http.response.start', status: 200 });
        throw new Error('midway');
      }),
    );
    const client = await server.connect();
    void client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(await within(reason.promise, 'the reason')).toBe('server_error');
    await client.ended();
  });

  for (const way of ['throws', 'returns'] as const) {
    test(`an app that ${way} after its client has gone is no error, and the server lives on`, async () => {
      const started = Promise.withResolvers<void>();
      await using server = await carrier.start(
        httpApp(async (scope, receive, send) => {
          if (scope.path === '/next') return reply(send, 'alive');
          started.resolve();
          while ((await receive()).type !== 'http.disconnect');
          if (way === 'throws') throw new Error('the client has gone');
        }),
      );
      const client = await server.connect();
      void client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      await within(started.promise, 'the app');
      client.reset();
      await until(() => server.server.connectionCount === 0, 'the connection to close');
      expect((await server.request({ target: '/next' })).body.toString()).toBe('alive');
      expect(server.errors).toEqual([]);
    });
  }

  test('a failure in one request leaves the others alone', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        if (scope.path === '/bad') throw new Error('bad');
        await gate.promise;
        await reply(send, 'good');
      }),
    );
    const client = await server.connect();
    void client.send('GET /good HTTP/1.1\r\nhost: a\r\n\r\n');
    expect((await server.request({ target: '/bad' })).status).toBe(500);
    gate.resolve();
    expect((await client.response()).body.toString()).toBe('good');
  });
});
