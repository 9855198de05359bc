import { connect } from 'node:net';
import { expect, test } from 'bun:test';
import { MessageLog, Reader, type Message } from '../../examples/13-cluster-broadcast/message-log.ts';
import { needs } from '../support/program.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { within } from '../support/within.ts';
import { startBrowser } from './browser.ts';
import { openClient, openToAll, WebSocketClient, type ChatClient, type Way } from './chat-client.ts';
import { freePort } from '../support/free-port.ts';
import { startHaproxy, startNode, TestRedis } from './chat-cluster.ts';

const WAYS: readonly Way[] = ['websocket', 'events'];
const WITH_REDIS = needs('redis-server');

async function post(url: string, body: string): Promise<Response> {
  return await fetch(`${url}/messages`, { method: 'POST', body });
}

async function say(url: string, ...texts: string[]): Promise<void> {
  for (const text of texts) expect((await post(url, text)).status).toBe(202);
}

/** Each of them is told exactly this, in this order, and nothing else before it. */
async function expectTold(clients: readonly ChatClient[], texts: readonly string[]): Promise<void> {
  for (const client of clients) expect(await client.texts(texts.length)).toEqual([...texts]);
}

/** Each worker of the nodes has found Redis again since it was lost. */
async function reconnected(nodes: readonly RunningProgram[], members: readonly string[]): Promise<void> {
  for (const member of members) {
    const [name, worker] = member.split(' ');
    const node = nodes[name === 'north' ? 0 : 1]!;
    const line = `${name} worker ${worker}: `;
    await within(
      node.said(new RegExp(`${line}Redis has gone[^]*${line}connected to Redis`)),
      `${member} to find Redis again`,
      10_000,
    );
  }
}

interface Cluster {
  readonly redis: TestRedis;
  readonly nodes: readonly [RunningProgram, RunningProgram];
  /** Where the clients of each node go to; the same for both with a load balancer. */
  readonly urls: readonly [string, string];
  readonly members: readonly string[];
}

/** Two nodes of two workers each: everybody gets everything once, whoever says it, and so again when Redis has been away. */
async function converse({ redis, nodes, urls, members }: Cluster): Promise<void> {
  const [north, south] = urls;
  const clients: ChatClient[] = [];
  for (const way of WAYS) {
    if (north === south) clients.push(...(await openToAll(way, north, members)));
    else {
      clients.push(...(await openToAll(way, north, members.slice(0, 2))));
      clients.push(...(await openToAll(way, south, members.slice(2))));
    }
  }
  const speakers = members.map((member) =>
    clients.find((client) => client instanceof WebSocketClient && client.member === member)!,
  ) as WebSocketClient[];

  await say(north, 'first', 'Größe 42 €', 'two\nlines');
  await expectTold(clients, ['first', 'Größe 42 €', 'two\nlines']);
  for (const speaker of speakers) {
    speaker.say(`from ${speaker.member}`);
    for (const client of clients) {
      const [node, worker] = speaker.member.split(' ');
      expect(await client.next()).toEqual({
        event: 'message',
        id: expect.stringMatching(/^\d+-\d+$/),
        text: `from ${speaker.member}`,
        node: node!,
        worker: Number(worker),
      });
    }
  }

  await redis.stop();
  for (const member of members) {
    const [name, worker] = member.split(' ');
    await nodes[name === 'north' ? 0 : 1]!.said(new RegExp(`${name} worker ${worker}: Redis has gone`));
  }
  for (const url of urls) {
    const refused = await post(url, 'to nobody');
    expect(refused.status).toBe(503);
    expect(await refused.text()).toBe('not sent: Redis cannot be reached\n');
  }
  for (const speaker of speakers) {
    speaker.say('to nobody');
    expect(await speaker.next()).toEqual({
      event: 'refused',
      text: 'to nobody',
      reason: 'not sent: Redis cannot be reached',
    });
  }

  await redis.start();
  await reconnected(nodes, members);
  await say(south, 'Redis is back');
  for (const speaker of speakers) speaker.say('back');
  await expectTold(clients, ['Redis is back', ...speakers.map(() => 'back')]);
  for (const client of clients) client[Symbol.dispose]();
  for (const node of nodes) {
    node.kill('SIGTERM');
    const { exitCode, output } = await node.end();
    expect(exitCode).toBe(0);
    expect(output).not.toMatch(/ error |unhandled|rejection/i);
  }
}

const FOUR_MEMBERS = ['north 1', 'north 2', 'south 1', 'south 2'] as const;

WITH_REDIS('13-cluster-broadcast tells everyone on every worker of two nodes', async () => {
  await using redis = await TestRedis.start();
  await using north = startNode({ name: 'north', redis: redis.url, workers: 2 });
  await using south = startNode({ name: 'south', redis: redis.url, workers: 2 });
  const urls = [await north.url(), await south.url()] as const;
  await converse({ redis, nodes: [north, south], urls, members: FOUR_MEMBERS });
});

