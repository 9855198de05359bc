/**
 * Judges the frames of the peer, one at a time and in order: whether node:http2 may see a frame, what the peer is told instead, or which
 * fault ends the connection. A stream error is answered here; node:http2 then gets to see a reset of that stream in place of the
 * frame, so that the application learns of it as of any other reset.
 */
import type { Buffer } from 'node:buffer';

import type { ConnectionShadow } from './connection-shadow.ts';
import { H2_FAULTS, H2Fault } from './errors.ts';
import type { FloodKind } from './flood-limits.ts';
import type { FrameHead } from './frame-head.ts';
import { judgeShape, settingsOf } from './frame-rules.ts';
import { FLAG, FRAME, rstStreamFrame, SETTING, windowUpdateFrame } from './frames.ts';
import { HeaderBlock } from './header-block.ts';
import { DEFAULT_TABLE_SIZE, LiteralBlocks } from './literal-blocks.ts';
import { STREAM_RULES } from './stream-rules.ts';
import type { StreamShadow } from './stream-shadows.ts';

/** Whether node:http2 gets the frame, or what ends the connection. */
type Decision = boolean | H2Fault;

export class FrameJudge {
  readonly #shadow: ConnectionShadow;
  readonly #block: HeaderBlock;
  #hasSettings = false;
  #hasGoAway = false;
  #allowsConnect = false;
  #now = 0;
  /** Frames for the peer. */
  readonly replies: Buffer[] = [];
  /** Frames for node:http2 ahead of the one that is being judged, and behind it. */
  readonly ahead: Buffer[] = [];
  readonly behind: Buffer[] = [];

  constructor(shadow: ConnectionShadow) {
    this.#shadow = shadow;
    this.#block = new HeaderBlock(shadow.limits.maxHeaderListSize);
  }

  get isInsideHeaderBlock(): boolean {
    return this.#block.isUnfinished;
  }

  /** May change the frame where it lies. */
  judge(frame: FrameHead, now: number): Decision {
    this.#now = now;
    // Section 3.4: SETTINGS is the first frame.
    if (!this.#hasSettings) {
      if (frame.type !== FRAME.settings || frame.has(FLAG.ack)) return H2_FAULTS.settingsExpected;
      this.#hasSettings = true;
    }
    const misplaced = this.#block.judge(frame);
    if (misplaced !== undefined) return misplaced;
    const fault = judgeShape(frame, this.#shadow.limits.maxFrameSize);
    if (fault?.scope === 'connection') return fault;
    switch (frame.type) {
      case FRAME.data:
        return this.#judgeData(frame, fault);
      case FRAME.headers:
        return this.#judgeHeaders(frame, fault);
      case FRAME.priority:
        return this.#judgePriority(frame, fault);
      case FRAME.windowUpdate:
        return this.#judgeWindowUpdate(frame, fault);
      default:
        return this.#judgeOther(frame);
    }
  }

  /** More of the payload of a HEADERS or CONTINUATION frame that has been judged: how far it is well-formed, see {@link HeaderBlock}. */
  readFields(bytes: Buffer, from: number, end: number): number {
    const stop = this.#block.read(bytes, from, end);
    if (stop < end || !this.#block.isRead) return stop;
    const stream = this.#shadow.streams.get(this.#block.owner);
    // Trailers may have come as well before anybody asks.
    if (stream?.fieldLines === 0) stream.fieldLines = this.#block.lineCount;
    return stop;
  }

  #judgeOther(frame: FrameHead): Decision {
    switch (frame.type) {
      case FRAME.rstStream:
        return this.#judgeRstStream(frame);
      case FRAME.settings:
        return frame.has(FLAG.ack) ? this.#judgeSettingsAck() : this.#judgeSettings(frame);
      case FRAME.ping:
        return frame.has(FLAG.ack) ? this.#judgePingAck(frame) : (this.#draw('ping') ?? true);
      case FRAME.goAway:
        return this.#judgeGoAway();
      case FRAME.continuation:
        return this.#judgeContinuation(frame);
      default:
        return this.#draw('unknown') ?? false; // section 4.1
    }
  }

  #judgeData(frame: FrameHead, fault: H2Fault | undefined): Decision {
    const { streams, receive, floods } = this.#shadow;
    const { streamId: id, length } = frame;
    const stream = streams.get(id);
    const outcome = STREAM_RULES[FRAME.data][stateOf(stream) ?? streams.stateOfOther(id)];
    if (typeof outcome === 'object' && outcome.scope === 'connection') return outcome;
    const excess = receive.receive(length);
    if (excess !== undefined) return excess;
    if (stream === undefined || outcome !== 'pass') {
      return this.#discard(frame, outcome === 'ignore' ? undefined : (outcome as H2Fault));
    }
    const streamFault = fault ?? receive.receiveOn(stream, length);
    if (streamFault !== undefined) return this.#discard(frame, streamFault);
    const size = frame.has(FLAG.padded) ? length - 1 - frame.bytes[frame.payloadAt]! : length;
    if (frame.has(FLAG.endStream)) this.#endByPeer(stream);
    else if (size === 0) return this.#draw('emptyData') ?? true;
    floods.noteReceivedData(size);
    return true;
  }

