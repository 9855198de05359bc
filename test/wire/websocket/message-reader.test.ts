/** Bytes in, messages out: the same whole, byte by byte and with a frame behind, and each fault where it is proved. */
import { describe, expect, test } from 'bun:test';
import { type WebSocketFault, WS_FAULTS } from '../../../src/wire/websocket/errors.ts';
import type { Incoming } from '../../../src/wire/websocket/message-reader.ts';
import {
  byteByByte,
  clientFrame,
  closeFrame,
  feedFramesThreeWays,
  messageReader,
  readMessages,
  type ReaderOptions,
} from '../../support/websocket-frames.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const join = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);
const text = (value: string): Incoming => ({ kind: 'text', text: value });
const ping = (value: string): Incoming => ({ kind: 'ping', payload: bytes(value) });
const part = (opcode: number, payload: Uint8Array | string, fin = false, rsv1 = false): Uint8Array =>
  clientFrame({ opcode, payload, fin, rsv1 });

/** What every way of feeding gives; a close frame ends it, so that nothing behind it is read. */
function expectIncoming(input: Uint8Array, expected: Incoming[], options: ReaderOptions = {}): void {
  const isClosed = expected.at(-1)?.kind === 'close';
  for (const { name, chunks, trailing } of feedFramesThreeWays(input)) {
    const { incoming, fault } = readMessages(chunks, options);
    expect({ name, fault, incoming }).toEqual({
      name,
      fault: undefined,
      incoming: isClosed ? expected : [...expected, ...trailing],
    });
  }
}

/** The fault that every way of feeding gives, proved by the first `provedBy` bytes. */
function expectFault(
  input: Uint8Array,
  fault: string,
  provedBy: number,
  before: Incoming[] = [],
  options: ReaderOptions = {},
): void {
  for (const { name, chunks } of feedFramesThreeWays(input)) {
    const read = readMessages(chunks, options);
    expect({ name, ...read, faultAfter: 0 }).toEqual({ name, incoming: before, fault, faultAfter: 0 });
    if (name === 'byte by byte') expect(read.faultAfter).toBe(provedBy);
  }
  // All that comes before in one chunk, then the byte that proves it.
  expect(readMessages([input.subarray(0, provedBy - 1)], options).fault).toBeUndefined();
  expect(readMessages([input.subarray(0, provedBy)], options).fault).toBe(fault);
}

describe('messages of one frame', () => {
  test.each([0, 1, 125, 126, 127, 1023, 1024, 1030, 65_535, 65_536])(
    'of %d bytes, text and binary',
    (size) => {
      const payload = Uint8Array.from({ length: size }, (_, index) => 0x20 + (index % 90));
      expectIncoming(clientFrame({ opcode: 1, payload }), [text(new TextDecoder().decode(payload))]);
      expectIncoming(clientFrame({ opcode: 2, payload }), [{ kind: 'binary', bytes: payload }]);
    },
  );

  test('with any key', () => {
    for (const mask of [
      [0, 0, 0, 0],
      [255, 255, 255, 255],
      [1, 2, 3, 0x84],
    ]) {
      expectIncoming(clientFrame({ opcode: 1, payload: 'größe €', mask }), [text('größe €')]);
    }
  });

  test('many in one chunk come out in order, one at a time', () => {
    const values = Array.from({ length: 50 }, (_, index) => `message ${index}`);
    expectIncoming(
      join(...values.map((value) => clientFrame({ opcode: 1, payload: value }))),
      values.map(text),
    );
  });

  test('keep a byte order mark', () => {
    expectIncoming(clientFrame({ opcode: 1, payload: '\ufeffa\ufeff' }), [text('\ufeffa\ufeff')]);
  });

  test('with RSV1 come out compressed, whatever their bytes are', () => {
    const payload = Uint8Array.of(0xff, 0xfe, 0x00, 0x41);
    for (const isText of [true, false]) {
      const frame = clientFrame({ opcode: isText ? 1 : 2, payload, rsv1: true });
      expectIncoming(frame, [{ kind: 'compressed', isText, payload }], { allowsCompression: true });
    }
  });
});

