/**
 * One worker of several, from the master's first message to the end. It says to its master what a single process would say on
 * stderr and with its exit code.
 */
import { assumeIdentity, resolveIdentity } from '../process/os-identity.ts';
import type { Payload } from '../process/messages.ts';
import type { WorkerLink } from '../process/worker-link.ts';
import { readTls, speaksTls } from '../server/server.ts';
import type { Program, Startable } from './program.ts';
import { socketsOf } from './worker-payload.ts';

/** Milliseconds between looks at the memory. */
const MEMORY_INTERVAL = 30_000;

/** Resolves with whether it has served, when it has ended. */
export async function runWorker(
  link: WorkerLink,
  programOf: (payload: Payload) => Program | Promise<Program>,
): Promise<boolean> {
  const payload = await link.payload;
  let server: Startable | undefined;
  let isStopping = false;
  link.attach({
    stop: (isDelayed) => {
      isStopping = true;
      server?.shutdown({ isDelayed }).catch(() => {});
    },
    reopenLogs: () => server?.reopenLogs(),
  });
  let program: Program;
  try {
    program = await programOf(payload);
    const { settings, log } = program;
    const tls = speaksTls(settings) ? readTls(settings, log) : undefined;
    const identity = resolveIdentity(program.process);
    if (identity !== undefined) assumeIdentity(identity);
    server = await program.load(link);
    if (isStopping) return false;
    await server.start({ sockets: socketsOf(payload), tls });
  } catch (error) {
    await link.failed(error instanceof Error ? error.message : String(error));
    return false;
  }
  if (!isStopping) {
    link.ready(program.settings.heartbeatTimeout);
    watchMemory(program.settings.maxWorkerMemory, link);
  }
  try {
    await server.stopped;
  } finally {
    link.leave();
  }
  return true;
}

/** `limit` in bytes of resident memory; 0 is none. */
function watchMemory(limit: number, link: WorkerLink): void {
  if (limit === 0) return;
  const look = (): void => {
    const used = process.memoryUsage.rss();
    if (used > limit)
      link.retire(`uses ${inMiB(used)} of memory, more than ${inMiB(limit)} (maxWorkerMemory)`);
  };
  setInterval(look, MEMORY_INTERVAL).unref();
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}

/** Requests after which this worker asks to be replaced: a tenth more or less, so that workers do not do so together. */
export function jitteredLimit(maxRequests: number, random = Math.random()): number {
  return Math.max(1, Math.round(maxRequests * (0.9 + 0.2 * random)));
}

/** What the settings of a worker's server are besides those of the program. */
export function workerSettings(
  link: WorkerLink,
  { maxRequests }: Program['settings'],
): { workerNum: number; requestLimit?: { count: number; reached(): void } } {
  const { workerNum } = link;
  if (maxRequests === 0) return { workerNum };
  const count = jitteredLimit(maxRequests);
  const reached = (): void => link.retire(`has taken ${count} requests (maxRequests)`);
  return { workerNum, requestLimit: { count, reached } };
}
