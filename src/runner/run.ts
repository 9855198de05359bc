/**
 * What the command runs: an app that is loaded from disk, by the built-in server in one process or several, in the foreground or as a
 * daemon, or by a server of somebody else's.
 */
import type { ProcessOptions } from '../config/command-options.ts';
import type { ServerOptions, Settings } from '../config/settings.ts';
import { ownCommand } from '../process/child.ts';
import { isDaemon, startDaemon } from '../process/daemonize.ts';
import { isSuccessor } from '../process/hot-restart.ts';
import type { Payload } from '../process/messages.ts';
import { WorkerLink } from '../process/worker-link.ts';
import { RunnableServer } from './create-server.ts';
import { loadApp, type AppSource } from './load-app.ts';
import { loadServerClass } from './load-server.ts';
import type { Program } from './program.ts';
import { runMaster } from './run-master.ts';
import { runSingle } from './run-single.ts';
import { runWorker } from './run-worker.ts';
import { createServerLog } from './server-log.ts';

export interface RunRequest {
  readonly source: AppSource;
  /** As given, checked before. */
  readonly options: ServerOptions;
  readonly settings: Settings;
  readonly process: ProcessOptions;
  /** A module with a class to use in place of the built-in server. */
  readonly serverModule?: string | undefined;
}

/** The part of a request that a worker gets; JSON. */
type WorkerRequest = Pick<RunRequest, 'source' | 'settings' | 'process'>;

/** Resolves with the exit code when nothing is left to do; rejects when it could not start. */
export async function run(request: RunRequest): Promise<number> {
  const { env } = process;
  const { umask, daemonize } = request.process;
  if (umask !== undefined) process.umask(umask);
  if (daemonize && !isDaemon(env) && !isSuccessor(env)) {
    const descriptors = request.settings.listeners.flatMap((it) => (it.type === 'fd' ? [it.fd] : []));
    return (await startDaemon(ownCommand(), { env, descriptors })).exitCode;
  }
  if (request.serverModule !== undefined) await runCustomServer(request, request.serverModule);
  else if (request.settings.workers > 1) await runMaster(programOf(request));
  else await runSingle(programOf(request));
  return 0;
}

/** In a process that a master has started: serves, and resolves with the exit code. Undefined elsewhere. */
export function runAsWorker(): Promise<number> | undefined {
  const link = WorkerLink.fromEnvironment();
  if (link === undefined) return undefined;
  const program = (payload: Payload): Program =>
    programOf(payload as unknown as WorkerRequest & Payload, link);
  return runWorker(link, program).then((hasServed) => (hasServed ? 0 : 1));
}

function programOf(request: WorkerRequest, link?: WorkerLink): Program {
  const { source, settings, process: options } = request;
  const log = createServerLog(settings, link);
  return {
    settings,
    process: options,
    log,
    forWorkers: { source, settings, process: options } satisfies WorkerRequest,
    load: async (worker) => {
      // Before any of the app's code runs, so that app and server agree on it.
      process.env['TSAGI_ENV'] = settings.env;
      return new RunnableServer(await loadApp(source), { settings, log, worker });
    },
  };
}

async function runCustomServer({ source, options, settings }: RunRequest, name: string): Promise<void> {
  // Before any of the app's code runs, so that app and server agree on it.
  process.env['TSAGI_ENV'] = settings.env;
  const makeServer = await loadServerClass(name, source);
  await makeServer({ ...options, app: await loadApp(source) }).run();
}
