/**
 * The command: reads its arguments, then runs a server until it has stopped. Everything that goes wrong before becomes one
 * message on stderr and an exit code: 2 for wrong usage, 1 for a start that failed.
 */
import { defineCommand, runCommand, type ArgsDef } from 'citty';
import { ALL_OPTIONS } from '../config/command-options.ts';
import { OptionError } from '../config/option-error.ts';
import { flagName } from '../config/option-row.ts';
import { check } from '../runner/check.ts';
import { logWarnings } from '../runner/log-warnings.ts';
import { run, runAsWorker } from '../runner/run.ts';
import { VERSION } from '../runner/version.ts';
import { parseCommandLine, UsageError, type CommandLine } from './command-line.ts';
import { renderHelp } from './help.ts';
import { readRequest } from './read-request.ts';

export const command = defineCommand({
  meta: { name: 'tsagi-server', version: VERSION, description: 'Serves a TSAGI application over HTTP.' },
  args: commandArgs(),
  run: ({ data }) => serve(data as CommandLine),
});

/** Runs the command to its end, and the process with it. */
export async function main(rawArgs: readonly string[] = process.argv.slice(2)): Promise<void> {
  let exitCode = 0;
  try {
    // Its master has read the command line.
    const worker = runAsWorker();
    if (worker !== undefined) return process.exit(await worker);
    const commandLine = parseCommandLine(rawArgs);
    if (commandLine.wantsHelp) return void process.stdout.write(renderHelp());
    if (commandLine.wantsVersion) return void process.stdout.write(`tsagi-server ${VERSION}\n`);
    const { result } = await runCommand(command, { rawArgs: [...rawArgs], data: commandLine });
    exitCode = result as number;
  } catch (error) {
    const isUsage = error instanceof UsageError || error instanceof OptionError;
    console.error(`tsagi-server: ${messageOf(error)}`);
    exitCode = isUsage ? 2 : 1;
  }
  // What the app left running, a timer or a connection to elsewhere, must not hold the process.
  process.exit(exitCode);
}

/** Resolves with the exit code. */
async function serve(commandLine: CommandLine): Promise<number> {
  const { appArguments, wantsCheck } = commandLine;
  const request = await readRequest(commandLine);
  const { options, settings, server: serverModule, app, code, modules, appDirs } = request;
  const source = { app, code, modules, appDirs, appArguments };
  logWarnings({ ...request, isCheck: wantsCheck });
  if (wantsCheck) {
    const line = await check({ ...request, source, serverModule });
    process.stdout.write(`tsagi-server: ${line}\n`);
    return 0;
  }
  return await run({ source, options, settings, serverModule, process: request.process });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : Bun.inspect(error);
}

/** The tables in citty's terms. Values have been checked by then, so that every one of them is text to citty. */
function commandArgs(): ArgsDef {
  const args: ArgsDef = {};
  for (const [name, row] of ALL_OPTIONS) {
    if (row.isCodeOnly) continue;
    args[flagName(name, row) || name] = {
      type: row.kind === 'flag' ? 'boolean' : 'string',
      description: row.help,
      ...(row.short ? { alias: row.short } : {}),
    };
  }
  return args;
}
