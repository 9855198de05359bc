/**
 * Workers that do not start, that crash, and that hang: each costs what it must, and no more.
 */
import { expect, setDefaultTimeout, test } from 'bun:test';
import { expectNothingLost, startLoad } from '../support/load/expect-load.ts';
import { RunningMaster } from '../support/running-master.ts';

setDefaultTimeout(40_000);

test('when no worker can start, the master ends with 1 and says why, once', async () => {
  await using master = new RunningMaster({ args: ['failing=all'] });
  expect(await master.exitCode()).toBe(1);
  await master.gone();
  expect(master.output).toContain('no start for 1');
  expect(master.timesSaid(/no worker could start/g)).toBe(1);
  expect(master.timesSaid(/no start for 1/g)).toBe(1);
  expect(master.output).not.toContain('listening on');
  expect(master.processes()).toEqual([]);
});

test('an app that cannot be loaded ends the master with 1 and one message', async () => {
  await using master = new RunningMaster({ app: 'no-such-app.ts' });
  expect(await master.exitCode()).toBe(1);
  await master.gone();
  expect(master.timesSaid(/cannot find the app no-such-app\.ts/g)).toBe(1);
});

test('a worker that fails its startup is left out, not started in a loop, and nothing waits for it', async () => {
  await using master = await RunningMaster.start({ args: ['--http2', 'failing=2'] });
  expect(master.output).toMatch(/worker 2 failed to start: .*no start for 2/);
  await using load = await startLoad(master, { requests: 5000 });
  expectNothingLost(await load.stop(), 5000);
  expect(master.timesSaid(/no start for 2/g)).toBe(1);
  expect(Array.from(master.workers.keys())).toEqual([1]);
  master.kill('SIGTERM');
  expect(await master.exitCode()).toBe(0);
});

test('a worker that ends by itself is replaced', async () => {
  await using master = await RunningMaster.start();
  const pid = master.workers.get(1)!;
  const client = await master.clientOf(1);
  const from = master.now;
  void client.send('GET /exit HTTP/1.1\r\nhost: a\r\n\r\n');
  await master.said(new RegExp(`worker 1 \\(pid ${pid}\\) ended with exit code 3`), from);
  await master.said(/worker 1 \(pid \d+\) is ready\n/, from);
  client.close();
  const again = await master.clientOf(1);
  again.close();
  expect(master.workers.get(1)).not.toBe(pid);
});

test('a worker that crashes again and again is started later each time', async () => {
  await using master = await RunningMaster.start();
  const delays: number[] = [];
  while (delays.length < 3) {
    const from = master.now;
    const pid = master.workers.get(2)!;
    master.kill('SIGKILL', pid);
    const [, delay] = await master.said(
      new RegExp(
        `worker 2 \\(pid ${pid}\\) was killed by SIGKILL; its replacement starts (?:now|in (\\d+) ms)\n`,
      ),
      from,
    );
    delays.push(Number(delay ?? 0));
    await master.said(/worker 2 \(pid \d+\) is ready\n/, from);
  }
  expect(delays[2]).toBeGreaterThan(delays[1]!);
  expect(delays[1]).toBeGreaterThan(0);
});

test('a worker whose event loop is blocked is killed and replaced; the others go on', async () => {
  await using master = await RunningMaster.start({ args: ['--heartbeat-timeout', '1'] });
  const pid = master.workers.get(1)!;
  const blocked = await master.clientOf(1);
  const other = await master.clientOf(2);
  const from = master.now;
  void blocked.send('GET /block?ms=60000 HTTP/1.1\r\nhost: a\r\n\r\n');
  await master.said(new RegExp(`worker 1 \\(pid ${pid}\\) .*heartbeatTimeout`), from);
  await master.said(/worker 1 \(pid \d+\) is ready\n/, from);
  expect(['fin', 'reset']).toContain(await blocked.ended());
  expect((await other.request({ target: '/who' })).status).toBe(200);
  const again = await master.clientOf(1);
  for (const client of [blocked, other, again]) client.close();
  expect(master.workers.size).toBe(2);
});

test('a worker that is slow, but lets its event loop turn, is not killed', async () => {
  await using master = await RunningMaster.start({ args: ['--heartbeat-timeout', '1'] });
  const { workers } = master;
  const client = await master.clientOf(1);
  // Longer than the timeout, and answered by the same process.
  void client.send('GET /busy?ms=3000 HTTP/1.1\r\nhost: a\r\n\r\n');
  expect((await client.response()).body.toString()).toBe(`${workers.get(1)} 1\n`);
  client.close();
  expect(master.output).not.toContain('heartbeatTimeout');
  expect(master.workers).toEqual(workers);
});

test('a start that takes longer than the heartbeat is no failure', async () => {
  const slowStart = '(Bun.sleepSync(2500), (await import("./test/processes/app.ts")).createApp({}))';
  await using master = new RunningMaster({ inline: slowStart, args: ['--heartbeat-timeout', '1'] });
  await master.said(/listening on unix:\S+\n/);
  expect(master.workers.size).toBe(2);
  expect(master.output).not.toContain('heartbeatTimeout');
});
