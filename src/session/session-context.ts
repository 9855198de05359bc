/**
 * What every session of a server shares.
 */
import type { App } from '../contract/app.ts';
import type { Logger } from '../log/logger.ts';
import type { ScopeContext } from './scope.ts';

export interface SessionContext extends ScopeContext {
  readonly app: App;
  readonly log: Logger;
  /** Bytes: files up to this size are read in one go. */
  readonly syncFileThreshold: number;
  /** One application call begins, and later ends: returned or thrown, whatever became of its response. */
  sessionStarted(): void;
  sessionEnded(): void;
}
