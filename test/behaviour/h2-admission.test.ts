/**
 * Who is let in over HTTP/2: a connection too many ends before a stream of it is served, and those inside go on. Where TLS has settled what
 * it speaks, it is told in GOAWAY; elsewhere that is not known yet when it is turned away, so that it is told in HTTP/1.1.
 */
import { expect, test } from 'bun:test';
import { CODE, TYPE } from '../support/h2/frames.ts';
import { RawH2Client } from '../support/h2/raw-h2-client.ts';
import type { TestServer } from '../support/start-server.ts';
import { until } from '../support/within.ts';
import { httpApp, reply } from './apps.ts';
import { H2_CARRIERS, onEach } from './carriers.ts';

onEach(H2_CARRIERS, (carrier) => {
  const tls = carrier.isSecure ? { tls: {} } : {};
  const connect = (server: TestServer): Promise<RawH2Client> => RawH2Client.connect(server.address, tls);
  const open = (server: TestServer): Promise<RawH2Client> => RawH2Client.open(server.address, tls);

  test('maxConnections: the one too many ends and is served nothing; those inside go on', async () => {
    const paths: string[] = [];
    const app = httpApp(async ({ path }, _receive, send) => {
      paths.push(path);
      await reply(send, path);
    });
    await using server = await carrier.start(app, { maxConnections: 2 });
    const inside = [await open(server), await open(server)];
    for (const client of inside) expect((await client.request({ path: '/inside' })).status).toBe(200);
    const extra = await connect(server);
    extra.start().catch(() => undefined);
    extra.open({ path: '/extra' }, { endStream: true });
    expect(await extra.ended()).toBe('fin');
    if (carrier.isSecure) {
      expect(extra.frames.map(({ type }) => type)).toEqual([TYPE.settings, TYPE.goaway]);
      expect(extra.goaway).toMatchObject({ lastStream: 0, code: CODE.enhanceYourCalm });
      expect(extra.goaway?.debug).toContain('too many connections');
    }
    extra.close();
    for (const client of inside) expect((await client.request({ path: '/inside' })).status).toBe(200);
    expect(paths).not.toContain('/extra');
    expect(server.server.connectionCount).toBe(2);
    for (const client of inside) client.close();
  });

  test('maxConnections: room is there again when one leaves', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => reply(send, 'served')),
      { maxConnections: 1 },
    );
    const first = await open(server);
    expect((await first.request({ path: '/' })).status).toBe(200);
    first.close();
    await until(() => server.server.connectionCount === 0, 'the connection to close');
    const second = await open(server);
    expect((await second.request({ path: '/' })).body.toString()).toBe('served');
    second.close();
  });
});
