/**
 * Peers over HTTP/2 that hold on to what they have got and are slow, each against a real server: they are closed on their deadlines,
 * memory stays flat while they are there, and other streams and other connections are served meanwhile. Peers that are fast are in
 * h2-floods.test.ts.
 */
import { expect, test } from 'bun:test';
import {
  CODE,
  continuationFrame,
  headersFrame,
  pingFrame,
  PREFACE,
  SETTING,
  settingsFrame,
  TYPE,
} from '../support/h2/frames.ts';
import { plainBlock } from '../support/h2/hpack.ts';
import { RawH2Client, requestFields } from '../support/h2/raw-h2-client.ts';
import { startServer, type StartOptions, type TestServer } from '../support/start-server.ts';
import { until } from '../support/within.ts';
import { httpApp, readBody, reply } from './apps.ts';

const SHORT = 0.2;
const CROWD = 20;
/** By how much the process, which is the clients' too, may grow. */
const MOST_GROWTH = 48 * 1_048_576;
const PIECE = Buffer.alloc(65_536, 'x');
const REQUEST = plainBlock(requestFields({ path: '/wait' }));

interface Slowed {
  readonly server: TestServer;
  /** Why requests have ended other than by a complete response: path and reason. */
  readonly reasons: string[];
  readonly calls: (path: string) => number;
}

async function start(options: StartOptions): Promise<Slowed> {
  const reasons: string[] = [];
  const paths: string[] = [];
  const app = httpApp(async (scope, receive, send) => {
    const connection = scope['tsagi.connection'];
    connection.onDisconnect((reason) => reasons.push(`${scope.path} ${reason}`));
    paths.push(scope.path);
    switch (scope.path) {
      case '/wait':
        return void (await connection.disconnected);
      case '/upload':
        return await reply(send, await readBody(receive).catch(() => ''));
      case '/wide':
        return await reply(send, '', { headers: [['x-wide', 'y'.repeat(8000)]] });
      case '/stream':
        await send({ type: 'http.response.start', status: 200 });
        while (connection.isConnected) await send({ type: 'http.response.body', body: PIECE, more: true });
        return;
      default:
        return await reply(send, scope.path);
    }
  });
  const server = await startServer(app, { http2: true, ...options });
  return { server, reasons, calls: (path) => paths.filter((given) => given === path).length };
}

/** Does requests on a connection of its own for as long as `attack` takes, and at least one. */
async function servingBeside<T>(server: TestServer, attack: Promise<T>): Promise<T> {
  const client = await RawH2Client.open(server.address);
  const progress = { isOver: false };
  const over = attack.finally(() => (progress.isOver = true));
  over.catch(() => undefined);
  do expect((await client.request({ path: '/beside' })).body.toString()).toBe('/beside');
  while (!progress.isOver);
  client.close();
  return await over;
}

async function over({ server }: Slowed, client: RawH2Client): Promise<void> {
  client.close();
  await until(() => server.server.connectionCount === 0, 'the connections to close');
  expect(client.peerFaults).toEqual([]);
  expect(server.errors).toEqual([]);
}

function memory(): number {
  Bun.gc(true);
  return process.memoryUsage().rss;
}

// Connections without a request.

test.each([
  ['nothing', Buffer.alloc(0)],
  ['its preface and nothing else', PREFACE],
  ['half of its first SETTINGS', Buffer.concat([PREFACE, settingsFrame().subarray(0, 5)])],
  ['its preface and SETTINGS and nothing else', Buffer.concat([PREFACE, settingsFrame()])],
])('a connection that says %s is closed after timeout', async (_name, bytes) => {
  const slowed = await start({ timeout: SHORT });
  await using server = slowed.server;
  // Nor does it answer the PING that goes with the first GOAWAY.
  const client = await RawH2Client.connect(server.address, { acksSettings: false, answersPings: false });
  void client.send(bytes);
  expect(await servingBeside(server, client.ended())).toBe('fin');
  expect(client.goaways.filter(({ code }) => code !== CODE.noError)).toEqual([]);
  await over(slowed, client);
});

test('a preface that trickles ends with its connection after headerTimeout, without a word', async () => {
  const slowed = await start({ headerTimeout: SHORT });
  await using server = slowed.server;
  const client = await RawH2Client.connect(server.address);
  for (const byte of PREFACE.subarray(0, -1)) await client.send(Uint8Array.of(byte));
  expect(await servingBeside(server, client.ended())).not.toBe('open');
  expect(client.bytesReceived).toBe(0);
  await over(slowed, client);
});

// Header blocks that never end.

const UNFINISHED = headersFrame(101, REQUEST, { endStream: true, endHeaders: false });

