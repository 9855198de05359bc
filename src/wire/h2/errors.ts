/**
 * Every fault of an HTTP/2 peer that the frame guard finds, with the error code that it is told and whether the stream or the
 * connection ends by it. One table: a new check is a row here and the place that returns it. A fault is returned, never thrown.
 */

/** RFC 9113 section 7. */
export const H2_ERROR = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

/** What ends by a fault (RFC 9113 section 5.4). */
export type FaultScope = 'connection' | 'stream';

export class H2Fault {
  /** Stable name of the fault, for logs and tests. */
  readonly code: string;
  /** What RST_STREAM or GOAWAY says (RFC 9113 section 7). */
  readonly errorCode: number;
  /** One short sentence in ASCII for GOAWAY's debug data and the log; never contains bytes from the peer. */
  readonly message: string;
  readonly scope: FaultScope;

  constructor(code: string, errorCode: number, message: string, scope: FaultScope) {
    this.code = code;
    this.errorCode = errorCode;
    this.message = message;
    this.scope = scope;
  }

  /** The same for the whole connection: any stream error may be treated so (RFC 9113 section 5.4.1). */
  forConnection(): H2Fault {
    return new H2Fault(this.code, this.errorCode, this.message, 'connection');
  }
}

const ofConnection = (code: string, errorCode: number, message: string): H2Fault =>
  new H2Fault(code, errorCode, message, 'connection');
const ofStream = (code: string, errorCode: number, message: string): H2Fault =>
  new H2Fault(code, errorCode, message, 'stream');

const { protocolError, flowControlError, streamClosed, frameSizeError, refusedStream, enhanceYourCalm } =
  H2_ERROR;

