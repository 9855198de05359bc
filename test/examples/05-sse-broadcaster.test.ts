import { connect } from 'node:net';
import { expect, test } from 'bun:test';
import { needs } from '../support/program.ts';
import { startServer, type RunningProgram } from '../support/running-program.ts';
import { within } from '../support/within.ts';
import { startBrowser } from './browser.ts';

const APP = 'examples/05-sse-broadcaster/app.ts';

/** One listener: `next` is the next block of lines that is not a comment, `undefined` the end of the stream. */
async function listen(server: RunningProgram, lastId?: string): Promise<() => Promise<string | undefined>> {
  const response = await fetch(`${await server.url()}/events`, {
    headers: { accept: 'text/event-stream', ...(lastId !== undefined && { 'last-event-id': lastId }) },
  });
  expect(response.headers.get('content-type')).toStartWith('text/event-stream');
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const next = async (): Promise<string | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      const block = text.slice(0, end);
      text = end < 0 ? text : text.slice(end + 2);
      if (end >= 0 && !block.startsWith(':')) return block;
      if (end >= 0) continue;
      const { value, done } = await reader.read();
      if (done) return undefined;
      text += decoder.decode(value, { stream: true });
    }
  };
  return () => within(next(), 'an event');
}

async function post(server: RunningProgram, body: string): Promise<Response> {
  return await fetch(`${await server.url()}/messages`, { method: 'POST', body });
}

const idOf = (event: string | undefined): string => /^id: ?(.*)$/m.exec(event ?? '')![1]!;
const dataOf = (event: string | undefined): string =>
  [...(event ?? '').matchAll(/^data: ?(.*)$/gm)].map((match) => match[1]).join('\n');

test('05-sse-broadcaster tells every listener, in order', async () => {
  await using server = startServer(APP);
  const listeners = [await listen(server), await listen(server)];
  for (const text of ['first', 'Größe 42 €', 'two\nlines']) {
    expect((await post(server, text)).status).toBe(202);
  }
  for (const next of listeners) {
    expect(dataOf(await next())).toBe('first');
    expect(dataOf(await next())).toBe('Größe 42 €');
    expect(dataOf(await next())).toBe('two\nlines');
  }
});

test('05-sse-broadcaster sends a listener that comes back what it has missed', async () => {
  await using server = startServer(APP);
  const before = await listen(server);
  for (const text of ['one', 'two', 'three']) await post(server, text);
  const first = idOf(await before());

  const after = await listen(server, first);
  expect(dataOf(await after())).toBe('two');
  expect(dataOf(await after())).toBe('three');
  // One whose id is not of this server gets all that is kept, and one without an id begins with the next message.
  expect(dataOf(await (await listen(server, 'other-7'))())).toBe('one');
  const fresh = await listen(server);
  await post(server, 'four');
  expect(dataOf(await fresh())).toBe('four');
});

test('05-sse-broadcaster refuses what it cannot use', async () => {
  await using server = startServer(APP);
  const url = await server.url();
  const status = async (path: string, init?: RequestInit): Promise<number> =>
    (await fetch(`${url}${path}`, init)).status;
  expect((await post(server, ' \n')).status).toBe(400);
  expect((await post(server, 'x'.repeat(20_000))).status).toBe(413);
  expect(await status('/messages')).toBe(405);
  expect(await status('/events')).toBe(406);
  expect(await status('/elsewhere')).toBe(404);
  expect(await status('/elsewhere', { headers: { accept: 'text/event-stream' } })).toBe(404);
});

test('05-sse-broadcaster keeps nobody waiting for a listener that does not read', async () => {
  await using server = startServer(APP);
  const next = await listen(server);
  const socket = connect(Number(new URL(await server.url()).port), '127.0.0.1');
  socket.write('GET /events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n');
  await within(new Promise((resolve) => socket.once('data', resolve)), 'the head of the stream');
  socket.pause();

  let last = 0;
  const fill = 'x'.repeat(16_000);
  const sendOne = async (): Promise<void> => {
    last += 1;
    await post(server, `${last} ${fill}`);
    expect(dataOf(await next())).toStartWith(`${last} `);
  };
  // Until the kernel's buffers are full and the server waits for it; then more than the log keeps.
  while (!server.output.includes('is slow')) await sendOne();
  for (let more = 0; more < 150; more += 1) await sendOne();

  let isToldOfMissed = false;
  const allArrived = new Promise<void>((resolve) => {
    let tail = '';
    socket.on('data', (piece: Buffer) => {
      tail += piece.toString('latin1');
      isToldOfMissed ||= tail.includes('event: missed\n');
      if (tail.includes(`data: ${last} `)) resolve();
      tail = tail.slice(-50);
    });
  });
  socket.resume();
  await within(allArrived, 'the last message');
  expect(isToldOfMissed).toBe(true);
  await server.said(/ goes on\n/);
  await post(server, 'after all');
  expect(dataOf(await next())).toBe('after all');
  socket.destroy();
});

test('05-sse-broadcaster says goodbye when the server shuts down', async () => {
  await using server = startServer(APP);
  const next = await listen(server);
  await post(server, 'hello');
  expect(dataOf(await next())).toBe('hello');
  server.kill('SIGTERM');
  expect(await next()).toContain('event: goodbye');
  expect(await next()).toBeUndefined();
  const { exitCode, output } = await server.end();
  expect(exitCode).toBe(0);
  expect(output).not.toContain('error');
});

needs('chromium')('05-sse-broadcaster shows in every browser what is written in one', async () => {
  await using server = startServer(APP);
  await using browser = await startBrowser();
  const url = await server.url();
  const [writer, other] = [await browser.open(url), await browser.open(url)];
  for (const { page } of [writer, other]) await page.getByText('listening').waitFor();
  await writer.page.getByLabel('Message').fill('<b>Hello</b> to everyone');
  await writer.page.getByRole('button', { name: 'Send' }).click();
  for (const { page, failures } of [writer, other]) {
    await page.getByText('<b>Hello</b> to everyone').waitFor();
    expect(failures).toEqual([]);
  }
  expect(await writer.page.getByLabel('Message').inputValue()).toBe('');
});
