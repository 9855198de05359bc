/**
 * Floods over HTTP/2, each against a real server: frames that cost the peer little and the server much. Whatever comes, the peer is told
 * ENHANCE_YOUR_CALM and the connection ends, the application is called a bounded number of times, memory stays flat, and another
 * connection is served all the while. Peers that are slow instead are in h2-floods-slow.test.ts.
 */
import { expect, test } from 'bun:test';
import type { SendFunction } from '../../src/contract/app.ts';
import {
  CODE,
  codeName,
  continuationFrame,
  dataFrame,
  frame,
  headersFrame,
  pingFrame,
  priorityFrame,
  rstStreamFrame,
  SETTING,
  settingsFrame,
  TYPE,
  windowUpdateFrame,
} from '../support/h2/frames.ts';
import { type Field, indexed, literal, plainBlock } from '../support/h2/hpack.ts';
import { RawH2Client, requestFields } from '../support/h2/raw-h2-client.ts';
import { type StartOptions, startServer, type TestServer } from '../support/start-server.ts';
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
const NOTHING = Buffer.alloc(0);

interface Flood {
  readonly name: string;
  /** The frames of a round, counted from 0. */
  readonly round: (count: number) => readonly Uint8Array[];
  /** What GOAWAY says besides ENHANCE_YOUR_CALM. */
  readonly debug: string;
  /** Calls of the application that the peer may get out of it. */
  readonly mostCalls: number;
  readonly options?: StartOptions;
}

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

const streamOf = (count: number): number => 2 * count + 1;
const block = (path: string, headers: readonly Field[] = []): Buffer =>
  plainBlock(requestFields({ method: 'POST', path, headers }));
const WAIT = block('/wait');
const UPLOAD = block('/upload');
const open = (stream: number, fields: Uint8Array, endStream = false): Buffer =>
  headersFrame(stream, fields, { endStream });

/** Four kilobytes that one byte stands for from the second time on. */
const BOMB_FIELD = literal('x', 'y'.repeat(4000), { form: 'incremental' });
const BOMB = Buffer.concat([WAIT, ...Array.from({ length: 16_000 }, () => indexed(62))]);

const RESETS = { debug: 'Too many streams are reset.', mostCalls: 1001 };
const FULL_FRAGMENT = plainBlock(Array.from({ length: 4 }, () => ['x', 'y'.repeat(4000)] as const));
const TINY_RESETS = { http2: true, h2RstBurst: 10, h2RstRate: 1 };

