/**
 * Floods over HTTP/2, each against a real server: frames that cost the peer little and the server much. Whatever comes, the peer is told
 * ENHANCE_YOUR_CALM and the connection ends, the application is called a bounded number of times, memory stays flat, and another
 * connection is served all the while. Peers that are slow instead are in h2-floods-slow.test.ts.
 */
import { expect, test } from 'bun:test';
import type { SendFunction } from '../../src/contract/app.ts';
import { FLOODS, type Flood, open, UPLOAD, BOMB_FIELD, BOMB } from '../cases/h2/flood-attacks.ts';
import { CODE, codeName, SETTING, TYPE, windowUpdateFrame } from '../support/h2/frames.ts';
import { RawH2Client } from '../support/h2/raw-h2-client.ts';
import { startServer, type TestServer } from '../support/start-server.ts';
import { until } from '../support/within.ts';
import { httpApp, readBody, reply } from './apps.ts';

/** What has been sent when a flood counts as not stopped. */
const MOST_ROUNDS = 20_000;
const MOST_BYTES = 64 * 1_048_576;
const ROUNDS_AT_ONCE = 50;
/** By how much the process, which is the clients' too, may grow by one flood. */
const MOST_GROWTH = 48 * 1_048_576;
const LARGE = Buffer.alloc(1_048_576, 'x');
const PIECES = 3000;

/** The app, and how often it has been called for others than those beside. */
function floodedApp(): { readonly app: ReturnType<typeof httpApp>; readonly calls: () => number } {
  let calls = 0;
  const app = httpApp(async (scope, receive, send) => {
    if (scope.path === '/beside') return reply(send, 'beside');
    calls += 1;
    if (scope.path === '/wait') return void (await scope['tsagi.connection'].disconnected);
    if (scope.path === '/large') return reply(send, LARGE);
    if (scope.path === '/pieces') return await sendPieces(send);
    return reply(send, await readBody(receive).catch(() => ''));
  });
  return { app, calls: () => calls };
}

/** Small frames, which have nothing to do with the window. */
async function sendPieces(send: SendFunction): Promise<void> {
  await send({ type: 'http.response.start', status: 200 });
  for (let left = PIECES; left > 0; left -= 1) {
    await new Promise((resolve) => setImmediate(resolve));
    await send({ type: 'http.response.body', body: 'piece', more: left > 1 });
  }
}

/** Sends rounds until the server has had enough, or MOST_ROUNDS and MOST_BYTES say that it never will. */
async function flood(client: RawH2Client, round: Flood['round']): Promise<void> {
  let bytes = 0;
  for (let count = 0; client.ending === 'open' && client.goaway === undefined; count += ROUNDS_AT_ONCE) {
    if (count > MOST_ROUNDS || bytes > MOST_BYTES) throw new Error('the flood is not stopped');
    const frames = Array.from({ length: ROUNDS_AT_ONCE }, (_, at) => round(count + at)).flat();
    bytes += frames.reduce((sum, { length }) => sum + length, 0);
    await client.send(...frames);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await client.ended()).toBe('fin');
}

/** Does requests on a connection of its own for as long as `attack` takes, and at least one. */
async function servingBeside(server: TestServer, attack: Promise<void>): Promise<void> {
  const client = await RawH2Client.open(server.address);
  const progress = { isOver: false };
  const over = attack.finally(() => (progress.isOver = true));
  over.catch(() => undefined);
  do expect((await client.request({ path: '/beside' })).body.toString()).toBe('beside');
  while (!progress.isOver);
  await over;
  client.close();
}

/** The end of every test: nothing is left of the attacker. */
async function over(server: TestServer, client: RawH2Client): Promise<void> {
  client.close();
  await until(() => server.server.connectionCount === 0, 'the connections to close');
  expect(client.peerFaults).toEqual([]);
  expect(server.errors).toEqual([]);
}

function memory(): number {
  Bun.gc(true);
  return process.memoryUsage().rss;
}

test.each(FLOODS.map((row) => [row.name, row] as const))('%s: ENHANCE_YOUR_CALM', async (_name, row) => {
  const { app, calls } = floodedApp();
  await using server = await startServer(app, row.options ?? { http2: true });
  const client = await RawH2Client.connect(server.address, { refillsWindows: false });
  await client.start();
  const before = memory();
  await servingBeside(server, flood(client, row.round));
  expect({ code: codeName(client.goaway!.code), debug: client.goaway!.debug }).toEqual({
    code: 'enhanceYourCalm',
    debug: row.debug,
  });
  expect(calls()).toBeLessThanOrEqual(row.mostCalls);
  expect(memory() - before).toBeLessThan(MOST_GROWTH);
  await over(server, client);
});

