/**
 * The layout of HTTP/2 frames (RFC 9113 sections 4.1 and 6): names for the numbers, and the few frames that the server writes
 * itself, past node:http2.
 */
import { Buffer } from 'node:buffer';

/** The first bytes of every client (RFC 9113 section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Bytes of a frame's header. */
export const HEADER_SIZE = 9;

/** RFC 9113 section 6. */
export const FRAME = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const FLAG = {
  ack: 0x1,
  endStream: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** RFC 9113 section 6.5.2; ENABLE_CONNECT_PROTOCOL is RFC 8441 section 3. */
export const SETTING = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
  enableConnectProtocol: 0x8,
} as const;

/**
 * Bytes of the largest SETTINGS frame that is accepted: 32 settings, as in nghttp2 and Node (`maxSettings`). There are 7 known
 * ones; frames full of others have been used as a flood (CVE-2020-11080).
 */
export const MAX_SETTINGS_SIZE = 32 * 6;

/** Windows start with this size until SETTINGS says otherwise (RFC 9113 section 6.9.2). */
export const DEFAULT_WINDOW = 65_535;
/** No window may grow beyond (RFC 9113 section 6.9.1). */
export const MAX_WINDOW = 0x7fff_ffff;
/** The highest stream identifier there is (RFC 9113 section 5.1.1). */
export const MAX_STREAM = 0x7fff_ffff;

/** A frame with a zeroed payload of `size` bytes, and no flags. */
export function emptyFrame(type: number, streamId: number, size: number): Buffer {
  const bytes = Buffer.alloc(HEADER_SIZE + size);
  bytes[0] = size >>> 16;
  bytes[1] = size >>> 8;
  bytes[2] = size;
  bytes[3] = type;
  bytes.writeUInt32BE(streamId, 5);
  return bytes;
}

export function rstStreamFrame(streamId: number, errorCode: number): Buffer {
  const bytes = emptyFrame(FRAME.rstStream, streamId, 4);
  bytes.writeUInt32BE(errorCode, HEADER_SIZE);
  return bytes;
}

export function windowUpdateFrame(streamId: number, increment: number): Buffer {
  const bytes = emptyFrame(FRAME.windowUpdate, streamId, 4);
  bytes.writeUInt32BE(increment, HEADER_SIZE);
  return bytes;
}

export function pingFrame(payload: bigint): Buffer {
  const bytes = emptyFrame(FRAME.ping, 0, 8);
  bytes.writeBigUInt64BE(payload, HEADER_SIZE);
  return bytes;
}

/** The debug data should be short ASCII: it is for people who look at the other end. */
export function goAwayFrame(lastStreamId: number, errorCode: number, debugData = ''): Buffer {
  const bytes = emptyFrame(FRAME.goAway, 0, 8 + debugData.length);
  bytes.writeUInt32BE(lastStreamId, HEADER_SIZE);
  bytes.writeUInt32BE(errorCode, HEADER_SIZE + 4);
  bytes.write(debugData, HEADER_SIZE + 8, 'latin1');
  return bytes;
}

/** All that a connection says which is not going to be served: RFC 9113 section 3.4 has SETTINGS first. */
export function refusalFrames(errorCode: number, debugData: string): Buffer {
  return Buffer.concat([emptyFrame(FRAME.settings, 0, 0), goAwayFrame(0, errorCode, debugData)]);
}

/** RFC 9113 section 6.8: NO_ERROR, and no stream is refused yet; whoever acknowledges the PING, "farewell", has read of it. */
export function farewellFrames(): Buffer {
  return Buffer.concat([goAwayFrame(MAX_STREAM, 0), pingFrame(0x6661_7265_7765_6c6cn)]);
}
