/**
 * Flow control on HTTP/2 is per stream (RFC 9113 5.2): what one stream does not take, in either direction, is bounded, is
 * told in its own `tsagi.transport`, and stops no other stream.
 */
import { expect, test } from 'bun:test';
import type { TransportState } from '../../src/contract/handles.ts';
import { startH2Server } from '../support/h2-carrier-client.ts';
import { CODE, dataFrame, SETTING, TYPE } from '../support/h2/frames.ts';
import { until, within } from '../support/within.ts';
import { echoBody, httpApp, readBody, reply } from './apps.ts';

const WINDOW = 65_535;
const HIGH = 65_536;
const LOW = 16_384;

/** Sends pieces on `/bulk` for ever, and notes what its handle says; answers everything else with its path. */
function bulkApp(size: number) {
  const notes = { sent: 0, most: 0, transport: undefined as TransportState | undefined };
  const app = httpApp(async (scope, _receive, send) => {
    if (scope.path !== '/bulk') return reply(send, scope.path);
    const transport = scope['tsagi.transport'];
    notes.transport = transport;
    await send({ type: 'http.response.start', status: 200 });
    while (scope['tsagi.connection'].isConnected) {
      await send({ type: 'http.response.body', body: Buffer.alloc(size), more: true });
      notes.sent += size;
      notes.most = Math.max(notes.most, transport.bufferedAmount);
    }
  });
  return { app, notes };
}

test('a stream whose window stays closed costs at most the high-water mark and one piece; others go on', async () => {
  const size = 10_000;
  const { app, notes } = bulkApp(size);
  await using server = await startH2Server(app);
  const client = await server.open({ refillsWindows: false });
  client.grant(0, 10_000_000);
  const bulk = client.open({ path: '/bulk' }, { endStream: true });
  await client.received(bulk, WINDOW);
  for (let i = 0; i < 20; i++)
    expect((await client.request({ path: `/${i}` })).body.toString()).toBe(`/${i}`);
  expect(client.stream(bulk).received).toBe(WINDOW);
  const { sent, transport } = notes;
  expect(transport!.bufferedAmount).toBeWithin(LOW + 1, HIGH + size + 1);
  expect(notes.most).toBeLessThanOrEqual(HIGH + size);
  expect(sent).toBeLessThanOrEqual(WINDOW + HIGH + size);
  client.grant(bulk, 1_000_000);
  await client.received(bulk, 1_000_000);
  expect(client.peerFaults).toEqual([]);
  client.reset(bulk);
  await until(() => transport!.bufferedAmount === 0, 'the stream to let go');
});

test('a connection window that stays closed holds all streams, and each says what is its own', async () => {
  const transports: TransportState[] = [];
  await using server = await startH2Server(
    httpApp(async (scope, _receive, send) => {
      transports.push(scope['tsagi.transport']);
      await reply(send, Buffer.alloc(Number(scope.path.slice(1))));
    }),
  );
  const client = await server.open({ refillsWindows: false });
  const ids = [65_535, 1000, 2000].map((size) => client.open({ path: `/${size}` }, { endStream: true }));
  await client.received(ids[0]!, WINDOW);
  for (const id of ids.slice(1)) await client.responseHead(id);
  await client.ping();
  await until(() => transports[0]!.bufferedAmount === 0, 'the first');
  expect(transports.map(({ bufferedAmount }) => bufferedAmount)).toEqual([0, 1000, 2000]);
  client.grant(0, 5000);
  for (const id of ids) expect((await client.response(id)).isComplete).toBe(true);
  await until(() => transports.every(({ bufferedAmount }) => bufferedAmount === 0), 'all to drain');
});

