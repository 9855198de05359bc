/**
 * The invariant: whatever value `sec-websocket-extensions` has, it is parsed or malformed, never an exception, and in
 * linear time; what was parsed is within the grammar, means the same when written out again, and can be negotiated.
 * Inputs are the vectors, mutated. TSAGI_FUZZ_INPUTS says how many, TSAGI_FUZZ_SEED which; a failure prints the input.
 */

import { expect, test } from 'bun:test';

import { negotiateDeflate, parseExtensions } from '../../src/wire/websocket/extensions.ts';
import type { ExtensionOffer } from '../../src/wire/websocket/extensions.ts';
import { grammarRows, negotiationRows } from '../cases/websocket/negotiation.ts';
import { Random } from '../support/random.ts';

const INPUTS = Number(process.env['TSAGI_FUZZ_INPUTS'] ?? 20_000);
const SEED = Number(process.env['TSAGI_FUZZ_SEED'] ?? 1);

const VALUES = [...grammarRows, ...negotiationRows].map((row) => row.input);

/** Pieces that mean something to the parser or to the negotiation. */
const PIECES = [
  ',',
  ';',
  '=',
  '"',
  '\\',
  ' ',
  '\t',
  '\x00',
  '\x7f',
  '\xff',
  '8',
  '0',
  '16',
  '"10"',
  '; a',
  '; a=1',
  'permessage-deflate',
  '; server_no_context_takeover',
  '; client_no_context_takeover',
  '; server_max_window_bits=9',
  '; client_max_window_bits',
];

type Mutation = (text: string, random: Random) => string;

const MUTATIONS: Mutation[] = [
  function setByte(text, random) {
    const at = random.below(text.length);
    return replace(text, at, at + 1, String.fromCharCode(random.below(256)));
  },
  function insertPiece(text, random) {
    const at = random.below(text.length + 1);
    return replace(text, at, at, random.pick(PIECES));
  },
  function remove(text, random) {
    const at = random.below(text.length + 1);
    return replace(text, at, at + 1 + random.below(4), '');
  },
  function splice(text, random) {
    const other = random.pick(VALUES);
    return text.slice(0, random.below(text.length + 1)) + other.slice(random.below(other.length + 1));
  },
  function appendMember(text, random) {
    return `${text},${random.pick(VALUES)}`;
  },
];

test(`${INPUTS} mutated values are parsed or malformed`, () => {
  const random = new Random(SEED);
  const outcomes = { malformed: 0, declined: 0, taken: 0 };
  for (let index = 0; index < INPUTS; index++) {
    const input = mutate(random);
    try {
      outcomes[judge(input)]++;
    } catch (cause) {
      throw new Error(`failed on ${JSON.stringify(input)}`, { cause });
    }
  }
  // Mutations that only ever led to one outcome would show nothing.
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(INPUTS / 50);
}, 600_000);

test.each([
  ['commas', ','],
  ['blanks', ' '],
  ['semicolons', 'a;'],
  ['names', 'a,'],
  ['parameters', ';a=1'],
  ['quotes', '"'],
  ['quoted values', ';a="b"'],
  ['backslashes', '\\'],
  ['one open quoted value', 'a;b="\\c'],
  ['one long name', 'abc'],
])(
  'the time for many %s grows with their number alone',
  (_, piece) => {
    // A quadratic parser would take many minutes for this, so the test's own time limit is the judge.
    const value = `foo; a="${piece.repeat(1_000_000)}`;
    expect(() => parseExtensions(value)).not.toThrow();
    expect(() => parseExtensions(piece.repeat(1_000_000))).not.toThrow();
  },
  20_000,
);

function mutate(random: Random): string {
  let text = random.pick(VALUES);
  for (let count = 1 + random.below(3); count > 0; count--) text = random.pick(MUTATIONS)(text, random);
  return text.slice(0, 2000);
}

function judge(input: string): 'malformed' | 'declined' | 'taken' {
  const offers = parseExtensions(input);
  if (!offers) return 'malformed';
  if (offers.length === 0) throw new Error('parsed, and nothing in it');
  const again = parseExtensions(write(offers));
  if (!Bun.deepEquals(again, offers)) throw new Error(`means something else again: ${JSON.stringify(again)}`);
  const agreement = negotiateDeflate(offers);
  if (!agreement) return 'declined';
  const [answer, ...others] = parseExtensions(agreement.response) ?? [];
  const bits = answer?.parameters.find(([name]) => name === 'server_max_window_bits')?.[1];
  if (others.length > 0 || Number(bits ?? 15) !== agreement.serverMaxWindowBits) {
    throw new Error(`response: ${agreement.response}`);
  }
  if (!(agreement.serverMaxWindowBits >= 8 && agreement.serverMaxWindowBits <= 15)) {
    throw new Error(`window bits: ${agreement.serverMaxWindowBits}`);
  }
  return 'taken';
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The offers as a value, in the plainest form. */
function write(offers: readonly ExtensionOffer[]): string {
  const texts = offers.flatMap(({ name, parameters }) => [name, ...parameters.flat()]);
  for (const text of texts) {
    if (text !== undefined && !TOKEN.test(text)) throw new Error(`not a token: ${JSON.stringify(text)}`);
  }
  return offers
    .map(({ name, parameters }) =>
      [name, ...parameters.map(([key, value]) => (value === undefined ? key : `${key}=${value}`))].join(';'),
    )
    .join(',');
}

function replace(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}
