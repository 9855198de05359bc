/**
 * A client may have a smaller header table than HPACK starts with, or none (RFC 7541 4.2, RFC 9113 6.5.2), from the start or from the middle
 * of a connection on. It gets the same responses as any other: status, fields, their order and bytes, interim responses and trailers.
 */
import { expect, test } from 'bun:test';
import { SETTING, TYPE } from '../support/h2/frames.ts';
import { RawH2Client, type H2Request, type H2Response } from '../support/h2/raw-h2-client.ts';
import { until } from '../support/within.ts';
import { httpApp, readBody, reply } from './apps.ts';
import { H2_CARRIERS, onEach } from './carriers.ts';

const NO_TABLE = [[SETTING.headerTableSize, 0]] as const;

/** Answers by path; `finish` lets `/begun` come to its end. */
function answeringApp() {
  const waiting: (() => void)[] = [];
  const app = httpApp(async ({ path, method }, receive, send) => {
    const body = method === 'POST' ? await readBody(receive) : 'content';
    if (path === '/empty') return reply(send, '', { status: 204 });
    if (path !== '/begun' && path !== '/trailers') {
      const headers: [string, string][] = [
        ['x-obs', 'caf\xe9'],
        ['10', 'a number'],
        ['set-cookie', 'a=1'],
        ['__proto__', 'no prototype'],
        ['set-cookie', 'b=2'],
        ['x-empty', ''],
        ['x-127', 'x'.repeat(127)],
        ...(path === '/large' ? [['x-large', 'abc'.repeat(15_000)] as [string, string]] : []),
      ];
      return reply(send, body, { headers });
    }
    await send({ type: 'http.response.start', status: 404, headers: [['x-a', 'same']], trailers: true });
    await send({ type: 'http.response.body', body: 'begun', more: true });
    if (path === '/begun') await new Promise<void>((resolve) => waiting.push(resolve));
    await send({ type: 'http.response.body', body: '' });
    await send({
      type: 'http.response.trailers',
      headers: [
        ['x-a', 'same'],
        ['x-sum', '7'],
      ],
    });
  });
  return { app, waiting };
}

const requests: Readonly<Record<string, H2Request>> = {
  'fields of all kinds': { path: '/' },
  'a block larger than a frame': { path: '/large' },
  'no content': { path: '/empty' },
  HEAD: { path: '/', method: 'HEAD' },
  trailers: { path: '/trailers', headers: [['te', 'trailers']] },
  '100 Continue': { path: '/', method: 'POST', headers: [['expect', '100-continue']] },
};

async function answerTo(client: RawH2Client, request: H2Request): Promise<H2Response> {
  const id = client.open(request, { endStream: request.method !== 'POST' });
  if (request.method === 'POST') {
    await until(() => client.stream(id).informational.length > 0, '100 Continue');
    await client.sendBody(id, 'the body');
  }
  const response = await client.response(id);
  return {
    ...response,
    headers: response.headers.map(([name, value]) => [name, name === 'date' ? '' : value]),
  };
}

onEach(H2_CARRIERS, (carrier) => {
  const tls = carrier.isSecure ? { tls: {} } : {};

  for (const [name, request] of Object.entries(requests)) {
    test(`${name}: the same without a header table, from the start or from later on`, async () => {
      await using server = await carrier.start(answeringApp().app);
      const usual = await RawH2Client.open(server.address, tls);
      const expected = await answerTo(usual, request);
      expect(expected.isComplete).toBe(true);
      usual.close();
      const bare = await RawH2Client.connect(server.address, tls);
      await bare.start(NO_TABLE);
      expect([await answerTo(bare, request), await answerTo(bare, request)]).toEqual([expected, expected]);
      await bare.settings([[SETTING.headerTableSize, 4096]]);
      expect(await answerTo(bare, request)).toEqual(expected);
      expect(bare.decoder.table.size).toBe(0);
      bare.close();
      const later = await RawH2Client.open(server.address, tls);
      expect(await answerTo(later, request)).toEqual(expected);
      await later.settings([[SETTING.headerTableSize, 100]]);
      expect([await answerTo(later, request), await answerTo(later, request)]).toEqual([expected, expected]);
      expect([...bare.peerFaults, ...later.peerFaults]).toEqual([]);
      later.close();
    });
  }

  test('a response that has begun ends with its trailers, though the table they would refer to has gone', async () => {
    const { app, waiting } = answeringApp();
    await using server = await carrier.start(app);
    const client = await RawH2Client.open(server.address, tls);
    const id = client.open({ path: '/begun', headers: [['te', 'trailers']] }, { endStream: true });
    await client.received(id, 5);
    await client.settings(NO_TABLE);
    expect(client.decoder.table.size).toBeGreaterThan(0);
    waiting[0]!();
    const { status, trailers, isComplete } = await client.response(id);
    expect([status, trailers, isComplete]).toEqual([
      404,
      [
        ['x-a', 'same'],
        ['x-sum', '7'],
      ],
      true,
    ]);
    expect(client.decoder.table.size).toBe(0);
    expect(client.peerFaults).toEqual([]);
    client.close();
  });

  test('responses that wait for the client when its table shrinks arrive as they were', async () => {
    await using server = await carrier.start(answeringApp().app);
    const client = await RawH2Client.open(server.address, tls);
    client.socket.pause();
    const before = Array.from({ length: 30 }, () => client.open({ path: '/large' }, { endStream: true }));
    const changed = client.settings(NO_TABLE);
    const behind = Array.from({ length: 30 }, () => client.open({ path: '/large' }, { endStream: true }));
    client.reset(behind[3]!);
    client.socket.resume();
    await changed;
    for (const id of [...before, ...behind.filter((_, index) => index !== 3)]) {
      const { isComplete, headers } = await client.response(id);
      expect([isComplete, headers.find(([name]) => name === 'x-large')?.[1].length]).toEqual([true, 45_000]);
    }
    expect(client.frames.some(({ type }) => type === TYPE.goaway)).toBe(false);
    expect(client.peerFaults).toEqual([]);
    client.close();
  });
});
