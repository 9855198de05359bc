/**
 * The text of `--help`: one paragraph on the app argument, then every option by group, as the tables have them.
 */
import { describeDefault, describeFlags } from '../config/describe-option.ts';
import { ALL_OPTIONS } from '../config/command-options.ts';
import { GROUPS, type OptionRow } from '../config/option-row.ts';

const INTRODUCTION = `\
Serves a TSAGI application over HTTP.

Usage: tsagi-server [OPTIONS] [APP] [KEY=VALUE ...]

APP is a .ts or .js file, a package, or a directory with app.ts, app.js, src/app.ts or index.ts in it;
without one it is the current directory. The app is the default export or the one named app; APP:NAME
takes another. Where KEY=VALUE arguments follow, or the export is named createApp, it is a function that
is called with the arguments as one object and returns the app.
`;

const NOTES = `\
SECONDS also takes 500ms, 30s, 5m; BYTES takes 64k, 16m, 1g. A repeatable option adds to its list.
Options also come from the environment (TSAGI_PORT, TSAGI_MAX_BODY_SIZE) and from tsagi.config.ts;
the command line is over the environment, and that is over the file.
Signals: TERM and INT stop gracefully, a second INT at once; USR1 reopens the access log;
HUP reads the certificates anew, or replaces the workers one by one with fresh app code;
TTIN and TTOU start one worker more or end one; USR2 hands over to a new master.
Exit codes: 0 stopped, 1 could not start, 2 wrong usage, 130 stopped by a second INT.
`;

const WIDTH = 100;
const INDENT = 34;

export function renderHelp(): string {
  const sections = GROUPS.map((group) => {
    const lines = ALL_OPTIONS.filter(([, row]) => row.group === group && !row.isCodeOnly).map(([name, row]) =>
      renderOption(name, row),
    );
    return `${group}\n${lines.join('')}`;
  });
  return [INTRODUCTION, ...sections, NOTES].join('\n');
}

function renderOption(name: string, row: OptionRow): string {
  // Options without a short form line up with the long forms above and below them.
  const flags = `  ${row.short ? '' : '    '}${describeFlags(name, row)}`;
  const lines = wrap(`${row.help}${remarksOn(row)}`, WIDTH - INDENT);
  const isNarrow = flags.length + 2 <= INDENT;
  const first = isNarrow ? `${flags.padEnd(INDENT)}${lines.shift()}\n` : `${flags}\n`;
  return first + lines.map((line) => `${' '.repeat(INDENT)}${line}\n`).join('');
}

function remarksOn(row: OptionRow): string {
  const byDefault = row.kind === 'flag' && row.default === false ? '' : describeDefault(row);
  return `${row.isRepeatable ? ' Repeatable.' : ''}${byDefault === '' ? '' : ` [default: ${byDefault}]`}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
