/**
 * Budgets for frames that cost the server more than they cost the peer. Each kind has a token bucket, which time refills slowly and useful
 * traffic fast: a peer that makes requests or moves DATA may send as many PING and WINDOW_UPDATE frames as go with that. Time is
 * passed in; nothing here grows.
 */
import { H2_FAULTS, type H2Fault } from './errors.ts';

export type FloodKind = 'reset' | 'ping' | 'settings' | 'priority' | 'emptyData' | 'windowUpdate' | 'unknown';

export interface Budget {
  readonly fault: H2Fault;
  /** Frames at once. */
  readonly burst: number;
  /** Frames per second in the long run. */
  readonly perSecond: number;
  /** Frames that each request, each DATA frame of the server, and each KiB of DATA allows in addition. */
  readonly perRequest: number;
  readonly perData: number;
  readonly perKiB: number;
}

/**
 * Precedents: nghttp2 answers frames that are odd but legal, and resets, with ENHANCE_YOUR_CALM beyond 1000 at once and 33 per second; Node
 * has its limiter of resets from there. Envoy ends a connection beyond 1000 control frames in its queue, 100 PRIORITY
 * for each stream, and 2 WINDOW_UPDATE for each stream and 10 for each DATA frame sent. Node allows 10 SETTINGS without
 * ACK. None of them is strict against useful traffic, and neither is this: gRPC sends a PING for each window's worth of DATA.
 */
export const BUDGETS = {
  ping: { fault: H2_FAULTS.pingFlood, burst: 1000, perSecond: 33, perRequest: 1, perData: 0, perKiB: 0.25 },
  // A client sends one, perhaps a second one; each makes every stream's window move.
  settings: {
    fault: H2_FAULTS.settingsFlood,
    burst: 100,
    perSecond: 10,
    perRequest: 0,
    perData: 0,
    perKiB: 0,
  },
  priority: {
    fault: H2_FAULTS.priorityFlood,
    burst: 1000,
    perSecond: 33,
    perRequest: 100,
    perData: 0,
    perKiB: 0,
  },
  // Envoy allows 1 in a row, Netty 2; but some clients flush with an empty frame.
  emptyData: {
    fault: H2_FAULTS.emptyDataFlood,
    burst: 1000,
    perSecond: 33,
    perRequest: 1,
    perData: 0,
    perKiB: 1,
  },
  // Plain clients send two for each DATA frame that they get, on its stream and on the connection; and node:http2 of Bun 1.4.5 cuts
  // DATA into the pieces in which its window comes back, which get smaller over time.
  windowUpdate: {
    fault: H2_FAULTS.windowUpdateFlood,
    burst: 1000,
    perSecond: 100,
    perRequest: 10,
    perData: 10,
    perKiB: 64,
  },
  unknown: {
    fault: H2_FAULTS.unknownFlood,
    burst: 1000,
    perSecond: 33,
    perRequest: 10,
    perData: 0,
    perKiB: 0,
  },
} as const satisfies Record<Exclude<FloodKind, 'reset'>, Budget>;

/** What useful traffic may save up: a client may answer at once for a large window of DATA. */
const MOST_SAVED = 100_000;

/** Useful traffic so far, counted where it passes; buckets look at it only when they are drawn from. */
class Progress {
  requests = 0;
  sentFrames = 0;
  dataBytes = 0;
}

class Bucket {
  readonly #budget: Budget;
  #tokens: number;
  #at = 0;
  /** What {@link #earned} was when last looked at. */
  #seen = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
    this.#tokens = budget.burst;
  }

  /** Whether the budget still allows one. */
  draw(now: number, progress: Progress): boolean {
    const { burst, perSecond } = this.#budget;
    if (this.#tokens < burst && now > this.#at) {
      this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond);
    }
    this.#at = now;
    const earned = this.#earned(progress);
    if (earned > this.#seen) {
      this.#tokens = Math.max(this.#tokens, Math.min(MOST_SAVED, this.#tokens + earned - this.#seen));
    }
    this.#seen = earned;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #earned({ requests, sentFrames, dataBytes }: Progress): number {
    const { perRequest, perData, perKiB } = this.#budget;
    return requests * perRequest + sentFrames * perData + (dataBytes / 1024) * perKiB;
  }
}

export class FloodLimits {
  readonly #progress = new Progress();
  readonly #resetBudget: Budget;
  /** Most connections never draw from most of them. */
  readonly #buckets: Partial<Record<FloodKind, Bucket>> = {};

  /** `rstBurst` resets at once, `rstRate` per second. */
  constructor(rstBurst: number, rstRate: number) {
    this.#resetBudget = {
      fault: H2_FAULTS.resetFlood,
      burst: rstBurst,
      perSecond: rstRate,
      perRequest: 0,
      perData: 0,
      perKiB: 0,
    };
  }

  noteRequest(): void {
    this.#progress.requests++;
  }

  noteReceivedData(size: number): void {
    this.#progress.dataBytes += size;
  }

  /**
   * DATA of the server that used up a window earns nothing for being a frame. A peer that opens the window one byte at a time
   * (CVE-2019-9511) would otherwise pay for its next WINDOW_UPDATE with the tiny frame that the last one drew.
   */
  noteSentData(size: number, hasUsedUpWindow: boolean): void {
    if (!hasUsedUpWindow) this.#progress.sentFrames++;
    this.#progress.dataBytes += size;
  }

  /** Draws one of a kind: the fault if there have been too many. */
  draw(kind: FloodKind, now: number): H2Fault | undefined {
    const budget = kind === 'reset' ? this.#resetBudget : BUDGETS[kind];
    const bucket = (this.#buckets[kind] ??= new Bucket(budget));
    return bucket.draw(now, this.#progress) ? undefined : budget.fault;
  }
}

/** Bytes of the smallest CONTINUATION that a client may use throughout for a header list of the largest size. */
const CONTINUATION_PAYLOAD = 4096;

/**
 * CONTINUATION frames of one header block: nghttp2 allows 8 (CVE-2024-28182), which its peers fill with 16 KiB each; here the
 * count grows with the header list that is allowed.
 */
export function mostContinuations(maxHeaderListSize: number): number {
  return 8 + Math.ceil(maxHeaderListSize / CONTINUATION_PAYLOAD);
}

/**
 * Bytes of one header block. A header list is larger than its encoding (32 bytes for each field are added, RFC 9113 section 6.5.2), unless an
 * encoder uses Huffman codes where they make strings longer. What is somewhat too long is left to node:http2, which counts the list
 * and resets the stream; it keeps a whole block until it ends, and this bounds that. From MOST_OF_SESSION bytes on, or the size of the
 * list if it is larger, node:http2 of Bun 1.4.5 ends the session without a word.
 */
export function mostBlockBytes(maxHeaderListSize: number): number {
  const most = Math.max(MOST_OF_SESSION, maxHeaderListSize) - ROOM;
  return Math.min(2 * maxHeaderListSize + 16_384, most);
}

const MOST_OF_SESSION = 65_536;
/** For what the guard appends to a block. */
const ROOM = 16;
