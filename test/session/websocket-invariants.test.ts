/**
 * Whatever peer, application, server and clock do, in whatever order (random, seeded): a session has one disconnect, last,
 * one close frame at most, last too, whole frames only, and leaves nothing behind.
 */
import { expect, test } from 'bun:test';
import type { DisconnectReason } from '../../src/contract/handles.ts';
import { Random } from '../support/random.ts';
import { afterMicrotasks } from '../support/settled.ts';
import { clientFrame, closeFrame } from '../support/websocket-frames.ts';
import {
  bytes,
  close,
  DEFLATE_OFFER,
  describeEvent,
  endInput,
  feed,
  framesOf,
  keepalive,
  openWebSocket,
  type TestWebSocket,
  text,
} from '../support/websocket-session.ts';

const REASONS: readonly DisconnectReason[] = ['client_closed', 'write_timeout', 'read_error'];

/** What the application has received, in its order. */
type Received = string[];

const PEER: readonly ((socket: TestWebSocket, random: Random) => void)[] = [
  (socket, random) => feed(socket, clientFrame({ opcode: 1, payload: 'x'.repeat(random.below(200)) })),
  (socket, random) => {
    const frames = Array.from({ length: random.below(8) }, () => clientFrame({ opcode: 2, payload: 'many' }));
    feed(socket, ...frames);
  },
  (socket, random) => feed(socket, clientFrame({ opcode: 9, payload: String(random.below(9)) })),
  (socket, random) => feed(socket, clientFrame({ opcode: 10, payload: String(random.below(9)) })),
  (socket, random) => {
    const frame = clientFrame({ opcode: 1, payload: 'in two pieces' });
    const cut = 1 + random.below(frame.length - 1);
    feed(socket, frame.subarray(0, cut));
    if (!random.oneIn(8)) feed(socket, frame.subarray(cut));
  },
];

const APPLICATION: readonly ((socket: TestWebSocket, random: Random) => object)[] = [
  () => text('out'),
  () => bytes(new Uint8Array(40)),
  (_socket, random) => text('large '.repeat(random.below(12_000))),
  (_socket, random) => keepalive(random.below(3), random.below(3)),
];

const ENDINGS: readonly ((socket: TestWebSocket, random: Random) => void)[] = [
  (socket) => feed(socket, closeFrame(1000, 'bye')),
  (socket) => feed(socket, clientFrame({ opcode: 1, payload: 'last' }), closeFrame()),
  (socket) => feed(socket, clientFrame({ opcode: 3 })),
  (socket) => feed(socket, clientFrame({ opcode: 1, payload: Uint8Array.of(0xff) })),
  endInput,
  ({ session }, random) => session.disconnected(random.pick(REASONS)),
  ({ session }) => session.shutdown(),
  ({ session }) => void session.send(close(4000, 'enough')).catch(() => undefined),
];

function receive({ session }: TestWebSocket, received: Received): void {
  session.receive().then(
    (event) => received.push(describeEvent(event)),
    () => received.push('rejected'),
  );
}

async function step(socket: TestWebSocket, random: Random, received: Received): Promise<void> {
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return random.pick(PEER)(socket, random);
    case 3:
      return void socket.session.send(random.pick(APPLICATION)(socket, random)).catch(() => undefined);
    case 4:
      return receive(socket, received);
    case 5:
      return socket.clock.advance(random.below(3000));
    case 6:
      if (random.oneIn(2)) socket.exchange.hold();
      return socket.exchange.release();
    default:
      if (random.oneIn(6)) return random.pick(ENDINGS)(socket, random);
      return afterMicrotasks();
  }
}

test('a session ends once, in order, and leaves nothing behind', async () => {
  const ends = new Set<string>();
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed);
    const socket = await openWebSocket({
      maxReceiveQueue: 1 + random.below(4),
      wsPingInterval: random.below(4),
      wsPingTimeout: random.below(3),
      wsIdleTimeout: random.below(2) * 10,
      wsCompression: random.oneIn(2),
      handshake: { extensions: [DEFLATE_OFFER] },
    });
    socket.exchange.outbound.overflowMark = 200_000;
    const received: Received = [];
    for (let count = 0; count < 60; count++) await step(socket, random, received);
    socket.exchange.release();
    random.pick(ENDINGS)(socket, random);
    // Whatever was begun is over by now: the wait for an answer is bounded.
    for (let count = 0; count < 40; count++) {
      receive(socket, received);
      await afterMicrotasks();
      socket.clock.advance(1000);
    }
    socket.session.disconnected('client_closed');
    while (received.at(-1) !== 'rejected') {
      receive(socket, received);
      await afterMicrotasks();
    }
    const events = received.filter((event) => event !== 'rejected');
    const frames = framesOf(socket.exchange);
    const closes = frames.filter((frame) => frame.startsWith('close'));
    const disconnects = events.filter((event) => event.startsWith('disconnect'));
    const endsAfter = socket.exchange.calls.filter((call) => /^(end|abort)/.test(call));
    ends.add(disconnects[0] ?? 'none');
    expect({ seed, disconnects: disconnects.length, last: events.at(-1) }).toEqual({
      seed,
      disconnects: 1,
      last: disconnects[0]!,
    });
    expect([seed, closes.length <= 1, closes.length === 0 || frames.at(-1) === closes[0]]).toEqual([
      seed,
      true,
      true,
    ]);
    expect([seed, endsAfter.length <= 1, socket.session.standing, socket.clock.timers]).toEqual([
      seed,
      true,
      'gone',
      0,
    ]);
  }
  // They are not all the same story.
  expect(ends.size).toBeGreaterThan(8);
});
