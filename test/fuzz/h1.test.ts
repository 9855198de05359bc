/**
 * The invariant: whatever arrives, the reader gives well-formed requests or one protocol error, never another
 * exception and never a hang, and it gives the same however the bytes are cut. Inputs are the vectors, mutated.
 * TSAGI_FUZZ_INPUTS says how many, TSAGI_FUZZ_SEED which; a failure prints the input.
 */

import { expect, test } from 'bun:test';

import type { H1Limits } from '../../src/wire/h1/h1-reader.ts';
import { acceptRows } from '../cases/h1-accept.ts';
import { rejectRows } from '../cases/h1-reject.ts';
import { toBytes } from '../support/bytes.ts';
import { Random } from '../support/random.ts';
import { DEFAULT_LIMITS, readRequests } from '../support/read-requests.ts';
import type { ReadRequest, ReadResult } from '../support/read-requests.ts';

const INPUTS = Number(process.env['TSAGI_FUZZ_INPUTS'] ?? 20_000);
const SEED = Number(process.env['TSAGI_FUZZ_SEED'] ?? 1);

/** Long vectors test limits, which small limits reach with short ones. */
const ROWS = [...acceptRows, ...rejectRows].filter((row) => row.input.length <= 1000);
const SMALL: H1Limits = { maxRequestLine: 24, maxHeaderSize: 64, maxHeaderCount: 3, maxBodySize: 8 };

/** Pieces that mean something to a parser. */
const PIECES = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '=',
  '"',
  '\\',
  '0',
  '5',
  'f',
  '%',
  '/',
  '?',
  '*',
  '\x00',
  '\x7f',
  '\x80',
  '\xff',
  'host: b\r\n',
  'content-length: 3\r\n',
  'transfer-encoding: chunked\r\n',
  'connection: close\r\n',
  'connection: keep-alive\r\n',
  'expect: 100-continue\r\n',
  '0\r\n\r\n',
  '3\r\nabc\r\n',
  'GET / HTTP/1.1\r\n',
  'HTTP/1.0',
  'HTTP/1.1',
  'CONNECT',
  'http://',
];

type Mutation = (text: string, random: Random) => string;

const MUTATIONS: Mutation[] = [
  function flipBit(text, random) {
    const at = random.below(text.length);
    return replace(text, at, at + 1, String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8))));
  },
  function setByte(text, random) {
    const at = random.below(text.length);
    return replace(text, at, at + 1, String.fromCharCode(random.below(256)));
  },
  function insertByte(text, random) {
    const at = random.below(text.length + 1);
    return replace(text, at, at, String.fromCharCode(random.below(256)));
  },
  function insertPiece(text, random) {
    const at = random.below(text.length + 1);
    return replace(text, at, at, random.pick(PIECES));
  },
  function remove(text, random) {
    const at = random.below(text.length);
    return replace(text, at, at + 1 + random.below(random.oneIn(4) ? 20 : 2), '');
  },
  function splice(text, random) {
    const other = random.pick(ROWS).input;
    return text.slice(0, random.below(text.length + 1)) + other.slice(random.below(other.length));
  },
  function append(text, random) {
    return text + random.pick(ROWS).input;
  },
  function repeatLine(text, random) {
    const lines = text.split('\r\n');
    const at = random.below(lines.length);
    lines.splice(random.below(lines.length + 1), 0, lines[at]!);
    return lines.join('\r\n');
  },
  function swapLines(text, random) {
    const lines = text.split('\r\n');
    const from = random.below(lines.length);
    const to = random.below(lines.length);
    [lines[from], lines[to]] = [lines[to]!, lines[from]!];
    return lines.join('\r\n');
  },
  function truncate(text, random) {
    return text.slice(0, random.below(text.length + 1));
  },
];

test(`${INPUTS} mutated inputs give requests or a protocol error, the same however they are cut`, () => {
  const random = new Random(SEED);
  const outcomes = { accepted: 0, refused: 0, incomplete: 0 };
  for (let index = 0; index < INPUTS; index++) {
    const input = mutate(random);
    const limits = random.oneIn(4) ? SMALL : DEFAULT_LIMITS;
    const outcome = judge(input, limits, random);
    if (outcome.error) outcomes.refused++;
    else if (outcome.incomplete) outcomes.incomplete++;
    else outcomes.accepted++;
  }
  // Mutations that only ever led to one outcome would show nothing.
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(INPUTS / 50);
}, 600_000);

function mutate(random: Random): string {
  let text = random.pick(ROWS).input;
  for (let count = 1 + random.below(4); count > 0; count--) {
    if (text === '') text = random.pick(ROWS).input;
    text = random.pick(MUTATIONS)(text, random);
  }
  return text.slice(0, 4000);
}

function judge(input: string, limits: H1Limits, random: Random): ReadResult {
  const bytes = toBytes(input);
  try {
    const whole = readRequests([bytes], limits);
    const cut = readRequests(cutAtRandom(bytes, random), limits);
    if (!Bun.deepEquals(whole, cut)) {
      throw new Error(`whole: ${JSON.stringify(whole)}\ncut:   ${JSON.stringify(cut)}`);
    }
    for (const request of whole.requests) assertWellFormed(request, limits);
    return whole;
  } catch (cause) {
    throw new Error(`failed on ${JSON.stringify(input)} with ${JSON.stringify(limits)}`, { cause });
  }
}

function cutAtRandom(bytes: Uint8Array, random: Random): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const longest = random.pick([1, 2, 5, 20, 200]);
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(longest);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

/** What no accepted request may be, said again in other words than the reader's. */
function assertWellFormed(request: ReadRequest, limits: H1Limits): void {
  const named = (name: string) => request.headers.filter((field) => field[0] === name);
  const hosts = named('host').length;
  const faults: Record<string, boolean> = {
    method: !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(request.method),
    target: !/^[\x21\x24-\x3b\x3d\x3f-\x7e%]+$/.test(request.target),
    host: hosts > 1 || (request.version === '1.1' && hosts === 0),
    lengths: named('content-length').length > 1,
    length: named('content-length').some(([, value]) => !/^[0-9]+$/.test(value)),
    lengthKept: named('content-length').some(([, value]) => Number(value) !== request.body.length),
    coding: named('transfer-encoding').some(([, value]) => value.toLowerCase() !== 'chunked'),
    codings: named('transfer-encoding').length > (request.version === '1.1' ? 1 : 0),
    conflict: named('transfer-encoding').length > 0 && named('content-length').length > 0,
    unframed: request.body !== '' && named('transfer-encoding').length + named('content-length').length === 0,
    fields: ![...request.headers, ...request.trailers].every(isField),
    count: request.headers.length > limits.maxHeaderCount || request.trailers.length > limits.maxHeaderCount,
    bodySize: limits.maxBodySize > 0 && request.body.length > limits.maxBodySize,
    lineSize: `${request.method} ${request.target} HTTP/1.1`.length > limits.maxRequestLine,
  };
  const found = Object.keys(faults).filter((name) => faults[name]);
  if (found.length > 0)
    throw new Error(`accepted with a wrong ${found.join(', ')}: ${JSON.stringify(request)}`);
}

function isField([name, value]: [name: string, value: string]): boolean {
  return (
    /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) &&
    /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/.test(value)
  );
}

function replace(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}
