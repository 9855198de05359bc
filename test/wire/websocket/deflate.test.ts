/**
 * What inflates to a message and what is a fault, however large; and that what is deflated keeps to the window that
 * was agreed, which is judged with a reader of DEFLATE of the tests' own.
 */

import { describe, expect, test } from 'bun:test';
import { constants, deflateRawSync } from 'node:zlib';

import { deflateMessage, inflateMessage } from '../../../src/wire/websocket/deflate.ts';
import { WS_FAULTS } from '../../../src/wire/websocket/errors.ts';
import { payloadRows } from '../../cases/websocket/deflate-payloads.ts';
import { toBytes } from '../../support/bytes.ts';
import { Random } from '../../support/random.ts';
import { readDeflateTokens } from './deflate-tokens.ts';

const MIB = 1024 * 1024;

/** The payload that another implementation would send: level 6, the full window. */
function payloadOf(message: Uint8Array): Uint8Array {
  return deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** Bytes that do not compress. */
function noise(size: number, seed = 1): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length: size }, () => random.below(256));
}

/** Text that compresses to about a quarter. */
function prose(size: number): Uint8Array {
  const random = new Random(7);
  const words = ['alpha', 'beta', 'gamma', 'delta', 'session', 'message', 'index', 'status', 'null'];
  let text = '';
  while (text.length < size) text += `${random.pick(words)} ${random.below(1000)},`;
  return toBytes(text.slice(0, size));
}

