/**
 * `http.fullflush`: resolves when the kernel has everything that was sent before it.
 */
import { expect, test } from 'bun:test';
import type { SendFunction } from '../../src/contract/app.ts';
import { until } from '../support/within.ts';
import { httpApp } from './apps.ts';
import { CARRIERS, onEach } from './carriers.ts';

const extensions = { fullflush: {} };

onEach(CARRIERS, (carrier) => {
  test('what was sent before it reaches the client while the app goes on', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: 'before', more: true });
        await send({ type: 'http.fullflush' });
        expect(scope['tsagi.transport'].bufferedAmount).toBe(0);
        await gate.promise;
        await send({ type: 'http.response.body', body: ' after' });
      }),
      { extensions },
    );
    const client = await server.connect();
    void client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.received('before');
    expect(client.unread).not.toContain('after');
    gate.resolve();
    expect((await client.response()).body.toString()).toBe('before after');
  });

  test('the head alone can be flushed', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 202 });
        await send({ type: 'http.fullflush' });
        await gate.promise;
        await send({ type: 'http.response.body', body: 'late' });
      }),
      { extensions },
    );
    const client = await server.connect();
    void client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await until(() => client.bytesReceived > 0, 'the head');
    gate.resolve();
    expect(await client.response()).toMatchObject({ status: 202, body: Buffer.from('late') });
  });

  test('it waits for a client that does not read, and resolves when that reads', async () => {
    const order: string[] = [];
    const waiting = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        await fill(send, () => scope['tsagi.transport'].bufferedAmount);
        waiting.resolve();
        await send({ type: 'http.fullflush' });
        order.push(`flushed ${scope['tsagi.transport'].bufferedAmount}`);
        await send({ type: 'http.response.body', body: 'end' });
      }),
      { extensions },
    );
    const client = await server.connect();
    client.pause();
    void client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await waiting.promise;
    order.push('client reads');
    client.resume();
    expect((await client.response()).body.subarray(-3).toString()).toBe('end');
    expect(order).toEqual(['client reads', 'flushed 0']);
  });

  test('before the start and after the end it is refused or does nothing', async () => {
    let late = '';
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        await send({ type: 'http.fullflush' });
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: 'x' });
        late = await send({ type: 'http.fullflush' }).then(
          () => 'accepted',
          (error: unknown) => String(error),
        );
      }),
      { extensions },
    );
    expect((await server.request()).body.toString()).toBe('x');
    expect(late).toBe('TypeError: http.fullflush is not allowed after the response is complete');
  });
});

/** Sends without waiting until the kernel takes no more. */
async function fill(send: SendFunction, bufferedAmount: () => number): Promise<void> {
  await send({ type: 'http.response.start', status: 200 });
  const body = Buffer.alloc(60_000, 'x');
  while (bufferedAmount() === 0) void send({ type: 'http.response.body', body, more: true });
}
