/**
 * The guard in the byte path between an HTTP/2 peer and node:http2. (Skeleton: passes everything on.)
 */
import type { Buffer } from 'node:buffer';

import type { H2Fault } from './errors.ts';

export interface GuardLimits {
  /** SETTINGS_MAX_FRAME_SIZE as announced, in bytes. */
  readonly maxFrameSize: number;
  readonly maxConcurrentStreams: number;
  /** SETTINGS_INITIAL_WINDOW_SIZE as announced, in bytes. */
  readonly initialWindowSize: number;
  /** In bytes. */
  readonly maxHeaderListSize: number;
  /** Resets that a peer may cause at once. */
  readonly rstBurst: number;
  /** Resets per second that it may cause in the long run. */
  readonly rstRate: number;
}

export interface GuardVerdict {
  readonly passed: readonly Buffer[];
  readonly replies: readonly Buffer[];
  readonly fault: H2Fault | undefined;
}

export class FrameGuard {
  constructor(limits: GuardLimits) {
    void limits;
  }

  /** Highest stream id of the peer that was passed on. */
  get lastStreamId(): number {
    return 0;
  }

  inbound(chunk: Buffer, now: number): GuardVerdict {
    void now;
    return { passed: [chunk], replies: [], fault: undefined };
  }

  outbound(chunk: Buffer, now: number): GuardVerdict | undefined {
    void chunk;
    void now;
    return undefined;
  }
}
