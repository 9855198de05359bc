/**
 * The invariant: whatever arrives, the reader gives well-formed messages or one fault, never an exception and never a hang,
 * it gives the same however the bytes are cut, and it holds no more than its limits allow. Inputs are sequences of
 * frames, mutated. TSAGI_FUZZ_INPUTS says how many, TSAGI_FUZZ_SEED which; a failure prints the input.
 */

import { expect, test } from 'bun:test';

import { isSendableCloseCode } from '../../src/wire/websocket/close-codes.ts';
import type { Incoming } from '../../src/wire/websocket/message-reader.ts';
import { Random } from '../support/random.ts';
import {
  clientFrame,
  closeFrame,
  messageReader,
  readMessages,
  type ReaderOptions,
  type ReadMessages,
} from '../support/websocket-frames.ts';

const INPUTS = Number(process.env['TSAGI_FUZZ_INPUTS'] ?? 20_000);
const SEED = Number(process.env['TSAGI_FUZZ_SEED'] ?? 1);

const LIMITS: ReaderOptions[] = [
  { maxWsFrameSize: 2 ** 24, maxWsMessageSize: 2 ** 24 },
  { maxWsFrameSize: 2 ** 24, maxWsMessageSize: 2 ** 24, allowsCompression: true },
  { maxWsFrameSize: 20, maxWsMessageSize: 40, allowsCompression: true },
  { maxWsFrameSize: 300, maxWsMessageSize: 100 },
];

const TEXTS = [
  '',
  'a',
  'Hello',
  'größe',
  '€',
  '😀',
  '\ufeff',
  '\ufffd',
  'é'.repeat(70),
  'x'.repeat(126),
  'y€'.repeat(300),
];
/** Pieces that mean something to a validator of UTF-8. */
const BROKEN = ['c3', 'e282', 'f09f98', '80', 'c080', 'eda080', 'f4908080', 'ff', 'e08080', 'efbfbd'].map(
  (hex) => Buffer.from(hex, 'hex'),
);
const CODES = [0, 999, 1000, 1001, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 2999, 3000, 4999, 5000];

/** Mostly a conversation that could be, as far as fragments go. */
function frames(random: Random): Uint8Array {
  const parts: Uint8Array[] = [];
  let isOpen = false;
  for (let count = 1 + random.below(6); count > 0; count--) {
    const kind = random.below(12);
    if (kind === 0) parts.push(close(random));
    else if (kind < 3)
      parts.push(clientFrame({ opcode: 9 + random.below(2), payload: payload(random).subarray(0, 125) }));
    else {
      const fin = !random.oneIn(3);
      parts.push(clientFrame({ ...dataFrame(random, isOpen), fin }));
      isOpen = !fin;
    }
  }
  return Buffer.concat(parts);
}

function close(random: Random): Uint8Array {
  if (random.oneIn(10)) return clientFrame({ opcode: 8, payload: 'x' });
  return closeFrame(random.pick(CODES), payload(random).subarray(0, 123));
}

function dataFrame(random: Random, isOpen: boolean): Parameters<typeof clientFrame>[0] {
  const mask = [random.below(256), random.below(256), random.below(256), random.below(256)];
  const opcode = isOpen ? 0 : 1 + random.below(2);
  const frame = { opcode, payload: payload(random), mask, rsv1: !isOpen && random.oneIn(20) };
  return random.oneIn(50) ? { ...frame, lengthForm: 64 } : frame;
}

