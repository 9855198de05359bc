/**
 * What a frame must look like by itself, whatever came before it: a table from frame type to checks, each with its section of
 * RFC 9113. The first check that fails gives the fault. What depends on the state of a stream is in stream-rules.ts.
 */
import { H2_FAULTS, type H2Fault } from './errors.ts';
import type { FrameHead } from './frame-head.ts';
import { FLAG, FRAME, MAX_SETTINGS_SIZE, MAX_WINDOW, SETTING } from './frames.ts';

type Check = (frame: FrameHead) => H2Fault | undefined;

const onStream: Check = ({ streamId }) => (streamId === 0 ? H2_FAULTS.streamZero : undefined);
const onConnection: Check = ({ streamId }) => (streamId === 0 ? undefined : H2_FAULTS.notStreamZero);
const sizeIs =
  (size: number, fault: H2Fault): Check =>
  ({ length }) =>
    length === size ? undefined : fault;

/** Section 5.1.1: a client opens odd streams. On even ones nothing can ever be open, as the server does not push. */
const isOdd: Check = ({ streamId }) => ((streamId & 1) === 0 ? H2_FAULTS.evenStream : undefined);

/** Section 6.1: padding that is as long as the payload leaves no room for its own length. */
const dataPadding: Check = (frame) => {
  if (!frame.has(FLAG.padded)) return undefined;
  if (frame.length === 0) return H2_FAULTS.dataTooShort; // section 4.2
  return frame.bytes[frame.payloadAt]! >= frame.length ? H2_FAULTS.paddingTooLong : undefined;
};

/** Section 6.2. */
const headersPadding: Check = (frame) => {
  const fixed = frame.prefixSizeWanted();
  if (frame.length < fixed) return H2_FAULTS.frameTooShort; // section 4.2
  if (!frame.has(FLAG.padded)) return undefined;
  return frame.bytes[frame.payloadAt]! > frame.length - fixed ? H2_FAULTS.paddingTooLong : undefined;
};

/** RFC 7540 section 5.3.1. RFC 9113 does without priorities, but lets nobody send what was wrong before. */
const headersDependency: Check = (frame) => {
  if (!frame.has(FLAG.priority)) return undefined;
  const dependency = frame.uint31(frame.has(FLAG.padded) ? 1 : 0);
  return dependency === frame.streamId ? H2_FAULTS.selfDependency : undefined;
};
const priorityDependency: Check = (frame) =>
  frame.uint31(0) === frame.streamId ? H2_FAULTS.selfDependency : undefined;

/** Section 6.5. */
const settingsSize: Check = (frame) => {
  if (frame.has(FLAG.ack)) return frame.length === 0 ? undefined : H2_FAULTS.settingsAckLength;
  if (frame.length % 6 !== 0) return H2_FAULTS.settingsLength;
  return frame.length > MAX_SETTINGS_SIZE ? H2_FAULTS.settingsTooMany : undefined;
};

/** Section 6.5.2. */
const settingsValues: Check = (frame) => {
  for (const [setting, value] of settingsOf(frame)) {
    const fault = judgeSetting(setting, value);
    if (fault !== undefined) return fault;
  }
  return undefined;
};

function judgeSetting(setting: number, value: number): H2Fault | undefined {
  switch (setting) {
    case SETTING.enablePush:
    case SETTING.enableConnectProtocol: // RFC 8441 section 3
      return value > 1 ? H2_FAULTS.settingValue : undefined;
    case SETTING.initialWindowSize:
      return value > MAX_WINDOW ? H2_FAULTS.settingWindow : undefined;
    case SETTING.maxFrameSize:
      return value < 16_384 || value > 16_777_215 ? H2_FAULTS.settingValue : undefined;
    default:
      return undefined;
  }
}

/** Section 6.9: an increment of 0 is the fault of the stream, or of the connection if it is for all. */
const increment: Check = (frame) => {
  if (frame.uint31(0) > 0) return undefined;
  return frame.streamId === 0 ? ZERO_CONNECTION_INCREMENT : H2_FAULTS.zeroIncrement;
};
const ZERO_CONNECTION_INCREMENT = H2_FAULTS.zeroIncrement.forConnection();

const RULES = {
  [FRAME.data]: [onStream, dataPadding], // 6.1
  [FRAME.headers]: [onStream, isOdd, headersPadding, headersDependency], // 6.2
  [FRAME.priority]: [onStream, sizeIs(5, H2_FAULTS.priorityLength), priorityDependency], // 6.3
  [FRAME.rstStream]: [onStream, sizeIs(4, H2_FAULTS.wrongLength)], // 6.4
  [FRAME.settings]: [onConnection, settingsSize, settingsValues], // 6.5
  [FRAME.pushPromise]: [() => H2_FAULTS.pushPromise], // 8.4
  [FRAME.ping]: [onConnection, sizeIs(8, H2_FAULTS.wrongLength)], // 6.7
  [FRAME.goAway]: [onConnection, ({ length }) => (length < 8 ? H2_FAULTS.frameTooShort : undefined)], // 6.8
  [FRAME.windowUpdate]: [sizeIs(4, H2_FAULTS.wrongLength), increment], // 6.9
  [FRAME.continuation]: [onStream], // 6.10
} satisfies Record<number, readonly Check[]>;

/** By frame type; a list of lists is looked up faster than an object. */
const CHECKS: readonly (readonly Check[])[] = Object.values(RULES);

/** Judges the frame by its header and the first bytes of its payload. */
export function judgeShape(frame: FrameHead, maxFrameSize: number): H2Fault | undefined {
  // Section 4.2: whatever may change the state of the connection ends it; of frames that are not of fixed size this leaves DATA.
  if (frame.length > maxFrameSize) {
    const isStreamError = frame.type === FRAME.data && frame.streamId !== 0;
    return isStreamError ? H2_FAULTS.dataTooLong : H2_FAULTS.frameTooLong;
  }
  const checks = CHECKS[frame.type];
  if (checks === undefined) return undefined; // section 4.1: unknown frames are ignored
  for (const check of checks) {
    const fault = check(frame);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The settings of a whole SETTINGS frame, in order: section 6.5.3 has them applied one after another. */
export function* settingsOf(frame: FrameHead): Generator<readonly [setting: number, value: number]> {
  const { bytes, payloadAt, length } = frame;
  for (let at = payloadAt; at < payloadAt + length; at += 6) {
    yield [bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2)];
  }
}
