/**
 * However a master is ended, and whatever it is doing at that time: what is in hand is finished, and nothing is left behind.
 */
import { existsSync } from 'node:fs';
import { expect, setDefaultTimeout, test } from 'bun:test';
import { RawClient } from '../support/raw-client.ts';
import { RunningMaster } from '../support/running-master.ts';

setDefaultTimeout(40_000);

/** A request whose answer has begun, and goes on for so many milliseconds. */
async function requestInHand(master: RunningMaster, milliseconds: number): Promise<RawClient> {
  const client = await RawClient.connect(master.tcp);
  void client.send(`GET /two-parts?ms=${milliseconds} HTTP/1.1\r\nhost: a\r\n\r\n`);
  await client.received('first');
  return client;
}

async function expectWhole(client: RawClient): Promise<void> {
  const { body, isComplete } = await client.response();
  expect([body.toString(), isComplete]).toEqual(['first second', true]);
  client.close();
}

async function expectNothingLeft(master: RunningMaster): Promise<void> {
  await master.gone();
  expect(master.processes()).toEqual([]);
  expect(existsSync(master.unixPath)).toBe(false);
}

const MOMENTS_OF_HUP = [
  /SIGHUP: restarting the workers one by one\n/,
  /worker 1 \(pid \d+\) is ready\n/,
  /worker 1 \(pid \d+\) has left\n/,
];
const MOMENTS_OF_USR2 = [
  /SIGUSR2: starting a new master\n/,
  /starting 2 workers\n/,
  /worker [12] \(pid \d+\) is ready\n/,
];