test('a header list of 64 MB in 16 KB of indexes is refused: the stream is reset, and the rest goes on', async () => {
  const { app, calls } = floodedApp();
  await using server = await startServer(app, { http2: true });
  const client = await RawH2Client.open(server.address);
  void client.send(open(1, Buffer.concat([UPLOAD, BOMB_FIELD]), true));
  expect((await client.response(1)).status).toBe(200);
  const before = memory();
  void client.send(open(3, BOMB, true));
  const { status, resetCode } = await client.response(3);
  expect({ status, resetCode }).toEqual({ status: 0, resetCode: CODE.enhanceYourCalm });
  expect(memory() - before).toBeLessThan(MOST_GROWTH);
  expect(calls()).toBe(1);
  void client.send(open(5, UPLOAD, true));
  expect((await client.response(5)).status).toBe(200);
  await over(server, client);
});

test('WINDOW_UPDATE of one byte, each sent when the byte has come: ENHANCE_YOUR_CALM', async () => {
  const { app, calls } = floodedApp();
  await using server = await startServer(app, { http2: true });
  const client = await RawH2Client.connect(server.address, { refillsWindows: false });
  await client.start([[SETTING.initialWindowSize, 0]]);
  const stream = client.open({ path: '/large' }, { endStream: true });
  const { pieces } = client.stream(stream);
  const trickle = async (): Promise<void> => {
    while (client.goaway === undefined) {
      if (pieces.length > MOST_ROUNDS) throw new Error('the flood is not stopped');
      const count = pieces.length;
      client.grant(stream, 1);
      await until(() => pieces.length > count || client.goaway !== undefined, 'a byte');
    }
    expect(await client.ended()).toBe('fin');
  };
  const before = memory();
  await servingBeside(server, trickle());
  expect(memory() - before).toBeLessThan(MOST_GROWTH);
  expect(client.goaway).toMatchObject({
    code: CODE.enhanceYourCalm,
    debug: 'Too many WINDOW_UPDATE frames.',
  });
  expect(client.stream(stream).received).toBeLessThan(3000);
  expect(calls()).toBe(1);
  await over(server, client);
});

test('WINDOW_UPDATE of one byte, many at once: ENHANCE_YOUR_CALM', async () => {
  const { app } = floodedApp();
  await using server = await startServer(app, { http2: true });
  const client = await RawH2Client.connect(server.address, { refillsWindows: false });
  await client.start([[SETTING.initialWindowSize, 0]]);
  const stream = client.open({ path: '/large' }, { endStream: true });
  const before = memory();
  await servingBeside(
    server,
    flood(client, () => {
      client.stream(stream).receiveWindow += 1;
      return [windowUpdateFrame(stream, 1)];
    }),
  );
  expect(memory() - before).toBeLessThan(MOST_GROWTH);
  expect(client.goaway?.debug).toBe('Too many WINDOW_UPDATE frames.');
  expect(client.stream(stream).received).toBeLessThan(3000);
  await over(server, client);
});

test.each([
  ['are small because the application sends small pieces', '/pieces', 65_535, PIECES * 5],
  ['are small because the window is', '/large', 4096, LARGE.length],
])('WINDOW_UPDATE twice for each of thousands of DATA frames that %s are no flood', async (...row) => {
  const [, path, window, size] = row;
  const { app } = floodedApp();
  await using server = await startServer(app, { http2: true });
  const client = await RawH2Client.connect(server.address, { refillsWindows: false });
  await client.start([[SETTING.initialWindowSize, window]]);
  const stream = client.open({ path }, { endStream: true });
  let at = 0;
  let acknowledged = 0;
  while (!client.stream(stream).isOver) {
    await until(() => client.frames.length > at, 'a frame');
    for (; at < client.frames.length; at += 1) {
      const frame = client.frames[at]!;
      if (frame.type !== TYPE.data || frame.payload.length === 0) continue;
      acknowledged += 1;
      client.grant(0, frame.payload.length);
      client.grant(stream, frame.payload.length);
    }
  }
  expect(client.goaways).toEqual([]);
  expect(client.stream(stream).received).toBe(size);
  expect(acknowledged).toBeGreaterThan(1500);
  await over(server, client);
});