const FLOODS: readonly Flood[] = [
  // Resets: by the peer, and such as it makes the server send.
  {
    name: 'Rapid Reset',
    round: (count) => [open(streamOf(count), WAIT, true), rstStreamFrame(streamOf(count))],
    ...RESETS,
  },
  {
    name: 'Rapid Reset, with h2RstBurst and h2RstRate small',
    round: (count) => [open(streamOf(count), WAIT, true), rstStreamFrame(streamOf(count))],
    ...RESETS,
    options: TINY_RESETS,
    mostCalls: 20,
  },
  {
    name: 'WINDOW_UPDATE of zero on stream after stream',
    round: (count) => [open(streamOf(count), UPLOAD), windowUpdateFrame(streamOf(count), 0)],
    ...RESETS,
  },
  {
    name: 'WINDOW_UPDATE beyond the largest window on stream after stream',
    round: (count) => [open(streamOf(count), UPLOAD), windowUpdateFrame(streamOf(count), 2 ** 31 - 1)],
    ...RESETS,
  },
  {
    name: 'HEADERS on half-closed streams',
    round: (count) => [open(streamOf(count), WAIT, true), open(streamOf(count), WAIT, true)],
    ...RESETS,
  },
  {
    name: 'DATA on half-closed streams',
    round: (count) => [open(streamOf(count), WAIT, true), dataFrame(streamOf(count), 'late')],
    ...RESETS,
  },
  {
    name: 'trailers that do not end their streams',
    round: (count) => [open(streamOf(count), UPLOAD), open(streamOf(count), plainBlock([['x', 'y']]))],
    ...RESETS,
  },
  {
    name: 'streams that depend on themselves',
    round: (count) => [
      headersFrame(streamOf(count), WAIT, { priority: { dependsOn: streamOf(count) }, endStream: true }),
    ],
    ...RESETS,
    mostCalls: 0,
  },
  {
    name: 'malformed requests',
    round: (count) => [open(streamOf(count), plainBlock([[':method', 'GET']]), true)],
    ...RESETS,
    mostCalls: 0,
  },
  {
    name: 'requests with fields in upper case, with h2RstBurst and h2RstRate small',
    round: (count) => [open(streamOf(count), block('/upload', [['X-Y', 'z']]), true)],
    ...RESETS,
    options: TINY_RESETS,
    mostCalls: 0,
  },
  {
    name: 'more DATA than content-length',
    round: (count) => [
      open(streamOf(count), block('/upload', [['content-length', '1']])),
      dataFrame(streamOf(count), 'two'),
    ],
    ...RESETS,
    options: TINY_RESETS,
    // These resets are counted a turn later: as many streams as may be open at once can begin before.
    mostCalls: 100,
  },
  {
    name: 'more DATA than content-length, with h2RstBurst large',
    round: (count) => [
      open(streamOf(count), block('/upload', [['content-length', '1']])),
      dataFrame(streamOf(count), 'two'),
    ],
    // node:http2 has a limit of its own.
    debug: 'Too many requests are malformed.',
    options: { http2: true, h2RstBurst: 5000 },
    mostCalls: 1100,
  },
  {
    name: 'empty HEADERS',
    round: (count) => [open(streamOf(count), NOTHING, true)],
    ...RESETS,
    mostCalls: 0,
  },
  {
    name: 'more streams than are allowed',
    round: (count) => [open(streamOf(count), WAIT)],
    ...RESETS,
    mostCalls: 100,
  },
  // Control frames.
  { name: 'PING', round: () => [pingFrame()], debug: 'Too many PING frames.', mostCalls: 0 },
  {
    name: 'PING that acknowledge nothing',
    round: () => [pingFrame('pingping', { ack: true })],
    debug: 'Too many PING frames.',
    mostCalls: 0,
  },
  { name: 'SETTINGS', round: () => [settingsFrame()], debug: 'Too many SETTINGS frames.', mostCalls: 0 },
  {
    name: 'SETTINGS that move the windows of a hundred streams',
    round: (count) =>
      count < 100
        ? [open(streamOf(count), WAIT)]
        : [settingsFrame([[SETTING.initialWindowSize, 65_535 + (count % 2)]])],
    debug: 'Too many SETTINGS frames.',
    mostCalls: 100,
  },
  {
    name: 'PRIORITY',
    round: (count) => [priorityFrame(streamOf(count), { dependsOn: 0 })],
    debug: 'Too many PRIORITY frames.',
    mostCalls: 0,
  },
  {
    name: 'frames of unknown types',
    round: () => [frame({ type: 0x42 })],
    debug: 'Too many frames without a use.',
    mostCalls: 0,
  },
  // DATA and its windows.
  {
    name: 'empty DATA',
    round: (count) => (count === 0 ? [open(1, UPLOAD)] : [dataFrame(1)]),
    debug: 'Too many empty DATA frames.',
    mostCalls: 1,
  },
  {
    name: 'DATA of nothing but padding',
    round: (count) => (count === 0 ? [open(1, UPLOAD)] : [dataFrame(1, '', { padding: 3 })]),
    debug: 'Too many empty DATA frames.',
    mostCalls: 1,
  },
  {
    name: 'WINDOW_UPDATE of the connection',
    round: () => [windowUpdateFrame(0, 1)],
    debug: 'Too many WINDOW_UPDATE frames.',
    mostCalls: 0,
  },
  // Header blocks.
  {
    name: 'header lists of 64 MB in 16 KB of indexes',
    round: (count) => [open(streamOf(count), count === 0 ? Buffer.concat([UPLOAD, BOMB_FIELD]) : BOMB, true)],
    ...RESETS,
    options: TINY_RESETS,
    mostCalls: 1,
  },
  {
    name: 'CONTINUATION, all of them empty',
    round: (count) => [
      count === 0
        ? headersFrame(1, NOTHING, { endHeaders: false })
        : continuationFrame(1, NOTHING, { endHeaders: false }),
    ],
    debug: 'Too many CONTINUATION frames.',
    mostCalls: 0,
  },
  {
    name: 'CONTINUATION, all of them full',
    round: (count) => [
      count === 0
        ? headersFrame(1, WAIT, { endHeaders: false })
        : continuationFrame(1, FULL_FRAGMENT, { endHeaders: false }),
    ],
    debug: 'The header block is too long.',
    mostCalls: 0,
  },
  {
    name: 'CONTINUATION, all of them full, with h2MaxHeaderListSize small',
    round: (count) => [
      count === 0
        ? headersFrame(1, WAIT, { endHeaders: false })
        : continuationFrame(1, FULL_FRAGMENT, { endHeaders: false }),
    ],
    debug: 'The header block is too long.',
    options: { http2: true, h2MaxHeaderListSize: 4096 },
    mostCalls: 0,
  },
  {
    name: 'HEADERS that are too long at once',
    round: (count) => [headersFrame(streamOf(count), Buffer.concat([WAIT, Buffer.alloc(30_000)]))],
    debug: 'The header block is too long.',
    options: { http2: true, h2MaxHeaderListSize: 4096, h2MaxFrameSize: 65_536 },
    mostCalls: 0,
  },
];

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
