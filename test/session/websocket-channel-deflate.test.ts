/**
 * Compressed messages of a peer: inflated in order with plain ones, also off the event loop, and bounded.
 */
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'bun:test';
import { Random } from '../support/random.ts';
import { afterMicrotasks } from '../support/settled.ts';
import { clientFrame, closeFrame } from '../support/websocket-frames.ts';
import {
  close,
  endInput,
  eventsToEnd,
  feed,
  framesOf,
  nextEvent,
  openDeflating,
  openWebSocket,
  type TestWebSocket,
  text,
} from '../support/websocket-session.ts';
import { until, within } from '../support/within.ts';

/** RFC 7692 7.2.1. */
function deflated(content: string | Uint8Array): Uint8Array {
  const payload = deflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH });
  return payload.subarray(0, payload.length - 4);
}

const compressed = (content: string | Uint8Array, opcode = 1): Uint8Array =>
  clientFrame({ opcode, rsv1: true, payload: deflated(content) });
const plain = (content: string): Uint8Array => clientFrame({ opcode: 1, payload: content });

/** What does not compress, and so takes a large payload, which is inflated off the event loop. */
function noise(size: number): string {
  const random = new Random(size);
  return Array.from({ length: size }, () => String.fromCharCode(32 + random.below(95))).join('');
}

const LARGE = noise(100_000);
const LARGE_SEEN = `text ${LARGE.slice(0, 20)}… (100000)`;

function flowOf({ exchange }: TestWebSocket): string[] {
  return exchange.calls.filter((call) => /^(pauseBody|resumeBody|end|abort)/.test(call));
}

describe('a compressed message', () => {
  test('is received as what it was, text or bytes, empty or not', async () => {
    const socket = await openDeflating();
    feed(socket, compressed('grüße'), compressed(Uint8Array.of(0, 255), 2), compressed(''), plain('plain'));
    const seen = [];
    for (let i = 0; i < 4; i++) seen.push(await nextEvent(socket));
    expect(seen).toEqual(['text grüße', 'binary 00ff', 'text ', 'text plain']);
  });

  test('may come in fragments, with a ping between them', async () => {
    const socket = await openDeflating();
    const payload = deflated('in fragments');
    feed(
      socket,
      clientFrame({ opcode: 1, rsv1: true, fin: false, payload: payload.subarray(0, 5) }),
      clientFrame({ opcode: 9, payload: 'p' }),
      clientFrame({ opcode: 0, payload: payload.subarray(5) }),
    );
    expect([await nextEvent(socket), framesOf(socket.exchange)]).toEqual(['text in fragments', ['pong p']]);
  });

  test('that takes long keeps its place before those behind it', async () => {
    const socket = await openDeflating();
    feed(socket, plain('before'), compressed(LARGE), plain('behind'), compressed(LARGE), compressed('last'));
    const seen = [];
    for (let i = 0; i < 5; i++) seen.push(await within(nextEvent(socket), 'a message'));
    expect(seen).toEqual(['text before', LARGE_SEEN, 'text behind', LARGE_SEEN, 'text last']);
  });

  test('that takes long keeps its place before the end of the connection', async () => {
    const closed = await openDeflating();
    feed(closed, compressed(LARGE), closeFrame(1000, 'done'));
    expect(framesOf(closed.exchange)).toEqual([]);
    expect(await within(eventsToEnd(closed), 'the end')).toEqual([LARGE_SEEN, 'disconnect 1000 done']);
    const dropped = await openDeflating();
    feed(dropped, compressed(LARGE));
    endInput(dropped);
    expect(await within(eventsToEnd(dropped), 'the end')).toEqual([
      LARGE_SEEN,
      'disconnect 1006 client_closed',
    ]);
  });

  test('that takes long can be answered before the close that came in one piece with it', async () => {
    const socket = await openDeflating();
    const answered = nextEvent(socket).then(() => socket.session.send(text('answer')));
    feed(socket, compressed(LARGE), closeFrame(1000));
    await within(answered, 'the answer');
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1000']);
    expect(framesOf(socket.exchange)).toEqual(['text answer', 'close 1000 ']);
  });

  test('holds the peer while it is being inflated and much more comes, and lets it go on afterwards', async () => {
    const socket = await openDeflating();
    feed(socket, compressed(LARGE));
    const next = clientFrame({ opcode: 2, payload: new Uint8Array(40_000) });
    feed(socket, next);
    expect(flowOf(socket)).toEqual([]);
    feed(socket, next);
    expect(flowOf(socket)).toEqual(['pauseBody']);
    await until(() => flowOf(socket).length > 1, 'reading to go on');
    expect(flowOf(socket)).toEqual(['pauseBody', 'resumeBody']);
    expect(await nextEvent(socket)).toBe(LARGE_SEEN);
  });

  test('that is still being inflated when the session ends is not received', async () => {
    const socket = await openDeflating();
    feed(socket, compressed(LARGE), plain('behind'));
    socket.session.disconnected('client_closed');
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1006 client_closed']);
    const other = await openDeflating();
    feed(other, compressed(LARGE));
    await within(nextEvent(other), 'another message');
    expect(socket.exchange.calls).toEqual([]);
  });

  test('behind the close of the application does not keep the answer to that from being heard', async () => {
    const socket = await openDeflating();
    await socket.session.send(close());
    feed(socket, compressed(LARGE), closeFrame(1000));
    expect(await within(eventsToEnd(socket), 'the end')).toEqual(['disconnect 1000']);
    expect(framesOf(socket.exchange)).toEqual(['close 1000 ']);
  });
});

