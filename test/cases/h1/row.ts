/**
 * The shape of the HTTP/1.1 vectors. A vector is one input as a byte string (every char code is one byte) and what a
 * server must make of it: the requests it accepts, or the status it refuses with. `accepted` and `refused` turn a
 * table of inputs about one thing into rows; what the table is about and the key of the input make the row's name.
 */

export interface H1Limits {
  maxRequestLine: number;
  maxHeaderSize: number;
  maxHeaderCount: number;
  maxBodySize: number;
}

export type Field = [name: string, value: string];

export interface ExpectedRequest {
  method: string;
  /** As received. */
  target: string;
  /** The path as received; not compared where the row leaves it out. */
  path?: string;
  /** Without the question mark; not compared where the row leaves it out. */
  query?: string;
  version: '1.0' | '1.1';
  headers: Field[];
  body: string;
  /** `[]` where the row leaves it out. */
  trailers?: Field[];
  keepAlive: boolean;
  /** Whether the client waits for 100 before it sends its body; false where the row leaves it out. */
  expectsContinue?: boolean;
}

export interface AcceptRow {
  name: string;
  rfc: string;
  input: string;
  limits?: Partial<H1Limits>;
  expect: ExpectedRequest[];
  /** The input stops in the middle of a request that follows those expected: neither accepted nor refused yet. */
  unfinished?: true;
}

export interface RejectRow {
  name: string;
  rfc: string;
  input: string;
  limits?: Partial<H1Limits>;
  expect: {
    /** Requests complete before the one that is refused; 0 where the row leaves it out. */
    before?: number;
    status: RejectStatus;
  };
}

export type RejectStatus = 400 | 413 | 414 | 417 | 431 | 501 | 505;

/** `GET / HTTP/1.1` with `host: a` and nothing else, changed in the given parts. */
export function request(parts: Partial<ExpectedRequest> = {}): ExpectedRequest {
  return {
    method: 'GET',
    target: '/',
    version: '1.1',
    headers: [['host', 'a']],
    body: '',
    keepAlive: true,
    ...parts,
  };
}

/** What the rows of one table have in common: the RFC section, or that and more. */
type Common<More> = string | ({ rfc: string; limits?: Partial<H1Limits> } & More);

export function accepted(
  about: string,
  common: Common<{ unfinished?: true }>,
  table: Record<string, readonly [input: string, ...expect: ExpectedRequest[]]>,
): AcceptRow[] {
  const shared = typeof common === 'string' ? { rfc: common } : common;
  return Object.entries(table).map(([claim, [input, ...expect]]) =>
    Object.assign({ name: `${about}: ${claim}`, input, expect }, shared),
  );
}

export function refused(
  status: RejectStatus,
  about: string,
  common: Common<{ before?: number }>,
  table: Record<string, string>,
): RejectRow[] {
  const { before = 0, ...shared } = typeof common === 'string' ? { rfc: common } : common;
  return Object.entries(table).map(([claim, input]) =>
    Object.assign({ name: `${about}: ${claim}`, input, expect: { before, status } }, shared),
  );
}

/** How a row names a byte: itself where it can be seen, its code otherwise. */
export function nameByte(code: number): string {
  return code > 0x20 && code < 0x7f
    ? `"${String.fromCharCode(code)}"`
    : `byte 0x${code.toString(16).padStart(2, '0')}`;
}
