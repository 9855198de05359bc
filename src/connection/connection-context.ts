/**
 * What the connections of a server have in common.
 */
import type { Logger } from '../log/logger.ts';
import type { DefaultHeaders } from '../session/default-headers.ts';
import type { Peer, RequestHead } from '../session/exchange.ts';
import type { SessionContext } from '../session/session-context.ts';
import type { Watermarks } from '../transport/outbound-queue.ts';
import type { H1Limits } from '../wire/h1/h1-reader.ts';
import type { CarrierPool } from './carrier-pool.ts';
import type { Connection } from './connection.ts';
import type { Deadlines, DeadlineSettings } from './deadlines.ts';
import type { H2Exchange } from './h2-exchange.ts';
import type { H2Service, H2Settings } from './h2-service.ts';

export type ConnectionSettings = H1Limits & H2Settings & Watermarks & DeadlineSettings;

/** A request that has come to its end, for the access log. */
export interface FinishedRequest {
  /** Absent where the request could not be read. */
  readonly head: RequestHead | undefined;
  readonly peer: Peer;
  /** Of the response; 0 where none was begun. */
  readonly status: number;
  /** Content bytes handed over. */
  readonly bytes: number;
  /** Wall time in milliseconds when the head was complete, and how long it took from there. */
  readonly time: number;
  readonly duration: number;
  readonly responseHeaders: readonly (readonly [name: string, value: string])[];
}

/** What a carrier needs. */
export interface CarrierContext {
  readonly settings: ConnectionSettings;
  readonly session: SessionContext;
  readonly defaults: DefaultHeaders;
  readonly deadlines: Deadlines<Connection>;
  /** Those of single streams. */
  readonly streamDeadlines: Deadlines<H2Exchange>;
  readonly log: Logger;
  /** Whether no connection is to be kept alive any more. */
  isDraining(): boolean;
  /** Whether one more request may be taken in hand; otherwise it is answered with 503. */
  admitsRequest(): boolean;
  /** Undefined where nobody wants to know, so that nothing is measured. */
  readonly requestFinished: ((request: FinishedRequest) => void) | undefined;
}

/** What every connection shares. */
export interface ConnectionContext extends CarrierContext {
  readonly carriers: CarrierPool;
  /** Undefined where HTTP/2 is not served. */
  readonly h2: H2Service | undefined;
}
