/**
 * Stands in the byte path between an HTTP/2 peer and node:http2, which does HPACK, streams and flow control, and lets through much that RFC
 * 9113 forbids. The guard cuts the bytes into frames, has each judged by its header and first payload bytes, and passes on
 * what node:http2 may see; no frame is kept whole, and frames that lie in one chunk are not copied. Its verdicts do not depend on how the
 * bytes are cut.
 */
import { Buffer } from 'node:buffer';

import { ConnectionShadow, type GuardLimits } from './connection-shadow.ts';
import { H2_FAULTS, H2Fault } from './errors.ts';
import { FrameHead } from './frame-head.ts';
import { FrameJudge } from './frame-judge.ts';
import { FRAME, HEADER_SIZE, MAX_SETTINGS_SIZE, PREFACE } from './frames.ts';
import type { LiteralBlocks } from './literal-blocks.ts';
import { OutboundReader } from './outbound-reader.ts';
import { PassedBytes } from './passed-bytes.ts';

export type { GuardLimits } from './connection-shadow.ts';

export interface GuardVerdict {
  /** What node:http2 may see, in order. Pieces of the chunk, which may have been changed where they lie, and frames put in. */
  readonly passed: readonly Buffer[];
  /** Frames for the peer, to be written before node:http2 gets what is passed. */
  readonly replies: readonly Buffer[];
  /** A connection error: GOAWAY says so, the connection ends, nothing more is read. */
  readonly fault: H2Fault | undefined;
}

const NOTHING: readonly Buffer[] = [];

export class FrameGuard {
  readonly #shadow: ConnectionShadow;
  readonly #judge: FrameJudge;
  readonly #outbound: OutboundReader;
  readonly #frame = new FrameHead();
  readonly #passed = new PassedBytes();
  /** Bytes of the preface that have arrived. */
  #prefaceLength = 0;
  /** Bytes of the frame under way that are still to come, and whether they go on. */
  #rest = 0;
  #isPassing = false;
  /** The beginning of a frame that cannot be judged yet. */
  #held: Buffer | undefined;
  #heldLength = 0;
  #fault: H2Fault | undefined;
  /** How far a header block is well-formed. */
  #stop = 0;

  constructor(limits: GuardLimits) {
    this.#shadow = new ConnectionShadow(limits);
    this.#judge = new FrameJudge(this.#shadow);
    this.#outbound = new OutboundReader(this.#shadow);
  }

  /** For GOAWAY: the highest stream of the peer that node:http2 may have seen, and never more than was said before. */
  get lastStreamId(): number {
    const { highest, lastServed } = this.#shadow.streams;
    return Math.min(highest, lastServed);
  }

  /** Whether a PING of the server is out that the peer has not acknowledged. */
  get awaitsPing(): boolean {
    return this.#shadow.pingOut !== undefined;
  }

  /** For header blocks that the peer cannot have from node:http2; most peers can. */
  get literals(): LiteralBlocks | undefined {
    return this.#shadow.literals;
  }

  /** Whether the request on a stream had other than `count` field lines: node:http2 of Bun 1.4.5 drops some that are malformed. */
  hasDropped(id: number | undefined, count: number): boolean {
    const stream = id === undefined ? undefined : this.#shadow.streams.get(id);
    return stream !== undefined && stream.fieldLines !== count;
  }

  /** Bytes kept until more arrive; never more than a SETTINGS frame may have. */
  get heldBytes(): number {
    return this.#held === undefined ? 0 : this.#heldLength;
  }

  /** Whether a header block has begun and not ended: until it does, nothing else can come. */
  get isInsideHeaderBlock(): boolean {
    const { type } = this.#frame;
    const isPartOfOne = type === FRAME.headers || type === FRAME.continuation;
    return this.#judge.isInsideHeaderBlock || (isPartOfOne && this.#rest > 0);
  }

