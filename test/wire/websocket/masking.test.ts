/** Unmasking against the definition of RFC 6455 section 5.3, at every size and alignment where it does something else. */
import { expect, test } from 'bun:test';
import { rotateKey, unmask } from '../../../src/wire/websocket/masking.ts';

const KEY_BYTES = [0x9a, 0x00, 0xff, 0x71];
const KEY = 0x71ff009a;

/** Payload at `offset` in memory of its own, with bytes around it that must not change. */
function place(offset: number, size: number, highAt = -1): { memory: Uint8Array; plain: Uint8Array } {
  const plain = Uint8Array.from({ length: size }, (_, index) => (index * 7 + 3) & 0x7f);
  if (highAt >= 0) plain[highAt] = 0x80;
  const memory = new Uint8Array(offset + size + 9).fill(0x55);
  memory.set(plain, offset);
  for (let index = 0; index < size; index++) memory[offset + index]! ^= KEY_BYTES[index % 4]!;
  return { memory, plain };
}

const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 64, 1023, 1024, 1025, 1026, 1027, 1028, 5000];

test('every size at every alignment comes out right, and nothing around it changes', () => {
  for (const size of SIZES) {
    for (let offset = 0; offset < 9; offset++) {
      const { memory, plain } = place(offset, size);
      // The view begins inside its memory, as chunks may.
      const start = Math.min(offset, 3);
      expect(unmask(memory.subarray(start), offset - start, offset - start + size, KEY)).toBe(false);
      expect(memory.subarray(offset, offset + size)).toEqual(plain);
      expect(memory.subarray(0, offset).every((byte) => byte === 0x55)).toBe(true);
      expect(memory.subarray(offset + size).every((byte) => byte === 0x55)).toBe(true);
    }
  }
});

test('one byte above 0x7f is noticed wherever it stands', () => {
  for (const size of [1, 3, 4, 5, 64, 1030]) {
    for (let highAt = 0; highAt < size; highAt++) {
      const { memory } = place(1, size, highAt);
      expect(unmask(memory, 1, 1 + size, KEY)).toBe(true);
    }
  }
});

test('a payload may be taken in pieces with the key rotated by what came before', () => {
  for (let cut = 0; cut <= 1500; cut += 1 + (cut >> 4)) {
    const { memory, plain } = place(2, 1500);
    unmask(memory, 2, 2 + cut, KEY);
    unmask(memory, 2 + cut, 1502, rotateKey(KEY, cut));
    expect(memory.subarray(2, 1502)).toEqual(plain);
  }
});
