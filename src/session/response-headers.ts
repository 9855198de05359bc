/**
 * The header list of a response, checked. Applications tend to send the same few lists over and over, so the last one of
 * each length is kept: a list that equals it needs no second check, and what a carrier made of it can be used again.
 */
import type { HeaderList } from '../contract/send-events.ts';
import { isToken } from '../wire/grammar.ts';
import { invalidField } from './event-fields.ts';

/** Fields of a response that mean something to the server, as bits of {@link CheckedHeaders.fields}. */
export const FIELD = {
  date: 1,
  server: 2,
  contentLength: 4,
  transferEncoding: 8,
  /** Connection, Keep-Alive, Proxy-Connection, Upgrade, Trailer and TE: hop by hop, so the server's own. */
  hopByHop: 16,
  /** The application asks for the connection to be closed. */
  closes: 32,
  setCookie: 64,
} as const;

export interface RenderedFields {
  readonly status: number;
  readonly defaults: HeaderList;
  readonly fields: Readonly<Record<string, number | string | string[]>>;
}

export class CheckedHeaders {
  /** A copy, so that nothing the application does afterwards changes it. */
  readonly list: HeaderList;
  /** Which fields the server need not supply or must treat on its own, as bits of {@link FIELD}. */
  readonly fields: number;
  /** Bytes declared by the application, or -1. */
  readonly contentLength: number;
  /** Where a carrier keeps the text that it made of this list, and what else that text depends on. */
  rendered: { readonly key: number; readonly defaults: string; readonly text: string } | undefined =
    undefined;
  /** Likewise the fields of HTTP/2. */
  renderedFields: RenderedFields | undefined = undefined;

  constructor(list: HeaderList, fields: number, contentLength: number) {
    this.list = list;
    this.fields = fields;
    this.contentLength = contentLength;
  }
}

const NO_HEADERS = new CheckedHeaders([], 0, -1);
const MAX_KEPT_LENGTH = 16;
const kept: (CheckedHeaders | undefined)[] = Array.from({ length: MAX_KEPT_LENGTH });

/** Throws a TypeError that names the event and the field. */
export function checkHeaders(event: string, value: unknown): CheckedHeaders {
  if (value === undefined) return NO_HEADERS;
  if (!Array.isArray(value)) throw invalidField(event, 'headers', 'an array of [name, value] pairs', value);
  const last = kept[value.length];
  if (last !== undefined && equals(last.list, value)) return last;
  const list: [string, string][] = [];
  const facts: Facts = { fields: 0, contentLength: -1 };
  for (let i = 0; i < value.length; i++) list.push(checkPair(event, value[i], i, facts));
  const checked = new CheckedHeaders(list, facts.fields, facts.contentLength);
  // What is meant for one client is not kept beyond its response.
  if (list.length < MAX_KEPT_LENGTH && (facts.fields & FIELD.setCookie) === 0) kept[list.length] = checked;
  return checked;
}

function equals(list: HeaderList, value: readonly unknown[]): boolean {
  for (let i = 0; i < list.length; i++) {
    const pair = value[i];
    if (!Array.isArray(pair) || pair.length !== 2 || pair[0] !== list[i]![0] || pair[1] !== list[i]![1])
      return false;
  }
  return true;
}

interface Facts {
  fields: number;
  contentLength: number;
}

function checkPair(event: string, pair: unknown, index: number, facts: Facts): [string, string] {
  const place = `headers[${index}]`;
  if (!Array.isArray(pair) || pair.length !== 2)
    throw invalidField(event, place, 'a [name, value] pair', pair);
  const [name, value] = pair as [unknown, unknown];
  if (typeof name !== 'string' || !isToken(name)) {
    throw invalidField(event, place, 'named by a token (RFC 9110 5.6.2)', name);
  }
  if (typeof value !== 'string' || !isSafeValue(value)) {
    throw invalidField(event, `${place} (${name})`, 'a byte string without CR, LF and NUL', value);
  }
  note(event, name.toLowerCase(), value, facts);
  return [name, value];
}

/** RFC 9110 5.5: what could end a field or is no byte. */
function isSafeValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 13 || code === 10 || code === 0 || code > 255) return false;
  }
  return true;
}

/** Fields that the server acts upon, by lower-case name. */
const MEANINGS = new Map<string, number>([
  ['date', FIELD.date],
  ['server', FIELD.server],
  ['content-length', FIELD.contentLength],
  ['transfer-encoding', FIELD.transferEncoding],
  ['set-cookie', FIELD.setCookie],
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'].map(
    (name): [string, number] => [name, FIELD.hopByHop],
  ),
]);

function note(event: string, name: string, value: string, facts: Facts): void {
  facts.fields |= MEANINGS.get(name) ?? 0;
  if (name === 'content-length') {
    if (facts.contentLength >= 0) throw invalidField(event, name, 'given once', value);
    facts.contentLength = decimal(event, value);
  } else if (name === 'connection' && /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(value)) {
    facts.fields |= FIELD.closes;
  }
}

function decimal(event: string, value: string): number {
  const length = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(length)) return length;
  throw invalidField(event, 'content-length', 'a decimal number', value);
}

/** RFC 9110 6.5.1: fields that frame, route, authenticate or describe the content cannot come after it. */
const NOT_IN_TRAILERS =
  /^(?:content-(?:length|type|encoding|range)|transfer-encoding|trailer|te|host|connection|keep-alive|upgrade|proxy-.*|authorization|www-authenticate|set-cookie|cookie|cache-control|expires|pragma|age|date|vary|location|retry-after|expect|range|max-forwards|if-.*)$/i;

/** The header list of a trailer section. */
export function checkTrailers(event: string, value: unknown): HeaderList {
  const { list } = checkHeaders(event, value);
  const forbidden = list.find(([name]) => NOT_IN_TRAILERS.test(name));
  if (forbidden === undefined) return list;
  throw invalidField(
    event,
    'headers',
    'fields that may come in a trailer section (RFC 9110 6.5.1)',
    forbidden[0],
  );
}
