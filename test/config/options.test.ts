import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { longFlags } from '../../src/config/describe-option.ts';
import { KINDS } from '../../src/config/option-kinds.ts';
import type { OptionRow } from '../../src/config/option-row.ts';
import { OPTIONS } from '../../src/config/options.ts';
import { COMMAND_OPTIONS } from '../../src/config/command-options.ts';
import { OPTIONS_DOC, renderOptionsDoc } from '../support/options-doc.ts';

const SERVER_ROWS: [string, OptionRow][] = Object.entries(OPTIONS);
const ALL_ROWS: [string, OptionRow][] = [...Object.entries(COMMAND_OPTIONS), ...SERVER_ROWS];

describe('the tables', () => {
  test('no two options share a flag', () => {
    const flags = ALL_ROWS.flatMap(([name, row]) => [
      ...longFlags(name, row),
      ...(row.short ? [`-${row.short}`] : []),
    ]);
    expect(flags.filter((flag, index) => flags.indexOf(flag) !== index)).toEqual([]);
  });

  test('every default passes the checks of its own kind', () => {
    for (const [name, row] of ALL_ROWS) {
      for (const value of [row.default, row.productionDefault]) {
        if (value !== undefined) expect([name, KINDS[row.kind].accepts(value, row)]).toEqual([name, true]);
      }
    }
  });

  test('options exclude each other both ways', () => {
    for (const [name, row] of SERVER_ROWS) {
      for (const other of row.excludes ?? []) {
        const back = SERVER_ROWS.find(([candidate]) => candidate === other)?.[1].excludes;
        expect([name, other, back?.includes(name)]).toEqual([name, other, true]);
      }
    }
  });

  // The comment is what editors show for `createServer({ … })`: mapped types carry it from the row to the option.
  test('the doc comment of each row says what its help and its default say', () => {
    const source = ['options', 'protocol-options', 'tls-options', 'worker-options']
      .map((name) => readFileSync(new URL(`../../src/config/${name}.ts`, import.meta.url), 'utf8'))
      .join('');
    for (const [name, row] of SERVER_ROWS) {
      const comment = new RegExp(`/\\*\\* (.*) @default (.*) \\*/\\n  ${name}: `).exec(source);
      expect([name, comment?.[1]]).toEqual([name, row.help]);
      expect([name, comment?.[2]]).toEqual([name, documentedDefault(row)]);
    }
  });
});

test('docs/options.md is what the tables render to; bun test/support/options-doc.ts writes it', () => {
  expect(readFileSync(OPTIONS_DOC, 'utf8')).toBe(renderOptionsDoc());
});

function documentedDefault(row: OptionRow): string {
  if (row.defaultText !== undefined) return row.defaultText;
  const show = (value: unknown) =>
    typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? 'undefined');
  const inProduction = 'productionDefault' in row ? `, ${show(row.productionDefault)} in production` : '';
  return `${show(row.default)}${inProduction}`;
}
