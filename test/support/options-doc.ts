/**
 * Writes docs/options.md from the option tables: `bun test/support/options-doc.ts`. A test holds the file to what this
 * renders.
 */
import { describeDefault, describeFlags } from '../../src/config/describe-option.ts';
import { GROUPS, type OptionRow } from '../../src/config/option-row.ts';
import { OPTIONS } from '../../src/config/options.ts';
import { COMMAND_OPTIONS } from '../../src/config/command-options.ts';

export const OPTIONS_DOC = new URL('../../docs/options.md', import.meta.url).pathname;

const INTRODUCTION = `\
# Options

<!-- Written by test/support/options-doc.ts from the option tables; change those instead. -->

An option has one name in code, in what \`createServer\` takes, and one flag on the command line, with the same default.
Seconds, bytes and counts are numbers that are not negative; on the command line seconds may also be written \`500ms\`,
\`30s\`, \`5m\`, \`1h\`, and bytes \`64k\`, \`16m\`, \`1g\` (of 1024). An option given as undefined is not given.

An unknown option, a value of the wrong kind or range, a flag without its value, and options that exclude each other are
errors that name the option: in code an \`OptionError\`, on the command line one line on stderr and exit code 2.
`;

const NOTES = `\
## The app argument

\`tsagi-server [OPTIONS] [APP] [KEY=VALUE ...]\`

- APP is a \`.ts\` or \`.js\` file, a directory, or a package; \`APP:NAME\` takes the export of that name. It is looked up in
  the directories of \`-I\`, then in the current one; paths come before packages. A directory is an app by \`app.ts\`,
  \`app.js\`, \`src/app.ts\` or \`index.ts\` in it. Without APP it is the current directory.
- Without a name the app is the default export, else the export \`app\`, else \`createApp\`, whichever is a function first.
- The export is called as a factory when \`KEY=VALUE\` arguments follow, or when it is named \`createApp\`: it gets them as
  one object of strings, and returns the app or a promise of it. Otherwise the export itself is the app.
- \`-e\` takes the text of a module when it has an \`export\`, else an expression. Imports are resolved from the current
  directory.

## Signals and exit codes

TERM and INT stop gracefully; a second INT ends the process at once. USR1 reopens the access log. HUP reads the files of
\`certFile\`, \`keyFile\` and \`caFile\` anew, for new connections; where they cannot be used, an error is logged and the old ones
stay. TTIN, TTOU and USR2, and HUP without TLS, log a warning and do nothing. \`createServer().listen()\` installs no signal handlers; \`run()\` does, until it has stopped.

Exit codes: 0 stopped, 1 could not start, 2 wrong usage, 130 ended by a second INT.
`;

export function renderOptionsDoc(): string {
  const commandRows: [string, OptionRow][] = Object.entries(COMMAND_OPTIONS);
  const serverRows: [string, OptionRow][] = Object.entries(OPTIONS);
  const sections = GROUPS.filter((group) => serverRows.some(([, row]) => row.group === group)).map(
    (group) => `## ${group}\n\n${table(serverRows.filter(([, row]) => row.group === group))}`,
  );
  return [INTRODUCTION, ...sections, `## Command line only\n\n${table(commandRows, true)}`, NOTES].join('\n');
}

function table(rows: readonly [string, OptionRow][], isCommand = false): string {
  const body = rows.map(([name, row]) => {
    const flags = row.isCodeOnly ? '' : code(describeFlags(name, row).replaceAll('|', '\\|'));
    const byDefault = row.group === 'Help' ? '' : describeDefault(row);
    const repeatable = row.isRepeatable ? ' Repeatable.' : '';
    const excludes = row.excludes ? ` Excludes ${row.excludes.join(', ')}.` : '';
    const cells = [flags, byDefault, `${row.help}${repeatable}${excludes}`];
    return isCommand ? cells : [code(name), ...cells];
  });
  const head = isCommand ? ['flag', 'default', 'meaning'] : ['option', 'flag', 'default', 'meaning'];
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[], fill = ' ') =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!, fill)).join(' | ')} |\n`;
  return [
    line(head),
    line(
      head.map(() => ''),
      '-',
    ),
    ...body.map((cells) => line(cells)),
  ].join('');
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) await Bun.write(OPTIONS_DOC, renderOptionsDoc());
