/**
 * Event streams over HTTP/2: each is a stream of its own, quiet for as long as it likes, and its end is END_STREAM.
 */
import { expect, test } from 'bun:test';
import type { App, ReceiveFunction, SendFunction } from '../../src/contract/app.ts';
import type { SseScope } from '../../src/contract/scope.ts';
import { parseEventStream } from '../support/event-stream-parser.ts';
import { startH2Server } from '../support/h2-carrier-client.ts';
import { CODE } from '../support/h2/frames.ts';
import { h2Header } from '../support/h2/raw-h2-client.ts';
import { until, within } from '../support/within.ts';
import { reply } from './apps.ts';

const ASK = { headers: [['accept', 'text/event-stream']] } as const;

function sseApp(
  handle: (scope: SseScope, receive: ReceiveFunction, send: SendFunction) => Promise<void>,
): App {
  return (scope, receive, send) => {
    if (scope.type === 'http') return reply(send, scope.path);
    if (scope.type !== 'sse') throw new Error(scope.type);
    return handle(scope, receive, send);
  };
}

test('start, events, comments, close: whole, and without fields of HTTP/1.1', async () => {
  await using server = await startH2Server(
    sseApp(async (_scope, _receive, send) => {
      await send({ type: 'sse.start' });
      await send({ type: 'sse.send', data: 'one\ntwo', event: 'e', id: '1' });
      await send({ type: 'sse.comment', comment: 'hush' });
      await send({ type: 'sse.close' });
    }),
  );
  const response = await (await server.open()).request(ASK);
  expect([response.status, response.isComplete]).toEqual([200, true]);
  expect([h2Header(response, 'content-type'), h2Header(response, 'connection')]).toEqual([
    'text/event-stream',
    undefined,
  ]);
  const { events, comments } = parseEventStream(response.body);
  expect(events).toEqual([{ type: 'e', data: 'one\ntwo', lastEventId: '1' }]);
  expect(comments.map((comment) => comment.trim())).toEqual(['hush']);
});

test('an event arrives at once, one after another, beside other streams', async () => {
  let push: ((data: string) => Promise<void>) | undefined;
  await using server = await startH2Server(
    sseApp(async (_scope, receive, send) => {
      await send({ type: 'sse.start' });
      push = (data) => send({ type: 'sse.send', data });
      while ((await receive()).type !== 'sse.disconnect');
    }),
  );
  const client = await server.open();
  const id = client.open(ASK, { endStream: true });
  await client.responseHead(id);
  await until(() => push !== undefined, 'the app');
  for (let i = 0; i < 5; i++) {
    const before = client.stream(id).received;
    await push!(`event ${i}`);
    await client.received(id, before + 1);
    expect((await client.request({ path: '/beside' })).status).toBe(200);
  }
  const { events } = parseEventStream(Buffer.concat(client.stream(id).pieces));
  expect(events.map(({ data }) => data)).toEqual([0, 1, 2, 3, 4].map((i) => `event ${i}`));
  client.reset(id);
});

for (const way of ['RST_STREAM', 'the end of the connection'] as const) {
  test(`${way}: sse.disconnect with client_closed`, async () => {
    const ended = Promise.withResolvers<unknown>();
    await using server = await startH2Server(
      sseApp(async (_scope, receive, send) => {
        await send({ type: 'sse.start' });
        for (;;) {
          const event = await receive();
          if (event.type === 'sse.disconnect') return ended.resolve(event);
        }
      }),
    );
    const client = await server.open();
    const id = client.open(ASK, { endStream: true });
    await client.responseHead(id);
    if (way === 'RST_STREAM') client.reset(id);
    else client.close();
    expect(await within(ended.promise, 'the disconnect')).toEqual({
      type: 'sse.disconnect',
      reason: 'client_closed',
    });
    expect(server.errors).toEqual([]);
  });
}

test('a declined stream is an ordinary response', async () => {
  await using server = await startH2Server(
    sseApp(async (_scope, _receive, send) => {
      await send({ type: 'sse.http.response.start', status: 404 });
      await send({ type: 'sse.http.response.body', body: 'nothing here' });
    }),
  );
  const client = await server.open();
  expect(await client.request(ASK)).toMatchObject({ status: 404, body: Buffer.from('nothing here') });
  expect((await client.request({ path: '/next' })).status).toBe(200);
});

test('keepalive comments go out while nothing else does, and requestTimeout does not apply', async () => {
  await using server = await startH2Server(
    sseApp(async (_scope, receive, send) => {
      await send({ type: 'sse.keepalive', interval: 0.05, comment: 'beat' });
      await send({ type: 'sse.start' });
      while ((await receive()).type !== 'sse.disconnect');
    }),
    { timeout: 0.1 },
  );
  const client = await server.open();
  const id = client.open(ASK, { endStream: true });
  await client.received(id, 5 * ':beat\n\n'.length);
  expect(parseEventStream(Buffer.concat(client.stream(id).pieces)).comments.length).toBeGreaterThan(4);
  client.reset(id);
});

test('an app that fails within its stream: INTERNAL_ERROR', async () => {
  await using server = await startH2Server(
    sseApp(async (_scope, _receive, send) => {
      await send({ type: 'sse.start' });
      await send({ type: 'sse.send', data: 'x' });
      throw new Error('midway');
    }),
  );
  const response = await (await server.open()).request(ASK);
  expect(response).toMatchObject({ isComplete: false, resetCode: CODE.internalError });
});

test('shutdown: the app is told, and the stream ends whole', async () => {
  const events: string[] = [];
  await using server = await startH2Server(
    sseApp(async (_scope, receive, send) => {
      await send({ type: 'sse.start' });
      for (let type = ''; type !== 'sse.disconnect';) {
        const event = await receive();
        ({ type } = event);
        if (event.type === 'sse.disconnect') events.push(`${type} ${event.reason}`);
      }
    }),
    { shutdownTimeout: 20 },
  );
  const client = await server.open();
  const id = client.open(ASK, { endStream: true });
  await client.responseHead(id);
  const stopping = server.server.shutdown();
  expect((await client.response(id)).isComplete).toBe(true);
  expect(events).toEqual(['sse.disconnect server_shutdown']);
  expect(await client.ended()).toBe('fin');
  client.close();
  await within(stopping, 'the end of the shutdown', 2000);
});
