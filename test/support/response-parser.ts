/**
 * A strict HTTP/1.1 response parser (RFC 9112 4, 5, 6.3, 7.1): what a server may not send is an error here, never
 * read as something else. Pulls its bytes, so that the caller says for which method the next response is.
 */
import { Buffer } from 'node:buffer';

export interface RawResponse {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  /** As sent: case, order and repeats kept. */
  readonly headers: [name: string, value: string][];
  readonly body: Buffer;
  /** Sizes of the chunks; empty where the body was not chunked. */
  readonly chunks: number[];
  readonly trailers: [name: string, value: string][];
  /** How the end of the body was told. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** False when the connection ended before the response did. */
  readonly isComplete: boolean;
  /** Statuses of the interim responses before this one. */
  readonly interim: number[];
}

/** Where the parser gets its bytes. */
export interface ByteSource {
  /** The next line without its CRLF; undefined when the input ends before one does. */
  line(): Promise<string | undefined>;
  /** Up to `limit` bytes, at least one; undefined at the end of the input. */
  some(limit: number): Promise<Buffer | undefined>;
  /** Whether the input ended with a reset. */
  readonly isReset: boolean;
}

export class MalformedResponse extends Error {}

type Draft = { -readonly [Key in keyof RawResponse]: RawResponse[Key] };

/** The next final response; undefined when the input ends before its first byte. */
export async function readResponse(source: ByteSource, method: string): Promise<RawResponse | undefined> {
  const interim: number[] = [];
  for (;;) {
    const statusLine = await source.line();
    if (statusLine === undefined) {
      if (interim.length === 0) return undefined;
      throw new MalformedResponse('the connection ended behind an interim response');
    }
    const draft = readStatusLine(statusLine, interim);
    if (!(await readFields(source, draft.headers))) return draft;
    if (draft.status >= 200) return await readBody(source, draft, method);
    interim.push(draft.status);
    if (draft.headers.some(([name]) => isNamed(name, 'content-length', 'transfer-encoding'))) {
      throw new MalformedResponse('an interim response has framing fields');
    }
  }
}

function readStatusLine(line: string, interim: number[]): Draft {
  const match = /^(HTTP\/1\.1) ([1-9]\d\d) ([\t \x21-\x7e\x80-\xff]*)$/.exec(line);
  if (match === null) throw new MalformedResponse(`not a status line: ${JSON.stringify(line.slice(0, 200))}`);
  return {
    version: match[1]!,
    status: Number(match[2]),
    reason: match[3]!,
    headers: [],
    body: Buffer.alloc(0),
    chunks: [],
    trailers: [],
    framing: 'none',
    isComplete: false,
    interim,
  };
}

/** False when the input ends inside. */
async function readFields(source: ByteSource, fields: [string, string][]): Promise<boolean> {
  for (;;) {
    const line = await source.line();
    if (line === undefined) return false;
    if (line === '') return true;
    const match = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*([^\0\r\n]*?)[ \t]*$/.exec(line);
    if (match === null)
      throw new MalformedResponse(`not a field line: ${JSON.stringify(line.slice(0, 200))}`);
    fields.push([match[1]!, match[2]!]);
  }
}

async function readBody(source: ByteSource, draft: Draft, method: string): Promise<RawResponse> {
  const length = oneValue(draft, 'content-length');
  const coding = oneValue(draft, 'transfer-encoding');
  if (length !== undefined && coding !== undefined)
    throw new MalformedResponse('both ways of framing at once');
  if (length !== undefined && !/^\d+$/.test(length)) throw new MalformedResponse(`content-length: ${length}`);
  if (coding !== undefined && coding !== 'chunked')
    throw new MalformedResponse(`transfer-encoding: ${coding}`);
  if (draft.status === 204 && (length ?? coding) !== undefined) {
    throw new MalformedResponse('a 204 with framing fields (RFC 9110 8.6, RFC 9112 6.1)');
  }
  const hasNoBody = method === 'HEAD' || draft.status === 204 || draft.status === 304;
  if (hasNoBody) return Object.assign(draft, { isComplete: true });
  const pieces: Buffer[] = [];
  if (coding !== undefined) {
    draft.framing = 'chunked';
    draft.isComplete = await readChunks(source, draft, pieces);
  } else if (length !== undefined) {
    draft.framing = 'length';
    draft.isComplete = await readExactly(source, Number(length), pieces);
  } else {
    draft.framing = 'close';
    for (let piece = await source.some(Infinity); piece; piece = await source.some(Infinity))
      pieces.push(piece);
    draft.isComplete = !source.isReset;
  }
  return Object.assign(draft, { body: Buffer.concat(pieces) });
}

async function readChunks(source: ByteSource, draft: Draft, pieces: Buffer[]): Promise<boolean> {
  for (;;) {
    const line = await source.line();
    if (line === undefined) return false;
    if (!/^[0-9a-f]+$/i.test(line)) throw new MalformedResponse(`not a chunk size: ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    if (size === 0) return await readFields(source, draft.trailers);
    draft.chunks.push(size);
    if (!(await readExactly(source, size, pieces))) return false;
    const end = await source.line();
    if (end === undefined) return false;
    if (end !== '') throw new MalformedResponse('chunk data is not followed by CR LF');
  }
}

async function readExactly(source: ByteSource, size: number, pieces: Buffer[]): Promise<boolean> {
  for (let left = size; left > 0;) {
    const piece = await source.some(left);
    if (piece === undefined) return false;
    pieces.push(piece);
    left -= piece.length;
  }
  return true;
}

function oneValue(draft: Draft, name: string): string | undefined {
  const values = draft.headers.filter(([given]) => isNamed(given, name));
  if (values.length > 1) throw new MalformedResponse(`${name} comes ${values.length} times`);
  return values[0]?.[1];
}

function isNamed(name: string, ...wanted: string[]): boolean {
  return wanted.includes(name.toLowerCase());
}
