/**
 * One application call for one WebSocket: how the handshake is answered, and what the application may send when.
 */
import { describe, expect, test } from 'bun:test';
import { stateOf } from '../support/settled.ts';
import {
  accept,
  bytes,
  close,
  connectWebSocket,
  DEFLATE_OFFER,
  denial,
  eventsToEnd,
  framesOf,
  keepalive,
  openDeflating,
  openWebSocket,
  refusalOf,
  type TestWebSocketOptions,
  text,
} from '../support/websocket-session.ts';

describe('before the application answers', () => {
  test('nothing is written, however long that takes', async () => {
    const { session, exchange, clock } = connectWebSocket({ wsPingInterval: 1, wsIdleTimeout: 1 });
    expect(await session.receive()).toEqual({ type: 'websocket.connect' });
    const next = session.receive();
    clock.advance(3_600_000);
    expect([await stateOf(next), exchange.calls, session.standing, clock.timers]).toEqual([
      'pending',
      [],
      'initial',
      0,
    ]);
  });

  test('the scope says what the client asked for', () => {
    const { session } = connectWebSocket({ handshake: { subprotocols: ['chat', 'superchat'] } });
    expect(session.scope).toMatchObject({
      type: 'websocket',
      scheme: 'ws',
      rawPath: '/chat',
      subprotocols: ['chat', 'superchat'],
      extensions: { 'websocket.http.response': {} },
    });
    expect(session.scope).not.toHaveProperty('method');
  });

  test('a client that goes is told of, and later events go nowhere', async () => {
    const socket = connectWebSocket();
    socket.session.disconnected('client_closed');
    expect(await eventsToEnd(socket)).toEqual(['connect', 'disconnect 1006 client_closed']);
    for (const event of [accept(), text('x'), close(), denial(403), { type: 'nonsense' }]) {
      await socket.session.send(event);
    }
    expect([socket.exchange.calls, socket.session.standing]).toEqual([[], 'gone']);
  });
});

describe('accepting', () => {
  test('opens the tunnel with the key, and nothing else', async () => {
    const { session, exchange } = connectWebSocket();
    await session.send(accept());
    expect([exchange.calls, exchange.tunnelHeaders, session.standing]).toEqual([
      ['openTunnel'],
      [['sec-websocket-accept', 'accept-key']],
      'started',
    ]);
  });

  test('adds the headers of the application, order and repeats kept, behind its own', async () => {
    const { session, exchange } = connectWebSocket();
    const headers = [
      ['Set-Cookie', 'a=1'],
      ['x-b', ''],
      ['Set-Cookie', 'c=2'],
    ];
    await session.send(accept({ headers }));
    expect(exchange.tunnelHeaders).toEqual([['sec-websocket-accept', 'accept-key'], ...headers] as never);
  });

  test('has no key where the HTTP version has none (RFC 8441 5)', async () => {
    const { session, exchange } = connectWebSocket({ handshake: { acceptKey: undefined } });
    await session.send(accept());
    expect(exchange.tunnelHeaders).toEqual([]);
  });

  test('names the subprotocol that is chosen, and none where none is', async () => {
    const options = { handshake: { subprotocols: ['chat', 'superchat'] } };
    const { session, exchange } = connectWebSocket(options);
    await session.send(accept({ subprotocol: 'superchat' }));
    expect(exchange.tunnelHeaders).toContainEqual(['sec-websocket-protocol', 'superchat']);
    const other = connectWebSocket(options);
    await other.session.send(accept());
    expect(other.exchange.tunnelHeaders).toEqual([['sec-websocket-accept', 'accept-key']]);
  });

  test('agrees to permessage-deflate where it is offered and turned on, and else does not', async () => {
    const extension = async (options: TestWebSocketOptions): Promise<string | undefined> => {
      const { session, exchange } = connectWebSocket(options);
      await session.send(accept());
      return exchange.tunnelHeaders?.find(([name]) => name === 'sec-websocket-extensions')?.[1];
    };
    const handshake = { extensions: [DEFLATE_OFFER] };
    expect(await extension({ wsCompression: true, handshake })).toStartWith('permessage-deflate');
    expect(await extension({ wsCompression: false, handshake })).toBeUndefined();
    expect(await extension({ wsCompression: true })).toBeUndefined();
  });

  const offered = { handshake: { subprotocols: ['chat', 'a"b'] } };
  const refused: [string, object, TestWebSocketOptions, string][] = [
    [
      'a subprotocol where none is offered',
      { subprotocol: 'chat' },
      {},
      'subprotocol must be absent, because the client offers none, not "chat"',
    ],
    [
      'a subprotocol that is not offered',
      { subprotocol: 'Chat' },
      offered,
      'subprotocol must be one of "chat", "a\\"b", not "Chat"',
    ],
    ['a subprotocol that is no string', { subprotocol: 5 }, offered, 'subprotocol must be one of'],
    ['a subprotocol of null', { subprotocol: null }, offered, 'subprotocol must be one of'],
    ['headers that are no list', { headers: {} }, {}, 'headers must be an array of [name, value] pairs'],
    ['a header with a line break', { headers: [['x-a', 'b\r\nc: d']] }, {}, 'headers[0] (x-a) must be'],
    ['a header without a name', { headers: [['', 'b']] }, {}, 'headers[0] must be named by a token'],
    ...['sec-websocket-accept', 'Sec-WebSocket-Protocol', 'SEC-WEBSOCKET-EXTENSIONS', 'sec-websocket-x'].map(
      (name): [string, object, TestWebSocketOptions, string] => [
        `a ${name} header`,
        {
          headers: [
            ['x-a', 'b'],
            [name, 'x'],
          ],
        },
        {},
        `headers must be without fields of the handshake itself, not "${name}"`,
      ],
    ),
  ];
  for (const [name, fields, options, message] of refused) {
    test(`rejects ${name}, writes nothing, and can be done right afterwards`, async () => {
      const { session, exchange } = connectWebSocket(options);
      expect(await refusalOf(session, accept(fields))).toStartWith(`websocket.accept: ${message}`);
      expect([exchange.calls, session.standing]).toEqual([[], 'initial']);
      await session.send(accept());
      expect(exchange.calls).toEqual(['openTunnel']);
    });
  }
});