needs('redis-server', 'haproxy')('13-cluster-broadcast does so behind HAProxy', async () => {
  await using redis = await TestRedis.start();
  await using north = startNode({ name: 'north', redis: redis.url, workers: 2 });
  await using south = startNode({ name: 'south', redis: redis.url, workers: 2 });
  await using haproxy = await startHaproxy([await north.url(), await south.url()]);
  const urls = [haproxy.url, haproxy.url] as const;
  await converse({ redis, nodes: [north, south], urls, members: FOUR_MEMBERS });
});

WITH_REDIS('13-cluster-broadcast tells who comes back, to another node, what was missed', async () => {
  await using redis = await TestRedis.start();
  await using north = startNode({ name: 'north', redis: redis.url });
  const url = await north.url();
  using before = await openClient('events', url);
  await say(url, 'one', 'two', 'three');
  const { id } = (await before.next())!;

  // This node starts later: all that it knows of before is the history.
  await using south = startNode({ name: 'south', redis: redis.url });
  const other = await south.url();
  // It has the history from its start on, so it does not need Redis for that.
  await redis.stop();
  await south.said(/Redis has gone/);
  for (const way of WAYS) {
    using after = await openClient(way, other, id);
    expect(after.member).toBe('south 0');
    await expectTold([after], ['two', 'three']);
    using all = await openClient(way, other, '0-0');
    await expectTold([all], ['one', 'two', 'three']);
    using stranger = await openClient(way, other, 'other-7');
    await expectTold([stranger], ['one', 'two', 'three']);
    // There may have been more between that and the oldest that is kept.
    using old = await openClient(way, other, '1-0');
    await expectTold([old], ['(missed)', 'one', 'two', 'three']);
  }
});

const messageOf = (id: string): Message => ({ id, text: id, node: 'south', worker: 1 });

test('13-cluster-broadcast tells nobody again what another worker has told already', async () => {
  const log = new MessageLog(100);
  log.add(messageOf('9-0'));
  // The client was with a worker that is ahead of this one.
  const reader = new Reader(log, '10-0');
  for (const id of ['9-7', '10-0', '10-1', '10-0']) log.add(messageOf(id));
  expect((await reader.next())?.id).toBe('10-1');
  expect(reader.takeMissed()).toBe(false);
  reader.end();
  expect(await reader.next()).toBeUndefined();
});

test('13-cluster-broadcast owns up to what a worker has missed when it was cut off for too long', async () => {
  const log = new MessageLog(3);
  const reader = new Reader(log, undefined);
  const next = async (): Promise<[id: string | undefined, hasMissed: boolean]> => [
    (await reader.next())?.id,
    reader.takeMissed(),
  ];
  log.addHistory(['1-0', '2-0', '3-0'].map(messageOf));
  expect([await next(), await next(), await next()]).toEqual([
    ['1-0', false],
    ['2-0', false],
    ['3-0', false],
  ]);
  log.addHistory(['3-0', '4-0', '5-0'].map(messageOf));
  expect([await next(), await next()]).toEqual([
    ['4-0', false],
    ['5-0', false],
  ]);
  log.addHistory(['7-0', '8-0', '9-0'].map(messageOf));
  expect([await next(), await next()]).toEqual([
    ['7-0', true],
    ['8-0', false],
  ]);
});

WITH_REDIS('13-cluster-broadcast fetches what was said while a worker was cut off from Redis', async () => {
  await using redis = await TestRedis.start();
  await using north = startNode({ name: 'north', redis: redis.url });
  const url = await north.url();
  const clients = [await openClient('websocket', url), await openClient('events', url)];
  await say(url, 'before');
  // As another node would, but for the publishing, so that it cannot come in time.
  const message = JSON.stringify({ text: 'meanwhile', node: 'south', worker: 1 });
  await redis.ask('XADD', 'chat:history', '*', 'message', message);
  // What others put there is no message, and harms nobody.
  await redis.ask('PUBLISH', 'chat:messages', 'garbage');
  await redis.ask('XADD', 'chat:history', '*', 'other', '{}');
  await redis.ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await reconnected([north], ['north 0']);
  await say(url, 'after');
  await expectTold(clients, ['before', 'meanwhile', 'after']);
  for (const client of clients) client[Symbol.dispose]();
});

WITH_REDIS('13-cluster-broadcast does not wait for a Redis that does not answer', async () => {
  await using redis = await TestRedis.start();
  await using north = startNode({ name: 'north', redis: redis.url });
  const url = await north.url();
  redis.freeze();
  const refused = await post(url, 'into the void');
  expect(refused.status).toBe(503);
  expect(await refused.text()).toBe('perhaps not sent: Redis went away before it answered\n');
  expect(await (await post(url, 'again')).text()).toBe('not sent: Redis cannot be reached\n');
  expect(await (await fetch(`${url}/health`)).json()).toEqual({
    node: 'north',
    worker: 0,
    isConnected: false,
  });
  redis.thaw();
  await reconnected([north], ['north 0']);
  await say(url, 'answered');
});

test('13-cluster-broadcast does not start without Redis, and says where it has looked', async () => {
  const port = freePort();
  await using north = startNode({ name: 'north', redis: `redis://someone:secret@127.0.0.1:${port}` });
  const { exitCode, output } = await north.end();
  expect(exitCode).toBe(1);
  expect(output).toContain(`Redis at redis://127.0.0.1:${port} cannot be reached`);
  expect(output).not.toContain('secret');
});

