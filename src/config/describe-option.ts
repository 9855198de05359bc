/**
 * An option's row in words: its flags and its default as help and documentation print them. Nothing is said here that the
 * row does not hold.
 */
import { showValue } from './option-error.ts';
import { KINDS } from './option-kinds.ts';
import { flagName, type OptionRow } from './option-row.ts';

/** Whether `--no-` before the flag turns the option off. */
export function isNegatable(row: OptionRow): boolean {
  return (row.kind === 'flag' || row.kind === 'logFile') && row.group !== 'Help';
}

/** Every long flag that stands for the option, with its dashes; none for an option that is given in code only. */
export function longFlags(name: string, row: OptionRow): string[] {
  const flag = flagName(name, row);
  if (row.isCodeOnly || flag === '') return [];
  return isNegatable(row) ? [`--${flag}`, `--no-${flag}`] : [`--${flag}`];
}

/** How errors call the option on the command line. */
export function flagLabel(name: string, row: OptionRow): string {
  return longFlags(name, row)[0] ?? (row.short ? `-${row.short}` : name);
}

/** `-p, --port PORT` */
export function describeFlags(name: string, row: OptionRow): string {
  const [flag, negated] = longFlags(name, row);
  const placeholder = row.choices?.join('|') ?? row.placeholder ?? KINDS[row.kind].placeholder;
  const short = row.short ? `-${row.short}` : '';
  const isOnUnlessNegated = row.kind === 'flag' && row.default !== false && flag !== undefined;
  const long = isOnUnlessNegated ? flag.replace('--', '--[no-]') : (flag ?? '');
  const forms = [short, long].filter((form) => form !== '').join(', ');
  const withValue = placeholder === '' ? forms : `${forms} ${placeholder}`;
  return row.kind === 'logFile' ? `${withValue}, ${negated}` : withValue;
}

/** Empty where there is nothing to say: no default, or one that means "none". */
export function describeDefault(row: OptionRow): string {
  if (row.defaultText !== undefined) return row.defaultText;
  const value = row.default;
  const isNothing = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
  if (isNothing) return '';
  const show =
    KINDS[row.kind].show ?? ((shown: unknown) => (typeof shown === 'string' ? shown : showValue(shown)));
  return 'productionDefault' in row
    ? `${show(value)}, in production ${show(row.productionDefault)}`
    : show(value);
}
