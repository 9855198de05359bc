/**
 * Which scope a request gets, and what becomes of applications that fail.
 */
import { describe, expect, test } from 'bun:test';
import type { App } from '../../src/contract/app.ts';
import type { RequestHead } from '../../src/session/exchange.ts';
import { classify, createSession, runSession } from '../../src/session/start-session.ts';
import { FakeExchange, fakeHead } from '../support/fake-exchange.ts';
import { sessionContext, type TestSessionContext } from '../support/session-context.ts';
import { afterMicrotasks } from '../support/settled.ts';

/** A request with these Accept fields, flagged as a carrier does it. */
function accepting(...values: string[]): RequestHead {
  return fakeHead({
    headers: values.map((value) => ['accept', value]),
    mentionsEventStream: values.some((value) => /text\/event-stream/i.test(value)),
  });
}

describe('a request is for server-sent events (RFC 9110 12.5.1) when it accepts', () => {
  const accepted = [
    'text/event-stream',
    'Text/Event-Stream',
    'text/event-stream;q=0.1',
    'text/event-stream ; q=1',
    'text/event-stream;charset=utf-8',
    'text/event-stream;charset=utf-8;q=0.5',
    'text/event-stream; Q=0.5',
    'application/json, text/event-stream',
    '*/*;q=0.1,\ttext/event-stream',
    'text/event-stream;q=0.001',
    'text/event-stream;',
  ];
  for (const value of accepted) test(value, () => expect(classify(accepting(value))).toBe('sse'));

  test('it in the second of two fields', () => {
    expect(classify(accepting('application/json', 'text/event-stream'))).toBe('sse');
  });

  test('it with any method', () => {
    expect(classify({ ...accepting('text/event-stream'), method: 'POST' })).toBe('sse');
  });
});

describe('a request is plain HTTP when it accepts', () => {
  const others = [
    '*/*',
    'text/*',
    'text/event-stream;q=0',
    'text/event-stream;q=0.0',
    'text/event-stream; q=0.000',
    'text/event-stream;charset=utf-8;q=0',
    'text/event-streams',
    'x-text/event-stream',
    'text/event-stream-2',
    'text/plain;a=text/event-stream',
    'text/event-stream/x',
    '',
  ];
  for (const value of others)
    test(JSON.stringify(value), () => expect(classify(accepting(value))).toBe('http'));

  test('nothing, and names the type in another field', () => {
    const headers: [string, string][] = [['content-type', 'text/event-stream']];
    expect(classify(fakeHead({ headers, mentionsEventStream: true }))).toBe('http');
  });
});

/** A request that asks for an upgrade, less what the test says. */
function upgrading(headers: [string, string][], head: Partial<RequestHead> = {}): RequestHead {
  return fakeHead({ headers, hasUpgrade: headers.some(([name]) => name === 'upgrade'), ...head });
}

describe('a request is for WebSocket (RFC 6455 4.2.1)', () => {
  const handshakes: [string, [string, string][]][] = [
    [
      'as browsers write it',
      [
        ['upgrade', 'websocket'],
        ['connection', 'Upgrade'],
      ],
    ],
    [
      'in any case',
      [
        ['upgrade', 'WebSocket'],
        ['connection', 'UPGRADE'],
      ],
    ],
    [
      'as members of lists',
      [
        ['upgrade', 'h2c, websocket'],
        ['connection', 'keep-alive, Upgrade'],
      ],
    ],
    [
      'in fields of their own',
      [
        ['connection', 'keep-alive'],
        ['connection', 'upgrade'],
        ['upgrade', 'websocket'],
      ],
    ],
  ];
  for (const [name, headers] of handshakes) {
    test(name, () => expect(classify(upgrading(headers))).toBe('websocket'));
  }

  test('also with another method or a body: it is judged as the handshake that it is meant to be', () => {
    expect(classify(upgrading(handshakes[0]![1], { method: 'POST', hasBody: true }))).toBe('websocket');
  });

  test('also when it accepts an event stream', () => {
    const headers: [string, string][] = [...handshakes[0]![1], ['accept', 'text/event-stream']];
    expect(classify(upgrading(headers, { mentionsEventStream: true }))).toBe('websocket');
  });
});

