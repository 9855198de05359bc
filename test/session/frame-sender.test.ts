/**
 * The frames of what an application sends, as its peer reads them, in the order in which they were sent, also while some
 * of them are being compressed elsewhere.
 */
import { describe, expect, test } from 'bun:test';
import { FrameSender } from '../../src/session/frame-sender.ts';
import { closePayload, OPCODE } from '../../src/wire/websocket/frame-writer.ts';
import { Random } from '../support/random.ts';
import { afterMicrotasks, stateOf } from '../support/settled.ts';
import { framesOf, TunnelExchange } from '../support/websocket-session.ts';
import { within } from '../support/within.ts';

const AGREEMENT = { response: '', serverMaxWindowBits: 15 };
/** Enough to be compressed, and little enough for that to be done at once. */
const MEDIUM = 'medium '.repeat(200);
/** So much that it is compressed off the event loop. */
const LARGE = 'large '.repeat(20_000);

function open({ deflates = false } = {}): { exchange: TunnelExchange; sender: FrameSender } {
  const exchange = new TunnelExchange();
  return { exchange, sender: new FrameSender(exchange, deflates ? AGREEMENT : undefined) };
}

function noise(size: number): Uint8Array {
  const random = new Random(size);
  return Uint8Array.from({ length: size }, () => random.below(256));
}

describe('a message', () => {
  const texts: [string, string, string][] = [
    ['that is empty', '', ''],
    ['of ASCII', 'hi', 'hi'],
    ['of more than ASCII', 'grüße 🎉', 'grüße 🎉'],
    ['with lone surrogates, which no UTF-8 can say', 'a\ud800b\udc00', 'a\ufffdb\ufffd'],
    ['with NUL and controls', '\0\x01\x7f', '\0\x01\x7f'],
  ];
  for (const [name, content, expected] of texts) {
    test(`as text ${name} is one frame of UTF-8`, () => {
      const { exchange, sender } = open();
      expect(sender.message(OPCODE.text, content)).toBeUndefined();
      expect(framesOf(exchange)).toEqual([`text ${expected}`]);
    });
  }

  test('as bytes is one frame of them, and of their part where they are a view', () => {
    const { exchange, sender } = open();
    sender.message(OPCODE.binary, Uint8Array.of(0, 0x80, 0xff));
    sender.message(OPCODE.binary, new Uint8Array(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2));
    sender.message(OPCODE.binary, new Uint8Array(0));
    expect(framesOf(exchange)).toEqual(['binary 0080ff', 'binary 0203', 'binary ']);
  });

  test('as bytes given as a string is its UTF-8', () => {
    const { exchange, sender } = open();
    sender.message(OPCODE.binary, 'é');
    expect(framesOf(exchange)).toEqual(['binary c3a9']);
  });

  for (const size of [125, 126, 65_535, 65_536]) {
    test(`of ${size} bytes arrives whole, as text and as bytes`, () => {
      const { exchange, sender } = open();
      sender.message(OPCODE.text, 'x'.repeat(size));
      sender.message(OPCODE.binary, new Uint8Array(size));
      const frames = framesOf(exchange);
      expect(frames[0]).toEndWith(`(${size})`);
      expect(frames[1]).toEndWith(`(${2 * size})`);
    });
  }

  test('makes its sender wait when the client takes too little', async () => {
    const { exchange, sender } = open();
    exchange.hold();
    const waiting = [sender.message(OPCODE.text, 'a'), sender.message(OPCODE.binary, new Uint8Array(3))];
    expect(await Promise.all(waiting.map((promise) => stateOf(promise!)))).toEqual(['pending', 'pending']);
    exchange.release();
    await Promise.all(waiting);
  });

  test("is one write, head and payload, whose wait is its sender's", () => {
    const { exchange, sender } = open();
    const turn = Promise.resolve();
    const writes: number[] = [];
    exchange.write = (chunk, second) => {
      writes.push(chunk.length + (second?.length ?? 0));
      return turn;
    };
    expect(sender.message(OPCODE.binary, new Uint8Array(3))).toBe(turn);
    expect(writes).toEqual([5]);
  });
});

describe('control frames', () => {
  test('leave at once', () => {
    const { exchange, sender } = open();
    sender.control(OPCODE.ping, '1');
    sender.control(OPCODE.pong, '\0\xff');
    expect(exchange.content).toBe('\x89\x011\x8a\x02\0\xff');
  });

  test('overtake messages that are being compressed, and a close frame does not', async () => {
    const { exchange, sender } = open({ deflates: true });
    const large = sender.message(OPCODE.text, LARGE)!;
    sender.control(OPCODE.pong, 'p');
    const closed = sender.close(closePayload(1000, ''))!;
    expect(framesOf(exchange)).toEqual(['pong p']);
    await within(Promise.all([large, closed]), 'the frames');
    expect(framesOf(exchange)).toEqual([
      'pong p',
      `deflated text ${LARGE.slice(0, 20)}… (120000)`,
      'close 1000 ',
    ]);
  });

  test('do not come behind a close frame, nor do messages', () => {
    const { exchange, sender } = open();
    sender.close(closePayload(1001, 'bye'));
    sender.control(OPCODE.ping, '1');
    sender.message(OPCODE.text, 'late');
    sender.close(closePayload(1000, ''));
    sender.closeNow(closePayload(1002, ''));
    expect(framesOf(exchange)).toEqual(['close 1001 bye']);
  });
});