describe('fragments', () => {
  test('become one message, with control frames between them', () => {
    const input = join(
      part(1, 'He'),
      part(9, 'now', true),
      part(0, 'l'),
      part(0, ''),
      part(10, '', true),
      part(0, 'lo', true),
    );
    expectIncoming(input, [ping('now'), { kind: 'pong', payload: new Uint8Array(0) }, text('Hello')]);
  });

  test('may all be empty', () => {
    expectIncoming(join(part(1, ''), part(0, '', true)), [text('')]);
    expectIncoming(join(part(2, ''), part(0, ''), part(0, '', true)), [
      { kind: 'binary', bytes: new Uint8Array(0) },
    ]);
  });

  test('may cut a character anywhere', () => {
    const whole = bytes('a€😀é');
    for (let cut = 0; cut <= whole.length; cut++) {
      expectIncoming(join(part(1, whole.subarray(0, cut)), part(0, whole.subarray(cut), true)), [
        text('a€😀é'),
      ]);
    }
  });

  test('of a compressed message carry RSV1 on the first alone', () => {
    const input = join(part(1, 'ab', false, true), part(0, 'cd', true));
    const payload = bytes('abcd');
    expectIncoming(input, [{ kind: 'compressed', isText: true, payload }], { allowsCompression: true });
  });

  test('leave nothing to the next message', () => {
    const input = join(
      part(1, 'é'),
      part(0, 'é', true),
      part(2, 'a'),
      part(0, 'b', true),
      part(1, 'c', true),
    );
    expectIncoming(input, [text('éé'), { kind: 'binary', bytes: bytes('ab') }, text('c')]);
  });
});

describe('text that is not UTF-8', () => {
  const wrong = [
    ['a stray continuation byte', [0x80], 1],
    ['an overlong form', [0xc0, 0xaf], 1],
    ['an overlong form of three bytes', [0xe0, 0x80, 0xaf], 2],
    ['a surrogate', [0xed, 0xa0, 0x80], 2],
    ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 2],
    ['a character broken off by a letter', [0xe2, 0x82, 0x41], 3],
  ] as const;

  test.each(wrong)('is refused at the byte that proves it: %s', (_name, sequence, proof) => {
    for (const lead of ['', 'ok ', 'größe ', 'é'.repeat(700)]) {
      const payload = join(bytes(lead), Uint8Array.from(sequence), bytes(' and more'));
      const frame = clientFrame({ opcode: 1, payload });
      const headSize = frame.length - payload.length;
      expectFault(frame, 'invalid_utf8', headSize + bytes(lead).length + proof);
    }
  });

  test('is refused in a later fragment, and across the cut of two', () => {
    const first = part(1, join(bytes('é'), Uint8Array.of(0xe2, 0x82)));
    expectFault(join(first, part(0, 'A')), 'invalid_utf8', first.length + 7);
    expectFault(
      join(first, part(9, 'still', true), part(0, Uint8Array.of(0xac, 0xff))),
      'invalid_utf8',
      first.length + 11 + 8,
      [ping('still')],
    );
  });

  test('is refused where the message ends inside a character', () => {
    const frame = part(1, Uint8Array.of(0x61, 0xf0, 0x9f, 0x98), true);
    expectFault(frame, 'invalid_utf8', frame.length);
    const fragments = join(part(1, 'é'), part(0, Uint8Array.of(0xc3)), part(0, '', true));
    expectFault(fragments, 'invalid_utf8', fragments.length);
  });

  test('is no fault of binary messages and control frames', () => {
    const payload = Uint8Array.of(0xff, 0xc0);
    expectIncoming(join(part(2, payload, true), part(9, payload, true)), [
      { kind: 'binary', bytes: payload },
      { kind: 'ping', payload },
    ]);
  });
});

