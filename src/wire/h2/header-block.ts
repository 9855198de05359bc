/**
 * A header block is one frame or one frame and its continuations, with nothing in between (RFC 9113 sections 4.3 and 6.10). The block of
 * a stream that is refused must reach the HPACK decoder of node:http2 all the same, or later blocks would be misread; it gets
 * a field appended that makes node:http2 reject the request once it is decoded.
 */
import { Buffer } from 'node:buffer';

import { H2_FAULTS, type H2Fault } from './errors.ts';
import { mostBlockBytes, mostContinuations } from './flood-limits.ts';
import type { FrameHead } from './frame-head.ts';
import { FieldLines } from './field-lines.ts';
import { FLAG, FRAME, HEADER_SIZE } from './frames.ts';

/**
 * A literal field without indexing (RFC 7541 section 6.2.2), which leaves the decoder's table alone: `:x` with an empty value. An unknown
 * pseudo-header makes any request or trailers malformed (RFC 9113 section 8.3).
 */
const UNACCEPTABLE_FIELD = Buffer.from([0x00, 2, 0x3a, 0x78, 0x00]);
const FLAGS_AT = 4;

export class HeaderBlock {
  readonly #mostContinuations: number;
  readonly #mostBytes: number;
  /** Of the block that has not ended; 0 if there is none. */
  #streamId = 0;
  /** Of the last block. */
  owner = 0;
  #continuations = 0;
  #size = 0;
  #isRefused = false;
  readonly #lines = new FieldLines();
  /** Bytes of the fragment in the frame under way that are still to come, and whether it is the last one. */
  #fragment = 0;
  #isLast = false;

  constructor(maxHeaderListSize: number) {
    this.#mostContinuations = mostContinuations(maxHeaderListSize);
    this.#mostBytes = mostBlockBytes(maxHeaderListSize);
  }

  get isUnfinished(): boolean {
    return this.#streamId !== 0;
  }

  /** Whether the frame may stand where it does (section 6.10). */
  judge({ type, streamId }: FrameHead): H2Fault | undefined {
    if (this.#streamId === 0) {
      return type === FRAME.continuation && streamId !== 0 ? H2_FAULTS.strayContinuation : undefined;
    }
    return type === FRAME.continuation && streamId === this.#streamId
      ? undefined
      : H2_FAULTS.blockInterrupted;
  }

  /** Whether the HEADERS frame alone is more than a block may have. */
  isTooLong({ length }: FrameHead): boolean {
    return length > this.#mostBytes;
  }

  /** Takes the HEADERS frame that begins a block. What must follow the frame is returned. */
  begin(frame: FrameHead, isRefused: boolean): Buffer | undefined {
    this.#streamId = frame.streamId;
    this.owner = frame.streamId;
    this.#continuations = 0;
    this.#size = frame.length;
    this.#isRefused = isRefused;
    this.#lines.begin();
    const padding = frame.has(FLAG.padded) ? frame.bytes[frame.payloadAt]! : 0;
    this.#fragment = frame.length - frame.prefixSize() - padding;
    return this.#endIfLast(frame);
  }

  /** Field lines of the block. */
  get lineCount(): number {
    return this.#lines.count;
  }

  /** Whether all of the block has been read. */
  get isRead(): boolean {
    return this.#isLast && this.#fragment === 0;
  }

  /**
   * Reads `[from, end)` of the frame's payload, behind its padding length and priority. Returns how far it is well-formed: `end`, or before
   * the first byte that must not be, or before the last one if the block must not end there; -1 if there is not even one.
   */
  read(bytes: Buffer, from: number, end: number): number {
    const size = Math.min(this.#fragment, end - from);
    this.#fragment -= size;
    const stop = this.#lines.read(bytes, from, from + size);
    if (stop < from + size) return stop;
    if (this.isRead && !this.#lines.isWhole) return size > 0 ? stop - 1 : -1;
    return end;
  }

  countContinuation({ length }: FrameHead): H2Fault | undefined {
    this.#continuations++;
    this.#size += length;
    if (this.#continuations > this.#mostContinuations) return H2_FAULTS.continuationFlood;
    return this.#size > this.#mostBytes ? H2_FAULTS.headerBlockTooLong : undefined;
  }

  /** Takes a CONTINUATION that has been judged and counted; what must follow it is returned. */
  continue(frame: FrameHead): Buffer | undefined {
    this.#fragment = frame.length;
    return this.#endIfLast(frame);
  }

  #endIfLast(frame: FrameHead): Buffer | undefined {
    this.#isLast = frame.has(FLAG.endHeaders);
    if (!this.#isLast) return undefined;
    const streamId = this.#streamId;
    this.#streamId = 0;
    if (!this.#isRefused) return undefined;
    frame.bytes[frame.payloadAt - HEADER_SIZE + FLAGS_AT] = frame.flags & ~FLAG.endHeaders;
    return continuationFrame(streamId, UNACCEPTABLE_FIELD);
  }
}

function continuationFrame(streamId: number, fragment: Buffer): Buffer {
  const bytes = Buffer.alloc(HEADER_SIZE + fragment.length);
  bytes[2] = fragment.length;
  bytes[3] = FRAME.continuation;
  bytes[FLAGS_AT] = FLAG.endHeaders;
  bytes.writeUInt32BE(streamId, 5);
  fragment.copy(bytes, HEADER_SIZE);
  return bytes;
}