describe('a request is no WebSocket handshake', () => {
  const full: [string, string][] = [
    ['upgrade', 'websocket'],
    ['connection', 'Upgrade'],
  ];
  const others: [string, RequestHead][] = [
    ['on HTTP/1.0', upgrading(full, { httpVersion: '1.0' })],
    ['without Connection', upgrading([['upgrade', 'websocket']])],
    [
      'without upgrade in Connection',
      upgrading([
        ['upgrade', 'websocket'],
        ['connection', 'keep-alive'],
      ]),
    ],
    ['without Upgrade', upgrading([['connection', 'Upgrade']])],
    [
      'for another protocol',
      upgrading([
        ['upgrade', 'h2c'],
        ['connection', 'Upgrade'],
      ]),
    ],
    [
      'for one with a longer name',
      upgrading([
        ['upgrade', 'websocket2'],
        ['connection', 'Upgrade'],
      ]),
    ],
    [
      'for one with a version',
      upgrading([
        ['upgrade', 'websocket/13'],
        ['connection', 'Upgrade'],
      ]),
    ],
  ];
  for (const [name, head] of others) test(name, () => expect(classify(head)).toBe('http'));
});

/** A handshake as RFC 6455 1.2 has it, less what the test changes. */
function handshake(changes: Record<string, string> = {}, head: Partial<RequestHead> = {}): RequestHead {
  const fields = {
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...changes,
  };
  return upgrading(Object.entries(fields), head);
}

describe('a request gets a session of its kind:', () => {
  const kinds: [string, RequestHead][] = [
    ['http', fakeHead()],
    ['sse', accepting('text/event-stream')],
    ['websocket', handshake()],
  ];
  for (const [type, head] of kinds) {
    test(type, () => {
      const exchange = new FakeExchange(head);
      const session = createSession(exchange, sessionContext());
      expect([session?.scope.type, session?.standing, exchange.calls]).toEqual([
        type,
        'initial',
        [],
      ] as never);
    });
  }

  test('the scope of a WebSocket has its subprotocols', () => {
    const head = handshake({ 'sec-websocket-protocol': 'chat, superchat' });
    const { scope } = createSession(new FakeExchange(head), sessionContext())!;
    expect(scope).toMatchObject({ subprotocols: ['chat', 'superchat'] });
  });

  test('the answer to a WebSocket has its key (RFC 6455 1.3)', async () => {
    const exchange = new FakeExchange(handshake());
    await createSession(exchange, sessionContext())!.send({ type: 'websocket.accept' });
    expect(exchange.tunnelHeaders).toEqual([['sec-websocket-accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=']]);
  });
});

describe('a request is answered without the application:', () => {
  const answered: [string, RequestHead, number, string, [string, string][]][] = [
    [
      'CONNECT (RFC 9110 9.1)',
      fakeHead({ method: 'CONNECT', rawPath: '' }),
      501,
      'CONNECT is not implemented',
      [],
    ],
    [
      'a handshake with another method (RFC 6455 4.2.1)',
      handshake({}, { method: 'POST' }),
      405,
      'The method of a WebSocket handshake must be GET.',
      [['allow', 'GET']],
    ],
    [
      'a handshake with a body',
      handshake({}, { hasBody: true }),
      400,
      'A WebSocket handshake must not have a body.',
      [],
    ],
    [
      'a handshake of another version (RFC 6455 4.4)',
      handshake({ 'sec-websocket-version': '8' }),
      426,
      'This server speaks version 13',
      [
        ['sec-websocket-version', '13'],
        ['upgrade', 'websocket'],
      ],
    ],
    [
      'a handshake with a key that is none (RFC 6455 4.2.1)',
      handshake({ 'sec-websocket-key': 'short' }),
      400,
      'A WebSocket handshake must have one Sec-WebSocket-Key',
      [],
    ],
    [
      'a handshake with extensions that are malformed (RFC 6455 9.1)',
      handshake({ 'sec-websocket-extensions': ';' }),
      400,
      'Sec-WebSocket-Extensions is malformed.',
      [],
    ],
  ];
  for (const [name, head, status, message, fields] of answered) {
    test(`${name}, with ${status}`, () => {
      const exchange = new FakeExchange(head);
      expect(createSession(exchange, sessionContext())).toBeUndefined();
      expect(exchange.response?.status).toBe(status);
      expect(exchange.content).toStartWith(`${status} `);
      expect(exchange.content.split('\n')[1]).toStartWith(message);
      for (const field of fields) expect(exchange.response?.headers.list).toContainEqual(field);
      expect(exchange.calls).toHaveLength(2);
    });
  }
});

interface Run {
  readonly exchange: FakeExchange;
  readonly context: TestSessionContext;
}

async function run(app: App, head: Partial<RequestHead> = {}): Promise<Run> {
  const exchange = new FakeExchange(head);
  const context = sessionContext({ app });
  runSession(createSession(exchange, context)!, context);
  await afterMicrotasks();
  return { exchange, context };
}