describe('heads', () => {
  test('are judged before anything of the payload has come', () => {
    expectFault(clientFrame({ opcode: 1, payload: 'a', rsv2: true }), 'reserved_bits', 1);
    expectFault(clientFrame({ opcode: 3, payload: 'a' }), 'reserved_opcode', 1);
    expectFault(clientFrame({ opcode: 1, payload: 'a', mask: false }), 'unmasked_frame', 2);
    expectFault(clientFrame({ opcode: 9, payload: new Uint8Array(126) }), 'control_too_long', 2);
    expectFault(clientFrame({ opcode: 2, payload: 'a', lengthForm: 16 }), 'length_not_minimal', 4);
    expectFault(clientFrame({ opcode: 2, announcedLength: 2n ** 63n }), 'length_top_bit', 3);
    expectFault(part(0, 'a', true), 'stray_continuation', 1);
  });

  test('know whether a message is under way', () => {
    expectFault(join(part(1, 'a'), part(1, 'b', true)), 'interleaved_message', 8);
    expectFault(join(part(1, 'a'), part(0, 'b', true), part(0, 'c', true)), 'stray_continuation', 15, [
      text('ab'),
    ]);
    expectFault(join(part(1, 'a', true), part(0, 'b', true)), 'stray_continuation', 8, [text('a')]);
    const compressed = join(part(1, 'a', false, true), part(0, 'b', true, true));
    expectFault(compressed, 'reserved_bits', 8, [], { allowsCompression: true });
  });

  test('know the limits of frame and message, which are inclusive', () => {
    const limits = { maxWsFrameSize: 4, maxWsMessageSize: 6 };
    expectIncoming(part(1, 'abcd', true), [text('abcd')], limits);
    expectFault(part(1, 'abcde', true), 'frame_too_big', 2, [], limits);
    expectIncoming(join(part(1, 'abcd'), part(0, 'ef', true)), [text('abcdef')], limits);
    expectFault(join(part(1, 'abcd'), part(0, 'efg', true)), 'message_too_big', 12, [], limits);
    const compressed = { ...limits, allowsCompression: true };
    expectFault(part(1, 'abcde', true, true), 'frame_too_big', 2, [], compressed);
  });
});

describe('close frames', () => {
  test('give code and reason, and 1005 without one', () => {
    expectIncoming(closeFrame(), [{ kind: 'close', code: 1005, reason: '' }]);
    expectIncoming(closeFrame(1000), [{ kind: 'close', code: 1000, reason: '' }]);
    expectIncoming(closeFrame(4999, '\ufeffgröße 😀'), [
      { kind: 'close', code: 4999, reason: '\ufeffgröße 😀' },
    ]);
    const longest = 'x'.repeat(123);
    expectIncoming(closeFrame(1001, longest), [{ kind: 'close', code: 1001, reason: longest }]);
  });

  test('may come between fragments', () => {
    expectIncoming(join(part(1, 'a'), closeFrame(1000)), [{ kind: 'close', code: 1000, reason: '' }]);
  });

  test('must have a code that may be sent, judged as soon as it is there', () => {
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]) {
      expectFault(closeFrame(code, 'because'), 'close_code', 8);
    }
    expectFault(clientFrame({ opcode: 8, payload: 'a' }), 'close_length', 2);
  });

  test('must have a reason that is UTF-8, judged byte by byte', () => {
    expectFault(closeFrame(1000, Uint8Array.of(0x61, 0xff, 0x61)), 'invalid_close_reason', 10);
    expectFault(
      closeFrame(1000, join(bytes('é'.repeat(40)), Uint8Array.of(0xed, 0xa0, 0x80))),
      'invalid_close_reason',
      90,
    );
    expectFault(closeFrame(1000, Uint8Array.of(0x61, 0xe2, 0x82)), 'invalid_close_reason', 11);
  });

  test('end the reading', () => {
    const reader = messageReader();
    reader.push(Buffer.concat([closeFrame(1000), clientFrame({ opcode: 3 })]));
    expect(reader.next()).toEqual({ kind: 'close', code: 1000, reason: '' });
    reader.push(Buffer.from(clientFrame({ opcode: 1, payload: 'late' })));
    expect([reader.next(), reader.bufferedBytes, reader.isInsideFrame]).toEqual([undefined, 0, false]);
  });
});

