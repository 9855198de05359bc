import { describe, expect } from 'bun:test';
import { needs } from '../support/program.ts';
import { startServer } from '../support/running-program.ts';
import { playScenarios } from './play-scenario.ts';

const APP = 'test/clients/live-app.ts';
const NO_TAKEOVER = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
const COMPRESSING = ['--port', '0', '--ws-compression'];
const PINGING = ['--port', '0', '--ws-ping-interval', '0.2', '--ws-ping-timeout', '0.2'];

async function play(url: string, ...names: string[]): Promise<unknown[]> {
  return await playScenarios({ runtime: 'node', file: './ws-client.mjs' }, url, ...names);
}

describe('ws on Node', () => {
  const withNode = needs('node');

  withNode('gets back text and bytes of 0 B to 16 MiB, and its close code', async () => {
    await using server = startServer(APP);
    const seen = await play(await server.url(), 'sizes');
    expect(seen).toEqual([{ missing: [], close: { code: 3000, reason: '' } }]);
    await server.said(/\/echo ended with 3000 'alles da' /);
  });

  withNode('gets back in one piece what it sends in fragments, and a pong for every ping', async () => {
    await using server = startServer(APP);
    expect(await play(await server.url(), 'fragments', 'pings')).toEqual([
      { euro: '€', isInOrder: true, size: 101, whole: 'whole', pong: 'between' },
      { areAnswered: true },
    ]);
  });

  withNode('keeps its session by answering pings, and loses it by not answering', async () => {
    await using server = startServer(APP, PINGING);
    expect(await play(await server.url(), 'keptAlive')).toEqual([
      { close: { code: 1011, reason: 'a ping was not answered' }, missing: [] },
    ]);
    await server.said(/\/echo ended with 1006 'keepalive_timeout'/);
  });

  withNode('gets back 1000 messages in flight in their order, and 1000 that it did not ask for', async () => {
    await using server = startServer(APP, COMPRESSING);
    expect(await play(await server.url(), 'inOrder', 'counting')).toEqual([1000, true]);
  });

  withNode('closes and is closed, each with code and reason, and is missed when it just goes', async () => {
    await using server = startServer(APP);
    const [seen] = await play(await server.url(), 'closes', 'terminated');
    expect(seen).toEqual({
      byClient: [1005, 1000, 1001, 1013, 4999],
      byServer: [
        { code: 1000, reason: '' },
        { code: 1011, reason: 'oh' },
        { code: 4000, reason: 's'.repeat(123) },
      ],
    });
    const ends = ["1005 ''", "1000 ''", "1001 'gone'", "1013 'später'", `4999 '${'r'.repeat(123)}'`];
    for (const end of [...ends, "1006 'client_closed'"]) {
      await server.said(new RegExp(`^/echo ended with ${end}`, 'm'));
    }
  });

  withNode('is told 1009 for a message over the limit, before and after it is inflated', async () => {
    await using server = startServer(APP, [...COMPRESSING, '--max-ws-message-size', '1000']);
    const told = { missing: [], code: 1009 };
    expect(await play(await server.url(), 'tooBig')).toEqual([[told, told]]);
  });

  withNode('gets a response to a handshake that is refused, denied, or of another version', async () => {
    await using server = startServer(APP);
    const [denials] = await play(await server.url(), 'denials');
    expect(denials).toMatchObject([
      { status: 403, body: expect.stringContaining('refused') },
      { status: 401, headers: { 'www-authenticate': 'Basic realm="here"' }, body: 'who are you?' },
      { status: 426, headers: { 'sec-websocket-version': '13', upgrade: 'websocket' } },
    ]);
  });

  withNode('compresses as it offers to, with every window and with none', async () => {
    await using server = startServer(APP, COMPRESSING);
    const [seen] = (await play(await server.url(), 'compressed')) as [Record<string, unknown>];
    const both = { missing: [], isSentSmaller: true, isReceivedSmaller: true };
    expect(seen['all']).toEqual({ agreed: NO_TAKEOVER, ...both });
    expect(seen['noTakeover']).toEqual({ agreed: NO_TAKEOVER, ...both });
    expect(seen['none']).toEqual({ agreed: NO_TAKEOVER, ...both, isSentSmaller: false });
    expect(seen['off']).toEqual({ agreed: '', missing: [], isSentSmaller: false, isReceivedSmaller: false });
    for (let bits = 8; bits <= 15; bits++) {
      const windowed = `${NO_TAKEOVER}; server_max_window_bits=${bits}`;
      expect(seen[`server ${bits}`]).toEqual({ agreed: windowed, ...both });
      expect(seen[`client ${bits}`]).toEqual({ agreed: NO_TAKEOVER, ...both });
    }
  });

  withNode('is not offered what is off by default: compression', async () => {
    await using server = startServer(APP);
    expect(await play(await server.url(), 'uncompressed')).toEqual([
      { agreed: '', missing: [], isSentSmaller: false, isReceivedSmaller: false },
    ]);
  });

  withNode(
    'holds the server back while it reads slowly, to the high-water mark and one message',
    async () => {
      await using server = startServer(APP);
      const [seen] = await play(await server.url(), 'slowly');
      const { size, most } = seen as { size: number; most: number };
      expect(size).toBe(1000 * 65_536);
      // Over the mark at times, so it was the slower one.
      expect(most).toBeGreaterThan(65_536);
      expect(most).toBeLessThanOrEqual(2 * 65_536 + 10);
    },
  );
});
