/**
 * One application call for one request, against an exchange that writes down what reaches it.
 */
import { describe, expect, test } from 'bun:test';
import { body, length, openSession, refusal, sendAll, start, trailers } from '../support/http-session.ts';
import { afterMicrotasks, stateOf } from '../support/settled.ts';

describe('a response', () => {
  test('reaches the exchange event by event', async () => {
    const { session, exchange } = openSession();
    await sendAll(
      session,
      start({ status: 201, headers: [['a', 'b']] }),
      body('one', { more: true }),
      body('two'),
    );
    expect(exchange.calls).toEqual(['respond 201', 'write one', 'end two']);
    expect(exchange.response).toMatchObject({ status: 201, hasContent: true, hasTrailers: false });
    expect(exchange.response?.headers.list).toEqual([['a', 'b']]);
  });

  test('tells its standing and the connection state as it goes', async () => {
    const { session } = openSession();
    const connection = session.scope['tsagi.connection'];
    const seen: unknown[] = [];
    const note = (): void =>
      void seen.push([session.standing, connection.responseStarted, connection.responseComplete]);
    note();
    await session.send(start());
    note();
    await session.send(body('x'));
    note();
    expect(seen).toEqual([
      ['initial', false, false],
      ['started', true, false],
      ['complete', true, true],
    ]);
  });

  test('of an empty piece in between writes nothing', async () => {
    const { session, exchange } = openSession();
    await sendAll(
      session,
      start(),
      body('', { more: true }),
      body(new Uint8Array(0), { more: true }),
      body(''),
    );
    expect(exchange.calls).toEqual(['respond 200', 'end ']);
  });

  test('below the high-water mark gives one shared promise to every send', () => {
    const { session } = openSession();
    const first = session.send(start());
    expect(session.send(body('x', { more: true }))).toBe(first);
    expect(session.send(body('y'))).toBe(first);
  });

  test('above it makes the send wait until the client has taken enough', async () => {
    const { session, exchange } = openSession();
    await session.send(start());
    exchange.hold();
    const waiting = session.send(body('slow', { more: true }));
    expect(await stateOf(waiting)).toBe('pending');
    exchange.release();
    await waiting;
  });

  test('is complete for the application when the client has all of it, not before', async () => {
    const { session, exchange } = openSession();
    let completed = 0;
    session.scope['tsagi.connection'].onComplete(() => void completed++);
    await session.send(start());
    exchange.hold();
    const waiting = session.send(body('last'));
    await afterMicrotasks();
    expect([completed, session.standing]).toEqual([0, 'complete']);
    exchange.release();
    await waiting;
    expect(completed).toBe(1);
    expect(await session.receive()).toEqual({ type: 'http.disconnect' });
  });

  for (const [head, status] of [
    [{ method: 'HEAD' }, 200],
    [{}, 204],
    [{}, 205],
    [{}, 304],
  ] as const) {
    test(`to ${head.method ?? 'GET'} with ${status} sends no content (RFC 9110 6.4.1)`, async () => {
      const { session, exchange, context } = openSession(head);
      await sendAll(session, start({ status, ...length(3) }), body('more', { more: true }), body('last'));
      expect(exchange.calls).toEqual([`respond ${status}`, 'end']);
      expect([exchange.response?.hasContent, context.lines]).toEqual([false, []]);
    });
  }
});

describe('a declared content-length', () => {
  test('that is met ends the response in order', async () => {
    const { session, exchange, context } = openSession();
    await sendAll(session, start(length(6)), body('abc', { more: true }), body(Buffer.from('def')));
    expect([exchange.calls.at(-1), context.lines]).toEqual(['end def', []]);
  });

  test('counts bytes, not characters', async () => {
    const { session, exchange } = openSession();
    await sendAll(session, start(length(3)), body('\u20ac'));
    expect(exchange.calls).toEqual(['respond 200', 'end \xe2\x82\xac']);
  });

  test('that would be exceeded rejects, sends nothing of it, and can still be met', async () => {
    const { session, exchange } = openSession();
    await sendAll(session, start(length(4)), body('ab', { more: true }));
    expect(await refusal(session, body('cde'))).toBe(
      'http.response.body: 1 bytes more than the declared content-length',
    );
    await session.send(body('cd'));
    expect(exchange.calls).toEqual(['respond 200', 'write ab', 'end cd']);
  });

  test('that is not met breaks the response off, with a line in the log', async () => {
    const { session, exchange, context } = openSession({ rawPath: '/short' });
    await sendAll(session, start(length(10)), body('abc'));
    expect(exchange.calls).toEqual(['respond 200', 'abort server_error']);
    expect(context.lines).toEqual([
      'error GET /short: the response ended 10 bytes short of its content-length; connection closed'.replace(
        '10',
        '7',
      ),
    ]);
  });
});