describe('closing before accepting', () => {
  test('answers 403, whatever the code, and disconnects', async () => {
    const socket = connectWebSocket();
    await socket.session.send(close(4001, 'not on the wire'));
    expect(socket.exchange.calls[0]).toBe('respond 403');
    expect(socket.exchange.content).toBe('403 Forbidden\nThe application refused the WebSocket handshake.\n');
    expect(await eventsToEnd(socket)).toEqual(['connect', 'disconnect 1006']);
    expect(socket.session.standing).toBe('complete');
  });

  test('is for good', async () => {
    const { session, exchange } = connectWebSocket();
    await session.send(close());
    const { length } = exchange.calls;
    expect(await refusalOf(session, accept())).toBe('websocket.accept is not allowed after websocket.close');
    expect(await refusalOf(session, text('x'))).toBe('websocket.send is not allowed after websocket.close');
    await session.send(close());
    session.disconnected('client_closed');
    expect(exchange.calls).toHaveLength(length);
  });
});

describe('sending', () => {
  test('puts each message into a frame of its kind', async () => {
    const { session, exchange } = await openWebSocket();
    await session.send(text('hi'));
    await session.send(text(''));
    await session.send(text('a\ud800'));
    await session.send(bytes(Uint8Array.of(1, 2)));
    await session.send(bytes('é'));
    await session.send({ ...text('with more fields'), extra: true, bytes: undefined });
    expect(framesOf(exchange)).toEqual([
      'text hi',
      'text ',
      'text a\ufffd',
      'binary 0102',
      'binary c3a9',
      'text with more fields',
    ]);
  });

  test('gives one shared promise below the high-water mark, and waits above it', async () => {
    const { session, exchange } = await openWebSocket();
    const first = session.send(text('a'));
    expect(session.send(bytes('b'))).toBe(first);
    exchange.hold();
    const waiting = session.send(text('c'));
    expect(await stateOf(waiting)).toBe('pending');
    exchange.release();
    await waiting;
  });

  test('counts in the scope what is queued, and what is still being compressed', async () => {
    const { session, exchange } = await openDeflating();
    const transport = session.scope['tsagi.transport'];
    exchange.outbound.bufferedAmount = 7;
    expect([transport.bufferedAmount, transport.highWaterMark, transport.lowWaterMark]).toEqual([
      7, 1000, 200,
    ]);
    const sent = session.send(text('x'.repeat(40_000)));
    expect(transport.bufferedAmount).toBe(40_007);
    await sent;
    expect(transport.bufferedAmount).toBe(7);
  });

  test('tells the scope of the marks', async () => {
    const { session, exchange } = await openWebSocket();
    const seen: string[] = [];
    const transport = session.scope['tsagi.transport'];
    const forget = [
      transport.onHighWater(() => seen.push('high')),
      transport.onDrain(() => seen.push('low')),
    ];
    for (const listener of [...exchange.outbound.highListeners, ...exchange.outbound.drainListeners])
      listener();
    expect(seen).toEqual(['high', 'low']);
    for (const one of forget) one();
    expect([exchange.outbound.highListeners.size, exchange.outbound.drainListeners.size]).toEqual([0, 0]);
  });
});

