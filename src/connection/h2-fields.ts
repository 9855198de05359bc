/**
 * What a response is to a stream of node:http2: fields as an object, content as bytes, reasons as error codes.
 */
import { Buffer } from 'node:buffer';
import type { DisconnectReason } from '../contract/handles.ts';
import type { HeaderList } from '../contract/send-events.ts';
import type { Chunk } from '../session/exchange.ts';
import type { CheckedHeaders, RenderedFields } from '../session/response-headers.ts';
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

type OutgoingFields = Record<string, number | string | string[]>;

/** RFC 9113 7: what RST_STREAM says of a stream that ends for this reason. */
export function resetCode(reason: DisconnectReason): number {
  return RESET_CODES[reason] ?? H2_ERROR.cancel;
}

/**
 * Copies, since the stream keeps what its window holds back, and the application may change what it has sent; a string is
 * as good as its bytes.
 */
export function contentOf(chunk: Chunk, second?: Chunk): Chunk {
  if (second === undefined) return typeof chunk === 'string' ? chunk : Buffer.from(chunk);
  if (typeof chunk === 'string' && typeof second === 'string') return chunk + second;
  return Buffer.concat([toBytes(chunk), toBytes(second)]);
}

function toBytes(chunk: Chunk): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
}

/** The fields of a response, which node:http2 copies: those that were made of the same list before do again. */
export function responseFields(
  status: number,
  headers: CheckedHeaders,
  defaults: HeaderList,
): RenderedFields['fields'] {
  const rendered = headers.renderedFields;
  if (rendered !== undefined && rendered.status === status && rendered.defaults === defaults)
    return rendered.fields;
  const fields: OutgoingFields = { ':status': status };
  addFields(fields, headers.list);
  addFields(fields, defaults);
  headers.renderedFields = { status, defaults, fields };
  return fields;
}

export function fieldsOf(list: HeaderList): OutgoingFields {
  const fields: OutgoingFields = {};
  addFields(fields, list);
  return fields;
}

/** What every object has, and what may be the name of a field all the same: `constructor`, `__proto__`. */
const INHERITED = {};

/** Names in lower case (RFC 9113 8.2.1); repeats as arrays. */
function addFields(fields: OutgoingFields, list: HeaderList): void {
  for (const [given, value] of list) {
    const name = given.toLowerCase();
    if (NOT_IN_H2.has(name)) continue;
    const before = name in INHERITED && !Object.hasOwn(fields, name) ? undefined : fields[name];
    if (before === undefined) put(fields, name, value);
    else if (Array.isArray(before)) before.push(value);
    else put(fields, name, [String(before), value]);
  }
}

function put(fields: OutgoingFields, name: string, value: string | string[]): void {
  if (name in INHERITED)
    Object.defineProperty(fields, name, { value, enumerable: true, writable: true, configurable: true });
  else fields[name] = value;
}