describe('trailers', () => {
  test('come after the last piece of the body', async () => {
    const { session, exchange } = openSession();
    await sendAll(session, start({ trailers: true }), body('all'), trailers([['x-sum', '1']]));
    expect(exchange.calls).toEqual(['respond 200', 'write all', 'end']);
    expect(exchange.trailers).toEqual([['x-sum', '1']]);
  });

  test('may be empty', async () => {
    const { session, exchange } = openSession();
    await sendAll(session, start({ trailers: true }), body(''), trailers());
    expect([exchange.calls, exchange.trailers]).toEqual([['respond 200', 'end'], []]);
  });

  test('are refused where they were not announced, too early, or twice', async () => {
    const plain = openSession().session;
    await sendAll(plain, start(), body('x'));
    expect(await refusal(plain, trailers())).toContain('not allowed after the response is complete');
    const early = openSession().session;
    await sendAll(early, start({ trailers: true }), body('x', { more: true }));
    expect(await refusal(early, trailers())).toContain('not allowed while the response body is being sent');
    const twice = openSession().session;
    await sendAll(twice, start({ trailers: true }), body('x'), trailers());
    expect(await refusal(twice, trailers())).toContain('not allowed after the response is complete');
  });

  test('that are faulty are refused, and others can be sent in their place', async () => {
    const { session, exchange } = openSession();
    await sendAll(session, start({ trailers: true }), body('x'));
    expect(await refusal(session, trailers([['content-length', '1']]))).toContain('RFC 9110 6.5.1');
    await session.send(trailers([['ok', '1']]));
    expect(exchange.calls.at(-1)).toBe('end');
  });
});

describe('an event that is refused', () => {
  const before: [string, object[], unknown, string][] = [
    ['no object', [], 'http.response.start', 'send: an event must be an object with a type, not "http.resp'],
    ['nothing', [], undefined, 'send: an event must be an object with a type, not undefined'],
    ['null', [], null, 'send: an event must be an object with a type, not null'],
    ['one without a type', [], {}, 'send: unknown event type undefined on an http scope'],
    [
      'one of another scope',
      [],
      { type: 'sse.start' },
      'send: unknown event type "sse.start" on an http scope',
    ],
    [
      'a body before the start',
      [],
      body('x'),
      'http.response.body is not allowed before http.response.start',
    ],
    ['a second start', [start()], start(), 'http.response.start is not allowed while the response body'],
    [
      'a start without a status',
      [],
      { type: 'http.response.start' },
      'status must be an integer from 200 to 999',
    ],
    ['a start with faulty headers', [], start({ headers: [['a', 'b\n']] }), 'headers[0] (a) must be'],
    [
      'a start with trailers that are no flag',
      [],
      start({ trailers: 1 }),
      'trailers must be a boolean, not 1',
    ],
    [
      'a body without content',
      [start()],
      { type: 'http.response.body' },
      'body must be a string or Uint8Array',
    ],
    ['a body of an ArrayBuffer', [start()], body(new ArrayBuffer(1)), 'body must be a string or Uint8Array'],
    [
      'a body of a number',
      [start()],
      body(5),
      'body must be a string or Uint8Array (or file or fh in its place)',
    ],
    [
      'a body with more that is no flag',
      [start()],
      body('x', { more: 'yes' }),
      'more must be a boolean, not "yes"',
    ],
    [
      'a body and a file',
      [start()],
      body('x', { file: '/x' }),
      'exactly one of body, file and fh may be given',
    ],
    ['a file and a handle', [start()], { type: 'http.response.body', file: '/x', fh: 1 }, 'exactly one of'],
    [
      'a flush that is not advertised',
      [start()],
      { type: 'http.fullflush' },
      'http.fullflush is not allowed',
    ],
  ];
  for (const [name, earlier, event, message] of before) {
    test(`${name}: says why, and leaves the response as it was`, async () => {
      const { session, exchange } = openSession();
      await sendAll(session, ...earlier);
      const calls = [...exchange.calls];
      expect(await refusal(session, event)).toContain(message);
      expect(exchange.calls).toEqual(calls);
      if (earlier.length === 0) await session.send(start());
      await session.send(body('fine'));
      expect(exchange.calls).toEqual(['respond 200', 'end fine']);
    });
  }

  test('is never one with fields that are not known', async () => {
    const { session, exchange } = openSession();
    await sendAll(session, start({ colour: 'red' }), body('x', { compress: true }));
    expect(exchange.calls).toEqual(['respond 200', 'end x']);
  });
});

