/** Heads of frames: each fault with the byte that proves it, each accepted head with what it says. */
import { describe, expect, test } from 'bun:test';
import type { WebSocketFault } from '../../../src/wire/websocket/errors.ts';
import { FrameParser } from '../../../src/wire/websocket/frame-parser.ts';
import { clientFrame } from '../../support/websocket-frames.ts';

const LIMITS = { maxWsFrameSize: 0x20000, maxWsMessageSize: 0x30000 };
const CLOSED = { isOpen: false, size: 0 };
const OPEN = { isOpen: true, size: 0x20000 };

/** The fault and how many bytes prove it; fed whole, every beginning of the head must say the same. */
function judge(
  head: Uint8Array,
  message = CLOSED,
  allowsCompression = false,
  limits = LIMITS,
): [string, number] | boolean {
  let last: WebSocketFault | boolean = false;
  for (let end = 0; end <= head.length; end++) {
    last = new FrameParser(limits, allowsCompression).read(head, 0, end, message);
    if (typeof last === 'boolean') continue;
    expect(new FrameParser(limits, allowsCompression).read(head, 0, head.length, message)).toBe(last);
    return [last.code, end];
  }
  return last;
}

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('the first byte', () => {
  test.each([
    ['RSV1 without an extension', 'c1', 'reserved_bits'],
    ['RSV2', 'a1', 'reserved_bits'],
    ['RSV3', '91', 'reserved_bits'],
    ['RSV1 on a ping', 'c9', 'reserved_bits'],
    ['opcode 3', '83', 'reserved_opcode'],
    ['opcode 7', '87', 'reserved_opcode'],
    ['opcode 11', '8b', 'reserved_opcode'],
    ['opcode 15', '8f', 'reserved_opcode'],
    ['a ping that is not final', '09', 'fragmented_control'],
    ['a close that is not final', '08', 'fragmented_control'],
    ['a continuation of nothing', '80', 'stray_continuation'],
    ['a fragment that continues nothing', '00', 'stray_continuation'],
  ])('refuses %s', (_name, first, code) => {
    expect(judge(hex(`${first} 85 01020304`))).toEqual([code, 1]);
  });

  test('refuses a new message before the last is complete', () => {
    for (const first of ['81', '82', '01', '02']) {
      expect(judge(hex(`${first} 85 01020304`), OPEN)).toEqual(['interleaved_message', 1]);
    }
  });

  test('lets continuations and control frames come inside a message', () => {
    for (const first of ['80', '00', '88', '89', '8a'])
      expect(judge(hex(`${first} 85 01020304`), OPEN)).toBe(true);
  });

  test('with compression, allows RSV1 alone, on the first frame of a message', () => {
    for (const first of ['c1', 'c2', '41', '42'])
      expect(judge(hex(`${first} 85 01020304`), CLOSED, true)).toBe(true);
    for (const first of ['e1', 'd1', 'f1', 'a1', '91', 'c8', 'c9', 'ca', 'c3']) {
      expect(judge(hex(`${first} 85 01020304`), CLOSED, true)).toEqual(['reserved_bits', 1]);
    }
    for (const first of ['c0', '40']) {
      expect(judge(hex(`${first} 85 01020304`), OPEN, true)).toEqual(['reserved_bits', 1]);
    }
  });
});

describe('the second byte', () => {
  test('must have the mask bit', () => {
    for (const second of ['00', '05', '7e', '7f']) {
      expect(judge(hex(`81 ${second} 0000000000000000`))).toEqual(['unmasked_frame', 2]);
    }
    expect(judge(hex('88 01 00'))).toEqual(['unmasked_frame', 2]);
  });

  test('must not announce more than 125 bytes for a control frame', () => {
    for (const first of ['88', '89', '8a']) {
      expect(judge(hex(`${first} fd 01020304`))).toBe(true);
      expect(judge(hex(`${first} fe 007e 01020304`))).toEqual(['control_too_long', 2]);
      expect(judge(hex(`${first} ff 000000000000007e 01020304`))).toEqual(['control_too_long', 2]);
    }
  });

  test('must not announce half a close code', () => {
    expect(judge(hex('88 81 01020304'))).toEqual(['close_length', 2]);
    for (const second of ['80', '82']) expect(judge(hex(`88 ${second} 01020304`))).toBe(true);
  });
});