describe('inflating', () => {
  for (const { name, rfc, payload, message } of payloadRows) {
    test(`${name} (${rfc}) is ${message === undefined ? 'a fault' : 'right'}`, async () => {
      const bytes = Buffer.from(payload.replaceAll(' ', ''), 'hex');
      const inflated = await inflateMessage(bytes, MIB);
      if (message === undefined) expect(inflated).toBe(WS_FAULTS.invalidDeflate);
      else expect(inflated).toEqual(toBytes(message));
    });
  }

  for (const size of [1, 100, 16_384, 65_535, 65_536, 65_537, MIB]) {
    test(`${size} bytes are right at a limit of as many, and too big at one less`, async () => {
      const message = prose(size);
      const payload = payloadOf(message);
      expect(Buffer.compare(await bytesOf(inflateMessage(payload, size)), message)).toBe(0);
      expect(await inflateMessage(payload, size - 1)).toBe(WS_FAULTS.messageTooBig);
    });
  }

  test('a payload larger than what is inflated at once is right, and too big at a limit of one byte less', async () => {
    const message = noise(200_000);
    const payload = payloadOf(message);
    expect(Buffer.compare(await bytesOf(inflateMessage(payload, 200_000)), message)).toBe(0);
    expect(await inflateMessage(payload, 199_999)).toBe(WS_FAULTS.messageTooBig);
  });

  test('nothing is too big for no limit', async () => {
    const message = prose(300_000);
    expect(Buffer.compare(await bytesOf(inflateMessage(payloadOf(message), Infinity)), message)).toBe(0);
  });

  test('only an empty message fits a limit of nothing', () => {
    expect(inflateMessage(Uint8Array.of(0), 0)).toEqual(new Uint8Array(0));
    expect(inflateMessage(payloadOf(toBytes('a')), 0)).toBe(WS_FAULTS.messageTooBig);
  });

  test('small messages are there at once, large ones are waited for', async () => {
    expect(inflateMessage(payloadOf(prose(20_000)), MIB)).toBeInstanceOf(Uint8Array);
    const large = inflateMessage(payloadOf(prose(500_000)), MIB);
    expect(large).toBeInstanceOf(Promise);
    expect((await bytesOf(large)).length).toBe(500_000);
  });

  test('a payload of some 400 KiB that would be a message of 400 MiB stops at the limit', async () => {
    const piece = deflateRawSync(new Uint8Array(MIB), { finishFlush: constants.Z_FULL_FLUSH });
    const payload = Buffer.concat(Array<Uint8Array>(400).fill(piece)).subarray(0, -4);
    const before = process.memoryUsage.rss();
    expect(await inflateMessage(payload, MIB)).toBe(WS_FAULTS.messageTooBig);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * MIB);
    // One that is small enough to be tried at once, with a limit that is passed there.
    expect(inflateMessage(payload.subarray(0, 20_000), 60_000)).toBe(WS_FAULTS.messageTooBig);
  });

  test.each<[kind: string, payload: Uint8Array, excepted: number]>([
    ['of fixed codes', payloadOf(toBytes('a short text, a short text')), 0],
    ['of dynamic codes', payloadOf(prose(2000)), 0],
    ['stored', payloadOf(noise(400)), 5],
    ['of a final block', deflateRawSync(prose(2000)), 0],
  ])('a message %s that is cut anywhere is a fault', async (_, payload, excepted) => {
    // Not of its first byte alone: a 00 is an empty message. And not where just the four bytes are missing from a
    // stored block that a receiver puts back.
    for (let length = 2; length < payload.length; length++) {
      if (length === payload.length - excepted) continue;
      expect(await inflateMessage(payload.subarray(0, length), MIB)).toBe(WS_FAULTS.invalidDeflate);
    }
  });

  test('large messages that are cut or corrupt are faults too', async () => {
    const payload = payloadOf(prose(600_000));
    for (const part of [0.3, 0.6, 0.99]) {
      const cut = payload.subarray(0, payload.length * part);
      expect(await inflateMessage(cut, MIB)).toBe(WS_FAULTS.invalidDeflate);
    }
    expect(await inflateMessage(payload.subarray(1), MIB)).toBe(WS_FAULTS.invalidDeflate);
    expect(await inflateMessage(noise(100_000), MIB)).toBe(WS_FAULTS.invalidDeflate);
  });

  test('a large message whose parts end in final blocks is joined', async () => {
    const part = noise(30_000);
    const payload = Buffer.concat(Array<Uint8Array>(5).fill(deflateRawSync(part)));
    const message = await bytesOf(inflateMessage(payload, 150_000));
    expect(Buffer.compare(message, Buffer.concat(Array<Uint8Array>(5).fill(part)))).toBe(0);
    expect(await inflateMessage(payload, 149_999)).toBe(WS_FAULTS.messageTooBig);
  });

  test('a message of very many final blocks is refused', () => {
    const final = deflateRawSync(toBytes('ab'));
    const repeated = (times: number) => Buffer.concat(Array<Uint8Array>(times).fill(final));
    expect(inflateMessage(repeated(50), MIB)).toEqual(toBytes('ab'.repeat(50)));
    expect(inflateMessage(repeated(5000), MIB)).toBe(WS_FAULTS.invalidDeflate);
  });

  test('random bytes and mutated payloads are a message or a fault, within the limit', async () => {
    const random = new Random(Number(process.env['TSAGI_FUZZ_SEED'] ?? 1));
    const outcomes = new Map<string, number>();
    for (let index = 0; index < 3000; index++) {
      const payload = random.oneIn(2) ? noise(random.below(60), index) : payloadOf(prose(random.below(300)));
      for (let count = random.below(3); count > 0 && payload.length > 0; count--) {
        payload[random.below(payload.length)] = random.below(256);
      }
      const inflated = await inflateMessage(payload, 200);
      if (inflated instanceof Uint8Array) expect(inflated.length).toBeLessThanOrEqual(200);
      const outcome = inflated instanceof Uint8Array ? 'message' : inflated.code;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].sort()).toEqual(['invalid_deflate', 'message', 'message_too_big']);
    for (const count of outcomes.values()) expect(count).toBeGreaterThan(100);
  });

  test('many large messages at once all come out right', async () => {
    const messages = Array.from({ length: 20 }, (_, index) => noise(40_000 + index, index));
    const inflated = await Promise.all(
      messages.map((message) => bytesOf(inflateMessage(payloadOf(message), MIB))),
    );
    for (const [index, message] of messages.entries()) {
      expect(Buffer.compare(inflated[index]!, message)).toBe(0);
    }
  });

  test('the payload is left as it was, wherever in a buffer it stands', () => {
    const around = new Uint8Array(100).fill(0xee);
    const payload = payloadOf(toBytes('Hello'));
    around.set(payload, 10);
    const before = around.slice();
    expect(inflateMessage(around.subarray(10, 10 + payload.length), MIB)).toEqual(toBytes('Hello'));
    expect(around).toEqual(before);
  });
});