function payload(random: Random): Uint8Array {
  const text = Buffer.from(random.pick(TEXTS));
  if (!random.oneIn(10)) return text;
  const at = random.below(text.length + 1);
  return Buffer.concat([text.subarray(0, at), random.pick(BROKEN), text.subarray(at)]);
}

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const MUTATIONS: Mutation[] = [
  (bytes) => bytes,
  function flipBit(bytes, random) {
    const at = random.below(bytes.length);
    return replace(bytes, at, at + 1, Uint8Array.of((bytes[at] ?? 0) ^ (1 << random.below(8))));
  },
  function setByte(bytes, random) {
    const at = random.below(bytes.length);
    return replace(bytes, at, at + 1, Uint8Array.of(random.below(256)));
  },
  function changeHead(bytes, random) {
    return replace(bytes, 0, 2, Uint8Array.of(random.below(256), 0x80 | random.below(256)));
  },
  function announce(bytes, random) {
    const top = random.pick([0x00, 0x00, 0x01, 0x7f, 0x80, 0xff]);
    return replace(
      bytes,
      0,
      2,
      Uint8Array.of(0x80 | random.below(3), random.pick([0xfe, 0xff]), top, 0, 0, 0, 0, random.below(3)),
    );
  },
  function insert(bytes, random) {
    const at = random.below(bytes.length + 1);
    return replace(bytes, at, at, random.pick(BROKEN));
  },
  function remove(bytes, random) {
    const at = random.below(bytes.length);
    return replace(bytes, at, at + 1 + random.below(8), new Uint8Array(0));
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function append(bytes, random) {
    return Buffer.concat([bytes, frames(random)]);
  },
];

test(`${INPUTS} mutated inputs give messages or a fault, the same however they are cut`, () => {
  const random = new Random(SEED);
  const outcomes: Record<string, number> = {};
  for (let index = 0; index < INPUTS; index++) {
    let input = frames(random);
    for (let count = random.below(3); count > 0; count--) input = random.pick(MUTATIONS)(input, random);
    const outcome = judge(input.subarray(0, 4000), random.pick(LIMITS), random).fault ?? 'none';
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  // Inputs that never led to one of these would not have tried it.
  const faults = Object.keys(outcomes).filter((name) => name !== 'none');
  expect(outcomes['none']).toBeGreaterThan(INPUTS / 20);
  expect(faults.length).toBeGreaterThanOrEqual(INPUTS < 20_000 ? 10 : 15);
}, 600_000);

function judge(input: Uint8Array, limits: ReaderOptions, random: Random): ReadMessages {
  const longest = random.pick([1, 2, 5, 20, 200]);
  try {
    const whole = readMessages([input], limits);
    const cut = readMessages(cutAtRandom(input, longest, random), limits);
    const expected = { incoming: whole.incoming, fault: whole.fault };
    if (!Bun.deepEquals(expected, { incoming: cut.incoming, fault: cut.fault })) {
      throw new Error(`whole: ${JSON.stringify(whole)}\ncut:   ${JSON.stringify(cut)}`);
    }
    for (const incoming of whole.incoming) assertWellFormed(incoming, limits);
    assertPushedAhead(input, longest, limits, whole);
    return whole;
  } catch (cause) {
    const hex = Buffer.from(input).toString('hex');
    throw new Error(`failed on ${hex} in pieces of up to ${longest} with ${JSON.stringify(limits)}`, {
      cause,
    });
  }
}

function cutAtRandom(bytes: Uint8Array, longest: number, random: Random): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(longest);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

/** What no message may be, said in other words than the reader's. */
function assertWellFormed(incoming: Incoming, limits: ReaderOptions): void {
  const most = limits.maxWsMessageSize!;
  const isWellFormed = {
    text: () =>
      incoming.kind === 'text' && incoming.text.isWellFormed() && Buffer.byteLength(incoming.text) <= most,
    binary: () => incoming.kind === 'binary' && incoming.bytes.length <= most,
    compressed: () =>
      incoming.kind === 'compressed' && limits.allowsCompression === true && incoming.payload.length <= most,
    ping: () => incoming.kind === 'ping' && incoming.payload.length <= 125,
    pong: () => incoming.kind === 'pong' && incoming.payload.length <= 125,
    close: () =>
      incoming.kind === 'close' &&
      (incoming.code === 1005 ? incoming.reason === '' : isSendableCloseCode(incoming.code)) &&
      incoming.reason.isWellFormed(),
  }[incoming.kind]();
  if (!isWellFormed) throw new Error(`not well formed: ${JSON.stringify(incoming)}`);
}

/** Pulled one message behind what is pushed: the same again, and at the end nothing is held but a head or a control frame. */
function assertPushedAhead(
  input: Uint8Array,
  size: number,
  limits: ReaderOptions,
  expected: ReadMessages,
): void {
  const reader = messageReader(limits);
  const results: unknown[] = [];
  for (let at = 0; at < input.length; at += size) {
    reader.push(Buffer.from(input.subarray(at, at + size)));
    if (at % (3 * size) === 0) results.push(reader.next());
  }
  let last = reader.next();
  for (; last !== undefined && 'kind' in last; last = reader.next()) results.push(last);
  const incoming = results.filter((result) => result !== undefined && 'kind' in (result as object));
  const fault = last?.code;
  if (!Bun.deepEquals({ incoming, fault }, { incoming: expected.incoming, fault: expected.fault })) {
    throw new Error(
      `pushed ahead: ${JSON.stringify({ incoming, fault })}\nexpected: ${JSON.stringify(expected)}`,
    );
  }
  if (reader.bufferedBytes > 130) throw new Error(`still holds ${reader.bufferedBytes} bytes`);
}

function replace(bytes: Uint8Array, from: number, to: number, by: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)]);
}
