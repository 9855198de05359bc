/**
 * Every deadline of a connection, as one table. Connections only note facts (what they wait for, since when, when
 * bytes last moved); a sweep a few times a second compares them with the table. Its clock does not run while the
 * process is busy elsewhere, so an application that blocks never times out clients whose bytes wait unread.
 */
import type { Clock, Timer } from '../clock/clock.ts';

/** Seconds; 0 turns a deadline off. */
export interface DeadlineSettings {
  /** Idle: before a first byte, and between requests. */
  readonly timeout: number;
  /** A TLS handshake, from the connection on. */
  readonly handshakeTimeout: number;
  /** A whole request head, from its first byte. */
  readonly headerTimeout: number;
  /** No progress of a request body that is waited for. */
  readonly bodyTimeout: number;
  /** No byte either way during a request. */
  readonly requestTimeout: number;
  /** Queued bytes and no progress. */
  readonly writeTimeout: number;
}

/**
 * What a connection is doing, as far as deadlines are concerned. A stream of events and a tunnel may be quiet for as long
 * as they like: how long is for their sessions to say.
 */
export type Phase =
  | 'handshake'
  | 'idle'
  | 'head'
  | 'request'
  | 'stream'
  | 'tunnel'
  | 'draining'
  | 'closing'
  | 'lingering'
  | 'closed';

/** The facts that the table looks at; times are those of {@link Deadlines.now}. */
export interface Watched {
  readonly phase: Phase;
  readonly phaseSince: number;
  readonly lastReceived: number;
  readonly lastSent: number;
  /** Since when the application has been waiting for body bytes that have not arrived: see {@link noteWait}. */
  readonly awaitsBodySince: number | undefined;
  readonly hasBacklog: boolean;
  /** Called before each look at the table: applications begin to wait at any time, without a word to the connection. */
  noteWait?(now: number): void;
  expire(deadline: DeadlineName): void;
}

/** Something that is watched, maybe through another that stands for it at the moment. */
export interface Watchable {
  readonly watched: Watched;
  /** Its place among the watched, -1 when it is not; kept by {@link Deadlines} alone. */
  watchIndex: number;
}

export type DeadlineName = 'handshake' | 'idle' | 'head' | 'body' | 'drain' | 'stall' | 'write' | 'linger';

interface DeadlineRow {
  readonly name: DeadlineName;
  readonly phases: readonly Phase[];
  /** When the wait began, or undefined while there is nothing to wait for. */
  readonly since: (watched: Watched) => number | undefined;
  readonly seconds: (settings: DeadlineSettings) => number;
}

/** How long a peer may go on sending what nobody is going to read, before and after the last response. */
const DRAIN_SECONDS = 5;
const LINGER_SECONDS = 10;
/**
 * At a shutdown, how long a client that has been heard of lately may take to send the request that is on its way, or to answer
 * our PING: several round trips of the slowest networks. Precedents: keepalive_min_timeout of nginx, which is off, and drain_timeout of
 * Envoy, which lets five seconds pass between the two GOAWAY of any connection.
 */
export const GRACE_SECONDS = 1;

const DEADLINES: readonly DeadlineRow[] = [
  {
    name: 'handshake',
    phases: ['handshake'],
    since: (it) => it.phaseSince,
    seconds: (it) => it.handshakeTimeout,
  },
  { name: 'idle', phases: ['idle'], since: (it) => it.phaseSince, seconds: (it) => it.timeout },
  { name: 'head', phases: ['head'], since: (it) => it.phaseSince, seconds: (it) => it.headerTimeout },
  {
    name: 'body',
    phases: ['request', 'stream'],
    since: (it) =>
      it.awaitsBodySince === undefined ? undefined : Math.max(it.awaitsBodySince, it.lastReceived),
    seconds: (it) => it.bodyTimeout,
  },
  {
    name: 'drain',
    phases: ['draining'],
    since: (it) => Math.max(it.phaseSince, it.lastReceived),
    seconds: () => DRAIN_SECONDS,
  },
  {
    name: 'stall',
    phases: ['request'],
    since: (it) => Math.max(it.phaseSince, it.lastReceived, it.lastSent),
    seconds: (it) => it.requestTimeout,
  },
  {
    name: 'write',
    phases: ['idle', 'head', 'request', 'stream', 'tunnel', 'draining', 'closing'],
    since: (it) => (it.hasBacklog ? it.lastSent : undefined),
    seconds: (it) => it.writeTimeout,
  },
  { name: 'linger', phases: ['lingering'], since: (it) => it.phaseSince, seconds: () => LINGER_SECONDS },
];

