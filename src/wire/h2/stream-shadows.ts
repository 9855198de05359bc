/**
 * What the guard knows of streams: a small object for each that is not closed, the highest identifier, and of the closed ones how the
 * last few were closed. So memory is bounded by the streams that may be open at once, whatever the peer does.
 */
import type { Buffer } from 'node:buffer';

import { MAX_STREAM } from './frames.ts';
import type { StreamState } from './stream-rules.ts';

export type Closing = 'ended' | 'resetByPeer' | 'resetByServer';

const FEWEST_SLOTS = 8;

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
  /** Field lines of the request, once its header block has ended. */
  fieldLines = 0;
  /** Header blocks of the server, and the literals to send in place of some, by their number. */
  blocksSent = 0;
  literals: Buffer[] | undefined = undefined;
  /** The next one of {@link OpenStreams} in the same slot. */
  next: StreamShadow | undefined = undefined;

  constructor(id: number, initialSendWindow: number) {
    this.id = id;
    this.believed = initialSendWindow;
  }
}

/** Streams by identifier. They come and go with every request, of which a Map of Bun 1.4.5 makes hard work. */
class OpenStreams {
  /** A power of two of them, each with a chain of streams. */
  #slots: (StreamShadow | undefined)[] = Array.from({ length: FEWEST_SLOTS });
  size = 0;

  get(id: number): StreamShadow | undefined {
    let stream = this.#slots[this.#slotOf(id)];
    while (stream !== undefined && stream.id !== id) stream = stream.next;
    return stream;
  }

  *all(): Generator<StreamShadow> {
    for (const first of this.#slots)
      for (let stream = first; stream !== undefined; stream = stream.next) yield stream;
  }

  /** One that is not there. */
  add(stream: StreamShadow): void {
    if (this.size === this.#slots.length) this.#grow();
    this.size++;
    this.#link(stream);
  }

  delete(id: number): void {
    const slot = this.#slotOf(id);
    let before: StreamShadow | undefined;
    let stream = this.#slots[slot];
    while (stream !== undefined && stream.id !== id) {
      before = stream;
      stream = stream.next;
    }
    if (stream === undefined) return;
    if (before === undefined) this.#slots[slot] = stream.next;
    else before.next = stream.next;
    this.size--;
  }

  #grow(): void {
    const streams = [...this.all()];
    this.#slots = Array.from({ length: 2 * this.#slots.length });
    for (const stream of streams) this.#link(stream);
  }

  #link(stream: StreamShadow): void {
    const slot = this.#slotOf(stream.id);
    stream.next = this.#slots[slot];
    this.#slots[slot] = stream;
  }

  /** Of the streams of a client, which are odd, neighbours have different slots. */
  #slotOf(id: number): number {
    return (id >> 1) & (this.#slots.length - 1);
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
  readonly #open = new OpenStreams();
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
    return this.#open.all();
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
    this.#open.add(stream);
    return stream;
  }

  /** Also of a stream that never opened, or is closed already: the last closing counts. */
  close(id: number, closing: Closing): void {
    if (id > this.highest) this.highest = id;
    this.#open.delete(id);
    this.#recent[closing].add(id);
  }
}
