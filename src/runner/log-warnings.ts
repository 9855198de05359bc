/**
 * Says what was given on a start and is not used, as loudly as the settings allow, and once: whoever starts a daemon shows what
 * the daemon says.
 */
import type { ProcessOptions } from '../config/command-options.ts';
import type { Settings } from '../config/settings.ts';
import { createServerLog } from './server-log.ts';
import { isDaemon } from '../process/daemonize.ts';

export interface WarningRequest {
  readonly settings: Settings;
  readonly process: ProcessOptions;
  /** Whether this process starts nothing. */
  readonly isCheck: boolean;
  readonly warnings: readonly string[];
}

export function logWarnings(request: WarningRequest): void {
  const { settings, warnings, isCheck } = request;
  if (request.process.daemonize && !isCheck && !isDaemon(process.env)) return;
  const log = createServerLog(settings);
  for (const warning of warnings) log.warn(warning);
}
