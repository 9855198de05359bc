/**
 * Writes HTTP/1.1 response heads and chunk framing as byte strings (RFC 9112 4, 5, 7.1). Names and values have been
 * validated before they come here; nothing is escaped, because nothing can be.
 */
import { reasonPhrase } from '../status.ts';

type Fields = readonly (readonly [name: string, value: string])[];

export const LAST_CHUNK = '0\r\n';
export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

const statusLines: string[] = [];

/** `HTTP/1.1 200 OK` with its CRLF; also to HTTP/1.0 clients, as RFC 9110 2.5 asks. */
export function statusLine(status: number): string {
  return (statusLines[status] ??= `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`);
}

export function fieldLines(fields: Fields): string {
  let text = '';
  for (const field of fields) text += `${field[0]}: ${field[1]}\r\n`;
  return text;
}

/** Fields that the server writes itself, whatever the application says: RFC 9110 7.6.1 and message framing. */
const SERVER_OWNED = /^(?:connection|keep-alive|proxy-connection|te|trailer|upgrade|transfer-encoding)$/i;

/** As {@link fieldLines} without the fields that are the server's own, and without Content-Length where told so. */
export function filteredFieldLines(fields: Fields, dropsLength: boolean, keepsUpgrade = false): string {
  return fieldLines(
    fields.filter(([name]) => {
      const lower = name.toLowerCase();
      if (lower === 'content-length') return !dropsLength;
      return !SERVER_OWNED.test(name) || (keepsUpgrade && lower === 'upgrade');
    }),
  );
}

/** Bytes of a chunk that is worth keeping. */
const MAX_KEPT = 65_536;

let lastText = '';
let lastChunk = '';

/** A whole chunk. The last one is kept: what is sent to many clients in turn is put together once. */
export function textChunk(text: string): string {
  if (text === lastText) return lastChunk;
  const chunk = `${chunkHead(text.length)}${text}\r\n`;
  if (text.length <= MAX_KEPT) {
    lastText = text;
    lastChunk = chunk;
  }
  return chunk;
}

/** What stands before the data of a chunk of `size` bytes (RFC 9112 7.1). */
export function chunkHead(size: number): string {
  return `${size.toString(16)}\r\n`;
}
