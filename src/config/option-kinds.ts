/**
 * What a value of each kind of option may be. A kind says which JavaScript values it takes, how the same value is written
 * on the command line, and how both are called in help and errors; it knows no option by name. Seconds stay seconds and
 * bytes stay bytes: units exist in text only.
 */
import { formatListenSpec, isUnixSocketPath, parseListenSpec } from '../transport/listen-spec.ts';

/** What each kind takes from code: the type of the option in `ServerOptions`. */
export interface KindValues {
  seconds: number;
  bytes: number;
  count: number;
  port: number;
  workers: number | 'auto';
  host: string;
  socketPath: string;
  socketMode: number | string;
  listen: string | readonly string[];
  rootPath: string;
  string: string;
  strings: readonly string[];
  choice: string;
  flag: boolean;
  logFile: string | boolean;
  headers: readonly (readonly [name: string, value: string])[];
  record: Readonly<Record<string, object>>;
}

export type Kind = keyof KindValues;

/** The part of an option's row that its kind looks at. */
export interface KindDetails {
  readonly choices?: readonly string[];
  /** The least and the most that a number may be. */
  readonly range?: readonly [least: number, most: number];
}

export interface KindRules {
  /** Stands for the value in `--help`; empty where the flag takes none. */
  readonly placeholder: string;
  /** Completes "must be …" when the value came from code. */
  expectation(details: KindDetails): string;
  /** The same for text from the command line, where it may be written differently. */
  textExpectation?(details: KindDetails): string;
  accepts(value: unknown, details: KindDetails): boolean;
  /** The value that `text` stands for, or undefined where it is malformed. `accepts` is asked afterwards. */
  fromText(text: string): unknown;
  /** The same for an environment variable, which has one value where a flag may be repeated, and needs one where a flag has none. */
  fromVariable?(text: string): unknown;
  /** Completes "must be …" for such a variable, where it is not as for text. */
  variableExpectation?(details: KindDetails): string;
  /** How a default is written in help and documentation. */
  show?(value: unknown): string;
}

// A timer delay is a signed 32-bit number of milliseconds; a longer one fires at once.
const MAX_SECONDS = 2_147_483;

const SECOND_UNITS: Readonly<Record<string, number>> = { '': 1, ms: 0.001, s: 1, m: 60, h: 3600 };
const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

// RFC 9110 5.6.2 and 5.5: a field name is a token, a value is visible ASCII, obs-text, and blanks between.
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

// Fields that describe the message's framing or its connection are the server's to send, never an option's.
const FRAMING_FIELDS = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function isWithin(value: number, { range }: KindDetails): boolean {
  return range === undefined || (value >= range[0] && value <= range[1]);
}

function rangeText({ range }: KindDetails, otherwise: string): string {
  return range === undefined ? otherwise : ` from ${range[0]} to ${range[1]}`;
}

