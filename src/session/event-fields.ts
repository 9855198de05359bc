/**
 * Reads the fields of what an application sends. Everything that reaches the wire passes here, always, so a faulty
 * event becomes a TypeError that names event, field and expectation, and never a faulty byte.
 */
import type { HeaderList } from '../contract/send-events.ts';
import { isToken } from '../wire/grammar.ts';
import { FIELD } from './exchange.ts';

/** An event from the application, before anything about it is known. */
export type RawEvent = Readonly<Record<string, unknown>>;

export function invalidField(event: string, field: string, expectation: string, value: unknown): TypeError {
  return new TypeError(`${event}: ${field} must be ${expectation}, not ${describe(value)}`);
}

/** What a header list says that the server itself acts upon. */
export interface HeaderFacts {
  /** Bits of {@link FIELD}. */
  fields: number;
  contentLength: number;
}

const NO_HEADERS: HeaderList = [];

/** The event's header list, checked; notes what it says in `facts`. */
export function readHeaders(event: string, value: unknown, facts: HeaderFacts): HeaderList {
  if (value === undefined) return NO_HEADERS;
  if (!Array.isArray(value)) throw invalidField(event, 'headers', 'an array of [name, value] pairs', value);
  for (let i = 0; i < value.length; i++) {
    const pair: unknown = value[i];
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw invalidField(event, `headers[${i}]`, 'a [name, value] pair', pair);
    }
    const [name, text] = pair as [unknown, unknown];
    if (typeof name !== 'string' || !isToken(name)) {
      throw invalidField(event, `headers[${i}]`, 'named by a token (RFC 9110 5.6.2)', name);
    }
    if (typeof text !== 'string' || !isSafeValue(text)) {
      throw invalidField(event, `headers[${i}] (${name})`, 'a byte string without CR, LF and NUL', text);
    }
    noteHeader(event, name, text, facts);
  }
  return value as HeaderList;
}

/** RFC 9110 5.5: what could end a field or is no byte. */
function isSafeValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 13 || code === 10 || code === 0 || code > 255) return false;
  }
  return true;
}

/** Told apart by length first: most fields mean nothing to the server, and cost one comparison here. */
function noteHeader(event: string, name: string, value: string, facts: HeaderFacts): void {
  switch (name.length) {
    case 2:
    case 7:
    case 16:
      if (/^(?:te|upgrade|trailer|proxy-connection)$/i.test(name)) facts.fields |= FIELD.hopByHop;
      break;
    case 4:
      if (isNamed(name, 'date')) facts.fields |= FIELD.date;
      break;
    case 6:
      if (isNamed(name, 'server')) facts.fields |= FIELD.server;
      break;
    case 10:
      if (isNamed(name, 'keep-alive')) facts.fields |= FIELD.hopByHop;
      if (isNamed(name, 'connection')) noteConnection(value, facts);
      break;
    case 14:
      if (isNamed(name, 'content-length')) noteContentLength(event, value, facts);
      break;
    case 17:
      if (isNamed(name, 'transfer-encoding')) facts.fields |= FIELD.transferEncoding;
      break;
    default:
  }
}

function isNamed(name: string, lowerCase: string): boolean {
  return name === lowerCase || name.toLowerCase() === lowerCase;
}

function noteConnection(value: string, facts: HeaderFacts): void {
  facts.fields |= FIELD.hopByHop;
  if (/(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(value)) facts.fields |= FIELD.closes;
}

function noteContentLength(event: string, value: string, facts: HeaderFacts): void {
  const length = decimal(value);
  if (length < 0) throw invalidField(event, 'content-length', 'a decimal number', value);
  if (facts.contentLength >= 0) throw invalidField(event, 'content-length', 'given once', value);
  facts.fields |= FIELD.contentLength;
  facts.contentLength = length;
}

/** The value of a string of digits, up to 2^53 - 1; -1 for anything else. */
function decimal(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return text.length > 0 && value <= Number.MAX_SAFE_INTEGER ? value : -1;
}

/** RFC 9110 6.5.1: fields that frame, route, authenticate or describe the content cannot come after it. */
const NOT_IN_TRAILERS =
  /^(?:content-(?:length|type|encoding|range)|transfer-encoding|trailer|te|host|connection|keep-alive|upgrade|proxy-.*|authorization|www-authenticate|set-cookie|cookie|cache-control|expires|pragma|age|date|vary|location|retry-after|expect|range|max-forwards|if-.*)$/i;

/** The header list of a trailer section. */
export function readTrailers(event: string, value: unknown): HeaderList {
  const trailers = readHeaders(event, value, { fields: 0, contentLength: -1 });
  const forbidden = trailers.find(([name]) => NOT_IN_TRAILERS.test(name));
  if (forbidden === undefined) return trailers;
  throw invalidField(event, 'headers', 'fields that may come in a trailer section (RFC 9110 6.5.1)', forbidden[0]);
}

export function readStatus(event: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 200 && value <= 999) return value;
  throw invalidField(event, 'status', 'an integer from 200 to 999', value);
}

export function readFlag(event: string, field: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw invalidField(event, field, 'a boolean', value);
}

/** A non-negative integer, or `undefined` where it is left out. */
export function readCount(event: string, field: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalidField(event, field, 'a non-negative integer', value);
}

export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') {
    return String(value);
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' ? `an object (${value.constructor?.name ?? 'no class'})` : `a ${typeof value}`;
}
