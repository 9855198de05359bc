/**
 * Runs a program in as many processes as its settings say. The same call is made in the master and in each worker, and in each of them it
 * resolves when that process has nothing left to do.
 */
import { WorkerLink } from '../process/worker-link.ts';
import type { Program } from './program.ts';
import { runMaster } from './run-master.ts';
import { runSingle } from './run-single.ts';
import { runWorker } from './run-worker.ts';

/** Rejects when it could not start. */
export async function runProgram(program: Program): Promise<void> {
  const link = WorkerLink.fromEnvironment();
  if (link !== undefined) await runWorker(link, () => program);
  else if (program.settings.workers > 1) await runMaster(program);
  else await runSingle(program);
}
