/**
 * What one measurement yields, and how rounds of them are summed up: always by the median, and ratios within a round, so
 * that a slow minute of the machine hits both sides of a ratio.
 */

export interface Sample {
  /** The row's figure: a rate, or bytes. */
  value: number;
  /** CPU seconds of the server per unit of work. */
  cpu?: number | undefined;
  /** Share of the time in which the server worked. */
  busy?: number | undefined;
  /** The same of the load generator; near 1 means that it was the limit, and the rate says little about the server. */
  loadBusy?: number | undefined;
  /** Cores' worth of work that neither of the two did: other programs on the machine, which make the rate worthless. */
  foreign?: number | undefined;
  /** Bytes by which the server's memory grew at most. */
  growth?: number | undefined;
  faults: readonly string[];
}

/** The samples of one server, one for each round. */
export type Series = readonly Sample[];

export interface Spread {
  median: number;
  least: number;
  most: number;
}

/** The ratio of two servers, round by round. */
export function ratioOf(numerator: Series, denominator: Series): Spread {
  return spreadOf(numerator.map(({ value }, round) => value / (denominator[round]?.value ?? Number.NaN)));
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: medianOf(values), least: Math.min(...values), most: Math.max(...values) };
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of what not every kind of measurement yields; undefined where none of the samples has it. */
export function medianWhereKnown(
  series: Series,
  pick: (sample: Sample) => number | undefined,
): number | undefined {
  const known = series.map(pick).filter((value) => value !== undefined);
  return known.length === 0 ? undefined : medianOf(known);
}
