/**
 * `npm run bench`: runs the rows one after the other, prints the report, and ends every process that it started, however
 * it ends itself. It exits with 0 when it measured, whatever the bars say, and with 2 when it was called wrongly.
 */
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { Children } from './children.ts';
import { FlagError, parseFlags, USAGE } from './flags.ts';
import type { Flags } from './flags.ts';
import { findCores, readVersions, WRK } from './machine.ts';
import type { Cores } from './machine.ts';
import { PEER_NAMES } from './peers.ts';
import { STREAM_BYTES } from './peers/work.ts';
import { renderReport } from './report.ts';
import type { RowReport } from './report.ts';
import { ROWS } from './rows.ts';

/** Fewer rounds than this are a trial, not a measurement. */
const FEWEST_ROUNDS = 5;

const flags = readFlags();
const cores = findCores();
const children = new Children(cores);
process.on('exit', () => children.end());
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
process.on('SIGHUP', () => process.exit(129));

if (WRK === null) {
  console.error('wrk is needed: apt-get install wrk');
  process.exit(1);
}
const filePath = await makeFile();
const reports: RowReport[] = [];
for (const row of ROWS.filter(({ name }) => flags.rows.includes(name))) {
  reports.push(await row.run({ flags, children, filePath, progress: (text) => console.error(text) }));
}
const report = renderReport('Measured by `npm run bench`', factsOf(flags, cores), reports);
console.log(report);
if (flags.markdown !== undefined) await Bun.write(flags.markdown, report);
process.exit(0);

function readFlags(): Flags {
  try {
    return parseFlags(process.argv.slice(2), { rows: ROWS.map(({ name }) => name), peers: PEER_NAMES });
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

/**
 * All holes, no disk space, and read once: what is measured is the way from the page cache to the socket, and the first
 * server must not pay for filling it.
 */
async function makeFile(): Promise<string> {
  const path = join(children.directory, 'file');
  const fd = openSync(path, 'w');
  ftruncateSync(fd, STREAM_BYTES);
  closeSync(fd);
  for await (const _chunk of Bun.file(path).stream());
  return path;
}

function factsOf({ rounds, seconds }: Flags, pinned: Cores | undefined): string[] {
  const trial = rounds < FEWEST_ROUNDS ? `; a trial, a measurement has at least ${FEWEST_ROUNDS} rounds` : '';
  const placing =
    pinned === undefined
      ? 'servers and load generators are NOT pinned: one core only, or no taskset'
      : `servers pinned to core ${pinned.server}, load generators to core ${pinned.load}`;
  return [
    `date: ${new Date().toISOString().slice(0, 10)}`,
    ...readVersions(packageJson.version),
    `${rounds} rounds in turn, ${seconds} s each; medians${trial}`,
    placing,
  ];
}
