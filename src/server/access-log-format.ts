/**
 * What a line of the access log looks like. A format is compiled once into a row of closures, so that a request costs
 * their calls and no parsing. Every value that a peer or an app chose is escaped to printable ASCII: no request can forge
 * a line, close a quoted field, or send a terminal sequence.
 */
import type { HeaderList } from '../contract/send-events.ts';

/** One finished exchange. An empty `method` means that no request could be read (a 400, 408 or 503 before the head). */
export interface AccessRecord {
  /** The peer's address; null on a unix socket. */
  client: string | null;
  method: string;
  /** As received, still percent-encoded, without the query. */
  path: string;
  /** Without its `?`; empty if there is none. */
  query: string;
  /** `1.1`, `2` … */
  httpVersion: string;
  status: number;
  /** Body bytes sent. */
  bytes: number;
  durationMs: number;
  /** Epoch milliseconds when the request began. */
  time: number;
  requestHeaders: HeaderList;
  responseHeaders: HeaderList;
}

/** Renders one record, without the line feed. */
export type AccessLogFormatter = (record: AccessRecord) => string;

/** `%t` is one pair of brackets, Apache's: a format that writes its own, `[%t]`, gets no second pair. */
const PRESETS: Readonly<Record<string, () => AccessLogFormatter>> = {
  clf: () => compile('%h - - [%t] "%m %U%q" %s %ds', ATOMS),
  combined: () => compile('%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"', ATOMS),
  common: () => compile('%h %l %u %t "%r" %s %b', ATOMS),
  tiny: () => compile('%m %U%q %s %Dms', { ...ATOMS, D: (record) => duration(record).toFixed(3) }),
  json: () => renderJson,
};

/**
 * Turns a preset's name or a format string into the function that renders records.
 * @throws {RangeError} naming the atom or the preset that does not exist
 */
export function compileAccessLogFormat(format: string): AccessLogFormatter {
  if (Object.hasOwn(PRESETS, format)) return PRESETS[format]!();
  if (!format.includes('%')) {
    throw new RangeError(
      `unknown access log format ${JSON.stringify(format)}: expected one of ${Object.keys(PRESETS).join(', ')}, or a format string with % atoms`,
    );
  }
  return compile(format, ATOMS);
}

type Atoms = Readonly<Record<string, AccessLogFormatter>>;

const ATOMS: Atoms = {
  h: (record) => escapeAtom(record.client ?? 'unix'),
  l: () => '-', // the identity protocol (RFC 1413) is not spoken
  u: () => '-', // who the user is, the app knows
  t: (record) => `[${apacheTime(record.time)}]`,
  r: renderRequestLine,
  m: (record) => escapeAtom(record.method) || '-',
  U: (record) => escapeAtom(record.path) || '-',
  q: (record) => (record.query === '' ? '' : `?${escapeAtom(record.query)}`),
  H: (record) => (record.httpVersion === '' ? '-' : `HTTP/${escapeAtom(record.httpVersion)}`),
  s: (record) => String(record.status),
  b: (record) => (record.bytes === 0 ? '-' : String(record.bytes)),
  B: (record) => String(record.bytes),
  d: (record) => (duration(record) / 1000).toFixed(3),
  D: (record) => String(Math.round(duration(record) * 1000)),
  T: (record) => String(Math.floor(duration(record) / 1000)),
};

const ATOM = /%(?:\{([^}]*)\}(.?)|([<>]?.?))/gsu;

function compile(format: string, atoms: Atoms): AccessLogFormatter {
  const pieces: { literal: string; render: AccessLogFormatter }[] = [];
  let literal = '';
  let end = 0;
  for (const match of format.matchAll(ATOM)) {
    literal += format.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[0] === '%%') {
      literal += '%';
      continue;
    }
    const isBracketed = literal.endsWith('[') && format[end] === ']';
    const render = match[0] === '%t' && isBracketed ? renderBareTime : renderFor(match, atoms);
    pieces.push({ literal, render });
    literal = '';
  }
  const tail = literal + format.slice(end);
  return (record) => {
    let line = '';
    for (const piece of pieces) line += piece.literal + piece.render(record);
    return line + tail;
  };
}

