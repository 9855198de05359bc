/**
 * Workers killed at random under load: only what they have in hand is lost, and afterwards everything is as before.
 * For longer than the suite has time for: `TSAGI_CHAOS_SECONDS=60 bun test test/processes/chaos.test.ts --timeout 200000`.
 */
import { expect, test } from 'bun:test';
import { expectOnlyInHandLost, startLoad } from '../support/load/expect-load.ts';
import { Random } from '../support/random.ts';
import { RunningMaster } from '../support/running-master.ts';

const SECONDS = Number(process.env['TSAGI_CHAOS_SECONDS'] ?? 8);
const SEED = Number(process.env['TSAGI_CHAOS_SEED'] ?? Date.now() % 100_000);
const WORKERS = 3;

test(
  `chaos for ${SECONDS} s, TSAGI_CHAOS_SEED=${SEED}`,
  async () => {
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
  },
  SECONDS * 3000 + 60_000,
);
