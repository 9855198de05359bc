import { afterAll, describe, expect, test } from 'bun:test';
import { startBrowser, type TestBrowser } from '../examples/browser.ts';
import { needs } from '../support/program.ts';
import { startServer } from '../support/running-program.ts';
import { playScenarios } from './play-scenario.ts';

const APP = 'test/clients/live-app.ts';
const SCENARIOS = './standard-client.js';
const COMPRESSING = ['--port', '0', '--ws-compression'];
const AGREED = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';

let browser: Promise<TestBrowser> | undefined;

afterAll(async () => {
  await (await browser)?.[Symbol.asyncDispose]();
});

/** In a page that the server itself has given out. */
async function playInPage(url: string, ...names: string[]): Promise<unknown[]> {
  browser ??= startBrowser();
  const { page, failures } = await (await browser).open(url);
  const seen: unknown[] = [];
  for (const name of names) seen.push(await page.evaluate(`scenarios.${name}(location.origin)`));
  // The console has a line for each handshake that failed.
  expect(failures.filter((text) => !/\/(?:refused|denied)' failed/.test(text))).toEqual([]);
  await page.close();
  return seen;
}

interface StandardClient {
  readonly name: string;
  readonly programs: string[];
  play(url: string, ...names: string[]): Promise<unknown[]>;
}

const CLIENTS: readonly StandardClient[] = [
  {
    name: 'Bun',
    programs: [],
    play: (url, ...names) => playScenarios({ runtime: 'bun', file: SCENARIOS }, url, ...names),
  },
  {
    name: 'Node',
    programs: ['node'],
    play: (url, ...names) => playScenarios({ runtime: 'node', file: SCENARIOS }, url, ...names),
  },
  { name: 'Chromium', programs: ['chromium'], play: playInPage },
];

for (const { name, programs, play } of CLIENTS) {
  const withClient = programs.length === 0 ? test : needs(...programs);

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