export const KINDS: Readonly<Record<Kind, KindRules>> = {
  seconds: {
    placeholder: 'SECONDS',
    expectation: () => `a number of seconds from 0 to ${MAX_SECONDS}`,
    textExpectation: () => 'a number of seconds, or a time such as 500ms, 30s, 5m',
    accepts: (value) => typeof value === 'number' && value >= 0 && value <= MAX_SECONDS,
    fromText: (text) => scaled(text, /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/, SECOND_UNITS),
  },
  bytes: {
    placeholder: 'BYTES',
    expectation: (row) => `a whole number of bytes${rangeText(row, ', 0 or more')}`,
    textExpectation: () => 'a number of bytes, or a size such as 64k, 16m, 1g',
    accepts: (value, row) => isCount(value) && isWithin(value, row),
    fromText: (text) => scaled(text.toLowerCase(), /^(\d+)([kmg])?$/, BYTE_UNITS),
  },
  count: {
    placeholder: 'N',
    expectation: (row) => `a whole number${rangeText(row, ', 0 or more')}`,
    accepts: (value, row) => isCount(value) && isWithin(value, row),
    fromText: wholeNumber,
  },
  port: {
    placeholder: 'PORT',
    expectation: () => 'a port number from 0 to 65535',
    accepts: (value) => isCount(value) && value <= 65535,
    fromText: wholeNumber,
  },
  workers: {
    placeholder: 'N|auto',
    expectation: (row) => `a whole number${rangeText(row, ', 0 or more')}, or auto`,
    accepts: (value, row) => value === 'auto' || (isCount(value) && isWithin(value, row)),
    fromText: (text) => (text === 'auto' ? text : wholeNumber(text)),
  },
  host: {
    placeholder: 'HOST',
    expectation: () => 'a host name or an IP address, without a port',
    accepts: (value) =>
      typeof value === 'string' && parseListenSpec(formatListenSpec(value, 0)).type === 'tcp',
    fromText: (text) => text,
  },
  socketPath: {
    placeholder: 'PATH',
    expectation: () => 'the path of a unix socket, at most 107 bytes',
    accepts: (value) => typeof value === 'string' && isUnixSocketPath(value),
    fromText: (text) => text,
  },
  socketMode: {
    placeholder: 'MODE',
    expectation: () => 'an octal file mode such as 0660',
    accepts: (value) =>
      typeof value === 'number' ? isCount(value) && value <= 0o777 : octalMode(value) !== undefined,
    fromText: octalMode,
    show: (value) => (value as number).toString(8).padStart(4, '0'),
  },
  listen: {
    placeholder: 'SPEC',
    expectation: () => 'HOST:PORT, [IPV6]:PORT, /PATH, ./PATH, fd:NUMBER or fd:NAME, or a list of these',
    textExpectation: () => 'HOST:PORT, [IPV6]:PORT, /PATH, ./PATH, fd:NUMBER or fd:NAME',
    accepts: (value) => typeof value === 'string' || isListOfStrings(value),
    fromText: (text) => [text],
    fromVariable: wordsOf,
  },
  rootPath: {
    placeholder: 'PATH',
    expectation: () => "'' or a path that begins with / and does not end with one",
    accepts: (value) =>
      typeof value === 'string' && /^(?:\/(?:[^?#]*[^?#/])?)?$/.test(value) && value !== '/',
    fromText: (text) => text,
    show: (value) => `'${value as string}'`,
  },
  string: {
    placeholder: 'TEXT',
    expectation: () => 'a string that is not empty',
    accepts: (value) => typeof value === 'string' && value !== '',
    fromText: (text) => text,
  },
  strings: {
    placeholder: 'TEXT',
    expectation: () => 'a list of strings',
    textExpectation: () => 'a string that is not empty',
    accepts: isListOfStrings,
    fromText: (text) => [text],
    fromVariable: wordsOf,
  },
  choice: {
    placeholder: 'NAME',
    expectation: ({ choices = [] }) => `one of ${choices.join(', ')}`,
    accepts: (value, { choices = [] }) => typeof value === 'string' && choices.includes(value),
    fromText: (text) => text,
  },
  flag: {
    placeholder: '',
    expectation: () => 'true or false',
    accepts: (value) => typeof value === 'boolean',
    fromText: () => true,
    fromVariable: switchFromText,
    variableExpectation: () => 'one of 1, true, on, yes, 0, false, off, no',
    show: (value) => (value === true ? 'on' : 'off'),
  },
  logFile: {
    placeholder: 'FILE',
    expectation: () => 'the name of a file, true for standard error, or false',
    textExpectation: () => 'the name of a file, or - for standard error',
    accepts: (value) => typeof value === 'boolean' || (typeof value === 'string' && value !== ''),
    fromText: logFileFromText,
    fromVariable: (text) => switchFromText(text) ?? logFileFromText(text),
    variableExpectation: () => 'the name of a file, - for standard error, or off',
    show: (value) => (value === true ? 'standard error' : value === false ? 'off' : String(value)),
  },
  headers: {
    placeholder: 'NAME:VALUE',
    expectation: () => 'a list of [name, value] pairs of valid HTTP fields, none of which frames the message',
    textExpectation: () => 'NAME:VALUE, a valid HTTP field that does not frame the message',
    accepts: (value) => Array.isArray(value) && value.every(isHeader),
    fromText: headerFromText,
    fromVariable: headersFromLines,
    variableExpectation: () => 'lines of NAME:VALUE, valid HTTP fields that do not frame the message',
  },
  record: {
    placeholder: '',
    expectation: () => 'an object that maps a name to its details, such as { fullflush: {} }',
    accepts: (value) => isRecord(value) && Object.values(value).every(isRecord),
    fromText: () => undefined,
    fromVariable: (text) => Object.fromEntries(wordsOf(text).map((name) => [name, {}])),
    show: () => '{}',
  },
};

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isListOfStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isHeader(pair: unknown): boolean {
  if (!Array.isArray(pair) || pair.length !== 2) return false;
  const [name, value] = pair as unknown[];
  if (typeof name !== 'string' || !FIELD_NAME.test(name)) return false;
  return typeof value === 'string' && FIELD_VALUE.test(value) && !FRAMING_FIELDS.has(name.toLowerCase());
}

function headerFromText(text: string): unknown {
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  // Field values are bytes: what the terminal gave as UTF-8 goes out as the same bytes.
  const value = Buffer.from(text.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, ''), 'utf8').toString('latin1');
  return [[text.slice(0, colon), value]];
}

function headersFromLines(text: string): unknown {
  const headers = linesOf(text).map((line) => headerFromText(line));
  return headers.every((pairs) => Array.isArray(pairs)) ? headers.flat() : undefined;
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

/** What stands between commas or blanks. */
function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

function switchFromText(text: string): boolean | undefined {
  if (/^(?:1|true|on|yes)$/i.test(text)) return true;
  return /^(?:0|false|off|no)$/i.test(text) ? false : undefined;
}

function logFileFromText(text: string): string | true {
  return text === '-' ? true : text;
}

function wholeNumber(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The bits that an octal mode stands for; undefined where it is not one. */
export function octalMode(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const digits = /^(?:0o?)?([0-7]{3})$/.exec(value)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

function scaled(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number | undefined {
  const match = pattern.exec(text);
  const factor = match ? units[match[2] ?? ''] : undefined;
  if (!match || factor === undefined) return undefined;
  // Dividing keeps 500ms at 0.5 exactly; multiplying by 0.001 would not for every number.
  return factor < 1 ? Number(match[1]) / Math.round(1 / factor) : Number(match[1]) * factor;
}