function renderFor(match: RegExpExecArray, atoms: Atoms): AccessLogFormatter {
  const [text, header, kind, plain] = match;
  if (header && kind === 'i') return headerAtom('requestHeaders', header);
  if (header && kind === 'o') return headerAtom('responseHeaders', header);
  if (plain && Object.hasOwn(atoms, plain)) return atoms[plain]!;
  const known = Object.keys(atoms).map((name) => `%${name}`);
  throw new RangeError(
    `unknown access log atom ${JSON.stringify(text)}: expected ${known.join(' ')} %{Name}i %{Name}o or %%`,
  );
}

function headerAtom(list: 'requestHeaders' | 'responseHeaders', header: string): AccessLogFormatter {
  const wanted = header.toLowerCase();
  return (record) => {
    const value = findHeader(record[list], wanted);
    return value === null ? '-' : escapeAtom(value);
  };
}

/** Several fields of one name are one list (RFC 9110, 5.3). */
function findHeader(headers: HeaderList, wanted: string): string | null {
  let found: string | null = null;
  for (const [name, value] of headers) {
    if (name.length !== wanted.length || (name !== wanted && name.toLowerCase() !== wanted)) continue;
    found = found === null ? value : `${found}, ${value}`;
  }
  return found;
}

function renderRequestLine(record: AccessRecord): string {
  if (record.method === '') return '-';
  const query = record.query === '' ? '' : `?${record.query}`;
  return escapeAtom(`${record.method} ${record.path}${query} HTTP/${record.httpVersion}`);
}

function renderBareTime(record: AccessRecord): string {
  return apacheTime(record.time);
}

/** A clock that was set back must not print a negative duration. */
function duration(record: AccessRecord): number {
  return Math.max(0, record.durationMs);
}

/** Absent values are null, so that every line has the same keys. ASCII only, as the atoms. */
function renderJson(record: AccessRecord): string {
  const line = JSON.stringify({
    time: new Date(record.time).toISOString(),
    client: record.client ?? 'unix',
    method: record.method,
    path: record.path,
    query: record.query,
    httpVersion: record.httpVersion,
    status: record.status,
    bytes: record.bytes,
    durationMs: Math.round(duration(record) * 1000) / 1000,
    referer: findHeader(record.requestHeaders, 'referer'),
    userAgent: findHeader(record.requestHeaders, 'user-agent'),
    requestId:
      findHeader(record.requestHeaders, 'x-request-id') ?? findHeader(record.responseHeaders, 'x-request-id'),
  });
  return NOT_ASCII.test(line) ? line.replace(EVERY_NOT_ASCII, jsonEscape) : line;
}

// JSON.stringify escapes C0 and lone surrogates; DEL, C1 and the Unicode line breaks it leaves as they are.
const NOT_ASCII = /[^\x20-\x7e]/;
const EVERY_NOT_ASCII = /[^\x20-\x7e]/g;

function jsonEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const UNSAFE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const EVERY_UNSAFE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/gu;

/** `"`, `\` and every byte outside printable ASCII as `\xHH`. */
function escapeAtom(value: string): string {
  return UNSAFE.test(value) ? value.replace(EVERY_UNSAFE, hexEscape) : value;
}

/** A byte string has one char per byte; a char beyond that can only come from an app and is escaped as its UTF-8. */
function hexEscape(char: string): string {
  const code = char.codePointAt(0)!;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return Buffer.from(char).toString('hex').replace(/../g, '\\x$&');
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

let lastSecond = Number.NaN;
let lastText = '';

/** `10/Oct/2000:13:55:36 -0700`, local time as Apache's. Requests come many to the second, so the last one is kept. */
function apacheTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (second === lastSecond) return lastText;
  const date = new Date(time);
  const offset = -date.getTimezoneOffset(); // JavaScript counts minutes west of UTC
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}${two(Math.abs(offset) % 60)}`;
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  lastText = `${day}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
  lastSecond = second;
  return lastText;
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}