/** Milliseconds between sweeps: an eighth of the shortest deadline, within these bounds. */
const MIN_INTERVAL = 10;
const MAX_INTERVAL = 500;

export class Deadlines<Member extends Watchable = Watchable> {
  /** Milliseconds; advances with each sweep, and when watching begins again, and stands still in between. */
  now = 0;
  #settings: DeadlineSettings;
  readonly #clock: Clock;
  #interval: number;
  /** An array, and each member knows its place: a Set would take more memory than some members do. */
  readonly #watched: Member[] = [];
  #timer: Timer | undefined;
  #lastSweep = 0;
  /** When the drain began, and how far apart sweeps were until then. */
  #drainedSince = -Infinity;
  #intervalBefore = 0;

  constructor(settings: DeadlineSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#interval = intervalFor(settings);
  }

  get size(): number {
    return this.#watched.length;
  }

  /** All that is watched now; closing them while going through them is safe. */
  members(): Member[] {
    return [...this.#watched];
  }

  /** Sweeps while there is something to watch. */
  watch(member: Member): void {
    if (member.watchIndex >= 0) return;
    member.watchIndex = this.#watched.push(member) - 1;
    if (this.#timer !== undefined) return;
    this.#lastSweep = this.#clock.now();
    this.now += 1;
    this.#start();
  }

  /** Graceful shutdown: from here on who has nothing in hand has no more than the grace, and who had none left ends now. */
  drain(): void {
    const { timeout, handshakeTimeout } = this.#settings;
    const atMost = (seconds: number): number => Math.min(seconds || Infinity, GRACE_SECONDS);
    this.#settings = {
      ...this.#settings,
      timeout: atMost(timeout),
      handshakeTimeout: atMost(handshakeTimeout),
    };
    this.#advance();
    this.#drainedSince = this.now;
    this.#intervalBefore = this.#interval;
    this.#interval = intervalFor(this.#settings);
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#start();
    this.#judgeAll();
  }

  #start(): void {
    this.#timer = this.#clock.every(this.#interval, () => this.#sweep());
  }

  unwatch(member: Member): void {
    const index = member.watchIndex;
    if (index < 0) return;
    member.watchIndex = -1;
    const last = this.#watched.pop()!;
    if (last !== member) {
      this.#watched[index] = last;
      last.watchIndex = index;
    }
    if (this.#watched.length > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #sweep(): void {
    this.#advance();
    this.#judgeAll();
  }

  #advance(): void {
    const time = this.#clock.now();
    // A sweep that comes late means that the event loop was blocked: that time is not the clients' fault. More than one
    // interval would time out too early what was noted just before the sweep.
    this.now += Math.min(time - this.#lastSweep, this.#interval);
    this.#lastSweep = time;
  }

  #judgeAll(): void {
    for (const member of this.members()) this.#judge(member.watched);
  }

  #judge(watched: Watched): void {
    watched.noteWait?.(this.now);
    for (const row of DEADLINES) {
      const limit = row.seconds(this.#settings) * 1000;
      if (limit === 0 || !row.phases.includes(watched.phase)) continue;
      const since = row.since(watched);
      if (since !== undefined && this.now - this.#latest(since) >= limit) return watched.expire(row.name);
    }
  }

  /** What is noted may be up to one interval older than the moment that it stands for. */
  #latest(since: number): number {
    if (since >= this.#drainedSince) return since + this.#interval;
    return Math.min(since + this.#intervalBefore, this.#drainedSince);
  }
}

function intervalFor(settings: DeadlineSettings): number {
  const shortest = Math.min(...DEADLINES.map((row) => row.seconds(settings) || Infinity));
  return Math.min(MAX_INTERVAL, Math.max(MIN_INTERVAL, (shortest * 1000) / 8));
}
