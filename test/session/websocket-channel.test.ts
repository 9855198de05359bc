/**
 * The frames of an open WebSocket: what the application receives of them, how a peer is held back, and how it is kept
 * alive.
 */
import { describe, expect, test } from 'bun:test';
import { stateOf } from '../support/settled.ts';
import { byteByByte, clientFrame, closeFrame } from '../support/websocket-frames.ts';
import {
  accept,
  close,
  connectWebSocket,
  eventsToEnd,
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
const pong = (content: string): Uint8Array => clientFrame({ opcode: 10, payload: content });

/** Calls of the exchange that concern whether more is read, and how it ends. */
function flowOf({ exchange }: TestWebSocket): string[] {
  return exchange.calls.filter((call) => /^(pauseBody|resumeBody|end|abort)/.test(call));
}

describe('messages', () => {
  test('are received in order, whole, as text or as bytes', async () => {
    const socket = await openWebSocket();
    feed(
      socket,
      message('grüße'),
      clientFrame({ opcode: 2, payload: Uint8Array.of(0, 255) }),
      clientFrame({ opcode: 1, payload: 'in ', fin: false }),
      clientFrame({ opcode: 0, payload: 'parts' }),
      message(''),
    );
    const seen = [];
    for (let i = 0; i < 4; i++) seen.push(await nextEvent(socket));
    expect(seen).toEqual(['text grüße', 'binary 00ff', 'text in parts', 'text ']);
  });

  test('that come byte by byte are received as soon as they are whole', async () => {
    const socket = await openWebSocket();
    const received = nextEvent(socket);
    const pieces = byteByByte(message('hello'));
    for (const piece of pieces.slice(0, -1)) feed(socket, piece);
    expect(await stateOf(received)).toBe('pending');
    feed(socket, pieces.at(-1)!);
    expect(await received).toBe('text hello');
  });

  test('are each an object of its own, with bytes as a Uint8Array', async () => {
    const { session } = await openWebSocket();
    feed({ session }, clientFrame({ opcode: 2, payload: 'a' }), clientFrame({ opcode: 2, payload: 'b' }));
    expect(await session.receive()).toEqual({ type: 'websocket.receive', bytes: Uint8Array.of(97) });
    expect(await session.receive()).toEqual({ type: 'websocket.receive', bytes: Uint8Array.of(98) });
  });
});

describe('pings', () => {
  test('are answered with their payload, also between the fragments of a message', async () => {
    const socket = await openWebSocket();
    feed(
      socket,
      ping(''),
      clientFrame({ opcode: 1, payload: 'a', fin: false }),
      clientFrame({ opcode: 9, payload: Uint8Array.of(0, 0xff, 0x80) }),
      clientFrame({ opcode: 0, payload: 'b' }),
      ping('x'.repeat(125)),
    );
    expect(socket.exchange.content).toBe(`\x8a\0\x8a\x03\0\xff\x80\x8a\x7d${'x'.repeat(125)}`);
    expect(await nextEvent(socket)).toBe('text ab');
  });

  test('are not answered once the close frame has been sent', async () => {
    const socket = await openWebSocket();
    await socket.session.send(close());
    feed(socket, ping('late'));
    expect(framesOf(socket.exchange)).toEqual(['close 1000 ']);
  });

  test('of a peer that reads nothing cost little memory', async () => {
    const socket = await openWebSocket();
    socket.exchange.isStalled = true;
    for (let i = 0; i < 1000 && socket.session.standing === 'started'; i++)
      feed(socket, ping('x'.repeat(100)));
    const { bufferedAmount, highWaterMark } = socket.exchange.outbound;
    expect(bufferedAmount).toBeLessThanOrEqual(2 * highWaterMark);
  });

  test('of a peer that reads nothing are answered when it does, the latest of them alone (RFC 6455 5.5.3)', async () => {
    const socket = await openWebSocket();
    const { outbound } = socket.exchange;
    const drain = (): void => {
      outbound.bufferedAmount = 0;
      for (const listener of outbound.drainListeners) listener();
    };
    for (const round of ['a', 'b']) {
      outbound.bufferedAmount = outbound.highWaterMark + 1;
      feed(socket, ping(`${round}1`), ping(`${round}2`), ping(`${round}3`));
      drain();
      drain();
    }
    expect([framesOf(socket.exchange), outbound.drainListeners.size]).toEqual([['pong a3', 'pong b3'], 1]);
  });

  test('that come while it takes some again are answered, and older ones then no more', async () => {
    const socket = await openWebSocket();
    const { outbound } = socket.exchange;
    outbound.bufferedAmount = outbound.highWaterMark + 1;
    feed(socket, ping('old'));
    outbound.bufferedAmount = outbound.highWaterMark;
    feed(socket, ping('new'));
    outbound.bufferedAmount = 0;
    for (const listener of outbound.drainListeners) listener();
    expect(framesOf(socket.exchange)).toEqual(['pong new']);
  });

  test('and pongs that nobody asked for are no messages', async () => {
    const socket = await openWebSocket();
    feed(socket, pong('1'), pong(''), message('a'));
    expect([await nextEvent(socket), framesOf(socket.exchange)]).toEqual(['text a', []]);
  });
});

describe('a peer that is faster than the application', () => {
  test('is held when as many messages wait as may, and goes on when one is taken', async () => {
    const socket = await openWebSocket({ maxReceiveQueue: 3 });
    feed(socket, message('1'), message('2'));
    expect(flowOf(socket)).toEqual([]);
    feed(socket, message('3'), message('4'));
    expect(flowOf(socket)).toEqual(['pauseBody']);
    expect(await nextEvent(socket)).toBe('text 1');
    expect(flowOf(socket).at(-1)).toBe('pauseBody');
    expect(await nextEvent(socket)).toBe('text 2');
    expect(flowOf(socket).at(-1)).toBe('resumeBody');
    expect([await nextEvent(socket), await nextEvent(socket)]).toEqual(['text 3', 'text 4']);
    expect(flowOf(socket).filter((call) => call === 'resumeBody')).toHaveLength(1);
  });

  test('is held when 1 MiB waits, however few the messages', async () => {
    const socket = await openWebSocket();
    const big = clientFrame({ opcode: 2, payload: new Uint8Array(524_288) });
    feed(socket, big);
    expect(flowOf(socket)).toEqual([]);
    feed(socket, big);
    expect(flowOf(socket)).toEqual(['pauseBody']);
    await nextEvent(socket);
    expect(flowOf(socket)).toEqual(['pauseBody', 'resumeBody']);
  });

  test('is not held as long as somebody waits for each message', async () => {
    const socket = await openWebSocket({ maxReceiveQueue: 1 });
    const waiting = ['a', 'b', 'c'].map(() => nextEvent(socket));
    feed(socket, message('a'), message('b'), message('c'));
    expect(await Promise.all(waiting)).toEqual(['text a', 'text b', 'text c']);
    expect(flowOf(socket)).toEqual([]);
  });

  test('has its close and its pings heard once what is before them has been received', async () => {
    const socket = await openWebSocket({ maxReceiveQueue: 1 });
    feed(socket, message('a'), ping('p'), message('b'), closeFrame(1000));
    expect(framesOf(socket.exchange)).toEqual([]);
    expect(await eventsToEnd(socket)).toEqual(['text a', 'text b', 'disconnect 1000']);
    expect(framesOf(socket.exchange)).toEqual(['pong p', 'close 1000 ']);
  });

  test('and cannot be held is closed with 1008, once 1 MiB lies unread', async () => {
    const socket = await openWebSocket({ maxReceiveQueue: 2 });
    feed(socket, message('a'), message('b'));
    for (let i = 0; i < 16; i++) feed(socket, clientFrame({ opcode: 2, payload: new Uint8Array(65_000) }));
    expect(socket.exchange.content).toBe('');
    feed(socket, clientFrame({ opcode: 2, payload: new Uint8Array(65_000) }));
    expect(framesOf(socket.exchange)).toEqual(['close 1008 Too many messages wait to be received.']);
    expect(flowOf(socket).at(-1)).toBe('end');
    expect(await eventsToEnd(socket)).toEqual(['text a', 'text b', 'disconnect 1008 queue_overflow']);
  });

  test('is read on for nobody once the application has returned', async () => {
    const socket = await openWebSocket({ maxReceiveQueue: 1 });
    feed(socket, message('a'), message('b'));
    socket.session.finish();
    expect(flowOf(socket)).toEqual(['pauseBody', 'resumeBody']);
    feed(socket, message('c'), closeFrame(1000));
    expect([framesOf(socket.exchange), flowOf(socket).at(-1)]).toEqual([['close 1000 '], 'end']);
  });
});

describe('keeping alive', () => {
  const SETTINGS = { wsPingInterval: 20, wsPingTimeout: 5 };

  test('pings at the interval of the settings, and pongs keep the session', async () => {
    const socket = await openWebSocket(SETTINGS);
    for (let number = 1; number <= 3; number++) {
      socket.clock.advance(20_000);
      expect(framesOf(socket.exchange).at(-1)).toBe(`ping ${number}`);
      feed(socket, pong(String(number)));
    }
    expect([framesOf(socket.exchange).length, flowOf(socket)]).toEqual([3, []]);
  });

  test('ends a session whose peer does not answer, with a word to it', async () => {
    const socket = await openWebSocket(SETTINGS);
    feed(socket, message('before'));
    socket.clock.advance(26_000);
    expect(framesOf(socket.exchange)).toEqual(['ping 1', 'close 1011 a ping was not answered']);
    expect(await eventsToEnd(socket)).toEqual(['text before', 'disconnect 1006 keepalive_timeout']);
    expect([flowOf(socket), socket.clock.timers, socket.session.standing]).toEqual([['end'], 0, 'gone']);
  });

  test('breaks the connection off where the peer takes nothing', async () => {
    const socket = await openWebSocket(SETTINGS);
    socket.exchange.hold();
    socket.clock.advance(26_000);
    expect(flowOf(socket)).toEqual(['abort keepalive_timeout']);
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1006 keepalive_timeout']);
  });

  test('goes by what the application says, the last word of it, also before it accepts', async () => {
    const socket = connectWebSocket(SETTINGS);
    await socket.session.send(keepalive(1, 1));
    await socket.session.send(keepalive(7, 3));
    await socket.session.send(accept());
    expect(socket.exchange.calls).toEqual(['openTunnel']);
    socket.clock.advance(7000);
    expect(framesOf(socket.exchange)).toEqual(['ping 1']);
    await socket.session.send(keepalive(2));
    socket.clock.advance(2000);
    // The timeout that is left out is that of the settings.
    socket.clock.advance(5000);
    expect(framesOf(socket.exchange)).toEqual(['ping 1', 'ping 2', 'ping 3', 'ping 4']);
    socket.clock.advance(100);
    expect(framesOf(socket.exchange).at(-1)).toBe('close 1011 a ping was not answered');
  });

  test('is turned off by an interval of 0', async () => {
    const socket = await openWebSocket(SETTINGS);
    await socket.session.send(keepalive(0));
    socket.clock.advance(3_600_000);
    expect([socket.exchange.calls, socket.clock.timers]).toEqual([[], 0]);
  });

  test('ends with the session', async () => {
    const socket = await openWebSocket(SETTINGS);
    await socket.session.send(close());
    await socket.session.send(keepalive(1)).catch(() => undefined);
    socket.clock.advance(4000);
    feed(socket, closeFrame(1000));
    socket.clock.advance(60_000);
    expect([framesOf(socket.exchange), socket.clock.timers]).toEqual([['close 1000 '], 0]);
  });

  test('does not miss a pong that cannot come yet: a big frame is under way, and moving', async () => {
    const socket = await openWebSocket(SETTINGS);
    const pieces = clientFrame({ opcode: 2, payload: new Uint8Array(100_000) });
    for (let at = 0; at < pieces.length; at += 10_000) {
      feed(socket, pieces.subarray(at, at + 10_000));
      socket.clock.advance(4000);
    }
    expect(framesOf(socket.exchange)).not.toContain('close 1011 a ping was not answered');
    feed(socket, pong('1'), pong('2'));
    socket.clock.advance(10_000);
    expect(flowOf(socket)).toEqual([]);
  });

  test('does not wait for a frame that has stopped moving', async () => {
    const socket = await openWebSocket(SETTINGS);
    feed(socket, message('never whole').subarray(0, 9));
    socket.clock.advance(60_000);
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1006 keepalive_timeout']);
  });

  test('does not miss a pong while the peer is still taking what lies before the ping', async () => {
    const socket = await openWebSocket(SETTINGS);
    socket.exchange.outbound.bufferedAmount = 5000;
    socket.clock.advance(120_000);
    expect(flowOf(socket)).toEqual([]);
    socket.exchange.outbound.bufferedAmount = 0;
    socket.clock.advance(60_000);
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1006 keepalive_timeout']);
  });

  test('does not miss a pong while reading is paused', async () => {
    const socket = await openWebSocket({ ...SETTINGS, maxReceiveQueue: 1 });
    feed(socket, message('a'), message('b'));
    socket.clock.advance(120_000);
    expect(flowOf(socket)).toEqual(['pauseBody']);
    await nextEvent(socket);
    await nextEvent(socket);
    feed(socket, pong('1'), pong('2'), pong('3'), pong('4'), pong('5'), pong('6'));
    socket.clock.advance(19_000);
    expect(flowOf(socket)).toEqual(['pauseBody', 'pauseBody', 'resumeBody']);
  });

  test('does not miss a pong because reading has just been resumed', async () => {
    const socket = await openWebSocket({ ...SETTINGS, maxReceiveQueue: 1 });
    feed(socket, message('a'));
    socket.clock.advance(25_049);
    await nextEvent(socket);
    expect(flowOf(socket)).toEqual(['pauseBody', 'resumeBody']);
    socket.clock.advance(1);
    feed(socket, pong('1'));
    expect(flowOf(socket)).toEqual(['pauseBody', 'resumeBody']);
  });

  test('bounds the time without a message, which pings and pongs are not', async () => {
    const socket = await openWebSocket({ wsIdleTimeout: 30, wsPingInterval: 20 });
    await socket.session.send(text('out'));
    socket.clock.advance(20_000);
    feed(socket, message('in'), pong('1'));
    socket.clock.advance(29_000);
    feed(socket, pong('2'), ping('p'));
    await nextEvent(socket);
    expect(flowOf(socket)).toEqual([]);
    socket.clock.advance(2000);
    expect(framesOf(socket.exchange).at(-1)).toBe('close 1001 nothing was said for too long');
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1006 idle_timeout']);
    expect(flowOf(socket)).toEqual(['end']);
  });
});