test.each([
  ['is never continued', UNFINISHED],
  [
    'is continued by a frame that trickles',
    Buffer.concat([UNFINISHED, continuationFrame(101, PIECE.subarray(0, 16_384), { endHeaders: false })]),
  ],
])(
  'a header block that %s is cut off after headerTimeout, though a stream is served',
  async (_name, bytes) => {
    const slowed = await start({ headerTimeout: SHORT });
    await using server = slowed.server;
    const client = await RawH2Client.open(server.address);
    client.open({ path: '/wait' }, { endStream: true });
    await until(() => slowed.calls('/wait') === 1, 'the first request');
    const attack = async (): Promise<void> => {
      void client.send(bytes.subarray(0, UNFINISHED.length + 9));
      const most = Math.min(bytes.length, 16_000);
      for (let at = UNFINISHED.length + 9; client.ending === 'open' && at < most; at += 1) {
        await client.send(bytes.subarray(at, at + 1));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await client.ended()).toBe('fin');
    };
    await servingBeside(server, attack());
    expect(client.goaways).toMatchObject([{ code: CODE.enhanceYourCalm }]);
    expect(slowed.calls('/wait')).toBe(1);
    expect(slowed.reasons).toEqual(['/wait protocol_error']);
    await over(slowed, client);
  },
);

test('HEADERS of which the rest never comes are cut off after headerTimeout, though a stream is served', async () => {
  const slowed = await start({ headerTimeout: SHORT });
  await using server = slowed.server;
  const client = await RawH2Client.open(server.address);
  client.open({ path: '/wait' }, { endStream: true });
  await until(() => slowed.calls('/wait') === 1, 'the first request');
  void client.send(headersFrame(101, REQUEST, { endStream: true }).subarray(0, -1));
  expect(await servingBeside(server, client.ended())).toBe('fin');
  expect(client.goaways).toMatchObject([{ code: CODE.enhanceYourCalm }]);
  await over(slowed, client);
});

// Streams that never finish.

test('bodies that stall get 408 after bodyTimeout, each on its stream; other streams go on', async () => {
  const slowed = await start({ bodyTimeout: SHORT });
  await using server = slowed.server;
  const client = await RawH2Client.open(server.address);
  const stalled = Array.from({ length: CROWD }, () => client.open({ method: 'POST', path: '/upload' }));
  for (const stream of stalled) await client.sendBody(stream, 'half', { endStream: false });
  const steady = client.open({ method: 'POST', path: '/upload' });
  let sent = 0;
  const isOver = (): boolean => stalled.every((stream) => client.stream(stream).isOver);
  const others = async (): Promise<void> => {
    do {
      await client.sendBody(steady, 'x', { endStream: false });
      sent += 1;
      expect((await client.request({ path: '/other' })).status).toBe(200);
    } while (!isOver());
    await client.sendBody(steady, '');
  };
  await servingBeside(server, others());
  const answers = await Promise.all(stalled.map((stream) => client.response(stream)));
  expect(answers.map(({ status }) => status)).toEqual(stalled.map(() => 408));
  expect((await client.response(steady)).body.toString()).toBe('x'.repeat(sent));
  expect(slowed.reasons).toEqual(stalled.map(() => '/upload client_timeout'));
  expect(client.goaways).toEqual([]);
  await over(slowed, client);
});

test('responses that are never read are reset after writeTimeout, each on its stream; other streams go on', async () => {
  const slowed = await start({ writeTimeout: SHORT });
  await using server = slowed.server;
  const client = await RawH2Client.connect(server.address, { refillsWindows: false });
  await client.start([[SETTING.initialWindowSize, 1000]]);
  const before = memory();
  const unread = Array.from({ length: CROWD }, () => client.open({ path: '/stream' }, { endStream: true }));
  const others = async (): Promise<void> => {
    do {
      const { status, isComplete, body } = await client.request({ path: '/other' });
      expect({ status, isComplete }).toEqual({ status: 200, isComplete: true });
      client.grant(0, Math.max(1, body.length));
    } while (!unread.every((stream) => client.stream(stream).isOver));
  };
  await servingBeside(server, others());
  const answers = await Promise.all(unread.map((stream) => client.response(stream)));
  expect(answers.map(({ body, resetCode }) => [body.length, resetCode])).toEqual(
    unread.map(() => [1000, CODE.cancel]),
  );
  expect(slowed.reasons).toEqual(unread.map(() => '/stream write_timeout'));
  expect(client.goaways).toEqual([]);
  expect(memory() - before).toBeLessThan(MOST_GROWTH);
  await over(slowed, client);
});

// Peers that read nothing.

test('a peer that reads neither answers nor acknowledgements is not read either, and reset after writeTimeout', async () => {
  const slowed = await start({ writeTimeout: SHORT });
  await using server = slowed.server;
  const client = await RawH2Client.open(server.address);
  const before = memory();
  client.pauseReading();
  const fields = plainBlock(requestFields({ path: '/wide' }));
  let count = 0;
  const attack = async (): Promise<void> => {
    await until(() => server.server.connectionCount === 2, 'the connection beside');
    while (server.server.connectionCount > 1) {
      if (client.socket.writableLength < 65_536) {
        const round = Array.from({ length: 50 }, (_, at) => [
          headersFrame(2 * (count + at) + 1, fields, { endStream: true }),
          pingFrame(),
        ]);
        count += round.length;
        void client.send(...round.flat());
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await servingBeside(server, attack());
  // What the kernel's buffers take, and little more.
  expect(slowed.calls('/wide')).toBeLessThan(3000);
  expect(count).toBeGreaterThan(slowed.calls('/wide') + 1000);
  expect(memory() - before).toBeLessThan(MOST_GROWTH);
  client.resumeReading();
  expect(await client.ended()).toBe('reset');
  expect(client.frames.some(({ type }) => type === TYPE.goaway)).toBe(false);
  await over(slowed, client);
});
