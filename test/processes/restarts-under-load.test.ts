/**
 * Whatever replaces processes loses nothing: each test puts 20 000 requests on a real master, over TCP and a unix socket at once,
 * on new and kept connections and over HTTP/2, with event streams and WebSockets attached, and goes on doing it until all
 * are answered.
 */
import { expect, setDefaultTimeout, test } from 'bun:test';
import {
  expectDepartures,
  expectNothingLost,
  expectOnlyInHandLost,
  REQUESTS,
  startLoad,
} from '../support/load/expect-load.ts';
import { RunningMaster } from '../support/running-master.ts';

setDefaultTimeout(90_000);

/** After TERM it ends by itself, with everything it has started. */
async function expectCleanEnd(master: RunningMaster): Promise<void> {
  master.kill('SIGTERM');
  await master.gone();
  expect(master.processes()).toEqual([]);
  expect(await master.exitCode()).toBe(0);
  expect(master.output).not.toMatch(/ (warn|error) .*shutdown:/);
}

const HUPS = [
  { flags: [], requests: REQUESTS },
  // One queue for all workers, which the unix socket above has always.
  { flags: ['--no-reuseport'], requests: REQUESTS / 4 },
];

for (const { flags, requests } of HUPS) {
  test(['HUP under load: nothing is lost', ...flags].join(' '), async () => {
    await using master = await RunningMaster.start({ args: ['--http2', ...flags] });
    await using load = await startLoad(master, { requests });
    const seen = new Set(master.workers.values());
    do {
      await load.goesOn(300);
      await master.tell('SIGHUP', /SIGHUP: all workers have been replaced\n/);
      for (const pid of master.workers.values()) {
        expect(seen.has(pid)).toBe(false);
        seen.add(pid);
      }
      await load.goesOn(300);
    } while (load.answered < requests);
    const summary = await load.stop();
    expectNothingLost(summary, requests);
    expectDepartures(summary);
    expect(Object.keys(summary.pids).length).toBeGreaterThanOrEqual(4);
    await expectCleanEnd(master);
  });
}

test('TTIN and TTOU under load: nothing is lost', async () => {
  await using master = await RunningMaster.start({ args: ['--http2'] });
  await using load = await startLoad(master);
  do {
    await master.tell('SIGTTIN', /SIGTTIN: 3 workers\n/);
    const third = master.workers.get(3)!;
    await load.goesOn(500);
    const from = master.now;
    await master.tell('SIGTTOU', /SIGTTOU: 2 workers\n/);
    await master.said(new RegExp(`worker 3 \\(pid ${third}\\) has left\n`), from);
    await load.goesOn(500);
  } while (load.answered < REQUESTS);
  const summary = await load.stop();
  expectNothingLost(summary);
  expect(Object.keys(summary.pids).length).toBeGreaterThanOrEqual(3);
  expect(Array.from(master.workers.keys()).sort()).toEqual([1, 2]);
  await expectCleanEnd(master);
});

test('USR2 under load: nothing is lost', async () => {
  await using master = await RunningMaster.start({ args: ['--http2'] });
  await using load = await startLoad(master);
  do {
    await load.goesOn(300);
    const before = master.pid;
    expect(await master.replaceMaster()).not.toBe(before);
    await load.goesOn(300);
  } while (load.answered < REQUESTS);
  const summary = await load.stop();
  expectNothingLost(summary);
  expectDepartures(summary);
  expect(Object.keys(summary.pids).length).toBeGreaterThanOrEqual(4);
  await expectCleanEnd(master);
});

test('--max-requests under load: workers are replaced, and nothing is lost', async () => {
  await using master = await RunningMaster.start({ args: ['--http2', '--max-requests', '2000'] });
  await using load = await startLoad(master);
  const summary = await load.stop();
  expectNothingLost(summary);
  expectDepartures(summary);
  expect(Object.keys(summary.pids).length).toBeGreaterThanOrEqual(5);
  await expectCleanEnd(master);
});

test('a worker that is killed under load loses what it has in hand, and is replaced', async () => {
  await using master = await RunningMaster.start({ args: ['--http2'] });
  await using load = await startLoad(master);
  const killed: number[] = [];
  do {
    await load.goesOn(500);
    const number = (killed.length % 2) + 1;
    const pid = master.workers.get(number)!;
    const from = master.now;
    master.kill('SIGKILL', pid);
    killed.push(pid);
    await master.said(new RegExp(`worker ${number} \\(pid ${pid}\\) was killed by SIGKILL`), from);
    await master.said(new RegExp(`worker ${number} \\(pid \\d+\\) is ready\n`), from);
  } while (load.answered < REQUESTS);
  const summary = await load.stop();
  expectOnlyInHandLost(summary, killed);
  expect(summary.answered).toBeGreaterThan(REQUESTS * 0.9);
  expect(master.workers.size).toBe(2);
  await expectCleanEnd(master);
});