describe('fullflush', () => {
  test('waits until the client has everything, and changes nothing else', async () => {
    const { session, exchange } = openSession({}, { extensions: { fullflush: {} } });
    const flush = { type: 'http.fullflush' };
    await sendAll(session, flush, start(), flush, body('x', { more: true }));
    exchange.hold();
    const waiting = session.send(flush);
    expect(await stateOf(waiting)).toBe('pending');
    exchange.release();
    await waiting;
    await session.send(body('y'));
    expect(exchange.calls).toEqual(['flush', 'respond 200', 'flush', 'write x', 'flush', 'end y']);
  });
});

describe('a client that has gone', () => {
  test('turns every send into one that does nothing', async () => {
    const { session, exchange, context } = openSession();
    await session.send(start());
    session.disconnected('client_closed');
    for (const event of [body('x'), start(), 'nonsense', null])
      expect(await refusal(session, event)).toBe('accepted');
    expect([exchange.calls, session.standing, context.lines]).toEqual([['respond 200'], 'gone', []]);
  });

  test('is told in order: state, signal, callbacks, then http.disconnect', async () => {
    const { session } = openSession({ hasBody: true });
    const connection = session.scope['tsagi.connection'];
    const seen: string[] = [];
    const received = session.receive().then((event) => seen.push(event.type));
    connection.signal.addEventListener('abort', () => seen.push(`signal ${String(connection.isConnected)}`));
    connection.onDisconnect((reason) => void seen.push(reason));
    session.disconnected('client_closed');
    session.disconnected('write_error');
    await received;
    expect(seen).toEqual(['signal false', 'client_closed', 'http.disconnect']);
  });

  test('after the last byte was handed over and before it was taken is gone, not complete', async () => {
    const { session, exchange } = openSession();
    const seen: string[] = [];
    session.scope['tsagi.connection'].onComplete(() => void seen.push('complete'));
    session.scope['tsagi.connection'].onDisconnect((reason) => void seen.push(reason));
    await session.send(start());
    exchange.hold();
    const waiting = session.send(body('last'));
    session.disconnected('write_timeout');
    exchange.release();
    await waiting;
    expect(seen).toEqual(['write_timeout']);
  });
});

describe('the request body', () => {
  test('is there for an application that asks late', async () => {
    const { session } = openSession({ hasBody: true });
    session.bodyChunk(Buffer.from('early'), true);
    session.bodyChunk(Buffer.from(' and late'), false);
    expect(await session.receive()).toMatchObject({ body: Buffer.from('early'), more: true });
    expect(await session.receive()).toMatchObject({ body: Buffer.from(' and late'), more: false });
  });

  test('is wanted while the application waits, and read once it has asked', () => {
    const { session } = openSession({ hasBody: true });
    expect([session.wantsBody, session.readsBody]).toEqual([false, false]);
    void session.receive();
    expect([session.wantsBody, session.readsBody]).toEqual([true, true]);
    session.bodyChunk(Buffer.from('x'), true);
    expect([session.wantsBody, session.readsBody]).toEqual([false, true]);
  });

  test('can go on to be received while the response is under way', async () => {
    const { session } = openSession({ hasBody: true });
    await session.send(start());
    session.bodyChunk(Buffer.from('x'), true);
    expect(await session.receive()).toMatchObject({ type: 'http.request', more: true });
  });
});

test('an application that returns has failed unless its response is complete or its client has gone', async () => {
  const { session } = openSession();
  const verdicts = [session.finish()];
  await session.send(start());
  verdicts.push(session.finish());
  await session.send(body('x'));
  verdicts.push(session.finish());
  const other = openSession().session;
  other.disconnected('client_closed');
  verdicts.push(other.finish());
  expect(verdicts).toEqual([
    'without a response',
    'before its response was complete; connection closed',
    undefined,
    undefined,
  ]);
});

describe('a failure of the application', () => {
  test('before its response is answered for, and completes the request', async () => {
    const { session, exchange } = openSession();
    let completed = 0;
    session.scope['tsagi.connection'].onComplete(() => void completed++);
    session.fail();
    expect([exchange.calls[0], completed, session.standing]).toEqual(['respond 500', 1, 'complete']);
    expect(await refusal(session, start())).toContain('not allowed after the response is complete');
  });

  test('during its response breaks that off', async () => {
    const { session, exchange } = openSession();
    await session.send(start());
    session.fail();
    expect(exchange.calls).toEqual(['respond 200', 'abort server_error']);
  });
});
