/** The automaton against the built-in decoder, for every character, every cut, and every way to be invalid. */
import { describe, expect, test } from 'bun:test';
import { advanceUtf8, UTF8_ACCEPT, UTF8_REJECT } from '../../../src/wire/websocket/utf8.ts';

/** Where the bytes are first proved invalid: an index, or 'valid', or 'cut off'. */
function judge(bytes: Uint8Array): number | 'valid' | 'cut off' {
  let state = UTF8_ACCEPT;
  for (let at = 0; at < bytes.length; at++) {
    state = advanceUtf8(state, bytes, at, at + 1);
    if (state === UTF8_REJECT) return at;
  }
  return state === UTF8_ACCEPT ? 'valid' : 'cut off';
}

describe('byte by byte', () => {
  test('every character is valid, and cut off before its last byte', () => {
    let wrong = 0;
    for (let point = 0; point <= 0x10ffff; point += point < 0x11000 ? 1 : 37) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const bytes = Buffer.from(String.fromCodePoint(point));
      if (judge(bytes) !== 'valid') wrong++;
      if (bytes.length > 1 && judge(bytes.subarray(0, -1)) !== 'cut off') wrong++;
    }
    expect(wrong).toBe(0);
  });

  test.each([
    ['a stray continuation byte', [0x61, 0x80], 1],
    ['a lead of overlong forms, c0', [0xc0, 0x80], 0],
    ['a lead of overlong forms, c1', [0xc1, 0xbf], 0],
    ['an overlong form of three bytes', [0xe0, 0x9f, 0xbf], 1],
    ['an overlong form of four bytes', [0xf0, 0x8f, 0xbf, 0xbf], 1],
    ['the first surrogate', [0xed, 0xa0, 0x80], 1],
    ['the last surrogate', [0xed, 0xbf, 0xbf], 1],
    ['a character above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 1],
    ['a lead above f4', [0xf5, 0x80, 0x80, 0x80], 0],
    ['ff', [0xff], 0],
    ['a letter inside a character', [0xe2, 0x82, 0x41], 2],
    ['a lead inside a character', [0xe2, 0xe2], 1],
    ['a fifth byte', [0xf0, 0x9f, 0x98, 0x80, 0x80], 4],
  ] as const)('%s is refused where it is proved', (_name, bytes, at) => {
    expect(judge(Uint8Array.from(bytes))).toBe(at);
  });

  test('the characters next to each of these are valid', () => {
    for (const text of [
      '\x7f',
      '\x80',
      '\u07ff',
      '\u0800',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
    ]) {
      expect(judge(Buffer.from(text))).toBe('valid');
    }
  });

  test('all sequences of two bytes and a sample of longer ones are judged as the built-in decoder does', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const isValid = (bytes: Uint8Array): boolean => {
      try {
        decoder.decode(bytes);
        return true;
      } catch {
        return false;
      }
    };
    let wrong = 0;
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const tails =
          first < 0xe0 || second < 0x80 || second > 0xbf
            ? [[]]
            : [[0x80], [0xbf], [0x80, 0xbf], [0xbf, 0x7f]];
        for (const tail of tails) {
          const bytes = Uint8Array.of(first, second, ...tail);
          if ((judge(bytes) === 'valid') !== isValid(bytes)) wrong++;
        }
      }
    }
    expect(wrong).toBe(0);
  });
});

describe('in pieces long enough for the built-in check', () => {
  const text = Buffer.from('aé€😀'.repeat(60));

  test('any two cuts give a valid text', () => {
    for (let one = 0; one <= text.length; one += 7) {
      for (let two = one; two <= text.length; two += 5) {
        let state = advanceUtf8(UTF8_ACCEPT, text, 0, one);
        state = advanceUtf8(state, text, one, two);
        expect(advanceUtf8(state, text, two, text.length)).toBe(UTF8_ACCEPT);
      }
    }
  });

  test('a wrong byte is found wherever it stands', () => {
    for (let at = 0; at < text.length; at++) {
      const wrong = Buffer.from(text);
      wrong[at] = 0xff;
      expect(advanceUtf8(UTF8_ACCEPT, wrong, 0, at + 1)).toBe(UTF8_REJECT);
      expect(advanceUtf8(UTF8_ACCEPT, wrong, 0, text.length)).toBe(UTF8_REJECT);
      expect(advanceUtf8(advanceUtf8(UTF8_ACCEPT, wrong, 0, 100), wrong, 100, text.length)).toBe(UTF8_REJECT);
    }
  });

  test('a character proved wrong by its second byte is refused though it is cut off', () => {
    const wrong = Buffer.concat([text, Uint8Array.of(0xed, 0xa0)]);
    expect(advanceUtf8(UTF8_ACCEPT, wrong, 0, wrong.length)).toBe(UTF8_REJECT);
  });
});
