/**
 * Response header blocks for a peer whose table is smaller than the one that HPACK starts with: RFC 7541 section 4.2 asks for a size
 * update and for no reference to what no longer fits, and the encoder of node:http2 of Bun 1.4.5 knows of neither. Such a peer gets
 * blocks that are written here, each with the update to 0, which is never too large, and with literals only. node:http2 is given
 * a stand-in to encode, whose frame says when the block is due and is replaced.
 */
import { Buffer } from 'node:buffer';

import { FrameHead } from './frame-head.ts';
import { emptyFrame, FLAG, FRAME, HEADER_SIZE } from './frames.ts';
import type { StreamShadows } from './stream-shadows.ts';

/** The table's size until SETTINGS says otherwise (RFC 9113 section 6.5.2); the encoder of node:http2 uses no more of a larger one. */
export const DEFAULT_TABLE_SIZE = 4096;

export type BlockFields = Readonly<Record<string, number | string | string[]>>;

/** Every peer takes frames of this size (RFC 9113 section 4.2). */
const MAX_FRAGMENT = 16_384;
/** RFC 7541 section 6.3: the table has room for nothing. */
const TABLE_SIZE_0 = 0x20;
/** RFC 7541 section 6.2.2, a literal that is not indexed: its name is `:status`, by appendix A, or stands there. */
const LITERAL_STATUS = 0x08;
const LITERAL = 0x00;
const STATUS = ':status';

/** For node:http2, which sends no empty block. */
const TRAILERS_STAND_IN: BlockFields = { trailers: 'x' };

export class LiteralBlocks {
  readonly #streams: StreamShadows;
  readonly #frame = new FrameHead();
  /** SETTINGS frames that node:http2 has yet to acknowledge, up to the one with the small size. */
  #acknowledgementsDue: number;
  /** CONTINUATION frames share the fate of their HEADERS. */
  #isDropping = false;

  constructor(streams: StreamShadows, acknowledgementsDue: number) {
    this.#streams = streams;
    this.#acknowledgementsDue = acknowledgementsDue;
  }

  /** Notes the header block of a stream that comes after `before` others; what is returned is for node:http2 to encode. */
  replace(id: number | undefined, before: number, fields: BlockFields): BlockFields {
    const stream = id === undefined ? undefined : this.#streams.get(id);
    if (stream !== undefined) (stream.literals ??= [])[before] = encode(fields);
    const status = fields[STATUS];
    return status === undefined ? TRAILERS_STAND_IN : { [STATUS]: status };
  }

  /** What the peer gets in place of these frames, of which node:http2 of Bun 1.4.5 writes whole ones only. */
  translate(chunk: Buffer): Buffer {
    const frame = this.#frame;
    const pieces: Buffer[] = [];
    let kept = 0;
    for (let at = 0; at + HEADER_SIZE <= chunk.length; at += HEADER_SIZE + frame.length) {
      frame.read(chunk, at);
      if (frame.type === FRAME.settings && frame.has(FLAG.ack)) this.#acknowledgementsDue--;
      const instead = this.#insteadOf(frame);
      if (instead === undefined) continue;
      if (at > kept) pieces.push(chunk.subarray(kept, at));
      pieces.push(...instead);
      kept = at + HEADER_SIZE + frame.length;
    }
    if (kept === 0) return chunk;
    pieces.push(chunk.subarray(kept));
    return Buffer.concat(pieces);
  }

  /** Undefined for a frame that stays. */
  #insteadOf({ type, streamId, flags }: FrameHead): readonly Buffer[] | undefined {
    if (type === FRAME.continuation) return this.#isDropping ? [] : undefined;
    if (type !== FRAME.headers) return undefined;
    const stream = this.#streams.get(streamId);
    const literal = stream?.literals?.[stream.blocksSent];
    if (stream !== undefined) stream.blocksSent++;
    // Encoded before the small size was known. Behind the acknowledgement that can only be of a stream that is no more.
    this.#isDropping = literal === undefined && this.#acknowledgementsDue <= 0;
    if (literal !== undefined) return framesOf(literal, streamId, flags);
    return this.#isDropping ? [] : undefined;
  }
}

function framesOf(block: Buffer, streamId: number, flags: number): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += MAX_FRAGMENT) {
    const fragment = block.subarray(at, at + MAX_FRAGMENT);
    const frame = emptyFrame(at === 0 ? FRAME.headers : FRAME.continuation, streamId, fragment.length);
    // RFC 9113 section 6.2: the end of the stream stands in HEADERS, whatever follows.
    frame[4] = at === 0 ? flags & FLAG.endStream : 0;
    if (at + MAX_FRAGMENT >= block.length) frame[4] |= FLAG.endHeaders;
    fragment.copy(frame, HEADER_SIZE);
    frames.push(frame);
  }
  return frames;
}

function encode(fields: BlockFields): Buffer {
  const bytes: Buffer[] = [];
  const status = fields[STATUS];
  if (status === undefined) bytes.push(Buffer.from([TABLE_SIZE_0]));
  else bytes.push(Buffer.from([TABLE_SIZE_0, LITERAL_STATUS]), ...string(String(status)));
  for (const [name, value] of Object.entries(fields)) {
    if (name === STATUS) continue;
    for (const one of Array.isArray(value) ? value : [value])
      bytes.push(Buffer.from([LITERAL]), ...string(name), ...string(String(one)));
  }
  return Buffer.concat(bytes);
}

/** RFC 7541 section 5.2, without Huffman's code. */
function string(text: string): [length: Buffer, text: Buffer] {
  const bytes = Buffer.from(text, 'latin1');
  return [Buffer.from(integer(bytes.length)), bytes];
}

/** RFC 7541 section 5.1, with a prefix of 7 bits. */
function integer(value: number): number[] {
  if (value < 127) return [value];
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return bytes;
}
