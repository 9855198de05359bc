/**
 * Plays scenarios of a client in a process of its own, and gives what the client saw.
 */
import { programPath } from '../support/program.ts';
import { runProgram } from '../support/running-program.ts';

const RUNNER = new URL('run-scenario.mjs', import.meta.url).pathname;

export interface Client {
  readonly runtime: 'bun' | 'node';
  /** The scenarios' file, relative to this one. */
  readonly file: string;
  /** What the runtime is started with. */
  readonly flags?: readonly string[];
}

export function scenarioCommand(
  { runtime, file, flags = [] }: Client,
  url: string,
  ...names: string[]
): string[] {
  const program = runtime === 'bun' ? process.execPath : programPath('node');
  return [program, ...flags, RUNNER, file, url, ...names];
}

/** One result for each name. */
export async function playScenarios(client: Client, url: string, ...names: string[]): Promise<unknown[]> {
  const { exitCode, output } = await runProgram(scenarioCommand(client, url, ...names));
  if (exitCode !== 0) throw new Error(`the client ended with ${exitCode}: ${output}`);
  return JSON.parse(output) as unknown[];
}
