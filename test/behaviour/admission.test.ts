/**
 * What is let in: one connection or one request too many is told so with 503 and `retry-after`.
 */
import { expect, test } from 'bun:test';
import { header } from '../support/raw-client.ts';
import { until } from '../support/within.ts';
import { echoPath, httpApp, reply } from './apps.ts';
import { H1_CARRIERS, onEach } from './carriers.ts';

onEach(H1_CARRIERS, (carrier) => {
  test('maxConnections: the one too many gets 503 and FIN, those inside go on', async () => {
    await using server = await carrier.start(echoPath, { maxConnections: 2 });
    const inside = [await server.connect(), await server.connect()];
    for (const client of inside) await client.request();
    const extra = await server.connect();
    const response = await extra.response();
    expect([response.status, header(response, 'connection')]).toEqual([503, 'close']);
    expect(header(response, 'retry-after')).toMatch(/^[1-9]\d*$/);
    expect(await extra.ended()).toBe('fin');
    for (const client of inside) expect((await client.request()).status).toBe(200);
  });

  test('maxConnections: the one too many reads its 503 even when it sends a request', async () => {
    await using server = await carrier.start(echoPath, { maxConnections: 1 });
    const inside = await server.connect();
    await inside.request();
    const extra = await server.connect();
    expect((await extra.request({ method: 'POST', body: 'x'.repeat(100_000) })).status).toBe(503);
    expect(await extra.ended()).toBe('fin');
  });

  test('maxConnections: room is there again when one leaves', async () => {
    await using server = await carrier.start(echoPath, { maxConnections: 1 });
    const first = await server.connect();
    await first.request();
    first.close();
    await until(() => server.server.connectionCount === 0, 'the connection to close');
    expect((await server.request()).status).toBe(200);
  });

  test('limitConcurrency: the request too many gets 503, and its connection stays', async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        if (scope.path === '/slow') {
          started.resolve();
          await gate.promise;
        }
        await reply(send, scope.path);
      }),
      { limitConcurrency: 1 },
    );
    const slow = await server.connect();
    void slow.send('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n');
    await started.promise;
    const other = await server.connect();
    const refused = await other.request({ method: 'POST', body: 'small' });
    expect([refused.status, header(refused, 'connection')]).toEqual([503, undefined]);
    expect(header(refused, 'retry-after')).toMatch(/^[1-9]\d*$/);
    gate.resolve();
    expect((await slow.response()).body.toString()).toBe('/slow');
    expect((await other.request({ target: '/b' })).body.toString()).toBe('/b');
  });

  test('limitConcurrency: idle connections do not count', async () => {
    await using server = await carrier.start(echoPath, { limitConcurrency: 1 });
    const clients = [await server.connect(), await server.connect(), await server.connect()];
    for (const client of clients) expect((await client.request()).status).toBe(200);
  });
});
