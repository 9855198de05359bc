/**
 * What a session needs of a server, without the server.
 */
import type { App } from '../../src/contract/app.ts';
import type { SessionContext } from '../../src/session/session-context.ts';
import { recordLog } from './log-recorder.ts';

export interface TestSessionContext extends SessionContext {
  /** What has been logged. */
  readonly lines: readonly string[];
  /** Applications that have been called and have not ended. */
  inHand: number;
}

export interface TestSessionOptions {
  readonly app?: App;
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly state?: Readonly<Record<string, unknown>>;
  readonly rootPath?: string;
  readonly shutdownSignal?: AbortSignal;
  readonly syncFileThreshold?: number;
}

export function sessionContext(options: TestSessionOptions = {}): TestSessionContext {
  const { log, lines } = recordLog();
  const context: TestSessionContext = {
    app: () => undefined,
    log,
    lines,
    rootPath: '',
    extensions: {},
    state: {},
    shutdownSignal: new AbortController().signal,
    syncFileThreshold: 65_536,
    inHand: 0,
    sessionStarted: () => void context.inHand++,
    sessionEnded: () => void context.inHand--,
    ...options,
  };
  return context;
}
