/**
 * One worker of several, from the master's first message to the end. It says to its master what a single process would say on
 * stderr and with its exit code.
 */
import { systemClock } from '../clock/clock.ts';
import { assumeIdentity, resolveIdentity } from '../process/os-identity.ts';
import type { Payload } from '../process/messages.ts';
import type { WorkerLink } from '../process/worker-link.ts';
import { readTls, speaksTls, type ServerSettings } from '../server/server.ts';
import type { Program, Startable } from './program.ts';
import { requestLimit, watchMemory } from './retirement.ts';
import { socketsOf } from './worker-payload.ts';

/** Resolves with whether it has served, when it has ended. */
export async function runWorker(
  link: WorkerLink,
  programOf: (payload: Payload) => Program | Promise<Program>,
): Promise<boolean> {
  const payload = await link.payload;
  if (payload === undefined) return false;
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
    const { heartbeatTimeout, maxWorkerMemory: limit } = program.settings;
    link.ready(heartbeatTimeout);
    watchMemory({ limit, clock: systemClock, retire: (reason) => link.retire(reason) });
  }
  try {
    await server.stopped;
  } finally {
    link.leave();
  }
  return true;
}

/** What the settings of a worker's server are besides those of the program. */
export function workerSettings(
  link: WorkerLink,
  { maxRequests }: Program['settings'],
): Pick<ServerSettings, 'workerNum' | 'requestLimit'> {
  return {
    workerNum: link.workerNum,
    requestLimit: requestLimit(maxRequests, (reason) => link.retire(reason)),
  };
}
