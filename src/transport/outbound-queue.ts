/**
 * What a connection has to send and the kernel has not yet taken. `put` only queues; `flush` offers everything to
 * the socket in as few writes as possible. What the kernel refuses waits for `drained`. Watermarks have hysteresis: above the high
 * one writers wait, and they go on below the low one.
 */
import { Buffer } from 'node:buffer';

/** The writing half of a socket. */
export interface Sink {
  /**
   * Offers bytes, the first `size` of them where that is given, a string being one byte per char code; answers how many
   * were taken, negative when the socket is closed.
   */
  write(data: Uint8Array | string, size?: number): number;
}

export interface Watermarks {
  /** Bytes. */
  readonly writeHighWatermark: number;
  /** Bytes, at most the high one. */
  readonly writeLowWatermark: number;
}

type Listener = () => void;

/** Pieces up to this many bytes together are gathered into one write; copying them costs less than a system call. */
const GATHER_LIMIT = 128 * 1024;
/** Byte pieces up to this size are appended to the text before them; larger ones cost less gathered as bytes. */
const TEXT_LIMIT = 64;

type Latin1Buffer = Buffer & {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number, length: number): number;
};

const gatherBuffer = Buffer.allocUnsafeSlow(GATHER_LIMIT) as Latin1Buffer;

export class OutboundQueue {
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  /** Where bytes go: whoever serves the connection at the moment. */
  sink: Sink;
  /**
   * Not offered yet, behind `#pieces`: a byte string, so that heads and small bodies leave as one write. What follows the
   * first text stays apart: most often it is all that follows, and putting strings together costs more than copying two.
   */
  #text = '';
  #tail = '';
  #pieces: (Uint8Array | string)[] = [];
  #piecesSize = 0;
  /** So many pieces at the front are no one else's, and cannot change any more. */
  #ownedCount = 0;
  /** The kernel refused bytes; `drained` will tell when to go on. */
  #isBlocked = false;
  #isOver = false;
  #isClosed = false;
  #waiters: Listener[] = [];
  #emptyWaiters: Listener[] = [];
  #highListeners: Set<Listener> | undefined;
  #drainListeners: Set<Listener> | undefined;

  constructor(sink: Sink, watermarks: Watermarks) {
    this.sink = sink;
    this.highWaterMark = watermarks.writeHighWatermark;
    this.lowWaterMark = watermarks.writeLowWatermark;
  }

  /** Bytes queued and not yet handed to the kernel. */
  get bufferedAmount(): number {
    return this.#piecesSize + this.#text.length + this.#tail.length;
  }

