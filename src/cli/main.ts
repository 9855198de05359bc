/**
 * The command: reads its arguments, then runs a server until it has stopped. Everything that goes wrong before becomes one
 * message on stderr and an exit code: 2 for wrong usage, 1 for a start that failed.
 */
import { defineCommand, runCommand, type ArgsDef } from 'citty';
import { flagName, type OptionRow } from '../config/option-row.ts';
import { OptionError } from '../config/option-error.ts';
import { OPTIONS } from '../config/options.ts';
import { readSettings } from '../runner/read-settings.ts';
import { runSingle } from '../runner/run-single.ts';
import { VERSION } from '../runner/version.ts';
import { optionLabel, parseCommandLine, UsageError, type CommandLine } from './command-line.ts';
import { COMMAND_OPTIONS } from './command-options.ts';
import { renderHelp } from './help.ts';

export const command = defineCommand({
  meta: { name: 'tsagi-server', version: VERSION, description: 'Serves a TSAGI application over HTTP.' },
  args: commandArgs(),
  run: ({ data }) => serve(data as CommandLine),
});

/** Runs the command to its end, and the process with it. */
export async function main(rawArgs: readonly string[] = process.argv.slice(2)): Promise<void> {
  let exitCode = 0;
  try {
    const commandLine = parseCommandLine(rawArgs);
    if (commandLine.wantsHelp) return void process.stdout.write(renderHelp());
    if (commandLine.wantsVersion) return void process.stdout.write(`tsagi-server ${VERSION}\n`);
    await runCommand(command, { rawArgs: [...rawArgs], data: commandLine });
  } catch (error) {
    const isUsage = error instanceof UsageError || error instanceof OptionError;
    console.error(`tsagi-server: ${messageOf(error)}`);
    exitCode = isUsage ? 2 : 1;
  }
  // What the app left running, a timer or a connection to elsewhere, must not hold the process.
  process.exit(exitCode);
}

async function serve(commandLine: CommandLine): Promise<void> {
  const { options, app, code, modules, appDirs, appArguments, server } = commandLine;
  const settings = readSettings(options, { label: optionLabel });
  await runSingle({
    source: { app, code, modules, appDirs, appArguments },
    options,
    mode: settings.env,
    serverModule: server,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : Bun.inspect(error);
}

/** The tables in citty's terms. Values have been checked by then, so that every one of them is text to citty. */
function commandArgs(): ArgsDef {
  const rows: readonly (readonly [string, OptionRow])[] = [
    ...Object.entries(COMMAND_OPTIONS),
    ...Object.entries(OPTIONS),
  ];
  const args: ArgsDef = {};
  for (const [name, row] of rows) {
    if (row.isCodeOnly) continue;
    args[flagName(name, row) || name] = {
      type: row.kind === 'flag' ? 'boolean' : 'string',
      description: row.help,
      ...(row.short ? { alias: row.short } : {}),
    };
  }
  return args;
}