describe('an event at fault is rejected, and nothing of it is written:', () => {
  const one = 'websocket.send: exactly one of text and bytes must be given';
  const code = 'websocket.close: code must be 1000–1003, 1007–1014 or 3000–4999, not';
  const rows: [string, unknown, string][] = [
    ['no object', 'text', 'send: an event must be an object with a type, not "text"'],
    ['null', null, 'send: an event must be an object with a type, not null'],
    ['no type', {}, 'send: unknown event type undefined on a websocket scope'],
    [
      'of another scope',
      { type: 'http.response.start' },
      'send: unknown event type "http.response.start" on',
    ],
    ['accept again', accept(), 'websocket.accept is not allowed once the session is open'],
    ['neither text nor bytes', { type: 'websocket.send' }, one],
    ['both', { ...text('a'), bytes: 'b' }, one],
    ['text of null', text(null), 'websocket.send: text must be a string, not null'],
    [
      'text as bytes',
      text(new Uint8Array(1)),
      'websocket.send: text must be a string, not an object (Uint8Array)',
    ],
    ['bytes as a number', bytes(5), 'websocket.send: bytes must be a Uint8Array or a string, not 5'],
    [
      'bytes as an ArrayBuffer',
      bytes(new ArrayBuffer(1)),
      'websocket.send: bytes must be a Uint8Array or a string, not an object (ArrayBuffer)',
    ],
    [
      'bytes as numbers',
      bytes([1, 2]),
      'websocket.send: bytes must be a Uint8Array or a string, not an array of 2',
    ],
    ...[999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 1000.5, '1000', null, Number.NaN].map(
      (value): [string, unknown, string] => [
        `close with code ${JSON.stringify(value)}`,
        { type: 'websocket.close', code: value },
        `${code} ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`,
      ],
    ),
    [
      'a reason that is no string',
      close(1000, 5),
      'websocket.close: reason must be a string of at most 123 bytes, not 5',
    ],
    [
      'a long reason',
      close(1000, 'x'.repeat(124)),
      'websocket.close: reason must be a string of at most 123 bytes',
    ],
    [
      'a reason long in UTF-8',
      close(1000, 'é'.repeat(62)),
      'websocket.close: reason must be a string of at most 123',
    ],
    [
      'no interval',
      keepalive(undefined),
      'websocket.keepalive: interval must be a non-negative number of seconds',
    ],
    [
      'a negative interval',
      keepalive(-1),
      'websocket.keepalive: interval must be a non-negative number of seconds, not -1',
    ],
    [
      'an endless interval',
      keepalive(Infinity),
      'websocket.keepalive: interval must be a non-negative number',
    ],
    [
      'a timeout as text',
      keepalive(1, '5'),
      'websocket.keepalive: timeout must be a non-negative number of seconds, not "5"',
    ],
  ];
  for (const [name, event, message] of rows) {
    test(name, async () => {
      const { session, exchange, clock } = await openWebSocket();
      expect(await refusalOf(session, event)).toStartWith(message);
      clock.advance(60_000);
      expect([exchange.calls, session.standing]).toEqual([[], 'started']);
      await session.send(text('still open'));
      expect(framesOf(exchange)).toEqual(['text still open']);
    });
  }

  for (const event of [text('x'), bytes('x')]) {
    test(`${Object.keys(event)[1]} before accept`, async () => {
      const { session, exchange } = connectWebSocket();
      expect(await refusalOf(session, event)).toBe('websocket.send is not allowed before websocket.accept');
      expect(exchange.calls).toEqual([]);
    });
  }

  test('everything but another close behind the close', async () => {
    const { session, exchange } = await openWebSocket();
    await session.send(close());
    for (const event of [accept(), text('x'), keepalive(1)]) {
      expect(await refusalOf(session, event)).toEndWith('is not allowed after websocket.close');
    }
    await session.send(close(4000, 'again'));
    expect(framesOf(exchange)).toEqual(['close 1000 ']);
  });
});
