/**
 * Writes docs/options.md from the option tables: `bun test/support/options-doc.ts`. A test holds the file to what this
 * renders.
 */
import { describeDefault, describeFlags, flagLabel } from '../../src/config/describe-option.ts';
import { GROUPS, type OptionRow } from '../../src/config/option-row.ts';
import { OPTIONS } from '../../src/config/options.ts';
import { COMMAND_OPTIONS, findOption } from '../../src/config/command-options.ts';

export const OPTIONS_DOC = new URL('../../docs/options.md', import.meta.url).pathname;

const INTRODUCTION = `\
# Options

<!-- Written by test/support/options-doc.ts from the option tables; change those instead. -->

An option has one name in code, in what \`createServer\` and the config file take, one flag on the command line, and one
environment variable: \`TSAGI_\` and the name in upper snake case, so that \`maxBodySize\` is \`--max-body-size\` and
\`TSAGI_MAX_BODY_SIZE\`. The default is the same everywhere. Which of them counts, and how values are written in
variables, is told in [configuration.md](configuration.md).

Seconds, bytes and counts are numbers that are not negative; on the command line and in variables seconds may also be written
\`500ms\`, \`30s\`, \`5m\`, \`1h\`, and bytes \`64k\`, \`16m\`, \`1g\` (of 1024). An option given as undefined is not given.

An unknown option, a value of the wrong kind or range, a flag without its value, and options that exclude each other are
errors that name the option: in code an \`OptionError\`, with the command one line on stderr and exit code 2.
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

- TERM and INT stop gracefully, workers too; a second INT ends everything at once.
- USR1 reopens the access log, in every worker.
- HUP with workers: starts new ones, which load the app and the certificates anew, before the old ones leave. Where the new
  ones fail to start, the old ones stay. In a single process: reads the files of \`certFile\`, \`keyFile\` and \`caFile\` anew,
  for new connections; where they cannot be used, an error is logged and the old ones stay.
- TTIN and TTOU start one worker more, and end one, but never the last.
- USR2 starts a new master, which reads the config anew and takes over the sockets; once it serves, the old one leaves.

In a single process TTIN, TTOU and USR2, and HUP without TLS, log a warning and do nothing. A worker that gets TERM itself
leaves gracefully and is replaced.
\`createServer().listen()\` installs no signal handlers; \`run()\` does, until it has stopped.

Exit codes: 0 stopped, 1 could not start, 2 wrong usage, 130 ended by a second INT.
`;

const COMMAND_INTRODUCTION = `\
## The command

What the command takes besides; not for \`createServer\`. What has a name may stand in a config file, and has a variable
(\`TSAGI_PID\`). \`--config\` has one too, \`TSAGI_CONFIG\`.
`;

export function renderOptionsDoc(): string {
  const commandRows: [string, OptionRow][] = Object.entries(COMMAND_OPTIONS);
  const serverRows: [string, OptionRow][] = Object.entries(OPTIONS);
  const sections = GROUPS.filter((group) => serverRows.some(([, row]) => row.group === group)).map(
    (group) => `## ${group}\n\n${table(serverRows.filter(([, row]) => row.group === group))}`,
  );
  const command = `${COMMAND_INTRODUCTION}\n${table(commandRows)}`;
  return [INTRODUCTION, ...sections, command, NOTES].join('\n');
}

function table(rows: readonly [string, OptionRow][]): string {
  const body = rows.map(([name, row]) => {
    const flags = row.isCodeOnly ? '' : code(describeFlags(name, row).replaceAll('|', '\\|'));
    const byDefault = row.group === 'Help' ? '' : describeDefault(row);
    const repeatable = row.isRepeatable ? ' Repeatable.' : '';
    const excludes = row.excludes ? ` Excludes ${row.excludes.map(nameInTables).join(', ')}.` : '';
    const cells = [flags, byDefault, `${row.help}${repeatable}${excludes}`];
    return [hasName(row) ? code(name) : '', ...cells];
  });
  const head = ['option', 'flag', 'default', 'meaning'];
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

/** Whether it can be given by name, in code or in a config file. */
function hasName(row: OptionRow): boolean {
  return row.notIn?.includes('file') !== true;
}

function nameInTables(name: string): string {
  const row = findOption(name)!;
  return hasName(row) ? name : flagLabel(name, row);
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) await Bun.write(OPTIONS_DOC, renderOptionsDoc());
