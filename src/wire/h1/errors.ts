/**
 * Every fault that an HTTP/1.1 peer can commit, with what it is told. One table: a new check is a row here and
 * the place that returns it.
 */
import { ProtocolError } from '../protocol-error.ts';

const fault = (code: string, status: number, message: string): ProtocolError =>
  new ProtocolError(code, status, message);

export const H1_ERRORS = {
  requestLine: fault('request_line', 400, 'The request line is malformed.'),
  requestTarget: fault('request_target', 400, 'The request target is malformed.'),
  lineEnding: fault('line_ending', 400, 'A line must end with CR LF, and neither may stand alone.'),
  emptyLines: fault('empty_lines', 400, 'Too many empty lines before a request.'),
  fieldName: fault('field_name', 400, 'A field name is malformed or not followed by a colon.'),
  fieldValue: fault('field_value', 400, 'A field value has a forbidden control character.'),
  foldedField: fault('folded_field', 400, 'Folded field lines are not accepted.'),
  hostMissing: fault('host_missing', 400, 'An HTTP/1.1 request must have a Host field.'),
  hostRepeated: fault('host_repeated', 400, 'A request must have one Host field only.'),
  hostInvalid: fault('host_invalid', 400, 'The Host field is not a valid host and port.'),
  contentLength: fault('content_length', 400, 'Content-Length must be one decimal number.'),
  transferEncoding: fault(
    'transfer_encoding',
    400,
    'Transfer-Encoding is malformed or has chunked more than once or not last.',
  ),
  framingConflict: fault(
    'framing_conflict',
    400,
    'A request must not have both Transfer-Encoding and Content-Length.',
  ),
  transferEncodingVersion: fault('transfer_encoding_version', 400, 'HTTP/1.0 has no Transfer-Encoding.'),
  chunkSize: fault('chunk_size', 400, 'A chunk size or its extensions are malformed.'),
  chunkExtensions: fault('chunk_extensions', 400, 'The chunk extensions are too long.'),
  chunkData: fault('chunk_data', 400, 'Chunk data must be followed by CR LF.'),
  headerTimeout: fault('header_timeout', 408, 'The request head did not arrive in time.'),
  bodyTimeout: fault('body_timeout', 408, 'The request body did not arrive in time.'),
  bodyTooLarge: fault('body_too_large', 413, 'The request body is larger than this server accepts.'),
  requestLineTooLong: fault(
    'request_line_too_long',
    414,
    'The request line is longer than this server accepts.',
  ),
  expectation: fault('expectation', 417, 'The only expectation that this server meets is 100-continue.'),
  headersTooLarge: fault('headers_too_large', 431, 'The header fields are larger than this server accepts.'),
  tooManyHeaders: fault('too_many_headers', 431, 'There are more header fields than this server accepts.'),
  codingUnknown: fault('coding_unknown', 501, 'The only transfer coding that this server knows is chunked.'),
  overloaded: fault('overloaded', 503, 'The server has too many connections. Try again soon.'),
  version: fault('version', 505, 'This server speaks HTTP/1.1 and HTTP/1.0 here.'),
} as const satisfies Record<string, ProtocolError>;
