/**
 * Many clients at once that take a server's time and memory and give nothing, on a small scale; test/endurance does the same
 * on a large one. Others are served beside them, they are closed on their deadlines, and nothing of them is left.
 */
import { expect, test } from 'bun:test';
import type { TransportState } from '../../src/contract/handles.ts';
import { pass, WAYS_TO_LEAVE } from '../endurance/load/passing-client.ts';
import type { TestServer } from '../support/start-server.ts';
import { until } from '../support/within.ts';
import { httpApp, readBody, reply } from './apps.ts';
import { H1_CARRIERS, onEach } from './carriers.ts';

const CROWD = 30;
const SHORT = 0.2;
const PIECE = Buffer.alloc(65_536, 'x');

/** What the app tells on `/state`: the bytes that wait for each client of `/stream`, and why others have gone. */
interface Told {
  readonly buffered: readonly number[];
  readonly reasons: readonly string[];
}

function crowdedApp(): ReturnType<typeof httpApp> {
  const streams = new Set<TransportState>();
  const reasons: string[] = [];
  return httpApp(async (scope, receive, send) => {
    const connection = scope['tsagi.connection'];
    connection.onDisconnect((reason) => reasons.push(`${scope.path} ${reason}`));
    if (scope.path === '/state') {
      const buffered = [...streams].map((transport) => transport.bufferedAmount);
      return reply(send, JSON.stringify({ buffered, reasons } satisfies Told));
    }
    if (scope.path === '/upload') return reply(send, await readBody(receive).catch(() => ''));
    if (scope.path !== '/stream') return reply(send, scope.path);
    const transport = scope['tsagi.transport'];
    streams.add(transport);
    await send({ type: 'http.response.start', status: 200 });
    while (connection.isConnected) await send({ type: 'http.response.body', body: PIECE, more: true });
    streams.delete(transport);
  });
}

async function told(server: TestServer): Promise<Told> {
  return JSON.parse((await server.request({ target: '/state' })).body.toString());
}

/** Resolves when no connection is counted any more, and the app has heard of the end of each stream. */
async function over(server: TestServer): Promise<void> {
  await until(() => server.server.connectionCount === 0, 'the connections to close');
  while ((await told(server)).buffered.length > 0);
}

/** A crowd of clients that all send this, and read nothing where they are told so. */
async function crowd(
  server: TestServer,
  opening: string,
  reads = true,
): Promise<Awaited<ReturnType<TestServer['connect']>>[]> {
  return await Promise.all(
    Array.from({ length: CROWD }, async () => {
      const client = await server.connect();
      if (!reads) client.pause();
      await client.send(opening);
      return client;
    }),
  );
}

onEach(H1_CARRIERS, (carrier) => {
  test('slow heads, slow bodies and slow readers are closed on their deadlines, and disturb nobody', async () => {
    const deadlines = { headerTimeout: SHORT, bodyTimeout: SHORT, writeTimeout: SHORT };
    await using server = await carrier.start(crowdedApp(), deadlines);
    const heads = await crowd(server, 'GET / HTTP/1.1\r\nhost: a\r\nx-slow: ');
    const bodies = await crowd(server, 'POST /upload HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\nhalf');
    await crowd(server, 'GET /stream HTTP/1.1\r\nhost: a\r\n\r\n', false);
    const ordinary = await server.connect();
    const endings = Promise.all(
      [...heads, ...bodies].map(async (client) => {
        const { status } = await client.response();
        const ending = await client.ended();
        client.close();
        return `${status} ${ending}`;
      }),
    );
    do expect((await ordinary.request({ target: '/beside' })).body.toString()).toBe('/beside');
    while (server.server.connectionCount > 1);
    expect(await endings).toEqual(Array.from({ length: 2 * CROWD }, () => '408 fin'));
    ordinary.close();
    await over(server);
    const { reasons } = await told(server);
    expect(Object.groupBy(reasons, String)).toEqual({
      '/upload client_timeout': Array.from({ length: CROWD }, () => '/upload client_timeout'),
      '/stream write_timeout': Array.from({ length: CROWD }, () => '/stream write_timeout'),
    });
    expect(server.errors).toEqual([]);
  });

  test('for each client that does not read, no more waits than the high-water mark and one piece', async () => {
    await using server = await carrier.start(crowdedApp());
    const clients = await crowd(server, 'GET /stream HTTP/1.1\r\nhost: a\r\n\r\n', false);
    const most = 65_536 + PIECE.length + 100;
    let buffered: readonly number[] = [];
    for (let quiet = 0, before = ''; quiet < 10; before = String(buffered)) {
      ({ buffered } = await told(server));
      expect(buffered.filter((amount) => amount > most)).toEqual([]);
      const isFull = buffered.length === CROWD && buffered.every((amount) => amount > 65_536);
      quiet = isFull && String(buffered) === before ? quiet + 1 : 0;
    }
    for (const client of clients) client.reset();
    await over(server);
    expect(server.errors).toEqual([]);
  });

  test.each(Object.entries(WAYS_TO_LEAVE))(
    'nothing is left of clients of which each %s',
    async (_name, leave) => {
      await using server = await carrier.start(crowdedApp());
      const tls = carrier.isSecure ? {} : undefined;
      await Promise.all(Array.from({ length: CROWD }, () => pass(server.address, leave, tls)));
      await over(server);
      expect(server.errors).toEqual([]);
    },
  );
});
