/**
 * A logger that keeps what it is told, one entry per message, `error text` and the like, without the time.
 */
import { createLogger, type Logger } from '../../src/log/logger.ts';

export interface LogRecorder {
  readonly log: Logger;
  readonly lines: readonly string[];
}

export function recordLog(): LogRecorder {
  const lines: string[] = [];
  const log = createLogger({
    level: 'debug',
    write: (text) => void lines.push(text.trimEnd().replace(/^\S+ /, '')),
  });
  return { log, lines };
}