  /** Section 5.1: what is not passed on counts for the connection's window all the same. */
  #discard({ streamId, length }: FrameHead, fault: H2Fault | undefined): H2Fault | false {
    if (fault !== undefined) {
      const flood = this.#failStream(streamId, fault);
      if (flood !== false) return flood;
    } else if (length === 0) {
      const flood = this.#draw('emptyData');
      if (flood !== undefined) return flood;
    }
    const increment = this.#shadow.receive.discard(length);
    if (increment > 0) this.replies.push(windowUpdateFrame(0, increment));
    return false;
  }

  /** A header block always reaches the HPACK decoder, or the connection ends. */
  #judgeHeaders(frame: FrameHead, fault: H2Fault | undefined): Decision {
    const { streams } = this.#shadow;
    const id = frame.streamId;
    const stream = streams.get(id);
    const state = stateOf(stream) ?? streams.stateOfOther(id);
    const outcome = STREAM_RULES[FRAME.headers][state];
    if (typeof outcome === 'object' && outcome.scope === 'connection') return outcome;
    if (this.#block.isTooLong(frame)) return H2_FAULTS.headerBlockTooLong;
    const refusal = outcome === 'pass' ? (fault ?? this.#judgeRequest(frame, stream)) : outcome;
    const behind = this.#block.begin(frame, refusal !== undefined);
    if (behind !== undefined) this.behind.push(behind);
    if (refusal !== undefined) {
      // Ignored ones cost as much as a reset: node:http2 decodes them and resets the stream once more.
      const flood = refusal === 'ignore' ? this.#draw('reset') : this.#failStream(id, refusal);
      return flood || true;
    }
    const current = stream ?? this.#openStream(id);
    if (frame.has(FLAG.endStream)) this.#endByPeer(current);
    return true;
  }

  #judgeRequest(frame: FrameHead, stream: StreamShadow | undefined): H2Fault | undefined {
    const { streams, limits } = this.#shadow;
    // Section 8.1: a second header block is trailers.
    if (stream !== undefined) return frame.has(FLAG.endStream) ? undefined : H2_FAULTS.trailersWithoutEnd;
    // Section 6.8: a client that had not seen GOAWAY may try elsewhere. node:http2 would read its HEADERS and say nothing.
    if (frame.streamId > streams.lastServed) return H2_FAULTS.goingAway;
    // Section 5.1.2. node:http2 counts too, but some streams that the guard has seen closed are still open to it.
    return streams.openCount >= limits.maxConcurrentStreams ? H2_FAULTS.tooManyStreams : undefined;
  }

  #openStream(id: number): StreamShadow {
    this.#shadow.floods.noteRequest();
    return this.#shadow.streams.open(id, this.#shadow.send.initial);
  }

  #judgeContinuation(frame: FrameHead): Decision {
    const flood = this.#block.countContinuation(frame);
    if (flood !== undefined) return flood;
    const behind = this.#block.continue(frame);
    if (behind !== undefined) this.behind.push(behind);
    return true;
  }

  /** Priorities are not used (RFC 9113 section 5.3.2), so node:http2 does not see them. */
  #judgePriority(frame: FrameHead, fault: H2Fault | undefined): Decision {
    const flood = this.#draw('priority');
    if (flood !== undefined || fault === undefined) return flood ?? false;
    const id = frame.streamId;
    const { streams } = this.#shadow;
    const state = stateOf(streams.get(id)) ?? streams.stateOfOther(id);
    if (state === 'open' || state === 'halfClosed') return this.#failStream(id, fault);
    // Sections 5.1 and 6.4: what is idle or closed cannot be reset; what the server has reset has been told all there is to say.
    return state === 'resetByServer' ? false : fault.forConnection();
  }

  #judgeRstStream({ streamId: id }: FrameHead): Decision {
    const { streams } = this.#shadow;
    const state = stateOf(streams.get(id)) ?? streams.stateOfOther(id);
    const outcome = STREAM_RULES[FRAME.rstStream][state];
    if (typeof outcome === 'object') return outcome;
    const flood = this.#draw('reset');
    if (flood !== undefined) return flood;
    if (outcome === 'ignore') return false;
    streams.close(id, 'resetByPeer');
    return true;
  }

  #judgeWindowUpdate(frame: FrameHead, fault: H2Fault | undefined): Decision {
    const { streams, send } = this.#shadow;
    const { streamId: id } = frame;
    const increment = frame.uint31(0);
    if (id === 0) return this.#draw('windowUpdate') ?? send.grow(increment) ?? true;
    const stream = streams.get(id);
    const outcome = STREAM_RULES[FRAME.windowUpdate][stateOf(stream) ?? streams.stateOfOther(id)];
    if (typeof outcome === 'object') return outcome;
    const flood = this.#draw('windowUpdate');
    if (flood !== undefined) return flood;
    if (stream === undefined) return false;
    if (fault !== undefined) return this.#failStream(id, fault);
    const growth = send.growStream(stream, increment);
    if (growth instanceof H2Fault) return this.#failStream(id, growth);
    if (growth === 0) return false;
    if (growth !== increment) frame.bytes.writeUInt32BE(growth, frame.payloadAt);
    return true;
  }

  #judgeSettings(frame: FrameHead): Decision {
    const flood = this.#draw('settings');
    if (flood !== undefined) return flood;
    this.#shadow.settingsDue++;
    for (const [setting, value] of settingsOf(frame)) {
      const fault = this.#applySetting(setting, value);
      if (fault !== undefined) return fault;
    }
    return true;
  }

  #applySetting(setting: number, value: number): H2Fault | undefined {
    const { send, streams } = this.#shadow;
    if (setting === SETTING.initialWindowSize) return send.setInitial(value, streams, this.behind);
    if (setting === SETTING.headerTableSize && value < DEFAULT_TABLE_SIZE)
      this.#shadow.literals ??= new LiteralBlocks(streams, this.#shadow.settingsDue);
    if (setting !== SETTING.enableConnectProtocol) return undefined;
    // RFC 8441 section 3: once 1, never 0 again.
    if (value === 0 && this.#allowsConnect) return H2_FAULTS.settingValue;
    this.#allowsConnect = value === 1;
    return undefined;
  }

  /** An ACK that nobody asked for does no harm, but node:http2 need not see it. */
  #judgeSettingsAck(): Decision {
    const { receive } = this.#shadow;
    if (receive.unacknowledged === 0) return this.#draw('settings') ?? false;
    receive.noteAcknowledged();
    return true;
  }

  /** node:http2 as of Bun 1.4.5 closes the connection for a PING with ACK that it did not ask for; it never asks, the carrier does. */
  #judgePingAck(frame: FrameHead): Decision {
    const { pingOut } = this.#shadow;
    if (pingOut === undefined || frame.bytes.readBigUInt64BE(frame.payloadAt) !== pingOut) {
      return this.#draw('ping') ?? false;
    }
    this.#shadow.pingOut = undefined;
    return false;
  }

  /** One is enough: the peer is going, and says so again with another last stream, which means nothing without push. */
  #judgeGoAway(): Decision {
    if (this.#hasGoAway) return this.#draw('unknown') ?? false;
    this.#hasGoAway = true;
    return true;
  }

  #endByPeer(stream: StreamShadow): void {
    stream.isEndedByPeer = true;
    if (stream.isEndedByServer) this.#shadow.streams.close(stream.id, 'ended');
  }

  /** A stream error (section 5.4.2). It counts as a reset that the peer has caused. */
  #failStream(id: number, fault: H2Fault): H2Fault | false {
    const { streams } = this.#shadow;
    const flood = this.#draw('reset');
    if (flood !== undefined) return flood;
    const frame = rstStreamFrame(id, fault.errorCode);
    this.replies.push(frame);
    if (streams.get(id) !== undefined) this.ahead.push(frame);
    streams.close(id, 'resetByServer');
    return false;
  }

  #draw(kind: FloodKind): H2Fault | undefined {
    return this.#shadow.floods.draw(kind, this.#now);
  }
}

/** Of a stream that is not closed. */
function stateOf(stream: StreamShadow | undefined): 'open' | 'halfClosed' | undefined {
  if (stream === undefined) return undefined;
  return stream.isEndedByPeer ? 'halfClosed' : 'open';
}