describe('a reader', () => {
  test('gives its fault again and again, and reads no more', () => {
    const reader = messageReader();
    reader.push(Buffer.of(0x83));
    expect(reader.next()).toBe(WS_FAULTS.reservedOpcode);
    reader.push(Buffer.from(clientFrame({ opcode: 1, payload: 'a' })));
    expect(reader.next()).toBe(WS_FAULTS.reservedOpcode);
    expect([reader.bufferedBytes, reader.isInsideFrame]).toEqual([0, false]);
  });

  test('says how much it holds unread, and whether a frame has begun', () => {
    const reader = messageReader();
    const frame = clientFrame({ opcode: 1, payload: 'hello' });
    const facts = (): unknown[] => [reader.next(), reader.bufferedBytes, reader.isInsideFrame];
    expect(facts()).toEqual([undefined, 0, false]);
    reader.push(Buffer.concat([frame, frame, frame.subarray(0, 3)]));
    expect(reader.bufferedBytes).toBe(25);
    expect(facts()).toEqual([text('hello'), 14, true]);
    expect(facts()).toEqual([text('hello'), 3, true]);
    expect(facts()).toEqual([undefined, 3, true]);
    reader.push(Buffer.from(frame.subarray(3, 8)));
    expect(facts()).toEqual([undefined, 0, true]);
    reader.push(Buffer.from(frame.subarray(8)));
    expect(facts()).toEqual([text('hello'), 0, false]);
    reader.push(Buffer.from(part(1, 'fragment')));
    expect(facts()).toEqual([undefined, 0, false]);
  });

  test('lets go of everything when told to', () => {
    const reader = messageReader();
    reader.push(Buffer.from(join(part(1, 'a'), part(0, 'b', true), part(1, 'c', true))));
    expect(reader.next()).toEqual(text('ab'));
    reader.discard();
    expect([reader.next(), reader.bufferedBytes, reader.isInsideFrame]).toEqual([undefined, 0, false]);
  });

  test('keeps messages apart that were pushed before any was pulled', () => {
    const reader = messageReader();
    const input = join(part(2, 'first', true), part(2, 'second', true));
    for (const byte of byteByByte(input)) reader.push(Buffer.from(byte));
    const [first, second] = [reader.next(), reader.next()];
    reader.push(Buffer.from(part(2, 'third', true)));
    expect([first, second, reader.next()]).toEqual(
      ['first', 'second', 'third'].map((value) => ({ kind: 'binary', bytes: bytes(value) })),
    );
  });

  test('is not harmed by what an application does to the memory of a message', () => {
    const reader = messageReader();
    const large = part(2, new Uint8Array(20_000), true);
    reader.push(Buffer.from(join(large, large, part(1, 'on', true), large)));
    for (const expected of [20_000, 20_000, 'on', 20_000]) {
      const incoming = reader.next() as { bytes?: Uint8Array; text?: string };
      expect(incoming.text ?? incoming.bytes!.length).toBe(expected);
      if (incoming.bytes !== undefined)
        structuredClone(incoming.bytes, { transfer: [incoming.bytes.buffer as ArrayBuffer] });
    }
    reader.push(Buffer.from(part(1, 'and on', true)));
    expect(reader.next()).toEqual(text('and on'));
  });

  test('takes a large message byte by byte in linear time and memory', () => {
    const payload = new Uint8Array(2 ** 20).fill(0x61);
    const frame = clientFrame({ opcode: 2, payload });
    const reader = messageReader();
    let last: Incoming | WebSocketFault | undefined;
    let most = 0;
    for (const byte of frame) {
      reader.push(Buffer.of(byte));
      last = reader.next();
      most = Math.max(most, reader.bufferedBytes);
    }
    expect(most).toBeLessThan(14);
    const received = (last as { bytes: Uint8Array }).bytes;
    expect(Bun.hash(received)).toBe(Bun.hash(payload));
    expect(received.buffer.byteLength).toBe(payload.length);
  });
});