const START = { type: 'http.response.start', status: 200 } as const;

describe('an application', () => {
  test('that answers is left alone, and counts as in hand until it ends', async () => {
    const gate = Promise.withResolvers<void>();
    const { exchange, context } = await run(async (_scope, _receive, send) => {
      await send(START);
      await send({ type: 'http.response.body', body: 'ok' });
      await gate.promise;
    });
    expect([exchange.calls, context.inHand]).toEqual([['respond 200', 'end ok'], 1]);
    gate.resolve();
    await afterMicrotasks();
    expect([exchange.calls.length, context.inHand, context.lines]).toEqual([2, 0, []]);
  });

  const unanswering: [string, App, string][] = [
    [
      'throws at once',
      () => {
        throw new Error('at once');
      },
      'error GET /: the application threw: Error: at once',
    ],
    ['rejects', () => Promise.reject(new Error('later')), 'error GET /: the application threw: Error: later'],
    [
      'throws what is no error',
      () => {
        throw 'words';
      },
      'error GET /: the application threw: words',
    ],
    ['throws nothing', () => Promise.reject(undefined), 'error GET /: the application threw: undefined'],
    ['returns', () => undefined, 'error GET /: the application returned without a response'],
  ];
  for (const [name, app, line] of unanswering) {
    test(`that ${name} before any response is answered for with 500, and logged`, async () => {
      const { exchange, context } = await run(app);
      expect(exchange.calls[0]).toBe('respond 500');
      expect(exchange.content).toBe('500 Internal Server Error\nThe application failed.\n');
      expect([context.lines.length, context.inHand]).toEqual([1, 0]);
      expect(context.lines[0]).toStartWith(line);
    });
  }

  test('that fails on HEAD is answered for without content', async () => {
    const { exchange } = await run(() => undefined, { method: 'HEAD' });
    expect([exchange.calls, exchange.content]).toEqual([['respond 500', 'end'], '']);
  });

  test('that throws behind the start of its response has it broken off', async () => {
    const { exchange, context } = await run(async (_scope, _receive, send) => {
      await send(START);
      await send({ type: 'http.response.body', body: 'half', more: true });
      throw new Error('midway');
    });
    expect(exchange.calls).toEqual(['respond 200', 'write half', 'abort server_error']);
    expect(context.lines[0]).toStartWith('error GET /: the application threw: Error: midway');
  });

  test('that returns before its response is complete has it broken off', async () => {
    const { exchange, context } = await run(async (_scope, _receive, send) => {
      await send({ ...START, trailers: true });
      await send({ type: 'http.response.body', body: 'all but the trailers' });
    });
    expect(exchange.calls.at(-1)).toBe('abort server_error');
    expect(context.lines).toEqual([
      'error GET /: the application returned before its response was complete; connection closed',
    ]);
  });

  test('that throws behind a complete response is logged, and the response stays', async () => {
    const { exchange, context } = await run(async (_scope, _receive, send) => {
      await send(START);
      await send({ type: 'http.response.body', body: 'ok' });
      throw new Error('afterwards');
    });
    expect(exchange.calls).toEqual(['respond 200', 'end ok']);
    expect(context.lines[0]).toStartWith('error GET /: the application threw: Error: afterwards');
  });

  test('that stumbles over a client that has gone is no error', async () => {
    const exchange = new FakeExchange();
    const context = sessionContext({
      app: async (scope) => {
        if (scope.type !== 'http') return;
        throw new Error(`stopped: ${await scope['tsagi.connection'].disconnected}`);
      },
    });
    const session = createSession(exchange, context)!;
    runSession(session, context);
    session.disconnected('client_closed');
    await afterMicrotasks();
    expect([exchange.calls, context.inHand]).toEqual([[], 0]);
    expect(context.lines).toHaveLength(1);
    expect(context.lines[0]).toStartWith('debug GET /: after the client had gone: Error: stopped');
  });

  test('that does not wait for what it sends last has its verdict wait instead', async () => {
    const exchange = new FakeExchange();
    const context = sessionContext({
      app: (_scope, _receive, send) => {
        void send(START);
        void send({ type: 'http.response.body', file: new Blob(['from a blob']) as never });
      },
    });
    runSession(createSession(exchange, context)!, context);
    while (context.inHand > 0) await afterMicrotasks();
    expect(exchange.calls).toEqual(['respond 200', 'write from a blob', 'end']);
    expect(context.lines).toEqual([]);
  });
});
