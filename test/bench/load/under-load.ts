/**
 * Runs a load generator to its end and says who worked meanwhile: the server, the generator, and anyone else on their two
 * cores. Without the last figure a busy machine would pass for a slow server.
 */
import type { Children } from '../children.ts';
import type { RunningPeer } from '../peers.ts';
import { cpuSeconds, readCpu, workedSeconds } from '../process-costs.ts';

export interface LoadRun {
  output: string;
  exitCode: number;
  seconds: number;
  serverSeconds: number;
  loadSeconds: number;
  foreignSeconds: number;
}

export async function runUnderLoad(
  peer: RunningPeer,
  command: readonly string[],
  children: Children,
): Promise<LoadRun> {
  const cores = Object.values(children.cores ?? {});
  const startedAt = performance.now();
  const workedBefore = workedSeconds(cores);
  const before = readCpu(peer.pid);
  const child = children.startLoad(command);
  child.stdin.end();
  const output = await child.stdout.text();
  const exitCode = await child.exited;
  if (peer.child.exitCode !== null || peer.child.signalCode !== null) throw new Error('it died under load');
  const serverSeconds = cpuSeconds(before, readCpu(peer.pid));
  const worked = workedSeconds(cores) - workedBefore;
  const loadSeconds = Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6;
  return {
    output,
    exitCode,
    seconds: (performance.now() - startedAt) / 1000,
    serverSeconds,
    loadSeconds,
    foreignSeconds: cores.length === 0 ? 0 : Math.max(0, worked - serverSeconds - loadSeconds),
  };
}

/** The shares of a run's time that a sample keeps. */
export function sharesOf(run: LoadRun): { busy: number; loadBusy: number; foreign: number } {
  return {
    busy: run.serverSeconds / run.seconds,
    loadBusy: run.loadSeconds / run.seconds,
    foreign: run.foreignSeconds / run.seconds,
  };
}
