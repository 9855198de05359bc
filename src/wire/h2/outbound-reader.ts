/**
 * Reads along what node:http2 sends, in pieces of any size, and notes what it means for streams, windows and budgets. node:http2 is
 * trusted to write well-formed frames; nothing is checked and nothing is changed.
 */
import { Buffer } from 'node:buffer';

import type { ConnectionShadow } from './connection-shadow.ts';
import { H2_ERROR, type H2Fault } from './errors.ts';
import { FrameHead } from './frame-head.ts';
import { settingsOf } from './frame-rules.ts';
import { FLAG, FRAME, HEADER_SIZE, MAX_SETTINGS_SIZE, SETTING } from './frames.ts';
import type { StreamShadow } from './stream-shadows.ts';

/** Codes of resets that answer a fault of the peer, unlike those by which the application gives up a stream. */
const PEER_FAULTS: ReadonlySet<number> = new Set([
  H2_ERROR.protocolError,
  H2_ERROR.flowControlError,
  H2_ERROR.streamClosed,
  H2_ERROR.frameSizeError,
  H2_ERROR.refusedStream,
  H2_ERROR.compressionError,
  H2_ERROR.enhanceYourCalm,
]);

export class OutboundReader {
  readonly #shadow: ConnectionShadow;
  readonly #frame = new FrameHead();
  /** Payload bytes still to come that mean nothing here. */
  #rest = 0;
  /** A header, and the part of the payload that is looked at, of which not all is here. */
  #held: Buffer | undefined;
  #heldLength = 0;
  #fault: H2Fault | undefined;
  #now = 0;

  constructor(shadow: ConnectionShadow) {
    this.#shadow = shadow;
  }

  /** The fault is one of the peer, which has caused too many resets. */
  read(chunk: Buffer, now: number): H2Fault | undefined {
    this.#now = now;
    const end = chunk.length;
    let at = 0;
    while (at < end) {
      if (this.#rest > 0) {
        const size = Math.min(this.#rest, end - at);
        this.#rest -= size;
        at += size;
      } else if (this.#held !== undefined) at = this.#fillHeld(chunk, at);
      else at = this.#readFrame(chunk, at);
    }
    return this.#fault;
  }

  #readFrame(chunk: Buffer, at: number): number {
    const frame = this.#frame;
    const here = chunk.length - at;
    let needed = HEADER_SIZE;
    if (here >= HEADER_SIZE) {
      frame.read(chunk, at);
      needed += prefixSize(frame);
    }
    if (here < needed) {
      this.#held = Buffer.allocUnsafe(HEADER_SIZE + MAX_SETTINGS_SIZE);
      this.#heldLength = chunk.copy(this.#held, 0, at);
      return chunk.length;
    }
    this.#note();
    this.#rest = frame.length - (needed - HEADER_SIZE);
    return at + needed;
  }

  #fillHeld(chunk: Buffer, at: number): number {
    const held = this.#held!;
    const frame = this.#frame;
    if (this.#heldLength >= HEADER_SIZE) frame.read(held, 0);
    const needed = HEADER_SIZE + (this.#heldLength >= HEADER_SIZE ? prefixSize(frame) : 0);
    const stop = Math.min(chunk.length, at + needed - this.#heldLength);
    this.#heldLength += chunk.copy(held, this.#heldLength, at, stop);
    if (this.#heldLength < HEADER_SIZE) return stop;
    frame.read(held, 0);
    const size = HEADER_SIZE + prefixSize(frame);
    if (this.#heldLength < size) return stop;
    this.#note();
    this.#rest = frame.length - (size - HEADER_SIZE);
    this.#held = undefined;
    return stop;
  }

  #note(): void {
    const frame = this.#frame;
    const { streams, floods, send, receive } = this.#shadow;
    switch (frame.type) {
      case FRAME.data: {
        const stream = streams.get(frame.streamId);
        const hasUsedUpWindow = send.noteSent(frame.length, stream);
        floods.noteSentData(frame.length, hasUsedUpWindow);
        if (frame.has(FLAG.endStream)) this.#end(stream);
        break;
      }
      case FRAME.headers:
        this.#noteBlock(streams.get(frame.streamId));
        break;
      case FRAME.rstStream:
        this.#noteReset(frame.streamId, frame.bytes.readUInt32BE(frame.payloadAt));
        break;
      case FRAME.goAway:
        streams.lastServed = Math.min(streams.lastServed, frame.uint31(0));
        break;
      case FRAME.ping:
        if (!frame.has(FLAG.ack)) this.#shadow.pingOut = frame.bytes.readBigUInt64BE(frame.payloadAt);
        break;
      case FRAME.settings:
        if (frame.has(FLAG.ack)) this.#shadow.settingsDue--;
        else receive.noteAnnounced(initialWindowSizeOf(frame));
        break;
      case FRAME.windowUpdate: {
        const stream = streams.get(frame.streamId);
        if (frame.streamId === 0 || stream !== undefined) receive.noteGranted(frame.uint31(0), stream);
        break;
      }
    }
  }

  #noteBlock(stream: StreamShadow | undefined): void {
    if (stream === undefined) return;
    // Where blocks are replaced they are counted as well.
    if (this.#shadow.literals === undefined) stream.blocksSent++;
    if (this.#frame.has(FLAG.endStream)) this.#end(stream);
  }

  #end(stream: StreamShadow | undefined): void {
    if (stream === undefined) return;
    stream.isEndedByServer = true;
    if (stream.isEndedByPeer) this.#shadow.streams.close(stream.id, 'ended');
  }

  /** Resets of what the guard has reset already follow from its own, and are not counted again. */
  #noteReset(id: number, errorCode: number): void {
    const { streams, floods } = this.#shadow;
    if (streams.get(id) === undefined) return;
    streams.close(id, 'resetByServer');
    if (PEER_FAULTS.has(errorCode)) this.#fault ??= floods.draw('reset', this.#now);
  }
}

function prefixSize(frame: FrameHead): number {
  return frame.type === FRAME.data || frame.type === FRAME.headers ? 0 : frame.prefixSize();
}

function initialWindowSizeOf(frame: FrameHead): number | undefined {
  let size: number | undefined;
  for (const [setting, value] of settingsOf(frame)) {
    if (setting === SETTING.initialWindowSize) size = value;
  }
  return size;
}