describe('the length', () => {
  test.each([
    ['0 in 16 bits', '81 fe 0000', 4],
    ['125 in 16 bits', '81 fe 007d', 4],
    ['0 in 64 bits', '81 ff 0000000000000000', 8],
    ['65535 in 64 bits', '81 ff 000000000000ffff', 8],
  ])('is not in its shortest form: %s', (_name, head, proof) => {
    expect(judge(hex(`${head} 01020304`))).toEqual(['length_not_minimal', proof]);
  });

  test('has its most significant bit clear', () => {
    for (const top of ['80', 'ff'])
      expect(judge(hex(`81 ff ${top}00000000000000 01020304`))).toEqual(['length_top_bit', 3]);
  });

  test('over a limit is refused by the byte that proves it, before the key', () => {
    expect(judge(hex('82 ff 0000000000020000 01020304'))).toBe(true);
    expect(judge(hex('82 ff 0000000000020001 01020304'))).toEqual(['frame_too_big', 10]);
    expect(judge(hex('82 ff 0000000000030000 01020304'))).toEqual(['frame_too_big', 8]);
    expect(judge(hex('82 ff 7f00000000000000 01020304'))).toEqual(['frame_too_big', 3]);
    const small = { maxWsFrameSize: 10, maxWsMessageSize: 100 };
    expect(judge(hex('82 8a 01020304'), CLOSED, false, small)).toBe(true);
    expect(judge(hex('82 8b 01020304'), CLOSED, false, small)).toEqual(['frame_too_big', 2]);
    expect(judge(hex('82 fe 0100 01020304'), CLOSED, false, small)).toEqual(['frame_too_big', 3]);
  });

  test('counts what the message has already', () => {
    expect(judge(hex('80 ff 0000000000010000 01020304'), OPEN)).toBe(true);
    expect(judge(hex('80 ff 0000000000010001 01020304'), OPEN)).toEqual(['message_too_big', 10]);
    const full = { isOpen: true, size: LIMITS.maxWsMessageSize };
    expect(judge(hex('80 80 01020304'), full)).toBe(true);
    expect(judge(hex('00 81 01020304'), full)).toEqual(['message_too_big', 2]);
  });

  test('of a control frame is not the business of these limits', () => {
    const none = { maxWsFrameSize: 0, maxWsMessageSize: 0 };
    expect(judge(hex('89 fd 01020304'), { isOpen: true, size: 0 }, false, none)).toBe(true);
  });
});

test('a head says its opcode, its bits, its length, its key and where the payload begins', () => {
  for (const [length, headSize] of [
    [0, 6],
    [125, 6],
    [126, 8],
    [65535, 8],
    [65536, 14],
  ] as const) {
    const bytes = clientFrame({
      opcode: 2,
      payload: new Uint8Array(length),
      fin: false,
      rsv1: true,
      mask: [1, 2, 3, 0xff],
    });
    const parser = new FrameParser(LIMITS, true);
    const shifted = Buffer.concat([Uint8Array.of(9, 9, 9), bytes]);
    expect(parser.read(shifted, 3, shifted.length, CLOSED)).toBe(true);
    const { opcode, isFinal, isCompressed, key, payloadAt } = parser;
    expect({ opcode, isFinal, isCompressed, length: parser.length, key: key >>> 0, payloadAt }).toEqual({
      opcode: 2,
      isFinal: false,
      isCompressed: true,
      length,
      key: 0xff030201,
      payloadAt: 3 + headSize,
    });
  }
});
