/**
 * A client that does not read: `send` waits above the high-water mark and goes on below the low one, what waits in the
 * server is bounded, and `tsagi.transport` says so.
 */
import { expect, test } from 'bun:test';
import type { TransportState } from '../../src/contract/handles.ts';
import { until, within } from '../support/within.ts';
import { httpApp, reply } from './apps.ts';
import { CARRIERS, onEach } from './carriers.ts';

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

onEach(CARRIERS, (carrier) => {
  test('what waits is bounded by the high-water mark plus one chunk, and send waits', async () => {
    const size = 10_000;
    const count = 3000;
    let most = 0;
    let sent = 0;
    let transport: TransportState | undefined;
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        if (scope.path === '/fence') return reply(send);
        transport = scope['tsagi.transport'];
        await send({ type: 'http.response.start', status: 200 });
        const body = Buffer.alloc(size, 'b');
        for (sent = 0; sent < count; sent++) {
          await send({ type: 'http.response.body', body, more: sent < count - 1 });
          most = Math.max(most, transport.bufferedAmount);
        }
      }),
    );
    const client = await server.connect();
    client.pause();
    await client.send(GET);
    for (let quiet = 0, before = -1; quiet < 10; before = sent) {
      await server.request({ target: '/fence' });
      quiet = sent === before ? quiet + 1 : 0;
    }
    expect(sent).toBeLessThan(count);
    expect(transport!.bufferedAmount).toBeWithin(1, 65536 + size + 100);
    client.resume();
    expect((await client.response()).body.length).toBe(size * count);
    expect(most).toBeLessThan(65536 + size + 100);
    expect(transport!.bufferedAmount).toBe(0);
  });

  test('onHighWater and onDrain fire in turns, once for each crossing', async () => {
    const events: string[] = [];
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        const transport = scope['tsagi.transport'];
        transport.onDrain(() => events.push(`drain ${transport.bufferedAmount <= transport.lowWaterMark}`));
        transport.onHighWater(() =>
          events.push(`high ${transport.bufferedAmount > transport.highWaterMark}`),
        );
        await send({ type: 'http.response.start', status: 200 });
        const body = Buffer.alloc(300_000, 'b');
        for (let i = 0; i < 30; i++) await send({ type: 'http.response.body', body, more: i < 29 });
      }),
      { writeHighWatermark: 100_000, writeLowWatermark: 20_000 },
    );
    const client = await server.connect();
    client.pause();
    void client.send(GET);
    await until(() => events.length > 0, 'the high-water mark');
    expect(events).toEqual(['high true']);
    client.resume();
    expect((await client.response()).body.length).toBe(9_000_000);
    expect(events.length).toBeGreaterThan(1);
    expect(events.every((event, i) => event === (i % 2 === 0 ? 'high true' : 'drain true'))).toBe(true);
  });

  test('onHighWater fires at once where it is already above, onDrain does not, and both can be unregistered', async () => {
    const events: string[] = [];
    const above = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        const transport = scope['tsagi.transport'];
        transport.onHighWater(() => events.push('unregistered'))();
        await send({ type: 'http.response.start', status: 200 });
        const waiting = send({ type: 'http.response.body', body: Buffer.alloc(20_000_000), more: true });
        transport.onHighWater(() => events.push('late high'));
        transport.onDrain(() => events.push('drain'));
        transport.onDrain(() => events.push('unregistered'))();
        above.resolve();
        await waiting;
        events.push('sent');
        await send({ type: 'http.response.body', body: '' });
      }),
    );
    const client = await server.connect();
    client.pause();
    void client.send(GET);
    await within(above.promise, 'the app');
    expect(events).toEqual(['late high']);
    client.resume();
    await client.response();
    expect(events.toSorted()).toEqual(['drain', 'late high', 'sent']);
  });

  test('a send that waits is let go when the client does', async () => {
    const over = Promise.withResolvers<string>();
    const waiting = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        const sending = send({ type: 'http.response.body', body: Buffer.alloc(20_000_000), more: true });
        waiting.resolve();
        await sending;
        await send({ type: 'http.response.body', body: 'after' });
        over.resolve(
          `${scope['tsagi.transport'].bufferedAmount} ${scope['tsagi.connection'].disconnectReason}`,
        );
      }),
    );
    const client = await server.connect();
    client.pause();
    void client.send(GET);
    await within(waiting.promise, 'the app');
    client.reset();
    expect(await within(over.promise, 'the sends to resolve')).toBe('0 client_closed');
    expect(server.errors).toEqual([]);
  });

  test('a faulty callback is logged and stops nobody', async () => {
    let wasCalled = false;
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        scope['tsagi.transport'].onHighWater(() => {
          throw new Error('careless');
        });
        scope['tsagi.transport'].onHighWater(() => (wasCalled = true));
        await reply(send, Buffer.alloc(20_000_000));
      }),
    );
    const client = await server.connect();
    client.pause();
    void client.send(GET);
    await until(() => wasCalled, 'the second callback');
    client.resume();
    expect((await client.response()).body.length).toBe(20_000_000);
    expect(server.errors[0]).toContain('a callback given to onHighWater threw: Error: careless');
  });
});