WITH_REDIS('13-cluster-broadcast refuses what it cannot use', async () => {
  await using redis = await TestRedis.start();
  await using north = startNode({ name: 'north', redis: redis.url });
  const url = await north.url();
  const status = async (path: string, init?: RequestInit): Promise<number> =>
    (await fetch(`${url}${path}`, init)).status;
  expect((await post(url, ' \n')).status).toBe(400);
  expect((await post(url, 'x'.repeat(20_000))).status).toBe(413);
  expect(await status('/messages')).toBe(405);
  expect(await status('/events')).toBe(406);
  expect(await status('/chat')).toBe(426);
  expect(await status('/constructor')).toBe(404);
  expect(await status('/elsewhere', { headers: { accept: 'text/event-stream' } })).toBe(404);

  using client = await WebSocketClient.open(url);
  for (const text of [' ', 'x'.repeat(20_000)]) {
    client.say(text);
    expect(await client.next()).toMatchObject({
      event: 'refused',
      reason: expect.stringMatching(/^a message/),
    });
  }
  client.say('fine');
  await expectTold([client], ['fine']);
});

WITH_REDIS('13-cluster-broadcast keeps nobody waiting for a listener that does not read', async () => {
  await using redis = await TestRedis.start();
  await using north = startNode({ name: 'north', redis: redis.url });
  const url = await north.url();
  using client = await openClient('websocket', url);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write('GET /events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n');
  await within(new Promise((resolve) => socket.once('data', resolve)), 'the head of the stream');
  socket.pause();

  let last = 0;
  const fill = 'x'.repeat(16_000);
  const sendOne = async (): Promise<void> => {
    last += 1;
    await say(url, `${last} ${fill}`);
    expect((await client.next())!.text).toStartWith(`${last} `);
  };
  // Until the kernel's buffers are full and the server waits for it; then more than the log keeps.
  while (!north.output.includes('is slow')) await sendOne();
  for (let more = 0; more < 150; more += 1) await sendOne();

  let isToldOfMissed = false;
  const allArrived = new Promise<void>((resolve) => {
    let tail = '';
    socket.on('data', (piece: Buffer) => {
      tail += piece.toString('latin1');
      isToldOfMissed ||= tail.includes('event: missed\n');
      if (tail.includes(`"text":"${last} `)) resolve();
      tail = tail.slice(-50);
    });
  });
  socket.resume();
  await within(allArrived, 'the last message');
  expect(isToldOfMissed).toBe(true);
  await north.said(/ goes on\n/);
  socket.destroy();
});

WITH_REDIS('13-cluster-broadcast sends the clients of a node that shuts down to another', async () => {
  await using redis = await TestRedis.start();
  await using north = startNode({ name: 'north', redis: redis.url });
  await using south = startNode({ name: 'south', redis: redis.url });
  const stream = await openClient('events', await north.url());
  const socket = await WebSocketClient.open(await north.url());
  using other = await openClient('events', await south.url());
  north.kill('SIGTERM');
  expect(await stream.next()).toEqual({ event: 'goodbye', node: 'north', worker: 0 });
  expect(await stream.next()).toBeUndefined();
  expect(await within(socket.closed, 'the close')).toBe(1001);
  const { exitCode, output } = await north.end();
  expect(exitCode).toBe(0);
  expect(output).not.toContain('Redis has gone');
  await say(await south.url(), 'still here');
  await expectTold([other], ['still here']);
});

needs('redis-server', 'chromium')('13-cluster-broadcast shows in a page who says what', async () => {
  await using redis = await TestRedis.start();
  await using north = startNode({ name: 'north', redis: redis.url });
  await using south = startNode({ name: 'south', redis: redis.url });
  await using browser = await startBrowser();
  await say(await north.url(), 'said before');
  const [writer, reader] = [await browser.open(await north.url()), await browser.open(await south.url())];
  await reader.page.getByRole('status').getByText('south, worker 0').waitFor();
  await reader.page.getByLabel('event stream and POST').check();
  await reader.page.getByRole('status').getByText('south, worker 0').waitFor();
  await writer.page.getByRole('status').getByText('north, worker 0').waitFor();
  const write = async ({ page }: typeof writer, text: string): Promise<void> => {
    await page.getByLabel('Message').fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
  };
  await write(writer, '<b>Hello</b> from the north');
  await write(reader, 'and from the south');
  for (const { page, failures } of [writer, reader]) {
    for (const text of ['said before', '<b>Hello</b> from the north', 'and from the south']) {
      await page.locator('li').filter({ hasText: text }).waitFor();
    }
    expect(await page.locator('li').count()).toBe(3);
    expect(failures).toEqual([]);
  }
  await redis.stop();
  await south.said(/Redis has gone/);
  await north.said(/Redis has gone/);
  for (const one of [writer, reader]) {
    await write(one, 'anybody?');
    await one.page.getByText('“anybody?”: not sent: Redis cannot be reached').waitFor();
  }
});
