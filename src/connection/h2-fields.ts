/**
 * What a response is to a stream of node:http2: fields as an object, content as bytes, reasons as error codes.
 */
import { Buffer } from 'node:buffer';
import type { DisconnectReason } from '../contract/handles.ts';
import type { HeaderList } from '../contract/send-events.ts';
import type { Chunk } from '../session/exchange.ts';
import { H2_ERROR } from '../wire/h2/errors.ts';

/** RFC 9113 8.2.2: what belongs to a connection of HTTP/1.1 has no place in HTTP/2. */
const NOT_IN_H2 = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const RESET_CODES: Partial<Record<DisconnectReason, number>> = {
  server_error: H2_ERROR.internalError,
  queue_overflow: H2_ERROR.internalError,
  protocol_error: H2_ERROR.protocolError,
};

type OutgoingFields = Record<string, string | string[]>;

/** RFC 9113 7: what RST_STREAM says of a stream that ends for this reason. */
export function resetCode(reason: DisconnectReason): number {
  return RESET_CODES[reason] ?? H2_ERROR.cancel;
}

/** Copies: the stream keeps what its window holds back, and the application may change what it has sent. */
export function toBytes(chunk: Chunk): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : Buffer.from(chunk);
}

/** Names in lower case (RFC 9113 8.2.1); repeats as arrays. */
export function fieldsOf(list: HeaderList): OutgoingFields {
  const fields: OutgoingFields = Object.create(null) as OutgoingFields;
  for (const [given, value] of list) {
    const name = given.toLowerCase();
    if (NOT_IN_H2.has(name)) continue;
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (typeof before === 'string') fields[name] = [before, value];
    else before.push(value);
  }
  return fields;
}
