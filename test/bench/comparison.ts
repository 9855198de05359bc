/**
 * A row that sets tsagi-server beside other servers on the same work: every server's own figures, and the ratio to each
 * with the bar on it. Servers take turns (A B C A B C …); a ratio is the median of the rounds' ratios, not the ratio of
 * two medians.
 */
import { Field } from './bench.ts';
import type { Bench, Row } from './bench.ts';
import type { BenchProtocol, PeerName, RunningPeer } from './peers.ts';
import { asVerdict, formatFixed, formatPercent, NO_FIGURE } from './report.ts';
import type { RowReport, Verdict } from './report.ts';
import { medianOf, medianWhereKnown, ratioOf } from './samples.ts';
import type { Sample } from './samples.ts';
import { DISTURBANCE, measureUndisturbed } from './undisturbed.ts';

export interface Comparison {
  name: string;
  title: string;
  peers: readonly PeerName[];
  /** @default 'http/1.1' */
  protocol?: BenchProtocol;
  /** The heading of the figure, and how it is written. */
  value: { heading: string; format: (value: number) => string };
  /** The heading of the CPU time per unit of work, and how many of the heading's unit a second is. */
  cpu?: { heading: string; perSecond: number };
  /** Whether a bar is the least that the ratio may be, or the most. */
  bound: 'least' | 'most';
  bars: Partial<Record<PeerName, number>>;
  /** Bytes by which tsagi-server may grow during the row. */
  growthLimit?: number;
  /** Every measurement gets a server that has served nothing before. */
  isFresh?: boolean;
  /** Brings a server that stays through all rounds to its working temperature. */
  warm?: (peer: RunningPeer, bench: Bench) => Promise<unknown>;
  measure: (peer: RunningPeer, bench: Bench) => Promise<Sample>;
}

type Results = ReadonlyMap<PeerName, readonly Sample[]>;

const MIB = 2 ** 20;

export function comparisonRow(comparison: Comparison): Row {
  return { name: comparison.name, run: (bench) => runComparison(comparison, bench) };
}

async function runComparison(comparison: Comparison, bench: Bench): Promise<RowReport> {
  const field = new Field(comparison.peers, bench, comparison.protocol);
  const { rounds } = bench.flags;
  const results = new Map<PeerName, Sample[]>();
  if (comparison.warm !== undefined) {
    await field.each(async (name) => void (await comparison.warm?.(await field.server(name), bench)));
  }
  for (let round = 1; round <= rounds; round += 1) {
    await field.each(async (name) => {
      const server = await field.server(name);
      const sample = await measureUndisturbed(() => comparison.measure(server, bench));
      if (comparison.isFresh) await field.stop(name);
      results.set(name, [...(results.get(name) ?? []), sample]);
      bench.progress(
        `${comparison.name} ${round}/${rounds} ${name} ${comparison.value.format(sample.value)}`,
      );
    });
  }
  await field.stopAll();
  // A server that failed half-way has no place in the table: its rounds are not the others'.
  const complete = new Map([...results].filter(([name]) => field.names.includes(name)));
  return reportOf(comparison, complete, field.departures);
}

function reportOf(comparison: Comparison, results: Results, departures: readonly string[]): RowReport {
  const { title, bars } = comparison;
  const verdicts: Verdict[] = [];
  const judge = (verdict: Verdict): Verdict => {
    verdicts.push(verdict);
    return verdict;
  };
  const table = [headingOf(comparison)];
  for (const name of results.keys()) table.push(lineOf(comparison, results, name, judge));
  const notes = [...departures, ...faultsOf(results), ...growthNotes(comparison, results, judge)];
  for (const name of Object.keys(bars) as PeerName[]) {
    if (!results.has(name) || !results.has('tsagi')) judge('not measured');
  }
  return { title, table, notes, verdicts };
}

function headingOf({ value, cpu, growthLimit }: Comparison): string[] {
  const costs = cpu === undefined ? [] : [cpu.heading, 'server busy', 'load busy'];
  const memory = growthLimit === undefined ? [] : ['memory growth'];
  return ['server', value.heading, ...costs, ...memory, 'tsagi ÷ it', 'rounds', 'bar', ''];
}

function lineOf(
  row: Comparison,
  results: Results,
  name: PeerName,
  judge: (verdict: Verdict) => Verdict,
): string[] {
  const series = results.get(name) ?? [];
  const line = [name, row.value.format(medianOf(series.map(({ value }) => value)))];
  if (row.cpu !== undefined) {
    const cpu = medianWhereKnown(series, (sample) => sample.cpu);
    line.push(formatFixed(cpu === undefined ? cpu : cpu * row.cpu.perSecond, 2));
    line.push(formatPercent(medianWhereKnown(series, (sample) => sample.busy)));
    line.push(formatPercent(medianWhereKnown(series, (sample) => sample.loadBusy)));
  }
  if (row.growthLimit !== undefined) line.push(`${formatFixed(largestGrowth(series) / MIB, 1)} MiB`);
  const own = results.get('tsagi');
  if (own === undefined || name === 'tsagi') return [...line, NO_FIGURE, NO_FIGURE, NO_FIGURE, NO_FIGURE];
  const { median, least, most } = ratioOf(own, series);
  line.push(median.toFixed(2), `${least.toFixed(2)}–${most.toFixed(2)}`);
  const bar = row.bars[name];
  if (bar === undefined) return [...line, NO_FIGURE, NO_FIGURE];
  const isLeast = row.bound === 'least';
  const verdict = judge(asVerdict(isLeast ? median >= bar : median <= bar));
  return [...line, `${isLeast ? '≥' : '≤'} ${bar}`, verdict];
}

/** What makes a rate worthless stands below the table: wrong answers, and other programs at work on the machine. */
function faultsOf(results: Results): string[] {
  return [...results].flatMap(([name, series]) => {
    const faults = [...new Set(series.flatMap((sample) => sample.faults))];
    const foreign = medianWhereKnown(series, (sample) => sample.foreign) ?? 0;
    if (foreign > DISTURBANCE)
      faults.push(`other programs took ${formatPercent(foreign)} of a core meanwhile`);
    return faults.length === 0 ? [] : [`${name}: ${faults.join('; ')}`];
  });
}

function growthNotes(row: Comparison, results: Results, judge: (verdict: Verdict) => Verdict): string[] {
  if (row.growthLimit === undefined) return [];
  const own = results.get('tsagi');
  if (own === undefined) {
    judge('not measured');
    return [];
  }
  const growth = largestGrowth(own);
  const verdict = judge(asVerdict(growth < row.growthLimit));
  return [
    `memory of tsagi grew by ${(growth / MIB).toFixed(1)} MiB at most; bar < ${row.growthLimit / MIB} MiB: ${verdict}`,
  ];
}

function largestGrowth(series: readonly Sample[]): number {
  return Math.max(...series.map(({ growth }) => growth ?? Number.NaN));
}
