/**
 * What becomes of a WebSocket session when its application ends, the server shuts down or the connection breaks.
 */
import { describe, expect, test } from 'bun:test';
import type { App } from '../../src/contract/app.ts';
import { runSession } from '../../src/session/start-session.ts';
import { afterMicrotasks } from '../support/settled.ts';
import { clientFrame, closeFrame } from '../support/websocket-frames.ts';
import {
  accept,
  bytes,
  close,
  connectWebSocket,
  denial,
  denialBody,
  endInput,
  eventsToEnd,
  feed,
  framesOf,
  keepalive,
  nextEvent,
  openWebSocket,
  refusalOf,
  type TestWebSocket,
  text,
} from '../support/websocket-session.ts';

/** Runs `app` on a session, with the client's part played by `client` once the application has had its first turn. */
async function run(
  app: App,
  client: (socket: TestWebSocket) => void = () => undefined,
): Promise<TestWebSocket> {
  const socket = connectWebSocket({ app });
  runSession(socket.session, socket.context);
  await afterMicrotasks();
  client(socket);
  await afterMicrotasks();
  return socket;
}

/** Two ways in which an application can come to its end. */
const ENDS: readonly [string, () => void][] = [
  ['returns', () => undefined],
  [
    'throws',
    () => {
      throw new Error('secret');
    },
  ],
];

describe('an application', () => {
  test('that returns has its session closed with 1000', async () => {
    const { exchange, context, session } = await run(async (_scope, _receive, send) => {
      await send({ type: 'websocket.accept' });
      await send({ type: 'websocket.send', text: 'bye' });
    });
    expect([framesOf(exchange), context.lines, context.inHand]).toEqual([['text bye', 'close 1000 '], [], 0]);
    feed({ session }, clientFrame({ opcode: 1, payload: 'unread' }), closeFrame(1000));
    await afterMicrotasks();
    expect([exchange.calls.at(-1), session.standing]).toEqual(['end', 'gone']);
  });

  test('that throws has its session closed with 1011, without a word of why, and is logged', async () => {
    const { exchange, context, session } = await run(async (_scope, _receive, send) => {
      await send({ type: 'websocket.accept' });
      throw new Error('secret');
    });
    expect([framesOf(exchange), context.inHand]).toEqual([['close 1011 '], 0]);
    expect(context.lines[0]).toStartWith('error WebSocket /chat: the application threw: Error: secret');
    feed({ session }, closeFrame(1011));
    expect(exchange.calls.at(-1)).toBe('end');
  });

  const unanswering: [string, App, string][] = [
    ['rejects', () => Promise.reject(new Error('x')), 'the application threw: Error: x'],
    ['throws', () => ENDS[1]![1](), 'the application threw: Error: secret'],
    [
      'returns',
      async (_scope, receive) => void (await receive()),
      'the application returned without an answer to websocket.connect',
    ],
  ];
  for (const [name, app, line] of unanswering) {
    test(`that ${name} before it answers is answered for with 500, and logged`, async () => {
      const { exchange, context } = await run(app);
      expect([exchange.calls[0], exchange.content]).toEqual([
        'respond 500',
        '500 Internal Server Error\nThe application failed.\n',
      ]);
      expect([context.lines.length, context.inHand]).toEqual([1, 0]);
      expect(context.lines[0]).toStartWith(`error WebSocket /chat: ${line}`);
    });
  }

  for (const [name, end] of ENDS) {
    test(`that ${name} within a denial has it broken off, and is logged`, async () => {
      const { exchange, context } = await run(async (_scope, _receive, send) => {
        await send({ type: 'websocket.http.response.start', status: 403 });
        await send({ type: 'websocket.http.response.body', body: 'half', more: true });
        end();
      });
      expect(exchange.calls).toEqual(['respond 403', 'write half', 'abort server_error']);
      expect(context.lines).toHaveLength(1);
    });

    test(`that ${name} behind its close leaves the close as it is`, async () => {
      const { exchange } = await run(async (_scope, _receive, send) => {
        await send({ type: 'websocket.accept' });
        await send({ type: 'websocket.close', code: 4000 });
        end();
      });
      expect(framesOf(exchange)).toEqual(['close 4000 ']);
      expect(exchange.calls.filter((call) => /^(abort|end)/.test(call))).toEqual([]);
    });

    test(`that ${name} behind the disconnect is no error`, async () => {
      const { exchange, context } = await run(
        async (_scope, receive, send) => {
          await send({ type: 'websocket.accept' });
          while ((await receive()).type !== 'websocket.disconnect');
          end();
        },
        ({ session }) => session.disconnected('client_closed'),
      );
      expect([framesOf(exchange), context.inHand]).toEqual([[], 0]);
      expect(context.lines.filter((line) => line.startsWith('error'))).toEqual([]);
    });
  }

  const answers: [string, object[], string[]][] = [
    ['refused', [close()], ['respond 403', 'end 63 bytes']],
    ['denied', [denial(404), denialBody('no')], ['respond 404', 'end no']],
  ];
  for (const [name, events, calls] of answers) {
    test(`that ${name} and returns is left alone`, async () => {
      const { exchange, context, session } = await run(async (_scope, _receive, send) => {
        for (const event of events) await send(event as never);
      });
      expect(exchange.calls).toEqual(calls);
      expect([context.lines, session.standing]).toEqual([[], 'complete']);
    });
  }
});

