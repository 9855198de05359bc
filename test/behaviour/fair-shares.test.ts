/**
 * An application that sends without end and awaits nothing but its sends: other requests are answered all the same, even where
 * no send ever has to wait for the client.
 */
import { expect, test } from 'bun:test';
import type { App } from '../../src/contract/app.ts';
import { until, within } from '../support/within.ts';
import { httpApp, reply } from './apps.ts';
import { CARRIERS, onEach } from './carriers.ts';

const PIECE = 'a little';

/** `/endless` sends until it is told to stop, and does not ask whether anyone is there. */
function endlessApp(): { app: App; stop: () => void; started: Promise<void>; ended: Promise<void> } {
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const stopping = new AbortController();
  const app = httpApp(async (scope, _receive, send) => {
    if (scope.path !== '/endless') return reply(send, 'in time');
    await send({ type: 'http.response.start', status: 200 });
    started.resolve();
    while (!stopping.signal.aborted) await send({ type: 'http.response.body', body: PIECE, more: true });
    await send({ type: 'http.response.body', body: '' });
    ended.resolve();
  });
  return { app, stop: () => stopping.abort(), started: started.promise, ended: ended.promise };
}

onEach(CARRIERS, (carrier) => {
  test('an endless response to HEAD, of which nothing is sent', async () => {
    const { app, stop, started, ended } = endlessApp();
    await using server = await carrier.start(app);
    const client = await server.connect();
    await client.send('HEAD /endless HTTP/1.1\r\nhost: a\r\n\r\n');
    await within(started, 'the app');
    expect((await server.request()).body.toString()).toBe('in time');
    stop();
    await within(ended, 'the end');
    expect((await client.response('HEAD')).status).toBe(200);
  });

  test('an endless response whose client has gone', async () => {
    const { app, stop, ended } = endlessApp();
    await using server = await carrier.start(app);
    const client = await server.connect();
    await client.send('GET /endless HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.received(PIECE);
    client.reset();
    await until(() => server.server.connectionCount === 0, 'the server to notice');
    expect((await server.request()).body.toString()).toBe('in time');
    stop();
    await within(ended, 'the end');
    expect(server.errors).toEqual([]);
  });

  test('endless pieces without a byte in them', async () => {
    const stopping = new AbortController();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        if (scope.path !== '/empty') return reply(send, 'in time');
        await send({ type: 'http.response.start', status: 200 });
        while (!stopping.signal.aborted) await send({ type: 'http.response.body', body: '', more: true });
        await send({ type: 'http.response.body', body: 'at last' });
      }),
    );
    const client = await server.connect();
    await client.send('GET /empty HTTP/1.1\r\nhost: a\r\n\r\n');
    expect((await server.request()).body.toString()).toBe('in time');
    stopping.abort();
    expect((await client.response()).body.toString()).toBe('at last');
  });
});
