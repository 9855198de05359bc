/** Frames of a server, read back by a parser that shares nothing with the writer. */
import { describe, expect, test } from 'bun:test';
import { closePayload, frameHead, OPCODE } from '../../../src/wire/websocket/frame-writer.ts';
import { toByteString } from '../../support/bytes.ts';
import { readServerFrames } from '../../support/websocket-frames.ts';

const utf8 = (text: string): string => toByteString(new TextEncoder().encode(text));

describe('a frame head', () => {
  test.each([0, 1, 125, 126, 127, 255, 256, 0xffff, 0x10000, 0x12345])(
    'for %d bytes is final, unmasked and in the shortest form',
    (length) => {
      for (const opcode of [OPCODE.text, OPCODE.binary]) {
        const { frames, rest } = readServerFrames(frameHead(opcode, length) + 'x'.repeat(length));
        const { payload, ...head } = frames[0]!;
        expect([frames.length, rest, payload.length]).toEqual([1, 0, length]);
        expect(head).toEqual({
          opcode,
          fin: true,
          rsv1: false,
          rsv2: false,
          rsv3: false,
          isMasked: false,
          isMinimal: true,
        });
      }
    },
  );

  test('of a compressed message has RSV1, short or long', () => {
    const input =
      frameHead(OPCODE.text, 2, true) + 'ab' + frameHead(OPCODE.text, 200, true) + 'c'.repeat(200);
    const { frames } = readServerFrames(input);
    expect(frames.map(({ rsv1, rsv2, rsv3, opcode }) => [rsv1, rsv2, rsv3, opcode])).toEqual([
      [true, false, false, 1],
      [true, false, false, 1],
    ]);
    expect(readServerFrames(frameHead(OPCODE.text, 2) + 'ab').frames[0]!.rsv1).toBe(false);
  });

  test('of a control frame has its opcode', () => {
    const input =
      frameHead(OPCODE.close, 0) +
      frameHead(OPCODE.ping, 1) +
      'a' +
      frameHead(OPCODE.pong, 125) +
      'b'.repeat(125);
    const { frames } = readServerFrames(input);
    expect(frames.map(({ opcode, payload }) => [opcode, payload.length])).toEqual([
      [8, 0],
      [9, 1],
      [10, 125],
    ]);
  });

  test('holds lengths beyond 32 bits', () => {
    expect(frameHead(OPCODE.binary, 2 ** 32 + 0x01020304)).toBe('\x82\x7f\x00\x00\x00\x01\x01\x02\x03\x04');
    expect(frameHead(OPCODE.binary, 0xfedcba98)).toBe('\x82\x7f\x00\x00\x00\x00\xfe\xdc\xba\x98');
    expect(frameHead(OPCODE.binary, 2 ** 53 - 1)).toBe('\x82\x7f\x00\x1f\xff\xff\xff\xff\xff\xff');
  });
});

describe('the payload of a close frame', () => {
  test('is the code and the reason as UTF-8', () => {
    expect(closePayload(1000, '')).toBe('\x03\xe8');
    expect(closePayload(4999, 'größe 😀')).toBe('\x13\x87' + utf8('größe 😀'));
  });

  test('is empty where there is no code', () => {
    expect(closePayload(1005, 'unheard')).toBe('');
  });

  test('cuts a reason that is too long between characters, and only then', () => {
    expect(closePayload(1000, 'a'.repeat(123))).toBe('\x03\xe8' + 'a'.repeat(123));
    expect(closePayload(1000, 'a'.repeat(124))).toBe('\x03\xe8' + 'a'.repeat(123));
    expect(closePayload(1000, 'a'.repeat(121) + 'é')).toBe('\x03\xe8' + 'a'.repeat(121) + utf8('é'));
    for (const before of [120, 121, 122]) {
      expect(closePayload(1000, 'a'.repeat(before) + '😀')).toBe('\x03\xe8' + 'a'.repeat(before));
    }
  });
});