test('a body that nobody reads stops its own window, and other uploads go on', async () => {
  const reading = Promise.withResolvers<void>();
  await using server = await startH2Server(
    httpApp(async (scope, receive, send) => {
      if (scope.path === '/unread') await reading.promise;
      await reply(send, String((await readBody(receive)).length));
    }),
    { h2InitialWindowSize: 100_000 },
  );
  const client = await server.open();
  const stalled = client.open({ method: 'POST', path: '/unread' });
  const size = 1_000_000;
  const half = client.stream(stalled);
  await client.sendBody(stalled, Buffer.alloc(100_000), { endStream: false });
  for (let i = 0; i < 3; i++) {
    const response = await client.request({ method: 'POST', path: '/read', body: Buffer.alloc(size) });
    expect(response.body.toString()).toBe(String(size));
  }
  // The window never opened further than what an inbox takes in.
  expect(half.sendWindow).toBeLessThanOrEqual(100_000);
  const before = half.sendWindow;
  await client.ping();
  expect(half.sendWindow).toBe(before);
  reading.resolve();
  await client.sendBody(stalled, Buffer.alloc(size - 100_000));
  expect((await client.response(stalled)).body.toString()).toBe(String(size));
});

test('an upload has all of the window of its stream at once: that of the connection is as large', async () => {
  const size = 500_000;
  const reading = Promise.withResolvers<void>();
  await using server = await startH2Server(
    httpApp(async (_scope, receive, send) => {
      await reading.promise;
      await reply(send, String((await readBody(receive)).length));
    }),
    { h2InitialWindowSize: size },
  );
  const client = await server.open();
  await client.seen(({ type, stream }) => type === TYPE.windowUpdate && stream === 0, 'a WINDOW_UPDATE');
  expect(client.sendWindow).toBe(size);
  const id = client.open({ method: 'POST', path: '/' });
  expect(client.stream(id).sendWindow).toBe(size);
  for (let left = size; left > 0; left -= 10_000)
    void client.send(dataFrame(id, Buffer.alloc(10_000), { endStream: left === 10_000 }));
  await client.ping();
  reading.resolve();
  expect((await client.response(id)).body.toString()).toBe(String(size));
  expect(client.goaways).toEqual([]);
});

test('an upload many times as large as the windows is whole, beside streams that are not read', async () => {
  const reading = Promise.withResolvers<void>();
  await using server = await startH2Server(
    httpApp(async (scope, receive, send) => {
      if (scope.path === '/unread') await reading.promise;
      await reply(send, String((await readBody(receive)).length));
    }),
    { maxBodySize: 0 },
  );
  const client = await server.open();
  const window = client.peerSettings.get(SETTING.initialWindowSize)!;
  const unread = [1, 2, 3].map(() => client.open({ method: 'POST', path: '/unread' }));
  for (const id of unread) await client.sendBody(id, Buffer.alloc(window), { endStream: false });
  const body = Buffer.alloc(100 * window);
  expect((await client.request({ method: 'POST', path: '/', body })).body.toString()).toBe(
    String(body.length),
  );
  for (const id of unread) expect(client.stream(id).sendWindow).toBeLessThan(window);
  reading.resolve();
  for (const id of unread) {
    await client.sendBody(id, Buffer.alloc(0));
    expect((await client.response(id)).body.toString()).toBe(String(window));
  }
  expect(client.goaways).toEqual([]);
});

test('small requests are answered while a bulk stream takes all it gets', async () => {
  const { app, notes } = bulkApp(100_000);
  await using server = await startH2Server(app);
  const client = await server.open();
  const bulk = client.open({ path: '/bulk' }, { endStream: true });
  await client.received(bulk, WINDOW);
  for (let i = 0; i < 50; i++) {
    const before = notes.sent;
    expect((await client.request({ path: '/small' })).body.toString()).toBe('/small');
    expect(notes.sent - before).toBeLessThan(20_000_000);
  }
  client.reset(bulk);
  expect(client.peerFaults).toEqual([]);
});

