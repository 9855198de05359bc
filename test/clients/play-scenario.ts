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
}

export function scenarioCommand({ runtime, file }: Client, url: string, ...names: string[]): string[] {
  // Node 20 has its WebSocket behind this flag; later ones have it and still take the flag.
  const start =
    runtime === 'bun'
      ? [process.execPath]
      : [programPath('node'), '--no-warnings', '--experimental-websocket'];
  return [...start, RUNNER, file, url, ...names];
}

/** One result for each name. */
export async function playScenarios(client: Client, url: string, ...names: string[]): Promise<unknown[]> {
  const { exitCode, output } = await runProgram(scenarioCommand(client, url, ...names));
  if (exitCode !== 0) throw new Error(`the client ended with ${exitCode}: ${output}`);
  return JSON.parse(output) as unknown[];
}
