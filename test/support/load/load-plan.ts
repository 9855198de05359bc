/**
 * What a load driver is told and what it says at the end. Both cross a process boundary as JSON.
 */

/** Where to connect to. */
export type Target = { readonly hostname: string; readonly port: number } | { readonly unix: string };

/**
 * How requests travel: `h1-new` opens a connection for each, `h1-kept` sends one after another on a connection for as long as
 * the server does not say `connection: close` or closes, `h2` sends several at once on one connection until a GOAWAY.
 */
export type LaneKind = 'h1-new' | 'h1-kept' | 'h2';

/** Clients that stay, and come back when they have been sent away. */
export type GuestKind = 'sse' | 'websocket' | 'h2-sse';

export interface LoadPlan {
  readonly targets: readonly Target[];
  /** How many lanes of each kind there are at each target. */
  readonly lanes: Readonly<Partial<Record<LaneKind, number>>>;
  /** Requests at once in a lane of kind `h2`. */
  readonly streams: number;
  readonly guests: readonly GuestKind[];
  /** The load goes on until it is told to stop and at least so many requests have been sent. */
  readonly requests: number;
}

/** Why a request was not answered as it should have been. */
export type FailureCause =
  | 'refused'
  | 'reset'
  | 'closed before an answer'
  | 'closed within an answer'
  | 'bad answer'
  | 'stream reset'
  | 'timed out';

export interface Failure {
  readonly cause: FailureCause;
  readonly kind: LaneKind | GuestKind;
  /** `tcp` or `unix`. */
  readonly via: string;
  readonly lane: number;
  readonly request: number;
  /** How many answers had come on this connection before. */
  readonly earlierAnswers: number;
  /** The process that gave the last answer on this connection. */
  readonly pid: number | undefined;
  readonly detail: string;
  /** Milliseconds since the start of the load. */
  readonly at: number;
}

/** How a client that stays was sent away. */
export interface Departure {
  readonly kind: GuestKind;
  readonly via: string;
  readonly pid: number | undefined;
  /** `whole`: a stream with its end; `close 1001`: a close frame and its code; otherwise what went wrong. */
  readonly how: string;
}

export interface LoadSummary {
  readonly sent: number;
  readonly answered: number;
  /** Streams above the last one of a GOAWAY, which were sent on another connection (RFC 9113 section 6.8). */
  readonly sentAgain: number;
  readonly connections: number;
  readonly failed: number;
  /** The first hundred. */
  readonly failures: readonly Failure[];
  /** By kind and way, such as `h1-new tcp`. */
  readonly answers: Readonly<Record<string, number>>;
  /** How many answers each process gave. */
  readonly pids: Readonly<Record<string, number>>;
  readonly departures: readonly Departure[];
  /** Messages that clients that stay have received, by kind and way. */
  readonly messages: Readonly<Record<string, number>>;
  readonly slowest: { readonly milliseconds: number; readonly kind: string };
  readonly seconds: number;
}

/** What the driver writes to stdout, one JSON object a line. */
export type LoadMessage =
  | { readonly type: 'attached' }
  | { readonly type: 'progress'; readonly answered: number; readonly failed: number }
  | { readonly type: 'summary'; readonly summary: LoadSummary };

/** `tcp` or `unix`. */
export function wayOf(target: Target): string {
  return 'unix' in target ? 'unix' : 'tcp';
}
