/**
 * The row of how long the command takes from its start to its first answer: as the executable that `npm run build` makes,
 * and from its sources. Every start is a new process; the file caches are warm from a start that does not count.
 */
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buildCommand } from '../support/executable.ts';
import type { Bench, Row } from './bench.ts';
import { asVerdict, NO_FIGURE } from './report.ts';
import type { RowReport } from './report.ts';
import { medianOf, spreadOf } from './samples.ts';

const NAME = 'start-up';
const BAR = 1.3;
const STARTS_PER_ROUND = 5;
const ATTEMPT_EVERY = 1;
const COMMAND = new URL('../../bin/tsagi-server', import.meta.url).pathname;
const APP = `${new URL('peers/tsagi-app.ts', import.meta.url).pathname}:app`;
const REQUEST = 'GET / HTTP/1.1\r\nhost: bench\r\n\r\n';

export const startUpRow: Row = { name: NAME, run };

async function run(bench: Bench): Promise<RowReport> {
  const executable = join(bench.children.directory, 'tsagi-server');
  await buildCommand(executable);
  const commands = { executable: [executable], sources: [process.execPath, COMMAND] };
  const times = { executable: [] as number[], sources: [] as number[] };
  for (const command of Object.values(commands)) await startOnce(command, bench);
  for (let round = 1; round <= bench.flags.rounds; round += 1) {
    const starts = { executable: [] as number[], sources: [] as number[] };
    for (let start = 0; start < STARTS_PER_ROUND; start += 1) {
      for (const name of ['executable', 'sources'] as const)
        starts[name].push(await startOnce(commands[name], bench));
    }
    for (const name of ['executable', 'sources'] as const) {
      times[name].push(medianOf(starts[name]));
      bench.progress(
        `${NAME} ${round}/${bench.flags.rounds} ${name} ${medianOf(starts[name]).toFixed(1)} ms`,
      );
    }
  }
  return reportOf(times);
}

/** Milliseconds until the first bytes of an answer. */
async function startOnce(command: readonly string[], { children }: Bench): Promise<number> {
  const socket = join(children.directory, 'start-up.sock');
  const log = openSync(join(children.directory, 'start-up.log'), 'w');
  const begin = performance.now();
  const child = children.startServer([...command, APP, '--env', 'production', '--socket', socket], {}, log);
  closeSync(log);
  let hasEnded = false;
  void child.exited.then(() => (hasEnded = true));
  while (!(await answers(socket))) {
    if (hasEnded) throw new Error(`${command.join(' ')} ended before it answered`);
    await Bun.sleep(ATTEMPT_EVERY);
  }
  const time = performance.now() - begin;
  await children.stop(child);
  return time;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path }, () => socket.write(REQUEST));
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function reportOf({ executable, sources }: { executable: number[]; sources: number[] }): RowReport {
  const { median, least, most } = spreadOf(executable.map((time, round) => time / sources[round]!));
  const verdict = asVerdict(median <= BAR);
  const figure = (times: number[]): string => medianOf(times).toFixed(1);
  return {
    title: 'from the start of the command to its first answer',
    table: [
      ['program', 'ms', 'executable ÷ it', 'rounds', 'bar', ''],
      ['executable', figure(executable), NO_FIGURE, NO_FIGURE, NO_FIGURE, NO_FIGURE],
      [
        'bun, sources',
        figure(sources),
        median.toFixed(2),
        `${least.toFixed(2)}–${most.toFixed(2)}`,
        `≤ ${BAR}`,
        verdict,
      ],
    ],
    notes: [`each round is the median of ${STARTS_PER_ROUND} starts of each, in turn`],
    verdicts: [verdict],
  };
}
