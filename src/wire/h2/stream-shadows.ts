/**
 * What the guard knows of streams: a small object for each that is not closed, the highest identifier, and of the closed ones how the
 * last few were closed. So memory is bounded by the streams that may be open at once, whatever the peer does.
 */
import { MAX_STREAM } from './frames.ts';
import type { StreamState } from './stream-rules.ts';

export type Closing = 'ended' | 'resetByPeer' | 'resetByServer';

export class StreamShadow {
  readonly id: number;
  /** The peer has sent END_STREAM. */
  isEndedByPeer = false;
  /** The server has sent END_STREAM. */
  isEndedByServer = false;
  /** WINDOW_UPDATE of the server minus DATA of the peer: the peer may send this and the initial window. */
  receiveCredit = 0;
  /** All of the peer's WINDOW_UPDATE. */
  granted = 0;
  /** What node:http2 believes it may send in all, the initial window included. */
  believed: number;
  /** DATA of the server. */
  sent = 0;

  constructor(id: number, initialSendWindow: number) {
    this.id = id;
    this.believed = initialSendWindow;
  }
}

/** The last few of a kind of stream. */
class RecentIds {
  readonly #size: number;
  #ids: Uint32Array | undefined;
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(id: number): void {
    this.#ids ??= new Uint32Array(this.#size);
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % this.#size;
  }

  has(id: number): boolean {
    return this.#ids?.includes(id) === true;
  }
}

/**
 * How many closed streams are remembered. Of those that the server has reset many, because the peer's frames may go on for a round trip,
 * in which other streams come and go; of the others a few, since only a faulty peer sends on them.
 */
const REMEMBERED = { ended: 64, resetByPeer: 64, resetByServer: 256 } as const;

export class StreamShadows {
  readonly #open = new Map<number, StreamShadow>();
  readonly #recent = {
    ended: new RecentIds(REMEMBERED.ended),
    resetByPeer: new RecentIds(REMEMBERED.resetByPeer),
    resetByServer: new RecentIds(REMEMBERED.resetByServer),
  };
  /** The highest stream that the peer has used. */
  highest = 0;
  /** What the server's GOAWAY said: higher ones are not served any more. */
  lastServed = MAX_STREAM;

  get openCount(): number {
    return this.#open.size;
  }

  get(id: number): StreamShadow | undefined {
    return this.#open.get(id);
  }

  all(): Iterable<StreamShadow> {
    return this.#open.values();
  }

  /** Of a stream that {@link get} does not know. */
  stateOfOther(id: number): StreamState {
    if (id > this.highest || (id & 1) === 0) return 'idle';
    if (this.#recent.resetByServer.has(id)) return 'resetByServer';
    if (this.#recent.ended.has(id)) return 'ended';
    return this.#recent.resetByPeer.has(id) ? 'resetByPeer' : 'forgotten';
  }

  open(id: number, initialSendWindow: number): StreamShadow {
    const stream = new StreamShadow(id, initialSendWindow);
    this.highest = id;
    this.#open.set(id, stream);
    return stream;
  }

  /** Also of a stream that never opened, or is closed already: the last closing counts. */
  close(id: number, closing: Closing): void {
    if (id > this.highest) this.highest = id;
    this.#open.delete(id);
    this.#recent[closing].add(id);
  }
}
