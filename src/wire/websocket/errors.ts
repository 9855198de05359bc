/**
 * Every fault that a WebSocket peer can commit, with the close code it is told. One table: a new check is a row
 * here and the place that returns it. A fault is returned, never thrown, and ends the session.
 */

export class WebSocketFault {
  /** Stable name of the fault, for logs and tests. */
  readonly code: string;
  /** Status code of the close frame that answers it (RFC 6455 section 7.4.1). */
  readonly closeCode: 1002 | 1007 | 1008 | 1009;
  /** One short sentence in ASCII for the close frame and the log; never contains bytes from the peer. */
  readonly message: string;

  constructor(code: string, closeCode: 1002 | 1007 | 1008 | 1009, message: string) {
    this.code = code;
    this.closeCode = closeCode;
    this.message = message;
  }
}

const fault = (code: string, closeCode: WebSocketFault['closeCode'], message: string): WebSocketFault =>
  new WebSocketFault(code, closeCode, message);

export const WS_FAULTS = {
  reservedBits: fault('reserved_bits', 1002, 'A reserved bit is set that no extension gives a meaning.'),
  reservedOpcode: fault('reserved_opcode', 1002, 'The opcode is reserved.'),
  fragmentedControl: fault('fragmented_control', 1002, 'A control frame must not be fragmented.'),
  controlTooLong: fault('control_too_long', 1002, 'A control frame must not carry more than 125 bytes.'),
  strayContinuation: fault('stray_continuation', 1002, 'There is no message that could be continued.'),
  interleavedMessage: fault('interleaved_message', 1002, 'A message began before the last one was complete.'),
  unmaskedFrame: fault('unmasked_frame', 1002, 'Frames from a client must be masked.'),
  lengthNotMinimal: fault('length_not_minimal', 1002, 'The payload length is not in its shortest form.'),
  lengthTopBit: fault('length_top_bit', 1002, 'The most significant bit of the payload length must be 0.'),
  closeLength: fault(
    'close_length',
    1002,
    'The payload of a close frame must be empty or begin with a code.',
  ),
  closeCode: fault('close_code', 1002, 'The code of the close frame must not be sent.'),
  invalidUtf8: fault('invalid_utf8', 1007, 'A text message must be valid UTF-8.'),
  invalidCloseReason: fault('invalid_close_reason', 1007, 'The reason of a close frame must be valid UTF-8.'),
  invalidDeflate: fault('invalid_deflate', 1007, 'A compressed message cannot be inflated.'),
  queueOverflow: fault('queue_overflow', 1008, 'Too many messages wait to be received.'),
  frameTooBig: fault('frame_too_big', 1009, 'A frame is larger than this server accepts.'),
  messageTooBig: fault('message_too_big', 1009, 'A message is larger than this server accepts.'),
} as const;