/** INT and TERM take the same way: one of them goes through all moments. */
function momentsFor(signal: 'SIGTERM' | 'SIGINT', moments: readonly RegExp[]): readonly RegExp[] {
  return signal === 'SIGTERM' ? moments : moments.slice(1, 2);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} finishes what is in hand and ends with 0`, async () => {
    await using master = await RunningMaster.start();
    const clients = [await requestInHand(master, 700), await requestInHand(master, 300)];
    await master.tell(signal, new RegExp(`${signal}: shutting down\n`));
    for (const client of clients) await expectWhole(client);
    expect(await master.exitCode()).toBe(0);
    await expectNothingLeft(master);
    for (const number of [1, 2])
      expect(master.timesSaid(new RegExp(`worker ${number} \\(pid \\d+\\) has left`, 'g'))).toBe(1);
  });

  for (const moment of momentsFor(signal, MOMENTS_OF_HUP)) {
    test(`${signal} during a HUP, after ${moment.source}, ends cleanly`, async () => {
      await using master = await RunningMaster.start();
      const client = await requestInHand(master, 400);
      await master.tell('SIGHUP', moment);
      await master.tell(signal, new RegExp(`${signal}: shutting down\n`));
      await expectWhole(client);
      expect(await master.exitCode()).toBe(0);
      await expectNothingLeft(master);
    });
  }

  for (const moment of momentsFor(signal, MOMENTS_OF_USR2)) {
    test(`${signal} during a USR2, after ${moment.source}, ends cleanly`, async () => {
      await using master = await RunningMaster.start();
      const client = await requestInHand(master, 400);
      await master.tell('SIGUSR2', moment);
      master.kill(signal);
      await expectWhole(client);
      expect(await master.exitCode()).toBe(0);
      await expectNothingLeft(master);
    });
  }

  for (const change of ['SIGTTIN', 'SIGTTOU'] as const) {
    test(`${signal} during a ${change}, while a worker starts, ends cleanly`, async () => {
      await using master = await RunningMaster.start();
      const client = await requestInHand(master, 400);
      master.kill(change);
      await newProcessOf(master);
      await master.tell(signal, new RegExp(`${signal}: shutting down\n`));
      await expectWhole(client);
      expect(await master.exitCode()).toBe(0);
      await expectNothingLeft(master);
    });
  }

  test(`${signal} while the workers start ends cleanly`, async () => {
    await using master = new RunningMaster();
    await master.said(/starting 2 workers\n/);
    master.kill(signal);
    expect(await master.exitCode()).toBe(0);
    await expectNothingLeft(master);
  });
}

test('INT to the whole process group, as a terminal sends it, finishes what is in hand', async () => {
  await using master = await RunningMaster.start({ isGroup: true });
  const client = await requestInHand(master, 400);
  master.kill('SIGINT', -master.pid);
  await expectWhole(client);
  expect(await master.exitCode()).toBe(0);
  await expectNothingLeft(master);
  expect(master.timesSaid(/SIGINT: shutting down/g)).toBe(1);
});

test('HUP, USR2, TTIN and TTOU to a worker are nothing to it; TERM drains it, and it is replaced', async () => {
  await using master = await RunningMaster.start();
  const pid = master.workers.get(1)!;
  const client = await master.clientOf(1);
  for (const signal of ['SIGHUP', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU', 'SIGINT'] as const)
    master.kill(signal, pid);
  expect((await client.request({ target: '/who' })).body.toString()).toBe(`${pid} 1`);
  void client.send('GET /two-parts?ms=300 HTTP/1.1\r\nhost: a\r\n\r\n');
  await client.received('first');
  const from = master.now;
  master.kill('SIGTERM', pid);
  await expectWhole(client);
  await master.said(/worker 1 \(pid \d+\) is ready\n/, from);
  await master.said(new RegExp(`worker 1 \\(pid ${pid}\\) `), from);
  expect(master.workers.size).toBe(2);
});

test('HUP, TTIN, TTOU and USR2 start nothing while the master stops', async () => {
  await using master = await RunningMaster.start();
  const client = await requestInHand(master, 700);
  await master.tell('SIGTERM', /SIGTERM: shutting down\n/);
  const from = master.now;
  for (const signal of ['SIGHUP', 'SIGTTIN', 'SIGTTOU', 'SIGUSR2', 'SIGTERM'] as const) master.kill(signal);
  await expectWhole(client);
  expect(await master.exitCode()).toBe(0);
  await expectNothingLeft(master);
  expect(master.output.slice(from)).not.toMatch(/SIG|is ready/);
});

test('a request that outlives the shutdown timeout is cut off, and holds nobody', async () => {
  await using master = await RunningMaster.start({ args: ['--shutdown-timeout', '300ms'] });
  const client = await requestInHand(master, 60_000);
  master.kill('SIGTERM');
  expect((await client.response()).isComplete).toBe(false);
  client.close();
  expect(await master.exitCode()).toBe(0);
  await expectNothingLeft(master);
});

test('a second INT ends at once, with 130', async () => {
  await using master = await RunningMaster.start();
  const client = await requestInHand(master, 60_000);
  await master.tell('SIGINT', /SIGINT: shutting down\n/);
  master.kill('SIGINT');
  expect(await master.exitCode()).toBe(130);
  expect((await client.response()).isComplete).toBe(false);
  client.close();
  await master.gone();
  expect(master.processes()).toEqual([]);
});

test('when the master is killed, the workers finish what they have in hand, and leave', async () => {
  await using master = await RunningMaster.start();
  const clients = [await requestInHand(master, 700), await requestInHand(master, 300)];
  master.kill('SIGKILL');
  for (const client of clients) await expectWhole(client);
  await master.gone();
  expect(master.processes()).toEqual([]);
});

test('when the master is killed while workers start, none stays behind', async () => {
  await using master = new RunningMaster();
  await master.said(/starting 2 workers\n/);
  master.kill('SIGKILL');
  await master.gone();
  expect(master.processes()).toEqual([]);
});

test('when the new master of a hot restart is killed, the old one goes on', async () => {
  await using master = await RunningMaster.start();
  const before = master.workers;
  await master.tell('SIGUSR2', /SIGUSR2: starting a new master\n/);
  const successor = await newProcessOf(master);
  const from = master.now;
  master.kill('SIGKILL', successor);
  await master.said(/SIGUSR2: this master goes on, the new one failed to start: .*SIGKILL.*\n/, from);
  const [pid] = (await master.get('/who')).split(' ');
  expect(Array.from(before.values())).toContain(Number(pid));
  master.kill('SIGTERM');
  expect(await master.exitCode()).toBe(0);
  await expectNothingLeft(master);
});

/** A process that is neither the master nor a worker that serves: one that has just been started. */
async function newProcessOf(master: RunningMaster): Promise<number> {
  const known = new Set([master.pid, ...master.workers.values()]);
  for (;;) {
    const found = master.processes().find((pid) => !known.has(pid));
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
