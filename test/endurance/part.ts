/**
 * A part of the endurance run: it starts its own server, measures, and gives its findings, each with the bar that it
 * has to reach where there is one.
 */
import type { Cores } from '../bench/machine.ts';
import { asVerdict, type RowReport, type Verdict } from '../bench/report.ts';

export interface Surroundings {
  readonly cores: Cores | undefined;
  readonly progress: (text: string) => void;
}

export interface Finding {
  readonly what: string;
  readonly figure: string;
  /** In words; absent where the figure is there for orientation. */
  readonly bar?: string;
  readonly holds?: boolean;
}

export interface Part {
  readonly name: string;
  readonly title: string;
  run(surroundings: Surroundings): Promise<readonly Finding[]>;
}

export function reportOf(part: Part, findings: readonly Finding[]): RowReport {
  const verdicts = findings.map(({ holds }) => (holds === undefined ? undefined : asVerdict(holds)));
  const lines = findings.map(({ what, figure, bar = '' }, index) => [
    what,
    figure,
    bar,
    verdicts[index] ?? '',
  ]);
  return {
    title: part.title,
    table: [['', 'measured', 'bar', 'verdict'], ...lines],
    notes: [],
    verdicts: verdicts.filter((verdict): verdict is Verdict => verdict !== undefined),
  };
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}
