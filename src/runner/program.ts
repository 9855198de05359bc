/**
 * What is to be run, however many processes it takes: settings, and a way to the app that is not taken before its process has given up
 * the rights that the app must not have.
 */
import type { ProcessOptions } from '../config/command-options.ts';
import type { Settings } from '../config/settings.ts';
import type { Logger } from '../log/logger.ts';
import type { WorkerLink } from '../process/worker-link.ts';
import type { Prepared, ShutdownOptions } from '../server/server.ts';

export interface Program {
  readonly settings: Settings;
  readonly process: ProcessOptions;
  /** Stops it as a signal would. */
  readonly stop?: AbortSignal;
  readonly log: Logger;
  /** What a worker needs, besides its sockets, to make the same program; JSON. */
  readonly forWorkers: Readonly<Record<string, unknown>>;
  /** Loads the app and makes a server of it that has not started, for a single process or for this worker. */
  load(worker?: WorkerLink): Promise<Startable>;
}

/** A server between its settings and its first connection. */
export interface Startable {
  start(prepared: Prepared): Promise<void>;
  /** Settles when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
  shutdown(options?: ShutdownOptions): Promise<void>;
  reopenLogs(): void;
  reloadCertificates(): void;
}

/** Of programs that serve and leave the process as it is. */
export const PLAIN_PROCESS: ProcessOptions = {
  daemonize: false,
  pidFile: undefined,
  user: undefined,
  group: undefined,
  umask: undefined,
};
