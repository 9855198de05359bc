/**
 * What every session of a server shares.
 */
import type { App } from '../contract/app.ts';
import type { Alarms } from '../clock/alarms.ts';
import type { Logger } from '../log/logger.ts';
import type { WebSocketLimits } from '../wire/websocket/message-reader.ts';
import type { ScopeContext } from './scope.ts';

/** What sessions need of the settings. Seconds are off at 0. */
export interface SessionSettings extends WebSocketLimits {
  /** Bytes: files smaller than this are read in one go. */
  readonly syncFileThreshold: number;
  /** WebSocket messages that may wait for the application. */
  readonly maxReceiveQueue: number;
  /** Whether permessage-deflate may be negotiated. */
  readonly wsCompression: boolean;
  /** Seconds between pings, and until a pong is missed. */
  readonly wsPingInterval: number;
  readonly wsPingTimeout: number;
  /** Seconds without a message either way. */
  readonly wsIdleTimeout: number;
  /** Seconds without anything sent. */
  readonly sseIdleTimeout: number;
}

export interface SessionContext extends ScopeContext, SessionSettings {
  readonly app: App;
  readonly log: Logger;
  readonly alarms: Alarms;
  /** One application call begins, and later ends: returned or thrown, whatever became of its response. */
  sessionStarted(): void;
  sessionEnded(): void;
}
