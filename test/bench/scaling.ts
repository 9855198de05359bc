/**
 * The row of two workers against one. The work is a request that takes about a millisecond of one core, so that the load generator has next
 * to nothing to do and the servers may have both cores.
 */
import { closeSync, openSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Bench, Row } from './bench.ts';
import { runWrk } from './load/wrk.ts';
import { pickPort, type RunningPeer } from './peers.ts';
import { asVerdict, formatCount, NO_FIGURE, type RowReport } from './report.ts';
import { medianOf, spreadOf } from './samples.ts';

const NAME = 'scaling';
const BAR = 1.6;
const CONNECTIONS = 50;
const PATIENCE = 10_000;
const COMMAND = new URL('../../bin/tsagi-server', import.meta.url).pathname;
const APP = `${new URL('peers/tsagi-app.ts', import.meta.url).pathname}:app`;

export const scalingRow: Row = { name: NAME, run };

async function run(bench: Bench): Promise<RowReport> {
  const rates: Record<'1' | '2', number[]> = { 1: [], 2: [] };
  for (let round = 1; round <= bench.flags.rounds; round += 1) {
    for (const workers of ['1', '2'] as const) {
      const rate = await measure(workers, bench);
      rates[workers].push(rate);
      bench.progress(`${NAME} ${round}/${bench.flags.rounds} ${workers} ${formatCount(rate)} requests/s`);
    }
  }
  const { median, least, most } = spreadOf(rates[2].map((rate, round) => rate / rates[1][round]!));
  const verdict = asVerdict(median >= BAR);
  const figure = (workers: '1' | '2') => formatCount(medianOf(rates[workers]));
  return {
    title: `requests of about a millisecond of CPU time, ${CONNECTIONS} connections, on both cores`,
    table: [
      ['workers', 'requests/s', '2 ÷ it', 'rounds', 'bar', ''],
      ['2', figure('2'), NO_FIGURE, NO_FIGURE, NO_FIGURE, NO_FIGURE],
      ['1', figure('1'), median.toFixed(2), `${least.toFixed(2)}–${most.toFixed(2)}`, `≥ ${BAR}`, verdict],
    ],
    notes: ['the load generator shares the cores'],
    verdicts: [verdict],
  };
}

/** Requests per second. */
async function measure(workers: '1' | '2', bench: Bench): Promise<number> {
  const { children, flags } = bench;
  const port = pickPort();
  const logFile = join(children.directory, 'scaling.log');
  const log = openSync(logFile, 'w');
  // Other rows give their server one core; workers are for several.
  const affinity = children.cores === undefined ? [] : ['taskset', '-c', `0-${cpus().length - 1}`];
  const flagsOfServer = ['--env', 'production', '--port', String(port), '--workers', workers];
  const child = children.startServer(
    [...affinity, process.execPath, COMMAND, APP, ...flagsOfServer],
    {},
    log,
  );
  closeSync(log);
  const peer: RunningPeer = { name: 'tsagi', port, pid: child.pid, child };
  try {
    await answering(port);
    const work = { path: '/work', connections: CONNECTIONS };
    await runWrk(peer, { ...work, seconds: 1 }, children);
    return (await runWrk(peer, { ...work, seconds: flags.seconds }, children)).value;
  } finally {
    // Workers leave when their master has gone.
    await children.stop(child);
  }
}

async function answering(port: number): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    try {
      return void (await fetch(`http://127.0.0.1:${port}/`, { keepalive: false }));
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await Bun.sleep(5);
    }
  }
}
