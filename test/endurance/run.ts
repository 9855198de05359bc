/**
 * `npm run endurance [-- PART …]`: runs the parts one after the other and prints what they found against the bars. It
 * exits with 0 when every bar is reached, with 1 when one is not, and with 2 when it was called wrongly.
 */
import { release, cpus } from 'node:os';
import { findCores } from '../bench/machine.ts';
import { renderReport, type RowReport } from '../bench/report.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { reportOf, type Part } from './part.ts';
import { costGrowth } from './parts/cost-growth.ts';
import { churn } from './parts/churn.ts';
import { greedyClients } from './parts/greedy-clients.ts';
import { millionRequests } from './parts/million-requests.ts';
import { slowClients } from './parts/slow-clients.ts';
import { trickle } from './parts/trickle.ts';
import { unreadDownload } from './parts/unread-download.ts';

const PARTS: readonly Part[] = [
  millionRequests,
  slowClients,
  greedyClients,
  unreadDownload,
  churn,
  trickle,
  costGrowth,
];

const names = process.argv.slice(2);
const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(', ')}; there are ${PARTS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const cores = findCores();
const progress = (text: string): void => console.error(text);
const reports: RowReport[] = [];
for (const part of PARTS) {
  if (names.length > 0 && !names.includes(part.name)) continue;
  const began = performance.now();
  reports.push(reportOf(part, await part.run({ cores, progress })));
  progress(`${part.name}: done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}
const facts = [
  `tsagi-server ${packageJson.version} on Bun ${Bun.version}, Linux ${release()}, ${cpus()[0]?.model ?? 'unknown'}`,
  cores === undefined
    ? 'the server is NOT pinned: one core only, or no taskset'
    : `server on core ${cores.server}`,
];
console.log(renderReport('Measured by `npm run endurance`', facts, reports));
process.exit(reports.some(({ verdicts }) => verdicts.includes('FAIL')) ? 1 : 0);
