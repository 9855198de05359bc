/**
 * Flow control as both ends see it (RFC 9113 sections 5.2 and 6.9). Of what the server may send, node:http2 has a view of its own, which is
 * kept right by changing the WINDOW_UPDATE frames that it gets to see; of what the peer may send, it checks nothing.
 */
import type { Buffer } from 'node:buffer';

import { H2_FAULTS, type H2Fault } from './errors.ts';
import { DEFAULT_WINDOW, MAX_WINDOW, windowUpdateFrame } from './frames.ts';
import type { StreamShadow, StreamShadows } from './stream-shadows.ts';

/** What the server may send. */
export class SendWindows {
  /** SETTINGS_INITIAL_WINDOW_SIZE of the peer. */
  initial = DEFAULT_WINDOW;
  #connection = DEFAULT_WINDOW;
  /** By how much the windows have grown in the last chunk of the peer: of the connection, and of streams by identifier. */
  #fresh = 0;
  readonly #freshOn = new Map<number, number>();

  /** Bytes of the peer have come, which node:http2 sees once all of their frames have been judged. */
  beginChunk(): void {
    this.#fresh = 0;
    if (this.#freshOn.size > 0) this.#freshOn.clear();
  }

  /**
   * Whether the frame may have been cut short by a window. What has been granted in the last chunk does not count: node:http2 takes one
   * increment after the other, and sends a frame for each though the next one is here already.
   */
  noteSent(size: number, stream: StreamShadow | undefined): boolean {
    this.#connection -= size;
    if (stream === undefined) return true;
    stream.sent += size;
    const fresh = this.#freshOn.size === 0 ? 0 : (this.#freshOn.get(stream.id) ?? 0);
    return this.#connection <= this.#fresh || this.initial + stream.granted - fresh <= stream.sent;
  }

  /** Section 6.9.1: a WINDOW_UPDATE for the connection. */
  grow(increment: number): H2Fault | undefined {
    this.#connection += increment;
    this.#fresh += increment;
    return this.#connection > MAX_WINDOW ? H2_FAULTS.windowOverflow : undefined;
  }

  /** A WINDOW_UPDATE for a stream: the fault, or by how much node:http2 may be told that it grew. */
  growStream(stream: StreamShadow, increment: number): H2Fault | number {
    stream.granted += increment;
    this.#freshOn.set(stream.id, (this.#freshOn.get(stream.id) ?? 0) + increment);
    const allowed = this.initial + stream.granted;
    if (allowed - stream.sent > MAX_WINDOW) return H2_FAULTS.streamWindowOverflow;
    return raiseBelief(stream, allowed);
  }

  /**
   * Section 6.9.2: a new initial size moves every stream's window by the difference, below 0 too. node:http2 as of Bun 1.4.5
   * raises what a stream may send in all to the new size if it was lower, and does no more: after a lower size it believes in too large
   * a window, and so later increments are kept back from it; after a higher one it has forgotten earlier increments, and so
   * `corrections` must follow the SETTINGS.
   */
  setInitial(size: number, streams: StreamShadows, corrections: Buffer[]): H2Fault | undefined {
    if (size === this.initial) return undefined;
    this.initial = size;
    for (const stream of streams.all()) {
      const allowed = size + stream.granted;
      if (allowed - stream.sent > MAX_WINDOW) return H2_FAULTS.windowOverflow;
      stream.believed = Math.max(stream.believed, size);
      const missing = raiseBelief(stream, allowed);
      if (missing > 0) corrections.push(windowUpdateFrame(stream.id, missing));
    }
    return undefined;
  }
}

function raiseBelief(stream: StreamShadow, allowed: number): number {
  const missing = allowed - stream.believed;
  if (missing <= 0) return 0;
  stream.believed = allowed;
  return missing;
}

/** From this many discarded bytes on they are given back to the connection's window; a frame for each would be an amplifier. */
const WORTH_GIVING_BACK = 8192;

/** What the peer may send. */
export class ReceiveWindows {
  /** The largest initial size that the peer may believe in. */
  #initial: number;
  /** Initial sizes in SETTINGS frames of the server that the peer has not acknowledged. */
  readonly #announced: (number | undefined)[] = [];
  #acknowledged = DEFAULT_WINDOW;
  #connection = DEFAULT_WINDOW;
  #discarded = 0;

  /** `initialSize` will be in the server's first SETTINGS, which it may already have sent. */
  constructor(initialSize: number) {
    this.#initial = Math.max(DEFAULT_WINDOW, initialSize);
  }

  get unacknowledged(): number {
    return this.#announced.length;
  }

  noteAnnounced(initialSize: number | undefined): void {
    this.#announced.push(initialSize);
    if (initialSize !== undefined) this.#initial = Math.max(this.#initial, initialSize);
  }

  noteAcknowledged(): void {
    this.#acknowledged = this.#announced.shift() ?? this.#acknowledged;
    this.#initial = this.#announced.reduce<number>(
      (most, size) => Math.max(most, size ?? 0),
      this.#acknowledged,
    );
  }

  noteGranted(increment: number, stream: StreamShadow | undefined): void {
    if (stream === undefined) this.#connection += increment;
    else stream.receiveCredit += increment;
  }

  /** A DATA frame, its padding included (section 6.9.1). */
  receive(size: number): H2Fault | undefined {
    this.#connection -= size;
    return this.#connection < 0 ? H2_FAULTS.windowExceeded : undefined;
  }

  receiveOn(stream: StreamShadow, size: number): H2Fault | undefined {
    stream.receiveCredit -= size;
    return this.#initial + stream.receiveCredit < 0 ? H2_FAULTS.streamWindowExceeded : undefined;
  }

  /**
   * Section 5.1: DATA that is ignored counts for the connection's window. node:http2 does not see it, so the guard gives it
   * back: the increment for a WINDOW_UPDATE, or 0 while it is not worth one.
   */
  discard(size: number): number {
    this.#discarded += size;
    if (this.#discarded < WORTH_GIVING_BACK) return 0;
    const increment = this.#discarded;
    this.#discarded = 0;
    this.#connection += increment;
    return increment;
  }
}