describe('compression', () => {
  test('leaves small messages alone, and takes those from 1 KiB', () => {
    const { exchange, sender } = open({ deflates: true });
    sender.message(OPCODE.text, 'x'.repeat(1023));
    sender.message(OPCODE.text, 'x'.repeat(1024));
    sender.message(OPCODE.binary, new Uint8Array(1024));
    sender.message(OPCODE.text, 'ü'.repeat(512));
    expect(framesOf(exchange).map((frame) => frame.split(' ').slice(0, 2).join(' '))).toEqual([
      `text ${'x'.repeat(20)}…`,
      'deflated text',
      'deflated binary',
      'deflated text',
    ]);
    expect(exchange.content.length).toBeLessThan(1300);
  });

  test('is not used where nothing was agreed upon', () => {
    const { exchange, sender } = open();
    sender.message(OPCODE.text, MEDIUM);
    expect(exchange.content.length).toBe(MEDIUM.length + 4);
  });

  test('is not used for what it would make larger', async () => {
    const { exchange, sender } = open({ deflates: true });
    sender.message(OPCODE.binary, noise(2000));
    await within(sender.message(OPCODE.binary, noise(40_000))!, 'the large message');
    expect(framesOf(exchange).map((frame) => frame.replace(/[0-9a-f]+…/, '…'))).toEqual([
      'binary … (4000)',
      'binary … (80000)',
    ]);
  });

  test('keeps the order, whatever stands behind a message that takes long', async () => {
    const { exchange, sender } = open({ deflates: true });
    const waiting = [
      sender.message(OPCODE.text, LARGE),
      sender.message(OPCODE.text, 'small'),
      sender.message(OPCODE.text, MEDIUM),
      sender.message(OPCODE.binary, Buffer.from(LARGE)),
      sender.message(OPCODE.text, 'last'),
    ];
    expect(exchange.content).toBe('');
    await within(Promise.all(waiting), 'all messages');
    const [first, second, third, fourth, fifth] = framesOf(exchange);
    expect([first, second, third?.slice(0, 13), fourth, fifth]).toEqual([
      `deflated text ${LARGE.slice(0, 20)}… (120000)`,
      'text small',
      'deflated text',
      `deflated binary ${Buffer.from(LARGE).toString('hex').slice(0, 20)}… (240000)`,
      'text last',
    ]);
    sender.message(OPCODE.text, 'at once again');
    expect(framesOf(exchange).at(-1)).toBe('text at once again');
  });

  test('counts what is under way, until it has been handed on', async () => {
    const { exchange, sender } = open({ deflates: true });
    const large = sender.message(OPCODE.text, LARGE)!;
    expect(sender.waitingBytes).toBe(120_000);
    const small = sender.message(OPCODE.text, 'é')!;
    expect(sender.waitingBytes).toBe(120_002);
    await within(Promise.all([large, small]), 'both');
    expect([sender.waitingBytes, framesOf(exchange).length]).toEqual([0, 2]);
  });

  test('makes the sender wait until the client has taken enough of the result', async () => {
    const { exchange, sender } = open({ deflates: true });
    exchange.hold();
    const large = sender.message(OPCODE.text, LARGE)!;
    while (exchange.content === '') await afterMicrotasks();
    expect(await stateOf(large)).toBe('pending');
    exchange.release();
    await large;
  });

  test('cuts off a sender that waits for nothing, beyond the bound', () => {
    const { exchange, sender } = open({ deflates: true });
    sender.message(OPCODE.text, LARGE);
    expect(exchange.calls).toEqual([]);
    for (let i = 0; i < 10; i++) sender.message(OPCODE.text, LARGE);
    expect(exchange.calls).toContain('abort queue_overflow');
    sender.stop();
  });
});

describe('the end', () => {
  test('lets those go on whose messages are still being compressed, and sends none of them', async () => {
    const { exchange, sender } = open({ deflates: true });
    const waiting = [sender.message(OPCODE.text, LARGE)!, sender.message(OPCODE.text, 'small')!];
    sender.stop();
    expect([await Promise.all(waiting.map(stateOf)), sender.waitingBytes]).toEqual([
      ['resolved', 'resolved'],
      0,
    ]);
    // Begun later, it is not done sooner.
    const other = open({ deflates: true });
    await within(other.sender.message(OPCODE.text, LARGE)!, 'another message');
    expect([exchange.content, sender.message(OPCODE.text, 'late')]).toEqual(['', undefined]);
  });

  test('with a close frame at once gives up what is not ready, also a close frame behind it', async () => {
    const { exchange, sender } = open({ deflates: true });
    const large = sender.message(OPCODE.text, LARGE)!;
    const closed = sender.close(closePayload(1000, 'in order'))!;
    sender.closeNow(closePayload(1009, 'at once'));
    await within(Promise.all([large, closed]), 'who waits');
    expect(framesOf(exchange)).toEqual(['close 1009 at once']);
  });
});
