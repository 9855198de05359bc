import { expect } from 'bun:test';
import type { Page } from 'playwright-core';
import { needs } from '../support/program.ts';
import { startHttp2, type Http2Server } from './http2-server.ts';
import { sharedBrowser } from './shared-browser.ts';

const SECURE = { isSecure: true };

/** What a script of the page says of how it came here. */
const PROTOCOLS = `performance.getEntries().flatMap(({ nextHopProtocol }) => nextHopProtocol ?? [])`;

const browser = sharedBrowser();

/** The page that the server gives out; its certificate is none that the browser knows. */
async function openPage({ url }: Http2Server): Promise<Page> {
  const { page: blank } = await (await browser()).open('about:blank');
  const page = await blank.context().browser()!.newPage({ ignoreHTTPSErrors: true });
  page.setDefaultTimeout(10_000);
  await page.goto(url);
  return page;
}

const inChromium = needs('chromium');

inChromium('Chromium loads a page and its scripts over HTTP/2, on one connection', async () => {
  await using server = await startHttp2(SECURE);
  const page = await openPage(server);
  // The page itself, and its two scripts.
  expect(await page.evaluate(PROTOCOLS)).toEqual(['h2', 'h2', 'h2']);
  const ports = await page.evaluate(
    `Promise.all([1, 2, 3].map(async () => (await (await fetch('/report')).json()).client[1]))`,
  );
  expect(new Set(ports as number[]).size).toBe(1);
  const echo = `fetch('/digest', { method: 'POST', body: new Uint8Array(3_000_000) }).then((it) => it.text())`;
  expect(await page.evaluate(echo)).toStartWith('3000000 ');
});

inChromium('Chromium has WebSockets through streams of HTTP/2', async () => {
  await using server = await startHttp2(SECURE);
  const page = await openPage(server);
  expect(await page.evaluate(`scenarios.echo(location.origin)`)).toEqual({
    missing: [],
    close: { code: 4321, reason: '', wasClean: true },
  });
  expect(await page.evaluate(`scenarios.inOrder(location.origin)`)).toBe(1000);
  expect(await page.evaluate(`scenarios.subprotocols(location.origin)`)).toEqual(['Chat.Two', '']);
  expect(await page.evaluate(`scenarios.closedByServer(location.origin)`)).toEqual([
    { code: 1000, reason: '', wasClean: true },
    { code: 3999, reason: 'so geht es für alle', wasClean: true },
    { code: 1012, reason: 'soon', wasClean: true },
  ]);
  expect(await page.evaluate(`scenarios.refused(location.origin)`)).toEqual(['no session', 'no session']);
  await server.program.said(/websocket \/echo over HTTP\/2\n/);
  expect(server.program.output).not.toContain('over HTTP/1.1');
});

inChromium('Chromium has a compressed WebSocket through a stream of HTTP/2', async () => {
  await using server = await startHttp2(SECURE, '--ws-compression');
  const page = await openPage(server);
  expect(await page.evaluate(`scenarios.compressed(location.origin)`)).toEqual({
    extensions: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    missing: [],
  });
  await server.program.said(/websocket \/echo over HTTP\/2\n/);
});

inChromium('Chromium keeps what the application does not read, beside other streams', async () => {
  await using server = await startHttp2(SECURE);
  const page = await openPage(server);
  expect(await page.evaluate(`scenarios.heldBack(location.origin)`)).toEqual({
    isHeld: true,
    close: { code: 1000, reason: '', wasClean: true },
    left: 0,
  });
});

inChromium('Chromium has event streams over HTTP/2, and comes back for the rest', async () => {
  await using server = await startHttp2(SECURE);
  const page = await openPage(server);
  expect(await page.evaluate(`eventScenarios.comesBack()`)).toMatchObject({
    seen: [1, 2, 3, 4, 5].map((id) => [String(id), `tick ${id}\nü`]),
  });
  expect(await page.evaluate(`eventScenarios.closes()`)).toEqual([['1', 'tick 1\nü']]);
  await server.program.said(/GET \/ticking ended: client_closed/);
  expect(await page.evaluate(`eventScenarios.declined()`)).toBe(2);
  await server.program.said(/sse \/ticks\/2 over HTTP\/2\n/);
  expect(server.program.output).not.toContain('over HTTP/1.1');
});

inChromium('Chromium is told when the server goes: 1001, and the end of the event stream', async () => {
  await using server = await startHttp2(SECURE);
  const page = await openPage(server);
  const socket = page.evaluate(`scenarios.stay(location.origin)`);
  const events = page.evaluate(`eventScenarios.stays()`);
  await server.program.said(/\/echo accepted/);
  await server.program.said(/GET \/ticking began/);
  server.program.kill('SIGTERM');
  expect(await socket).toEqual({ code: 1001, reason: 'the server is shutting down', wasClean: true });
  expect(await events).toBe(0);
  expect((await server.program.end()).exitCode).toBe(0);
});