test('an app that does not wait for send is cut off with INTERNAL_ERROR, its stream alone', async () => {
  const reason = Promise.withResolvers<string>();
  const amounts: number[] = [];
  await using server = await startH2Server(
    httpApp(async (scope, _receive, send) => {
      if (scope.path !== '/feed') return reply(send, scope.path);
      void scope['tsagi.connection'].disconnected.then(reason.resolve);
      await send({ type: 'http.response.start', status: 200 });
      for (let i = 0; i < 40; i++) {
        void send({ type: 'http.response.body', body: Buffer.alloc(1_048_576), more: true });
        amounts.push(scope['tsagi.transport'].bufferedAmount);
      }
    }),
  );
  const client = await server.open({ refillsWindows: false });
  client.grant(0, 1_000_000);
  const feed = client.open({ path: '/feed' }, { endStream: true });
  expect(await within(reason.promise, 'the reason')).toBe('queue_overflow');
  expect(await client.response(feed)).toMatchObject({ isComplete: false, resetCode: CODE.internalError });
  expect(Math.max(...amounts)).toBeWithin(16_777_216, 18_874_369);
  expect((await client.request({ path: '/other' })).body.toString()).toBe('/other');
  expect(server.errors.length).toBe(1);
});

test('a hundred streams at once get their own answers', async () => {
  await using server = await startH2Server(echoBody);
  const client = await server.open();
  const bodies = Array.from({ length: 100 }, (_, i) => `${i}:`.repeat(500 + i));
  const responses = await Promise.all(bodies.map((body) => client.request({ method: 'POST', body })));
  expect(responses.map(({ body }) => body.toString())).toEqual(bodies);
  expect(client.peerFaults).toEqual([]);
});

test('the stream beyond the limit is refused, and can be asked for again', async () => {
  const gate = Promise.withResolvers<void>();
  await using server = await startH2Server(
    httpApp(async (scope, _receive, send) => {
      await gate.promise;
      await reply(send, scope.path);
    }),
    { h2MaxConcurrentStreams: 2 },
  );
  const client = await server.open();
  const ids = [client.open({}, { endStream: true }), client.open({}, { endStream: true })];
  const refused = client.open({}, { endStream: true });
  expect((await client.response(refused)).resetCode).toBe(CODE.refusedStream);
  gate.resolve();
  for (const id of ids) expect((await client.response(id)).status).toBe(200);
  expect((await client.request({ path: '/again' })).body.toString()).toBe('/again');
});

test('a stream is reset while another one is within a DATA frame, which arrives whole all the same', async () => {
  await using server = await startH2Server(
    httpApp(async (scope, receive, send) => {
      if (scope.path === '/upload') return reply(send, await readBody(receive));
      await send({ type: 'http.response.start', status: 200 });
      await send({ type: 'http.response.body', body: 'part', more: true });
      throw new Error('midway');
    }),
  );
  const client = await server.open();
  const upload = client.open({ method: 'POST', path: '/upload' });
  const body = Buffer.alloc(10_000, 'abcdefg');
  const frame = dataFrame(upload, body, { endStream: true });
  const bad = client.open({ path: '/bad' }, { endStream: true });
  await client.send(frame.subarray(0, 5000));
  expect((await client.response(bad)).resetCode).toBe(CODE.internalError);
  await client.send(frame.subarray(5000));
  expect((await client.response(upload)).body.equals(body)).toBe(true);
  expect([client.ending, client.goaways]).toEqual(['open', []]);
});

test('the last streams of a connection go on when others have been reset, though the client has nothing more to say', async () => {
  const app = httpApp(async ({ path }, _receive, send) => {
    const body = 'y'.repeat(Number(path.slice(1)));
    await send({ type: 'http.response.start', status: 200, trailers: true });
    for (let part = 0; part < 3; part++) await send({ type: 'http.response.body', body, more: true });
    await send({ type: 'http.response.body', body: '' });
    await send({ type: 'http.response.trailers', headers: [['x-sum', '7']] });
  });
  await using server = await startH2Server(app);
  // Not every connection comes to a stand without what is tested here.
  for (let round = 0; round < 25; round++) {
    const client = await server.open();
    const kept: number[] = [];
    for (let index = 0; index < 60; index++) {
      const path = `/${[1, 5000, 40_000][index % 3]}`;
      const id = client.open({ path, headers: [['te', 'trailers']] }, { endStream: true });
      if ((index + round) % 9 === 0) client.reset(id);
      else kept.push(id);
      if (index % 7 === 0) await new Promise(setImmediate);
    }
    for (const id of kept) expect((await client.response(id)).isComplete).toBe(true);
    client.close();
  }
});
