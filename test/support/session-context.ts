/**
 * What a session needs of a server, without the server.
 */
import type { App } from '../../src/contract/app.ts';
import { Alarms } from '../../src/clock/alarms.ts';
import type { SessionContext, SessionSettings } from '../../src/session/session-context.ts';
import { FakeClock } from './fake-clock.ts';
import { recordLog } from './log-recorder.ts';

export interface TestSessionContext extends SessionContext {
  /** What has been logged. */
  readonly lines: readonly string[];
  /** Applications that have been called and have not ended. */
  inHand: number;
}

export interface TestSessionOptions extends Partial<SessionSettings> {
  readonly app?: App;
  /** What the alarms run on. */
  readonly clock?: FakeClock;
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly state?: Readonly<Record<string, unknown>>;
  readonly rootPath?: string;
  readonly shutdownSignal?: AbortSignal;
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
    alarms: new Alarms(options.clock ?? new FakeClock()),
    syncFileThreshold: 65_536,
    maxReceiveQueue: 32,
    maxWsFrameSize: 16_777_216,
    maxWsMessageSize: 16_777_216,
    wsCompression: false,
    wsPingInterval: 0,
    wsPingTimeout: 0,
    wsIdleTimeout: 0,
    sseIdleTimeout: 0,
    inHand: 0,
    sessionStarted: () => void context.inHand++,
    sessionEnded: () => void context.inHand--,
    ...options,
  };
  return context;
}
