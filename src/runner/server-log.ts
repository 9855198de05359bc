/**
 * The log of a program, as its settings want it. A worker's lines say whose they are.
 */
import type { Settings } from '../config/settings.ts';
import { createLogger, type Logger } from '../log/logger.ts';
import type { WorkerLink } from '../process/worker-link.ts';

export function createServerLog({ logLevel: level, quiet }: Settings, worker?: WorkerLink): Logger {
  return createLogger({ level, quiet, name: worker && `worker ${worker.workerNum}` });
}
