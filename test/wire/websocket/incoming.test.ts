/** Payloads as values: text that is refused or kept as it is, and whose memory bytes are. */
import { describe, expect, test } from 'bun:test';
import { WS_FAULTS } from '../../../src/wire/websocket/errors.ts';
import { binaryMessage, compressedMessage, textMessage } from '../../../src/wire/websocket/incoming.ts';

const text = (bytes: Uint8Array): unknown => textMessage(Buffer.from(bytes), 0, bytes.length, false);

describe('text', () => {
  test('is what its bytes say, a byte order mark and a replacement character included', () => {
    for (const value of [
      'é',
      '\ufeffé',
      'a\ufeff',
      '\ufffd',
      '\ufffdé\ufffd',
      '\0',
      '\uffff',
      '\u{10ffff}',
      '',
    ]) {
      expect(text(Buffer.from(value))).toEqual({ kind: 'text', text: value });
    }
  });

  test.each([
    'ff',
    '80',
    'c080',
    'c1bf',
    'e080af',
    'e09fbf',
    'eda080',
    'edbfbf',
    'f08080af',
    'f08fbfbf',
    'f4908080',
    'f5808080',
    'f8888080',
    'fe',
    'c3',
    'e282',
    'f09f98',
    '61c3',
    'c3c3',
    'efbfbdff',
    'efbfbdc3',
  ])('of the bytes %s is refused', (bytes) => {
    expect(text(Buffer.from(bytes, 'hex'))).toBe(WS_FAULTS.invalidUtf8);
    const long = Buffer.concat([Buffer.from('é'.repeat(500)), Buffer.from(bytes, 'hex')]);
    expect(text(long)).toBe(WS_FAULTS.invalidUtf8);
  });

  test('takes no byte from beside its own', () => {
    const bytes = Buffer.from('aé€b');
    expect(textMessage(bytes, 1, 6, false)).toEqual({ kind: 'text', text: 'é€' });
    expect(textMessage(bytes, 1, 5, false)).toBe(WS_FAULTS.invalidUtf8);
  });
});

describe('bytes', () => {
  const chunk = Buffer.alloc(40_000, 7);
  const bytesOf = (incoming: unknown): Uint8Array => (incoming as { bytes: Uint8Array }).bytes;

  test('of a small binary message are in memory of their own', () => {
    for (const size of [0, 1, 16_383]) {
      const bytes = bytesOf(binaryMessage(chunk, 5, 5 + size, true));
      expect([bytes.length, bytes.byteOffset, bytes.buffer.byteLength]).toEqual([size, 0, size]);
      expect(bytes.every((byte) => byte === 7)).toBe(true);
    }
  });

  test('of a large one are not copied, unless more will be read from the same memory', () => {
    expect(bytesOf(binaryMessage(chunk, 5, 5 + 16_384, true)).buffer).toBe(chunk.buffer);
    const bytes = bytesOf(binaryMessage(chunk, 5, 5 + 16_384, false));
    expect([bytes.length, bytes.buffer.byteLength]).toEqual([16_384, 16_384]);
  });

  test('are a plain Uint8Array', () => {
    for (const size of [10, 20_000]) {
      expect(bytesOf(binaryMessage(chunk, 0, size, true)).constructor).toBe(Uint8Array);
    }
    expect((compressedMessage(chunk, 0, 10, true) as { payload: Uint8Array }).payload.constructor).toBe(
      Uint8Array,
    );
  });
});
