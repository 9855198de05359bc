/**
 * How an open WebSocket ends, from whichever side: what the peer is told, and the one disconnect that the application gets.
 */
import { describe, expect, test } from 'bun:test';
import { afterMicrotasks } from '../support/settled.ts';
import { clientFrame, closeFrame } from '../support/websocket-frames.ts';
import {
  close,
  endInput,
  eventsToEnd,
  expectNothingMore,
  feed,
  framesOf,
  keepalive,
  nextEvent,
  openWebSocket,
  type TestWebSocket,
  text,
} from '../support/websocket-session.ts';

const message = (content: string): Uint8Array => clientFrame({ opcode: 1, payload: content });
const ping = (content: string): Uint8Array => clientFrame({ opcode: 9, payload: content });

/** Calls of the exchange that concern whether more is read, and how it ends. */
function flowOf({ exchange }: TestWebSocket): string[] {
  return exchange.calls.filter((call) => /^(pauseBody|resumeBody|end|abort)/.test(call));
}

describe('a peer that closes', () => {
  const rows: [string, Uint8Array, string, string][] = [
    [
      'with a code and a reason',
      closeFrame(1001, 'tab closed ✓'),
      'close 1001 ',
      'disconnect 1001 tab closed ✓',
    ],
    ['with a code', closeFrame(4999), 'close 4999 ', 'disconnect 4999'],
    ['without a code', closeFrame(), 'close', 'disconnect 1005'],
    ['with a code that was registered later', closeFrame(1014), 'close 1014 ', 'disconnect 1014'],
  ];
  for (const [name, frame, answer, event] of rows) {
    test(`${name} has its code sent back, and the connection ended`, async () => {
      const socket = await openWebSocket();
      feed(socket, message('before'), frame, message('behind'), ping('behind'));
      endInput(socket);
      expect(await eventsToEnd(socket)).toEqual(['text before', event]);
      socket.session.disconnected('client_closed');
      expect([framesOf(socket.exchange), flowOf(socket)]).toEqual([[answer], ['end']]);
    });
  }

  test('is answered at once where there is nothing that the application could answer first', async () => {
    const socket = await openWebSocket();
    feed(socket, ping('p'), closeFrame(1000));
    expect([framesOf(socket.exchange), flowOf(socket)]).toEqual([['pong p', 'close 1000 '], ['end']]);
  });

  test('in one piece with a message gets what the application answers to that at once, then the close', async () => {
    const socket = await openWebSocket();
    const answered = nextEvent(socket).then((event) => socket.session.send(text(`answer to ${event}`)));
    feed(socket, message('a'), closeFrame(1000));
    await answered;
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1000']);
    expect(framesOf(socket.exchange)).toEqual(['text answer to text a', 'close 1000 ']);
  });

  test('behind a message that was held back gets the answer to that first as well', async () => {
    const socket = await openWebSocket({ maxReceiveQueue: 1 });
    feed(socket, message('a'), closeFrame(1000));
    const event = await nextEvent(socket);
    await socket.session.send(text(`answer to ${event}`));
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1000']);
    expect(framesOf(socket.exchange)).toEqual(['text answer to text a', 'close 1000 ']);
  });

  test('and breaks the connection in the same turn is known by its close frame', async () => {
    const socket = await openWebSocket();
    feed(socket, message('a'), closeFrame(1001, 'leaving'));
    socket.session.disconnected('client_closed');
    expect(await eventsToEnd(socket)).toEqual(['text a', 'disconnect 1001 leaving']);
  });

  test('while messages wait for it has its answer behind them', async () => {
    const socket = await openWebSocket();
    socket.exchange.hold();
    const sent = socket.session.send(text('first'));
    feed(socket, closeFrame(1000));
    expect(framesOf(socket.exchange)).toEqual(['text first', 'close 1000 ']);
    socket.exchange.release();
    await sent;
  });

  test('makes further events of the application go nowhere, each after a turn of the event loop', async () => {
    const socket = await openWebSocket();
    feed(socket, closeFrame(1000));
    for (const event of [text('x'), close(), keepalive(1), {}]) await socket.session.send(event);
    expect([framesOf(socket.exchange), socket.session.standing]).toEqual([['close 1000 '], 'gone']);
    expect(socket.clock.timers).toBe(0);
  });
});