describe('graceful shutdown', () => {
  test('closes with 1001, and the answer of the peer ends it', async () => {
    const socket = await openWebSocket();
    socket.session.shutdown();
    expect(framesOf(socket.exchange)).toEqual(['close 1001 the server is shutting down']);
    feed(socket, closeFrame(1001));
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1001']);
    expect(socket.exchange.calls.at(-1)).toBe('end');
  });

  test('waits for the answer within a bound', async () => {
    const socket = await openWebSocket();
    socket.session.shutdown();
    socket.session.shutdown();
    socket.clock.advance(4000);
    expect(socket.exchange.calls.filter((call) => /^(end|abort)/.test(call))).toEqual([]);
    socket.clock.advance(2000);
    expect(await eventsToEnd(socket)).toEqual(['disconnect 1006 server_shutdown']);
    expect([socket.exchange.calls.at(-1), socket.clock.timers]).toEqual(['end', 0]);
    expect(framesOf(socket.exchange)).toHaveLength(1);
  });

  test('leaves a close that the application has begun as it is', async () => {
    const socket = await openWebSocket();
    await socket.session.send(close(4000));
    socket.session.shutdown();
    expect(framesOf(socket.exchange)).toEqual(['close 4000 ']);
  });

  test('leaves a denial alone', async () => {
    const { session, exchange } = connectWebSocket();
    await session.send(denial(403));
    session.shutdown();
    await session.send(denialBody('x'));
    expect(exchange.calls).toEqual(['respond 403', 'end x']);
  });

  test('is no fault of an application that goes on sending: that goes nowhere, and resolves', async () => {
    const { session, exchange } = await openWebSocket();
    session.shutdown();
    for (const event of [text('x'), bytes('x'), keepalive(5), close(4000)]) {
      expect(await refusalOf(session, event)).toBe('accepted');
    }
    expect(framesOf(exchange)).toEqual(['close 1001 the server is shutting down']);
  });

  test('lets the event loop turn for an application that goes on sending', async () => {
    const { session } = await openWebSocket();
    session.shutdown();
    const turn = afterMicrotasks().then(() => 'turn');
    const sends = (async () => {
      for (let i = 0; i < 100; i++) await session.send(text('x')).catch(() => undefined);
      return 'all sent without a turn';
    })();
    expect(await Promise.race([turn, sends])).toBe('turn');
  });

  test('closes a session that is accepted after it has begun', async () => {
    const socket = connectWebSocket();
    await socket.session.receive();
    socket.session.shutdown();
    await socket.session.send(accept());
    expect(socket.exchange.calls[0]).toBe('openTunnel');
    expect(framesOf(socket.exchange)).toEqual(['close 1001 the server is shutting down']);
  });
});

describe('the disconnect', () => {
  const reasons = ['client_closed', 'write_timeout', 'write_error', 'read_error', 'server_shutdown'] as const;
  for (const reason of reasons) {
    test(`is 1006 with ${reason} when the exchange ends with that, behind the messages`, async () => {
      const socket = await openWebSocket();
      feed(socket, clientFrame({ opcode: 1, payload: 'a' }), clientFrame({ opcode: 2, payload: 'b' }));
      socket.session.disconnected(reason);
      socket.session.disconnected('client_closed');
      endInput(socket);
      expect(await eventsToEnd(socket)).toEqual(['text a', 'binary 62', `disconnect 1006 ${reason}`]);
      await socket.session.send(text('to nobody'));
      expect([socket.exchange.content, socket.session.standing]).toEqual(['', 'gone']);
    });
  }

  test('goes to a receive that waits', async () => {
    const socket = await openWebSocket();
    const [first, second] = [nextEvent(socket), nextEvent(socket)];
    feed(socket, clientFrame({ opcode: 1, payload: 'a' }), closeFrame(1000, 'done'));
    expect(await Promise.all([first, second])).toEqual(['text a', 'disconnect 1000 done']);
  });
});
