/**
 * The row that asks whether a request costs the same however many connections there are: CPU time per request at each
 * count. The bar is a band around the mean of the counts. The other servers stand there for what the machine itself adds,
 * caches and kernel, which no server can avoid.
 */
import { Field } from './bench.ts';
import type { Bench, Row } from './bench.ts';
import { runWrk } from './load/wrk.ts';
import { descriptorLimit } from './machine.ts';
import type { PeerName } from './peers.ts';
import { asVerdict, NO_FIGURE } from './report.ts';
import type { RowReport, Verdict } from './report.ts';
import { medianOf } from './samples.ts';
import { DISTURBANCE, measureUndisturbed } from './undisturbed.ts';

const NAME = 'connections';
const COUNTS = [10, 100, 1000, 5000];
const BAND = 0.2;
const PEERS = ['tsagi', 'ceiling', 'bun-serve'] as const;
/** Descriptors that a process needs for itself. */
const RESERVE = 200;

/** CPU µs per request of every round, by server and number of connections. */
type Costs = Map<PeerName, Map<number, number[]>>;

export const growthRow: Row = { name: NAME, run };

async function run(bench: Bench): Promise<RowReport> {
  const { rounds, seconds } = bench.flags;
  const limit = descriptorLimit() - RESERVE;
  const counts = COUNTS.filter((count) => count <= limit);
  const field = new Field(PEERS, bench);
  const costs: Costs = new Map();
  const faults = new Set<string>();
  for (let round = 1; round <= rounds; round += 1) {
    for (const connections of counts) {
      await field.each(async (name) => {
        const work = { path: '/', connections, seconds: secondsFor(connections, seconds) };
        const server = await field.server(name);
        const result = await measureUndisturbed(() => runWrk(server, work, bench.children));
        const cost = (result.cpu ?? Number.NaN) * 1e6;
        collect(costs, name, connections, cost);
        const disturbed = (result.foreign ?? 0) > DISTURBANCE ? ['disturbed by other programs'] : [];
        for (const fault of [...result.faults, ...disturbed])
          faults.add(`${name}, ${connections} connections: ${fault}`);
        bench.progress(`${NAME} ${round}/${rounds} ${name} ${connections}: ${cost.toFixed(2)} µs`);
      });
    }
  }
  await field.stopAll();
  const tooMany = COUNTS.filter((count) => count > limit);
  const reduced = tooMany.length === 0 ? [] : [`not measured for lack of descriptors: ${tooMany.join(', ')}`];
  return reportOf(field, counts, costs, [...reduced, ...faults]);
}

/** Opening the connections is part of what is counted; a longer run makes it a small part. */
function secondsFor(connections: number, seconds: number): number {
  return connections < 1000 ? seconds : seconds * 3;
}

function collect(
  costs: Map<PeerName, Map<number, number[]>>,
  name: PeerName,
  count: number,
  cost: number,
): void {
  const byCount = costs.get(name) ?? new Map<number, number[]>();
  byCount.set(count, [...(byCount.get(count) ?? []), cost]);
  costs.set(name, byCount);
}

function reportOf(
  field: Field,
  counts: readonly number[],
  costs: Costs,
  notes: readonly string[],
): RowReport {
  const table = [['server', ...counts.map((count) => `${count} conn.`), 'least to most of mean', 'bar', '']];
  const verdicts: Verdict[] = [];
  const median = (name: PeerName): number[] =>
    counts.map((count) => medianOf(costs.get(name)?.get(count) ?? []));
  for (const name of field.names) {
    const { text, holds } = bandOf(median(name));
    if (name === 'tsagi') verdicts.push(asVerdict(holds));
    const judged = name === 'tsagi' ? ['0.80–1.20', ...verdicts] : [NO_FIGURE, NO_FIGURE];
    table.push([name, ...median(name).map((cost) => cost.toFixed(2)), text, ...judged]);
  }
  if (field.names.includes('tsagi') && field.names.includes('ceiling')) {
    const ceiling = median('ceiling');
    const ratios = median('tsagi').map((cost, index) => cost / (ceiling[index] ?? Number.NaN));
    const figures = ratios.map((ratio) => ratio.toFixed(2));
    table.push(['tsagi ÷ ceiling', ...figures, bandOf(ratios).text, NO_FIGURE, NO_FIGURE]);
  }
  if (verdicts.length === 0) verdicts.push('not measured');
  const title = 'cost growth: CPU µs per request by number of connections';
  return { title, table, notes: [...field.departures, ...notes], verdicts };
}

/** How far the figures lie from their mean. */
function bandOf(figures: readonly number[]): { text: string; holds: boolean } {
  const mean = figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
  const least = Math.min(...figures) / mean;
  const most = Math.max(...figures) / mean;
  return { text: `${least.toFixed(2)}–${most.toFixed(2)}`, holds: least >= 1 - BAND && most <= 1 + BAND };
}