describe('a peer that drops out', () => {
  test('with FIN and no close frame is 1006, behind the messages that came', async () => {
    const socket = await openWebSocket();
    feed(socket, message('a'), message('cut').subarray(0, 5));
    endInput(socket);
    expect(flowOf(socket)).toEqual(['end']);
    expect(await eventsToEnd(socket)).toEqual(['text a', 'disconnect 1006 client_closed']);
    expect(socket.exchange.content).toBe('');
  });

  test('with FIN behind more than is read is told of once that has been received', async () => {
    const socket = await openWebSocket({ maxReceiveQueue: 2 });
    feed(socket, ...['a', 'b', 'c', 'd'].map(message));
    endInput(socket);
    expect(await eventsToEnd(socket)).toEqual([
      'text a',
      'text b',
      'text c',
      'text d',
      'disconnect 1006 client_closed',
    ]);
  });
});

describe('a fault of the peer closes the session:', () => {
  const limits = { maxWsFrameSize: 100, maxWsMessageSize: 150 };
  const rows: [string, Uint8Array[], number, string][] = [
    ['an unmasked frame', [clientFrame({ opcode: 1, payload: 'a', mask: false })], 1002, 'protocol_error'],
    ['a reserved bit', [clientFrame({ opcode: 1, payload: 'a', rsv2: true })], 1002, 'protocol_error'],
    ['RSV1 where no compression is agreed', [clientFrame({ opcode: 1, rsv1: true })], 1002, 'protocol_error'],
    ['a reserved opcode', [clientFrame({ opcode: 3 })], 1002, 'protocol_error'],
    ['a fragmented ping', [clientFrame({ opcode: 9, fin: false })], 1002, 'protocol_error'],
    ['a long ping', [clientFrame({ opcode: 9, payload: 'x'.repeat(126) })], 1002, 'protocol_error'],
    ['a stray continuation', [clientFrame({ opcode: 0, payload: 'a' })], 1002, 'protocol_error'],
    [
      'a message within a message',
      [clientFrame({ opcode: 1, payload: 'a', fin: false }), message('b')],
      1002,
      'protocol_error',
    ],
    ['a close code that is not to be sent', [closeFrame(1005)], 1002, 'protocol_error'],
    ['half a close code', [clientFrame({ opcode: 8, payload: '\x03' })], 1002, 'protocol_error'],
    [
      'invalid UTF-8 in text',
      [clientFrame({ opcode: 1, payload: Uint8Array.of(0xc0) })],
      1007,
      'protocol_error',
    ],
    [
      'invalid UTF-8 before the message is whole',
      [clientFrame({ opcode: 1, payload: Uint8Array.of(0x61, 0xff), fin: false })],
      1007,
      'protocol_error',
    ],
    ['invalid UTF-8 in a reason', [closeFrame(1000, Uint8Array.of(0xff))], 1007, 'protocol_error'],
    [
      'a frame over the limit',
      [clientFrame({ opcode: 2, payload: new Uint8Array(101) })],
      1009,
      'body_too_large',
    ],
    [
      'a message over the limit',
      [
        clientFrame({ opcode: 2, payload: new Uint8Array(100), fin: false }),
        clientFrame({ opcode: 0, payload: new Uint8Array(51) }),
      ],
      1009,
      'body_too_large',
    ],
  ];
  for (const [name, frames, code, reason] of rows) {
    test(`${name}, with ${code} and no wait for an answer`, async () => {
      const socket = await openWebSocket({ ...limits, wsPingInterval: 5 });
      feed(socket, message('before'), ...frames, message('behind'));
      feed(socket, message('later'), closeFrame(1000));
      expect(await eventsToEnd(socket)).toEqual(['text before', `disconnect ${code} ${reason}`]);
      const written = framesOf(socket.exchange);
      expect([written.length, flowOf(socket)]).toEqual([1, ['end']]);
      expect(written[0]).toMatch(new RegExp(`^close ${code} [A-Z][ -~]+\\.$`));
      expect([socket.clock.timers, socket.session.standing]).toEqual([0, 'gone']);
      expect(socket.context.lines.map((line) => line.split(' ')[0])).toEqual(['debug']);
    });
  }

  test('also behind the close frame of the application, and then without another', async () => {
    const socket = await openWebSocket();
    await socket.session.send(close(4000));
    feed(socket, clientFrame({ opcode: 3 }));
    expect([framesOf(socket.exchange), flowOf(socket)]).toEqual([['close 4000 '], ['end']]);
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1002 protocol_error']);
  });
});

