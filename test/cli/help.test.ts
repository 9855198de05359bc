import { expect, test } from 'bun:test';
import { COMMAND_OPTIONS } from '../../src/config/command-options.ts';
import { renderHelp } from '../../src/cli/help.ts';
import { describeDefault, longFlags } from '../../src/config/describe-option.ts';
import type { OptionRow } from '../../src/config/option-row.ts';
import { OPTIONS } from '../../src/config/options.ts';

const ROWS: [string, OptionRow][] = [...Object.entries(COMMAND_OPTIONS), ...Object.entries(OPTIONS)];

test('every flag of the tables is in the help, with its default', () => {
  const help = renderHelp().replaceAll(/\s+/g, ' ');
  for (const [name, row] of ROWS) {
    if (row.isCodeOnly) continue;
    const flag = longFlags(name, row)[0]?.slice(2) ?? row.short!;
    const entry = new RegExp(`-(?:\\[no-\\])?${flag}\\b`);
    expect([name, entry.test(help)]).toEqual([name, true]);
    const byDefault = row.kind === 'flag' && row.default === false ? '' : describeDefault(row);
    if (byDefault !== '')
      expect(help).toContain(`${row.help}${row.isRepeatable ? ' Repeatable.' : ''} [default: ${byDefault}]`);
  }
});

test('options that are given in code only are not in the help', () => {
  expect(renderHelp()).not.toContain('--extensions');
});

test('no line is wider than a usual terminal window', () => {
  for (const line of renderHelp().split('\n')) expect(line.length).toBeLessThanOrEqual(110);
});
