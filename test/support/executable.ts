/**
 * Executables for tests, made by the very commands that users are told to run, but in a directory of the test's own. They run
 * without a search path, so that no Bun is found beside them.
 */
import { readFileSync } from 'node:fs';
import manifest from '../../package.json' with { type: 'json' };
import { runProgram } from './running-program.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

/** For the environment of whatever is to need nothing but itself. */
export const NO_SEARCH_PATH = { PATH: '' } as const;

/** What `npm run build` makes. */
export async function buildCommand(outfile: string): Promise<void> {
  await build(manifest.scripts.build, outfile);
}

/** What the command in the README of an example makes, with these texts in the place of others. */
export async function buildExample(
  name: string,
  outfile: string,
  changes: Readonly<Record<string, string>> = {},
): Promise<void> {
  const readme = readFileSync(`${ROOT}examples/${name}/README.md`, 'utf8');
  let command = /^bun build [^]*?[^\\]$/m.exec(readme)![0].replaceAll('\\\n', '');
  for (const [before, after] of Object.entries(changes)) {
    if (!command.includes(before)) throw new Error(`nothing is ${before} in ${command}`);
    command = command.replace(before, after);
  }
  await build(command, outfile);
}

async function build(command: string, outfile: string): Promise<void> {
  const [, words] = /^bun (.* --outfile) \S+$/s.exec(command)!;
  const shell = ['sh', '-c', `'${process.execPath}' ${words} '${outfile}'`];
  const { exitCode, output } = await runProgram(shell, { cwd: ROOT });
  if (exitCode !== 0) throw new Error(`${command} failed:\n${output}`);
}