  /** Whether the kernel has refused bytes that are still here. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Queues a byte string. */
  putText(text: string): void {
    if (this.#isClosed) return;
    if (this.#text === '') this.#text = text;
    else this.#tail = this.#tail === '' ? text : this.#tail + text;
  }

  /** Queues bytes. They must not change until they are flushed and {@link settle} resolves, or {@link own} is called. */
  putBytes(bytes: Uint8Array): void {
    if (this.#isClosed || bytes.length === 0) return;
    if (bytes.length <= TEXT_LIMIT) {
      gatherBuffer.set(bytes, 0);
      this.putText(gatherBuffer.latin1Slice(0, bytes.length));
      return;
    }
    this.#sealText();
    this.#pieces.push(bytes);
    this.#piecesSize += bytes.length;
  }

  /** Offers everything to the kernel, unless it has refused bytes and not asked for more since. */
  flush(): void {
    if (this.#isClosed) return;
    if (this.#isBlocked) {
      this.#sealText();
    } else if (this.#pieces.length > 0) {
      this.#sealText();
      this.#writePieces();
    } else if (this.#text !== '') {
      this.#writeText();
    } else return;
    this.#judge();
  }

  /** The socket can take bytes again. */
  drained(): void {
    this.#isBlocked = false;
    this.flush();
  }

  /** Undefined below the high-water mark, else a promise that resolves below the low one, or when the socket closes. */
  settle(): Promise<void> | undefined {
    if (!this.#isOver || this.#isClosed) return undefined;
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Undefined when nothing is left, else a promise that resolves when nothing is left or the socket closes. */
  emptied(): Promise<void> | undefined {
    if (!this.#isBlocked || this.#isClosed) return undefined;
    return new Promise((resolve) => this.#emptyWaiters.push(resolve));
  }

  /** Copies what is queued and not copied yet: from here on whoever queued it may change it. */
  own(): void {
    const pieces = this.#pieces;
    for (let i = this.#ownedCount; i < pieces.length; i++) {
      const piece = pieces[i]!;
      if (typeof piece !== 'string') pieces[i] = Buffer.from(piece);
    }
    this.#ownedCount = pieces.length;
  }

  /** The socket is gone: lets go of everything, and of everyone who waits. */
  close(): void {
    this.#isClosed = true;
    this.#text = '';
    this.#tail = '';
    this.#pieces = [];
    this.#piecesSize = 0;
    this.#ownedCount = 0;
    this.#isBlocked = false;
    this.#release(this.#waiters);
    this.#release(this.#emptyWaiters);
    this.forgetListeners();
  }

  /** Calls back at each rise past the high-water mark, at once if already above. Returns what unregisters it. */
  onHighWater(callback: Listener): () => void {
    const listeners = (this.#highListeners ??= new Set());
    const listener = (): void => callback();
    listeners.add(listener);
    if (this.#isOver) listener();
    return () => void listeners.delete(listener);
  }

  /** Calls back at each fall below the low-water mark after a rise past the high one. Returns what unregisters it. */
  onDrain(callback: Listener): () => void {
    const listeners = (this.#drainListeners ??= new Set());
    const listener = (): void => callback();
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Those who listened belonged to a response that is over. */
  forgetListeners(): void {
    this.#highListeners = undefined;
    this.#drainListeners = undefined;
  }

  #sealText(): void {
    if (this.#text === '') return;
    const text = this.#tail === '' ? this.#text : this.#text + this.#tail;
    this.#pieces.push(text);
    this.#piecesSize += text.length;
    this.#text = '';
    this.#tail = '';
  }

  #writeText(): void {
    const text = this.#text;
    const tail = this.#tail;
    this.#text = '';
    this.#tail = '';
    const size = text.length + tail.length;
    const taken = tail === '' ? this.sink.write(text) : this.#writeTwo(text, tail);
    if (taken === size) return;
    this.#isBlocked = true;
    const rest = Buffer.from((text + tail).slice(Math.max(0, taken)), 'latin1');
    this.#pieces.push(rest);
    this.#piecesSize = rest.length;
    this.#ownedCount = 1;
  }

  #writeTwo(text: string, tail: string): number {
    const { length } = text;
    const size = length + tail.length;
    if (size > GATHER_LIMIT) return this.sink.write(text + tail);
    gatherBuffer.latin1Write(text, 0, length);
    gatherBuffer.latin1Write(tail, length, tail.length);
    return this.sink.write(gatherBuffer, size);
  }

  #writePieces(): void {
    for (let first = this.#pieces[0]; first !== undefined; first = this.#pieces[0]) {
      const gathered = this.#gather();
      const offered = gathered === 0 ? first.length : gathered;
      const taken = gathered === 0 ? this.sink.write(first) : this.sink.write(gatherBuffer, gathered);
      this.#drop(Math.max(0, taken));
      if (taken < offered) {
        this.#isBlocked = true;
        return;
      }
    }
  }

  /** Copies the first few pieces together, and answers how many bytes they are; 0 where the first should go alone. */
  #gather(): number {
    const first = this.#pieces[0]!;
    const second = this.#pieces[1];
    if (second === undefined || first.length + second.length > GATHER_LIMIT) return 0;
    let size = 0;
    for (const piece of this.#pieces) {
      if (size + piece.length > GATHER_LIMIT) break;
      if (typeof piece === 'string') gatherBuffer.latin1Write(piece, size, piece.length);
      else gatherBuffer.set(piece, size);
      size += piece.length;
    }
    return size;
  }

  /** Removes `count` bytes from the front; views are taken of what is left, never copies of large pieces. */
  #drop(count: number): void {
    this.#piecesSize -= count;
    let whole = 0;
    let left = count;
    while (left > 0) {
      const piece = this.#pieces[whole]!;
      if (piece.length <= left) {
        left -= piece.length;
        whole++;
      } else {
        this.#pieces[whole] = typeof piece === 'string' ? piece.slice(left) : piece.subarray(left);
        left = 0;
      }
    }
    if (whole === 0) return;
    this.#pieces.splice(0, whole);
    this.#ownedCount = Math.max(0, this.#ownedCount - whole);
  }

  /** Compares the backlog with the watermarks and tells those who wait. */
  #judge(): void {
    const amount = this.#piecesSize;
    if (!this.#isOver) {
      if (amount > this.highWaterMark) {
        this.#isOver = true;
        this.#notify(this.#highListeners);
      } else if (amount > 0) {
        this.own();
      }
    } else if (amount <= this.lowWaterMark) {
      // From here on the writer believes its bytes to be sent, and may change them.
      this.own();
      this.#isOver = false;
      this.#release(this.#waiters);
      this.#notify(this.#drainListeners);
    }
    if (amount === 0 && this.#emptyWaiters.length > 0) this.#release(this.#emptyWaiters);
  }

  #release(waiters: Listener[]): void {
    for (const resolve of waiters.splice(0)) resolve();
  }

  #notify(listeners: Set<Listener> | undefined): void {
    if (listeners === undefined) return;
    // A copy: whoever is called may register or unregister.
    for (const listener of Array.from(listeners)) listener();
  }
}