  /** Whether node:http2 has seen the beginning of a frame or of a header block and not its end: nothing can be put in there. */
  get isInsideFrame(): boolean {
    return (this.#rest > 0 && this.#isPassing) || this.isInsideHeaderBlock;
  }

  /** Takes bytes from the peer; the buffer may be changed. `now` is in milliseconds and never goes back. */
  inbound(chunk: Buffer, now: number): GuardVerdict {
    if (this.#fault !== undefined) return { passed: NOTHING, replies: NOTHING, fault: this.#fault };
    const end = chunk.length;
    this.#shadow.send.beginChunk();
    this.#passed.begin(chunk);
    let at = this.#prefaceLength < PREFACE.length ? this.#readPreface(chunk) : 0;
    while (at < end && this.#fault === undefined) {
      if (this.#rest > 0) at = this.#readRest(chunk, at);
      else if (this.#held !== undefined) at = this.#fillHeld(chunk, at, now);
      else at = this.#readFrame(chunk, at, now);
    }
    const { replies } = this.#judge;
    return {
      passed: this.#passed.take(),
      replies: replies.length > 0 ? replies.splice(0) : NOTHING,
      fault: this.#fault,
    };
  }

  /** Notes bytes that node:http2 sends; a verdict is a fault of the peer, after which the connection ends. */
  outbound(chunk: Buffer, now: number): GuardVerdict | undefined {
    if (this.#fault !== undefined) return undefined;
    const fault = this.#outbound.read(chunk, now);
    if (fault === undefined) return undefined;
    this.#fault = fault;
    return { passed: NOTHING, replies: NOTHING, fault };
  }

  /** RFC 9113 section 3.4. */
  #readPreface(chunk: Buffer): number {
    const size = Math.min(chunk.length, PREFACE.length - this.#prefaceLength);
    if (chunk.compare(PREFACE, this.#prefaceLength, this.#prefaceLength + size, 0, size) !== 0) {
      this.#fault = H2_FAULTS.badPreface;
      return chunk.length;
    }
    this.#prefaceLength += size;
    this.#passed.pass(0, size);
    return size;
  }

  #readRest(chunk: Buffer, at: number): number {
    const size = Math.min(this.#rest, chunk.length - at);
    if (!this.#isWellFormed(chunk, at, at + size)) return this.#stopAt(chunk, at);
    if (this.#isPassing) this.#passed.pass(at, at + size);
    this.#rest -= size;
    if (this.#rest === 0) this.#endFrame();
    return at + size;
  }

  #readFrame(chunk: Buffer, at: number, now: number): number {
    const frame = this.#frame;
    const here = chunk.length - at;
    if (here < HEADER_SIZE) return this.#hold(chunk, at);
    frame.read(chunk, at);
    if (here < HEADER_SIZE + frame.prefixSize()) return this.#hold(chunk, at);
    if (!this.#decide(now)) return chunk.length;
    const size = Math.min(HEADER_SIZE + frame.length, here);
    const payloadAt = at + HEADER_SIZE + frame.prefixSize();
    if (!this.#isWellFormed(chunk, payloadAt, at + size)) return this.#stopAt(chunk, at);
    if (this.#isPassing) this.#passed.pass(at, at + size);
    this.#rest = HEADER_SIZE + frame.length - size;
    if (this.#rest === 0) this.#endFrame();
    return at + size;
  }

  #hold(chunk: Buffer, at: number): number {
    this.#held = Buffer.allocUnsafeSlow(HEADER_SIZE + MAX_SETTINGS_SIZE);
    this.#heldLength = chunk.copy(this.#held, 0, at);
    return chunk.length;
  }

  /** First the header, then the part of the payload that is needed. */
  #fillHeld(chunk: Buffer, at: number, now: number): number {
    const held = this.#held!;
    const frame = this.#frame;
    const hadHeader = this.#heldLength >= HEADER_SIZE;
    if (hadHeader) frame.read(held, 0);
    const needed = HEADER_SIZE + (hadHeader ? frame.prefixSize() : 0);
    const stop = Math.min(chunk.length, at + needed - this.#heldLength);
    this.#heldLength += chunk.copy(held, this.#heldLength, at, stop);
    if (this.#heldLength < HEADER_SIZE) return stop;
    frame.read(held, 0);
    const size = HEADER_SIZE + frame.prefixSize();
    if (this.#heldLength < size) return stop;
    this.#held = undefined;
    if (!this.#decide(now)) return chunk.length;
    if (!this.#isWellFormed(held, size, size)) return this.#stopAt(chunk, chunk.length);
    if (this.#isPassing) this.#passed.insert(held.subarray(0, size));
    this.#rest = HEADER_SIZE + frame.length - size;
    if (this.#rest === 0) this.#endFrame();
    return stop;
  }

  /** Has the frame judged: false if it ends the connection. */
  #decide(now: number): boolean {
    const decision = this.#judge.judge(this.#frame, now);
    if (decision instanceof H2Fault) {
      this.#fault = decision;
      return false;
    }
    this.#isPassing = decision;
    this.#insertAll(this.#judge.ahead);
    return true;
  }

  /** Reads what is here of a header block. */
  #isWellFormed(bytes: Buffer, from: number, end: number): boolean {
    const { type } = this.#frame;
    if (type !== FRAME.headers && type !== FRAME.continuation) return true;
    this.#stop = this.#judge.readFields(bytes, from, end);
    return this.#stop === end;
  }

  /** Ends the connection for a malformed header block, of which node:http2 must not see the end. */
  #stopAt(chunk: Buffer, at: number): number {
    this.#fault = H2_FAULTS.fieldBlock;
    if (this.#isPassing && this.#stop > at) this.#passed.pass(at, this.#stop);
    return chunk.length;
  }

  #endFrame(): void {
    this.#insertAll(this.#judge.behind);
  }

  #insertAll(frames: Buffer[]): void {
    if (frames.length === 0) return;
    for (const frame of frames.splice(0)) this.#passed.insert(frame);
  }
}
