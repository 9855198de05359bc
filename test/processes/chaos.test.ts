/**
 * Anything at any time, under load. Workers killed at random lose what they have in hand and nothing else; signals to the master in
 * any order lose nothing. For longer than the suite has time for: `TSAGI_CHAOS_SECONDS=60 bun test test/processes/chaos.test.ts`.
 */
import { expect, setDefaultTimeout, test } from 'bun:test';
import { expectNothingLost, expectOnlyInHandLost, startLoad } from '../support/load/expect-load.ts';
import { Random } from '../support/random.ts';
import { RunningMaster } from '../support/running-master.ts';

const SECONDS = Number(process.env['TSAGI_CHAOS_SECONDS'] ?? 4);
const SEED = Number(process.env['TSAGI_CHAOS_SEED'] ?? Date.now() % 100_000);
const WORKERS = 3;
const MOST_WORKERS = 4;

setDefaultTimeout(SECONDS * 3000 + 60_000);

test(`workers killed at random for ${SECONDS} s, TSAGI_CHAOS_SEED=${SEED}`, async () => {
  const random = new Random(SEED);
  await using master = await RunningMaster.start({ workers: WORKERS, args: ['--http2'] });
  await using load = await startLoad(master, { requests: 0 });
  const killed: number[] = [];
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) {
    await load.goesOn(random.below(1000));
    const victims = Array.from(master.workers).filter(() => random.below(2) === 0);
    const from = master.now;
    for (const [, pid] of victims) {
      master.kill('SIGKILL', pid);
      killed.push(pid);
    }
    for (const [number, pid] of victims) {
      await master.said(new RegExp(`worker ${number} \\(pid ${pid}\\) was killed by SIGKILL`), from);
      await master.said(new RegExp(`worker ${number} \\(pid \\d+\\) is ready\n`), from);
    }
  }
  await load.goesOn(1000);
  const summary = await load.stop();
  expectOnlyInHandLost(summary, killed);
  expect(killed.length).toBeGreaterThan(0);
  expect(Array.from(master.workers.keys()).sort()).toEqual([1, 2, 3]);
  expect(master.processes()).toHaveLength(WORKERS + 1);
  master.kill('SIGTERM');
  expect(await master.exitCode()).toBe(0);
  await master.gone();
  expect(master.processes()).toEqual([]);
});

test(`signals in any order for ${SECONDS} s, TSAGI_CHAOS_SEED=${SEED}`, async () => {
  const random = new Random(SEED);
  await using master = await RunningMaster.start({ workers: WORKERS, args: ['--http2'] });
  await using load = await startLoad(master, { requests: 0 });
  let workers = WORKERS;
  const actions = [
    async () => {
      await master.tell('SIGHUP', /SIGHUP: all workers have been replaced\n/);
    },
    async () => {
      await master.replaceMaster();
      // The new master is the same command as the first one.
      workers = WORKERS;
    },
    async () => {
      if (workers < MOST_WORKERS) await master.tell('SIGTTIN', new RegExp(`SIGTTIN: ${++workers} workers\n`));
    },
    async () => {
      if (workers > 1) await master.tell('SIGTTOU', new RegExp(`SIGTTOU: ${--workers} workers?\n`));
    },
  ];
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) {
    await load.goesOn(random.below(500));
    await random.pick(actions)();
  }
  await load.goesOn(1000);
  const summary = await load.stop();
  expectNothingLost(summary, 0);
  master.kill('SIGTERM');
  await master.gone();
  expect(master.processes()).toEqual([]);
});
