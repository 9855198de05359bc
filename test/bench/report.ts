/**
 * The report as Markdown that also reads well in a terminal. It holds measured figures and what they mean against the
 * bars, nothing else; a figure that is not there stands as a dash.
 */

export type Verdict = 'pass' | 'FAIL' | 'not measured';

export interface RowReport {
  title: string;
  /** The first line is the heading. */
  table: readonly (readonly string[])[];
  notes: readonly string[];
  verdicts: readonly Verdict[];
}

export const NO_FIGURE = '–';

export function renderReport(title: string, facts: readonly string[], rows: readonly RowReport[]): string {
  const parts = [`# ${title}`, facts.map((fact) => `- ${fact}`).join('\n'), ...rows.map(renderRow)];
  return `${parts.join('\n\n')}\n\n${renderSummary(rows)}\n`;
}

export function renderRow({ title, table, notes }: RowReport): string {
  const parts = [`## ${title}`, renderTable(table)];
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'));
  return parts.join('\n\n');
}

export function renderSummary(rows: readonly RowReport[]): string {
  const verdicts = rows.flatMap((row) => row.verdicts);
  const count = (wanted: Verdict): number => verdicts.filter((verdict) => verdict === wanted).length;
  return `Bars: ${count('pass')} passed, ${count('FAIL')} failed, ${count('not measured')} not measured.`;
}

/** Columns are padded to equal width; all but the first are figures and stand to the right. */
function renderTable(table: readonly (readonly string[])[]): string {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((line) => (line[column] ?? '').length), 4),
  );
  const renderLine = (line: readonly string[]): string =>
    `| ${widths.map((width, column) => pad(line[column] ?? '', width, column)).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [heading = [], ...lines] = table;
  return [renderLine(heading), rule, ...lines.map(renderLine)].join('\n');
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}

export function asVerdict(holds: boolean): Verdict {
  return holds ? 'pass' : 'FAIL';
}

export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(?:\d{3})+$)/g, ' ');
}

export function formatFixed(value: number | undefined, digits: number): string {
  return value === undefined || Number.isNaN(value) ? NO_FIGURE : value.toFixed(digits);
}

export function formatPercent(share: number | undefined): string {
  return share === undefined ? NO_FIGURE : `${Math.round(share * 100)} %`;
}
