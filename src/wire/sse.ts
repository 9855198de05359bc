/**
 * Writes an event stream (WHATWG HTML 9.2.5): lines of fields, an empty line behind each event. Nothing that is written
 * into a field can end its line or begin another; names and ids without line breaks are the caller's to see to.
 */
import { Buffer } from 'node:buffer';

export interface EventFields {
  readonly data: string;
  /** Without CR and LF. */
  readonly event?: string | undefined;
  /** Without CR, LF and NUL. */
  readonly id?: string | undefined;
  /** A non-negative integer. */
  readonly retry?: number | undefined;
}

/** Chars of an event that is kept. */
const MAX_KEPT = 1_048_576;

/** The event encoded last: what goes to a thousand clients is encoded once. */
let kept: (EventFields & { readonly text: string }) | undefined;

/** As a byte string, in UTF-8. */
export function encodeEvent(fields: EventFields): string {
  if (kept !== undefined && equals(kept, fields)) return kept.text;
  const text = toByteString(eventText(fields));
  const { data, event, id, retry } = fields;
  if (text.length <= MAX_KEPT) kept = { data, event, id, retry, text };
  return text;
}

function equals(one: EventFields, other: EventFields): boolean {
  return (
    one.data === other.data && one.event === other.event && one.id === other.id && one.retry === other.retry
  );
}

/** The space behind a colon is not part of the value, so that one at the beginning of the value is. */
function eventText({ data, event, id, retry }: EventFields): string {
  let text = '';
  if (event !== undefined) text += `event: ${event}\n`;
  if (id !== undefined) text += `id: ${id}\n`;
  if (retry !== undefined) text += `retry: ${retry}\n`;
  if (!LINE_BREAK.test(data)) return `${text}data: ${data}\n\n`;
  for (const line of data.split(LINE_BREAK)) text += `data: ${line}\n`;
  return `${text}\n`;
}

/** As a byte string, in UTF-8. The empty line keeps it apart from the event behind it. */
export function encodeComment(comment: string): string {
  if (!LINE_BREAK.test(comment)) return toByteString(comment === '' ? ':\n\n' : `: ${comment}\n\n`);
  let text = '';
  for (const line of comment.split(LINE_BREAK)) text += line === '' ? ':\n' : `: ${line}\n`;
  return toByteString(`${text}\n`);
}

const LINE_BREAK = /\r\n|\n|\r/;

/** Text as UTF-8. ASCII, with as many bytes as chars, is a byte string as it stands. */
function toByteString(text: string): string {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString('latin1');
}
