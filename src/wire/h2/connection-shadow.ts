/**
 * What the guard knows of one connection: its streams, both ends' windows, what is left of the budgets, and the limits. Frames of the
 * peer are judged by it (frame-judge.ts), frames of node:http2 are noted in it (outbound-reader.ts).
 */
import { FloodLimits } from './flood-limits.ts';
import type { LiteralBlocks } from './literal-blocks.ts';
import { StreamShadows } from './stream-shadows.ts';
import { ReceiveWindows, SendWindows } from './windows.ts';

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

export class ConnectionShadow {
  readonly limits: GuardLimits;
  readonly streams = new StreamShadows();
  readonly floods: FloodLimits;
  /** What the server may send. */
  readonly send = new SendWindows();
  /** What the peer may send. */
  readonly receive: ReceiveWindows;
  /** Payload of the server's PING that the peer has yet to acknowledge. */
  pingOut: bigint | undefined = undefined;
  /** SETTINGS of the peer that node:http2 has yet to acknowledge. */
  settingsDue = 0;
  /** For a peer whose table is too small for the encoder of node:http2, from when it says so. */
  literals: LiteralBlocks | undefined = undefined;

  constructor(limits: GuardLimits) {
    this.limits = limits;
    this.floods = new FloodLimits(limits.rstBurst, limits.rstRate);
    this.receive = new ReceiveWindows(limits.initialWindowSize);
  }
}
