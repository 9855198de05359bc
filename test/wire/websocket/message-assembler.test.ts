/** Messages put together from pieces, and the memory that this takes. */
import { describe, expect, test } from 'bun:test';
import { WS_FAULTS } from '../../../src/wire/websocket/errors.ts';
import type { Incoming } from '../../../src/wire/websocket/message-reader.ts';
import { MessageAssembler } from '../../../src/wire/websocket/message-assembler.ts';

function assemble(
  pieces: readonly Uint8Array[],
  most: number,
  isText = false,
): ReturnType<MessageAssembler['finish']> {
  const message = new MessageAssembler();
  message.begin(isText, false);
  for (const piece of pieces) {
    const isAscii = piece.every((byte) => byte < 0x80);
    const fault = message.judge(piece, 0, piece.length, isAscii);
    if (fault !== undefined) return fault;
    message.append(Buffer.from(piece), 0, piece.length, most);
  }
  return message.finish();
}

const bytesOf = (incoming: ReturnType<MessageAssembler['finish']>): Uint8Array =>
  (incoming as Extract<Incoming, { kind: 'binary' }>).bytes;

describe('pieces', () => {
  test('of any size become one message', () => {
    for (const size of [1, 31, 32, 33, 1000]) {
      const whole = Uint8Array.from({ length: 5000 }, (_, index) => index % 251);
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
      expect(bytesOf(assemble(pieces, whole.length))).toEqual(whole);
    }
  });

  test('of text are judged together', () => {
    const euro = Buffer.from('€');
    expect(assemble([euro.subarray(0, 1), euro.subarray(1)], 100, true)).toEqual({ kind: 'text', text: '€' });
    expect(assemble([euro.subarray(0, 2), Buffer.from('a')], 100, true)).toBe(WS_FAULTS.invalidUtf8);
    expect(assemble([euro.subarray(0, 2)], 100, true)).toBe(WS_FAULTS.invalidUtf8);
    expect(assemble([Buffer.from('a'), euro.subarray(1, 2)], 100, true)).toBe(WS_FAULTS.invalidUtf8);
  });

  test('may be none or empty', () => {
    expect(assemble([], 100, true)).toEqual({ kind: 'text', text: '' });
    expect(assemble([new Uint8Array(0)], 0)).toEqual({ kind: 'binary', bytes: new Uint8Array(0) });
  });
});

describe('memory', () => {
  const trickle = (size: number): Uint8Array[] => Array.from({ length: size }, () => Uint8Array.of(1));

  test('is what the message needs where its size is known', () => {
    expect(bytesOf(assemble(trickle(100_000), 100_000)).buffer.byteLength).toBe(100_000);
  });

  test('is at most twice the message where it is not', () => {
    for (const size of [20_000, 65_536, 65_537, 100_000]) {
      expect(bytesOf(assemble(trickle(size), 2 ** 24)).buffer.byteLength).toBeLessThanOrEqual(2 * size);
    }
  });

  test('of a small message is its own', () => {
    const bytes = bytesOf(assemble(trickle(300), 2 ** 24));
    expect([bytes.length, bytes.buffer.byteLength]).toEqual([300, 300]);
  });

  test('does not begin with what has only been announced', () => {
    expect(bytesOf(assemble([new Uint8Array(20_000)], 2 ** 24)).buffer.byteLength).toBeLessThanOrEqual(
      40_000,
    );
  });
});

test('a message begun anew knows nothing of the last one', () => {
  const message = new MessageAssembler();
  message.begin(true, false);
  expect(message.judge(Uint8Array.of(0xe2), 0, 1, false)).toBeUndefined();
  message.append(Buffer.of(0xe2), 0, 1, 10);
  expect([message.isOpen, message.size]).toEqual([true, 1]);
  message.clear();
  expect([message.isOpen, message.size]).toEqual([false, 0]);
  message.begin(true, false);
  message.append(Buffer.from('ok'), 0, 2, 10);
  expect(message.finish()).toEqual({ kind: 'text', text: 'ok' });
});

test('a compressed message is not judged as text before it is inflated', () => {
  const message = new MessageAssembler();
  message.begin(true, true);
  expect(message.judge(Uint8Array.of(0xff), 0, 1, false)).toBeUndefined();
  message.append(Buffer.of(0xff), 0, 1, 10);
  expect(message.finish()).toEqual({ kind: 'compressed', isText: true, payload: Uint8Array.of(0xff) });
});