describe('deflating', () => {
  test('an empty message is one byte', () => {
    expect(deflateMessage(new Uint8Array(0), 15)).toEqual(Uint8Array.of(0));
  });

  test('a message that does not compress comes out longer, and right', async () => {
    const message = noise(5000);
    const payload = await deflateMessage(message, 15);
    expect(payload.length).toBeGreaterThan(message.length);
    expect(readDeflateTokens(withTail(payload)).bytes).toEqual(message);
  });

  test('small messages are there at once, large ones are waited for', async () => {
    expect(deflateMessage(prose(20_000), 15)).toBeInstanceOf(Uint8Array);
    const large = deflateMessage(prose(500_000), 15);
    expect(large).toBeInstanceOf(Promise);
    expect((await large).length).toBeLessThan(250_000);
  });

  for (const windowBits of [8, 9, 10, 11, 12, 13, 14, 15]) {
    test(`with a window of ${windowBits} bits no match reaches back farther`, async () => {
      let matches = 0;
      for (const message of temptations(1 << windowBits)) {
        const payload = await deflateMessage(message, windowBits);
        const tokens = readDeflateTokens(withTail(payload));
        expect(Buffer.compare(tokens.bytes, message)).toBe(0);
        expect(tokens.longestDistance).toBeLessThanOrEqual(1 << windowBits);
        matches += tokens.matches;
      }
      expect(matches).toBeGreaterThan(0);
    });
  }

  test('the larger window is used where it may be', async () => {
    const block = noise(3000);
    const message = Buffer.concat([block, block, block, block]);
    const [narrow, wide] = await Promise.all([deflateMessage(message, 8), deflateMessage(message, 15)]);
    expect(readDeflateTokens(withTail(wide)).longestDistance).toBeGreaterThanOrEqual(3000);
    expect(wide.length).toBeLessThan(narrow.length / 2);
  });

  test.each([0, 1, 5, 1000, 32_768, 32_769, 200_000])(
    '%p bytes are as they were when inflated',
    async (size) => {
      for (const message of [prose(size), noise(size), new Uint8Array(size)]) {
        const payload = await deflateMessage(message, 15);
        expect(Buffer.compare(await bytesOf(inflateMessage(payload, MIB)), message)).toBe(0);
      }
    },
  );
});

/** Messages that repeat themselves at distances around a window's size, which tempt a deflater to look beyond it. */
function temptations(window: number): Uint8Array[] {
  const periods = [
    window / 2,
    window - 270,
    window - 262,
    window - 6,
    window - 1,
    window,
    window + 1,
    window + 40,
  ];
  return [
    prose(window * 2),
    ...periods
      .filter((period) => period > 0)
      .map((period) => {
        const block = noise(period);
        return Buffer.concat([block, block, noise(9), block, block.subarray(0, 100), block]);
      }),
  ];
}

function withTail(payload: Uint8Array): Uint8Array {
  return Buffer.concat([payload, Uint8Array.of(0, 0, 0xff, 0xff)]);
}

async function bytesOf(inflated: ReturnType<typeof inflateMessage>): Promise<Uint8Array> {
  const message = await inflated;
  if (!(message instanceof Uint8Array)) throw new Error(`a fault: ${message.code}`);
  return message;
}
