/**
 * The shape of the conformance rows: what a client sends behind the exchange of SETTINGS, as a script of bytes and waits, and
 * what a server must make of it by RFC 9113 and RFC 7541. Bytes are spelled out without state, so that a row says all there is. The
 * application behind the server is the one that `PATH` describes.
 */
import type { StartOptions } from '../../support/start-server.ts';
import { CODE, dataFrame, headersFrame, type MessageOptions } from '../../support/h2/frames.ts';
import { type Field, plainBlock } from '../../support/h2/hpack.ts';

/** What the application does, by path. */
export const PATH = {
  /** Reads the body and sends it back, with `x-trailer` of the request's trailers where it has any. */
  echo: '/',
  /** Answers with what the scope says: `method`, `path`, `queryString` and `headers`, as JSON. */
  describe: '/describe',
  /** Never answers, and reads nothing. */
  wait: '/wait',
  /** Answers with 100 000 bytes. */
  large: '/large',
} as const;

export const LARGE = 100_000;

export type Settings = readonly (readonly [id: number, value: number])[];

export type Step =
  | Uint8Array
  /** One byte a write. */
  | { readonly trickle: Uint8Array }
  | { readonly answered: number }
  | { readonly resetSeen: number }
  /** So many bytes of the body on the stream. */
  | { readonly received: readonly [stream: number, count: number] }
  /** Waits for as many acknowledgements of SETTINGS as there have been since the connection began. */
  | { readonly acks: number }
  /** Windows that count: the server may use them. */
  | { readonly grant: readonly [stream: number, increment: number] }
  /** Sent, acknowledged, and obeyed from then on. */
  | { readonly settings: Settings }
  /** One byte more than the window of the connection, on as many streams as it takes. */
  | { readonly overrun: 'connection' }
  | { readonly halfClose: true };

export type Expected =
  /** GOAWAY with one of these codes, and the end of the connection. */
  | { readonly kind: 'connection error'; readonly codes: readonly number[]; readonly lastStream?: number }
  /** RST_STREAM with one of these codes; the connection goes on. */
  | { readonly kind: 'stream error'; readonly stream: number; readonly codes: readonly number[] }
  /** Where the RFC leaves it open which of the two. */
  | { readonly kind: 'any error'; readonly stream: number; readonly codes: readonly number[] }
  /** A response of this status, or a stream error with one of these codes. */
  | {
      readonly kind: 'refused';
      readonly stream: number;
      readonly codes: readonly number[];
      readonly statuses: readonly number[];
    }
  | { readonly kind: 'response'; readonly stream: number; readonly status: number; readonly body?: string }
  /** A response to `PATH.describe`, these fields among those that the application saw. */
  | {
      readonly kind: 'described';
      readonly stream: number;
      readonly has: object;
      readonly headers: readonly Field[];
    }
  /** So many bytes of a body, and no more for now. */
  | { readonly kind: 'held at'; readonly stream: number; readonly length: number }
  /** Frames that come, in this order. */
  | { readonly kind: 'frames'; readonly frames: readonly ExpectedFrame[] }
  /** The connection goes on, and no stream is reset. */
  | { readonly kind: 'ignored' }
  /** The connection ends, with or without GOAWAY. */
  | { readonly kind: 'closed' };

export interface ExpectedFrame {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
  /** A byte string. */
  readonly payload?: string;
}

export interface ConformanceRow {
  readonly name: string;
  readonly rfc: string;
  readonly steps: readonly Step[];
  readonly expected: Expected;
  readonly options: RowOptions;
}

export interface RowOptions {
  /** Of the server. */
  readonly server?: StartOptions;
  /** Of the client, from its preface on. */
  readonly settings?: Settings;
  /** The script begins with the first byte of the connection. */
  readonly isBare?: true;
  /** The application must not have been called for a request of the script. */
  readonly isHidden?: true;
  /** The connection cannot take another request behind the script: it is only pinged. */
  readonly isLast?: true;
}

type Entry = readonly [steps: Step | readonly Step[], expected: Expected, options?: RowOptions];

/** Rows of one section about one thing; the keys say what happens. */
export function rows(rfc: string, about: string, table: Record<string, Entry>): ConformanceRow[] {
  return Object.entries(table).map(([claim, [steps, expected, options = {}]]) => ({
    name: `${about}: ${claim}`,
    rfc,
    steps: Array.isArray(steps) ? steps : [steps as Step],
    expected,
    options,
  }));
}

/** The same expectation of a number of scripts. */
export function alike(
  expected: Expected,
  table: Record<string, Step | readonly Step[]>,
  options: RowOptions = {},
): Record<string, Entry> {
  return Object.fromEntries(
    Object.entries(table).map(([claim, steps]) => [claim, [steps, expected, options]]),
  );
}

// What is expected.

export const connectionError = (...codes: number[]): Expected => ({ kind: 'connection error', codes });
export const streamError = (stream: number, ...codes: number[]): Expected => ({
  kind: 'stream error',
  stream,
  codes,
});
export const anyError = (stream: number, ...codes: number[]): Expected => ({
  kind: 'any error',
  stream,
  codes,
});
export const refused = (stream: number, ...statuses: number[]): Expected => ({
  kind: 'refused',
  stream,
  statuses,
  codes: [CODE.protocolError],
});
export const response = (stream: number, status = 200, body?: string): Expected => ({
  kind: 'response',
  stream,
  status,
  ...(body === undefined ? {} : { body }),
});
export const described = (stream: number, has: object, ...headers: Field[]): Expected => ({
  kind: 'described',
  stream,
  has,
  headers,
});
export const heldAt = (stream: number, length: number): Expected => ({ kind: 'held at', stream, length });
export const frames = (...list: ExpectedFrame[]): Expected => ({ kind: 'frames', frames: list });
export const ignored: Expected = { kind: 'ignored' };
export const closed: Expected = { kind: 'closed' };
/** RFC 9113 section 8.1.1. */
export const malformed: Expected = streamError(1, CODE.protocolError);

// What is sent.

export type Pseudo = Partial<Record<'method' | 'scheme' | 'authority' | 'path' | 'protocol', string | null>>;

/** The fields of a request; a pseudo-header field that is `null` is left out. */
export function request(pseudo: Pseudo = {}, ...fields: Field[]): Field[] {
  const all = {
    method: 'GET',
    protocol: null,
    scheme: 'http',
    authority: 'test',
    path: PATH.echo,
    ...pseudo,
  };
  const start = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null);
  return [...start.map(([name, value]): Field => [`:${name}`, value]), ...fields];
}

/** HEADERS with these fields, all of them literals. */
export function message(stream: number, fields: readonly Field[], options: MessageOptions = {}): Buffer {
  return headersFrame(stream, plainBlock(fields), options);
}

/** A whole request without a body. */
export function get(stream: number, pseudo: Pseudo = {}, ...fields: Field[]): Buffer {
  return message(stream, request(pseudo, ...fields), { endStream: true });
}

/** The head of a request whose body is to follow. */
export function post(stream: number, pseudo: Pseudo = {}, ...fields: Field[]): Buffer {
  return message(stream, request({ method: 'POST', ...pseudo }, ...fields));
}

export const end = (stream: number, body = ''): Buffer => dataFrame(stream, body, { endStream: true });
/** In state "open": the application does not answer. */
export const open = (stream: number): Buffer => post(stream, { path: PATH.wait });
/** In state "half-closed (remote)". */
export const halfClosed = (stream: number): Buffer => get(stream, { path: PATH.wait });
/** In state "closed": request and response are complete. */
export const done = (stream: number): Step[] => [get(stream), { answered: stream }];
