import { describe, expect, test } from 'bun:test';
import { findProgram, needs } from '../support/program.ts';
import { startServer } from '../support/running-program.ts';
import { playScenarios } from './play-scenario.ts';
import { sharedBrowser } from './shared-browser.ts';

const APP = 'test/clients/live-app.ts';
const SCENARIOS = './standard-client.js';
const COMPRESSING = ['--port', '0', '--ws-compression'];
const AGREED = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';

/** Node 20 has its WebSocket behind this flag; later ones have it and still take the flag, earlier ones know neither. */
const NODE_FLAGS = ['--no-warnings', '--experimental-websocket'];

const browser = sharedBrowser();

/** In a page that the server itself has given out. */
async function playInPage(url: string, ...names: string[]): Promise<unknown[]> {
  const { page, failures } = await (await browser()).open(url);
  const seen: unknown[] = [];
  for (const name of names) seen.push(await page.evaluate(`scenarios.${name}(location.origin)`));
  // The console has a line for each handshake that failed.
  expect(failures.filter((text) => !/\/(?:refused|denied)' failed/.test(text))).toEqual([]);
  await page.close();
  return seen;
}

/** `needs('node')`, and skipped where that Node has no WebSocket, which is nothing that could be installed beside it. */
function needsNode(): ReturnType<typeof needs> {
  const node = findProgram('node');
  if (node === undefined) return needs('node');
  const { exitCode } = Bun.spawnSync([node, ...NODE_FLAGS, '-e', 'WebSocket']);
  if (exitCode === 0) return test;
  return (name, body) => test.skip(`${name} (needs a Node with WebSocket)`, body);
}

interface StandardClient {
  readonly name: string;
  readonly withClient: ReturnType<typeof needs>;
  play(url: string, ...names: string[]): Promise<unknown[]>;
}

const CLIENTS: readonly StandardClient[] = [
  {
    name: 'Bun',
    withClient: test,
    play: (url, ...names) => playScenarios({ runtime: 'bun', file: SCENARIOS }, url, ...names),
  },
  {
    name: 'Node',
    withClient: needsNode(),
    play: (url, ...names) =>
      playScenarios({ runtime: 'node', file: SCENARIOS, flags: NODE_FLAGS }, url, ...names),
  },
  { name: 'Chromium', withClient: needs('chromium'), play: playInPage },
];

for (const { name, withClient, play } of CLIENTS) {
  describe(`the WebSocket of ${name}`, () => {
    withClient(
      'gets back text, bytes and blobs, 1000 in flight in their order, and its close code',
      async () => {
        await using server = startServer(APP);
        expect(await play(await server.url(), 'echo', 'blobs', 'inOrder')).toEqual([
          { missing: [], close: { code: 4321, reason: '', wasClean: true } },
          [
            [true, 'a blob'],
            [true, ''],
          ],
          1000,
        ]);
        await server.said(/\/echo ended with 4321 'genug für heute'/);
      },
    );

    withClient(
      'gets a subprotocol that it offered, or no session where the application wants none',
      async () => {
        await using server = startServer(APP);
        expect(await play(await server.url(), 'subprotocols', 'refused')).toEqual([
          ['Chat.Two', ''],
          ['no session', 'no session'],
        ]);
      },
    );

    withClient('is told code and reason when the application closes, and closes without a code', async () => {
      await using server = startServer(APP);
      expect(await play(await server.url(), 'closedByServer', 'closedWithoutCode')).toEqual([
        [
          { code: 1000, reason: '', wasClean: true },
          { code: 3999, reason: 'so geht es für alle', wasClean: true },
          { code: 1012, reason: 'soon', wasClean: true },
        ],
        { code: 1005, reason: '', wasClean: true },
      ]);
      await server.said(/\/echo ended with 1005 ''/);
    });

    withClient('offers compression, gets it, and the same messages through it', async () => {
      await using server = startServer(APP, COMPRESSING);
      expect(await play(await server.url(), 'compressed', 'inOrder')).toEqual([
        { extensions: AGREED, missing: [] },
        1000,
      ]);
    });

    withClient('keeps what the application does not read, and loses none of it', async () => {
      await using server = startServer(APP);
      expect(await play(await server.url(), 'heldBack')).toEqual([
        { isHeld: true, close: { code: 1000, reason: '', wasClean: true }, left: 0 },
      ]);
      await server.said(new RegExp(`/held ended with 1000 'all sent' after ${24 * 1024 * 1024}`));
    });

    withClient('is told 1001 when the server goes', async () => {
      await using server = startServer(APP);
      const seen = play(await server.url(), 'stay');
      await server.said(/\/echo accepted/);
      server.kill('SIGTERM');
      expect(await seen).toEqual([{ code: 1001, reason: 'the server is shutting down', wasClean: true }]);
      expect((await server.end()).exitCode).toBe(0);
    });
  });
}