describe('an application that closes', () => {
  const rows: [string, object, string][] = [
    ['with nothing said', close(), 'close 1000 '],
    ['with a code and a reason', close(1013, 'später'), 'close 1013 später'],
    [
      'with as long a reason as there can be',
      close(4000, 'é'.repeat(61) + 'x'),
      `close 4000 ${'é'.repeat(61)}x`,
    ],
    ['with a reason of lone surrogates', close(1000, '\ud800'), 'close 1000 \ufffd'],
  ];
  for (const [name, event, frame] of rows) {
    test(`${name} has that sent, and gets the peer's answer`, async () => {
      const socket = await openWebSocket();
      await socket.session.send(event);
      expect([framesOf(socket.exchange), flowOf(socket), socket.session.standing]).toEqual([
        [frame],
        [],
        'complete',
      ]);
      feed(socket, message('on its way'), closeFrame(1000, 'answer'));
      expect([framesOf(socket.exchange), flowOf(socket)]).toEqual([[frame], ['end']]);
      expect(await eventsToEnd(socket)).toEqual(['disconnect 1000 answer']);
      expect(socket.clock.timers).toBe(0);
    });
  }

  test('receives what had come before, and nothing that comes behind', async () => {
    const socket = await openWebSocket();
    feed(socket, message('before'));
    await socket.session.send(close());
    feed(socket, message('behind'), closeFrame(1000));
    expect(await eventsToEnd(socket)).toEqual(['text before', 'disconnect 1000']);
  });

  test('while reading is paused lets it go on, because the answer lies behind what is unread', async () => {
    const socket = await openWebSocket({ maxReceiveQueue: 1 });
    feed(socket, message('a'), message('b'), message('c'));
    expect(flowOf(socket)).toEqual(['pauseBody']);
    await socket.session.send(close());
    expect(flowOf(socket)).toEqual(['pauseBody', 'resumeBody']);
    feed(socket, message('d'), closeFrame(1000));
    expect(await eventsToEnd(socket)).toEqual(['text a', 'disconnect 1000']);
  });

  test('waits five seconds for an answer, and ends the connection without', async () => {
    const socket = await openWebSocket({ wsPingInterval: 1, wsPingTimeout: 1, wsIdleTimeout: 2 });
    await socket.session.send(close());
    socket.clock.advance(4999);
    expect([flowOf(socket), framesOf(socket.exchange)]).toEqual([[], ['close 1000 ']]);
    socket.clock.advance(1);
    expect(flowOf(socket)).toEqual(['end']);
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1006 client_timeout']);
    expect(socket.clock.timers).toBe(0);
  });

  test('has the connection broken off where the peer does not even take what was sent', async () => {
    const socket = await openWebSocket();
    socket.exchange.hold();
    void socket.session.send(close());
    socket.clock.advance(5000);
    expect(flowOf(socket)).toEqual(['abort client_timeout']);
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1006 client_timeout']);
  });

  test('gets a peer that only drops out', async () => {
    for (const drop of [endInput, ({ session }: TestWebSocket) => session.disconnected('client_closed')]) {
      const socket = await openWebSocket();
      await socket.session.send(close());
      drop(socket);
      expect(await eventsToEnd(socket)).toEqual(['disconnect 1006 client_closed']);
      expect(socket.clock.timers).toBe(0);
    }
  });
});

describe('receiving', () => {
  test('behind the disconnect is rejected, whatever the end was', async () => {
    const ends: ((socket: TestWebSocket) => void)[] = [
      (socket) => feed(socket, closeFrame()),
      (socket) => feed(socket, clientFrame({ opcode: 3 })),
      (socket) => socket.session.disconnected('read_error'),
      endInput,
    ];
    for (const end of ends) {
      const socket = await openWebSocket();
      end(socket);
      expect(await nextEvent(socket)).toStartWith('disconnect');
      await expectNothingMore(socket);
    }
  });

  test('leaves the bytes that come behind the end unread', async () => {
    const socket = await openWebSocket();
    feed(socket, closeFrame(1000));
    feed(socket, message('late'));
    endInput(socket);
    await afterMicrotasks();
    expect([await eventsToEnd(socket), flowOf(socket)]).toEqual([['disconnect 1000'], ['end']]);
  });
});