export const H2_FAULTS = {
  // What begins a connection.
  badPreface: ofConnection('bad_preface', protocolError, 'The connection preface is wrong.'),
  settingsExpected: ofConnection(
    'settings_expected',
    protocolError,
    'The first frame must be SETTINGS without ACK.',
  ),

  // The shape of a frame.
  frameTooLong: ofConnection(
    'frame_too_long',
    frameSizeError,
    'A frame is longer than SETTINGS_MAX_FRAME_SIZE.',
  ),
  dataTooLong: ofStream(
    'data_too_long',
    frameSizeError,
    'A DATA frame is longer than SETTINGS_MAX_FRAME_SIZE.',
  ),
  frameTooShort: ofConnection('frame_too_short', frameSizeError, 'A frame is too short for its fields.'),
  dataTooShort: ofStream(
    'data_too_short',
    frameSizeError,
    'A DATA frame is too short for its padding length.',
  ),
  wrongLength: ofConnection('wrong_length', frameSizeError, 'A frame of fixed size has another size.'),
  priorityLength: ofStream('priority_length', frameSizeError, 'A PRIORITY frame must have 5 bytes.'),
  settingsLength: ofConnection(
    'settings_length',
    frameSizeError,
    'The size of a SETTINGS frame must be a multiple of 6.',
  ),
  settingsAckLength: ofConnection(
    'settings_ack_length',
    frameSizeError,
    'A SETTINGS frame with ACK must be empty.',
  ),
  streamZero: ofConnection('stream_zero', protocolError, 'This frame must belong to a stream.'),
  notStreamZero: ofConnection('not_stream_zero', protocolError, 'This frame must not belong to a stream.'),
  evenStream: ofConnection('even_stream', protocolError, 'A client must use odd stream identifiers.'),
  paddingTooLong: ofConnection('padding_too_long', protocolError, 'The padding is longer than the frame.'),
  selfDependency: ofStream('self_dependency', protocolError, 'A stream must not depend on itself.'),
  pushPromise: ofConnection('push_promise', protocolError, 'A client must not push.'),
  settingValue: ofConnection('setting_value', protocolError, 'The value of a setting is out of range.'),
  settingWindow: ofConnection(
    'setting_window',
    flowControlError,
    'SETTINGS_INITIAL_WINDOW_SIZE must not exceed 2^31-1.',
  ),
  zeroIncrement: ofStream('zero_increment', protocolError, 'A WINDOW_UPDATE must not be of 0.'),

  // Header blocks.
  blockInterrupted: ofConnection(
    'block_interrupted',
    protocolError,
    'Only CONTINUATION of the same stream may follow an unfinished header block.',
  ),
  strayContinuation: ofConnection(
    'stray_continuation',
    protocolError,
    'There is no header block that could be continued.',
  ),
  trailersWithoutEnd: ofStream('trailers_without_end', protocolError, 'Trailers must end the stream.'),

  // Stream states.
  idleStream: ofConnection('idle_stream', protocolError, 'The stream is idle.'),
  streamOrder: ofConnection('stream_order', protocolError, 'Stream identifiers must increase.'),
  halfClosed: ofStream('half_closed', streamClosed, 'The client has already ended this stream.'),
  streamEnded: ofConnection('stream_ended', streamClosed, 'The stream has ended.'),
  streamReset: ofStream('stream_reset', streamClosed, 'The stream is closed.'),
  tooManyStreams: ofStream(
    'too_many_streams',
    refusedStream,
    'There are more streams than SETTINGS_MAX_CONCURRENT_STREAMS.',
  ),

  goingAway: ofStream('going_away', refusedStream, 'The server takes no more requests on this connection.'),

  // Windows.
  streamWindowOverflow: ofStream(
    'stream_window_overflow',
    flowControlError,
    'The window of the stream must not exceed 2^31-1.',
  ),
  windowOverflow: ofConnection('window_overflow', flowControlError, 'A window must not exceed 2^31-1.'),
  streamWindowExceeded: ofStream(
    'stream_window_exceeded',
    flowControlError,
    'There is more DATA than the window of the stream allows.',
  ),
  windowExceeded: ofConnection(
    'window_exceeded',
    flowControlError,
    'There is more DATA than the window of the connection allows.',
  ),

  // Floods.
  resetFlood: ofConnection('reset_flood', enhanceYourCalm, 'Too many streams are reset.'),
  pingFlood: ofConnection('ping_flood', enhanceYourCalm, 'Too many PING frames.'),
  settingsFlood: ofConnection('settings_flood', enhanceYourCalm, 'Too many SETTINGS frames.'),
  settingsTooMany: ofConnection('settings_too_many', enhanceYourCalm, 'Too many settings in one frame.'),
  priorityFlood: ofConnection('priority_flood', enhanceYourCalm, 'Too many PRIORITY frames.'),
  emptyDataFlood: ofConnection('empty_data_flood', enhanceYourCalm, 'Too many empty DATA frames.'),
  windowUpdateFlood: ofConnection('window_update_flood', enhanceYourCalm, 'Too many WINDOW_UPDATE frames.'),
  unknownFlood: ofConnection('unknown_flood', enhanceYourCalm, 'Too many frames without a use.'),
  continuationFlood: ofConnection('continuation_flood', enhanceYourCalm, 'Too many CONTINUATION frames.'),
  fieldBlock: ofConnection(
    'field_block',
    H2_ERROR.compressionError,
    'A header block is malformed (RFC 7541).',
  ),
  headerBlockTooLong: ofConnection('header_block_too_long', enhanceYourCalm, 'The header block is too long.'),
} as const;

/** What the carrier finds, not the guard: time that runs out, and a session of node:http2 that gives up. */
export const CARRIER_FAULTS = {
  undecodable: ofConnection(
    'undecodable',
    H2_ERROR.compressionError,
    'The header fields of a request cannot be decoded.',
  ),
  faultFlood: ofConnection('fault_flood', enhanceYourCalm, 'Too many requests are malformed.'),
  headerBlockSlow: ofConnection(
    'header_block_slow',
    enhanceYourCalm,
    'The header fields of a request did not arrive in time.',
  ),
  // NO_ERROR would say that another connection is as good as this one was.
  overloaded: ofConnection(
    'overloaded',
    enhanceYourCalm,
    'The server has too many connections. Try again soon.',
  ),
} as const;

/** NGHTTP2_ERR_FLOODED: node:http2 of Bun 1.4.5 forgives 1000 bodies of another length than was declared. */
const FLOODED = -904;

/** Why a session of node:http2 has ended by itself. */
export function sessionFault(errno: number | undefined): H2Fault {
  return errno === FLOODED ? CARRIER_FAULTS.faultFlood : CARRIER_FAULTS.undecodable;
}