describe('a compressed message at fault closes the session:', () => {
  const rows: [string, Uint8Array, number, string][] = [
    [
      'what cannot be inflated',
      clientFrame({ opcode: 2, rsv1: true, payload: Uint8Array.of(0xff, 0xff) }),
      1007,
      'protocol_error',
    ],
    [
      'one that is cut short',
      clientFrame({ opcode: 2, rsv1: true, payload: deflated('x y z'.repeat(9)).subarray(0, 6) }),
      1007,
      'protocol_error',
    ],
    ['text that is no UTF-8', compressed(Uint8Array.of(0x61, 0xff)), 1007, 'protocol_error'],
    [
      'large text that is no UTF-8',
      compressed(Buffer.from(`${LARGE}\xff`, 'latin1')),
      1007,
      'protocol_error',
    ],
    ['text that ends inside a character', compressed(Uint8Array.of(0x61, 0xc3)), 1007, 'protocol_error'],
    ['one that is too big once inflated', compressed('x'.repeat(200_001)), 1009, 'body_too_large'],
    ['a bomb', compressed(new Uint8Array(50_000_000), 2), 1009, 'body_too_large'],
  ];
  for (const [name, frame, code, reason] of rows) {
    test(`${name}, with ${code}`, async () => {
      const socket = await openDeflating({ maxWsMessageSize: 200_000 });
      feed(socket, plain('before'), frame, plain('behind'));
      expect(await within(eventsToEnd(socket), 'the end')).toEqual([
        'text before',
        `disconnect ${code} ${reason}`,
      ]);
      const written = framesOf(socket.exchange);
      expect([written.length, written[0]?.slice(0, 10), flowOf(socket)]).toEqual([
        1,
        `close ${code}`,
        ['end'],
      ]);
    });
  }

  test('a compressed continuation, with 1002', async () => {
    const socket = await openDeflating();
    feed(
      socket,
      clientFrame({ opcode: 1, fin: false, payload: 'a' }),
      clientFrame({ opcode: 0, rsv1: true, payload: 'b' }),
    );
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1002 protocol_error']);
  });

  test('as large as allowed is none', async () => {
    const socket = await openDeflating({ maxWsMessageSize: 200_000 });
    feed(socket, compressed('x'.repeat(200_000)));
    expect(await within(nextEvent(socket), 'the message')).toEndWith('(200000)');
  });
});

describe('messages to the peer', () => {
  test('are compressed from 1 KiB on where that was agreed upon, in the order in which they were sent', async () => {
    const { session, exchange } = await openDeflating();
    exchange.outbound.overflowMark = 1_000_000;
    const sent = [LARGE.repeat(2), 'small', 'x'.repeat(1024)].map((content) => session.send(text(content)));
    expect(framesOf(exchange)).toEqual([]);
    await within(Promise.all(sent), 'the messages');
    expect(framesOf(exchange)).toEqual([
      `deflated text ${LARGE.slice(0, 20)}… (200000)`,
      'text small',
      `deflated text ${'x'.repeat(20)}… (1024)`,
    ]);
  });

  test('are not compressed where it was not', async () => {
    const { session, exchange } = await openWebSocket({ wsCompression: true });
    await session.send(text('x'.repeat(100_000)));
    expect(framesOf(exchange)).toEqual([`text ${'x'.repeat(20)}… (100000)`]);
  });

  test('that are being compressed come before the close, and the close is not waited for in vain', async () => {
    const socket = await openDeflating();
    socket.exchange.outbound.overflowMark = 1_000_000;
    const sent = [socket.session.send(text(LARGE)), socket.session.send(close(4000, 'bye'))];
    await within(Promise.all(sent), 'the close');
    expect(framesOf(socket.exchange)).toEqual([`deflated ${LARGE_SEEN}`, 'close 4000 bye']);
    feed(socket, closeFrame(4000));
    expect(await eventsToEnd(socket)).toEqual(['disconnect 4000']);
  });

  test('that are being compressed when the peer closes are given up', async () => {
    const socket = await openDeflating();
    const sent = socket.session.send(text(LARGE));
    feed(socket, closeFrame(1000));
    await within(sent, 'the send');
    await afterMicrotasks();
    expect(framesOf(socket.exchange)).toEqual(['close 1000 ']);
    expect(socket.session.scope['tsagi.transport'].bufferedAmount).toBe(0);
  });

  test('are not sent on and on to a peer that is slower: beyond the bound it is cut off', async () => {
    const socket = await openDeflating();
    const sent = Array.from({ length: 3 }, () => socket.session.send(text(LARGE)));
    expect(flowOf(socket)).toEqual(['abort queue_overflow']);
    await within(Promise.all(sent), 'the sends');
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1006 queue_overflow']);
  });
});
