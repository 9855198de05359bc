/**
 * One application call for one event stream, against an exchange that writes down what reaches it.
 */
import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { parseEventStream } from '../support/event-stream-parser.ts';
import { afterMicrotasks, stateOf } from '../support/settled.ts';
import {
  CLOSE,
  comment,
  data,
  decline,
  declineBody,
  keepalive,
  openSse,
  openStream,
  refusalOf,
  START,
} from '../support/sse-session.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const EMPTY = { type: 'sse.request', body: new Uint8Array(0), more: false } as const;

describe('a stream', () => {
  test('reaches the exchange event by event', async () => {
    const { session, exchange } = openSse();
    for (const event of [
      START,
      data('one', { id: '1' }),
      comment('hi'),
      data('t\nwo', { event: 'e', retry: 5 }),
    ])
      await session.send(event);
    expect(exchange.calls.slice(0, 3)).toEqual([
      'respond 200',
      'write id: 1\ndata: one\n\n',
      'write : hi\n\n',
    ]);
    expect(parseEventStream(exchange.content).events).toEqual([
      { type: 'message', data: 'one', lastEventId: '1' },
      { type: 'e', data: 't\nwo', lastEventId: '1' },
    ]);
  });

  test('is UTF-8', async () => {
    const { session, exchange } = await openStream();
    await session.send(data('\u20ac', { event: '\u00e9' }));
    expect(exchange.content).toBe('event: \xc3\xa9\ndata: \xe2\x82\xac\n\n');
  });

  test('tells its standing as it goes', async () => {
    const { session } = openSse();
    const seen = [session.standing];
    await session.send(START);
    seen.push(session.standing);
    await session.send(CLOSE);
    seen.push(session.standing);
    expect(seen).toEqual(['initial', 'started', 'complete']);
  });

  test('below the high-water mark gives one shared promise to every send, above it makes them wait', async () => {
    const { session, exchange } = await openStream();
    const first = session.send(data('a'));
    expect(session.send(comment('b'))).toBe(first);
    exchange.hold();
    const waiting = session.send(data('slow'));
    expect(await stateOf(waiting)).toBe('pending');
    exchange.release();
    await waiting;
  });

  test('flushes where that is advertised', async () => {
    const { session, exchange } = await openStream({ extensions: { fullflush: {} } });
    await session.send({ type: 'http.fullflush' });
    expect(exchange.calls).toEqual(['respond 200', 'flush']);
    const other = await openStream();
    expect(await refusalOf(other.session, { type: 'http.fullflush' })).toContain('does not advertise');
  });
});

describe('the start', () => {
  const headersOf = async (headers?: [string, string][], status?: number) => {
    const { session, exchange } = openSse();
    await session.send({ ...START, headers, status });
    return exchange.response!;
  };

  test('supplies what is absent, and says that it is a stream', async () => {
    const response = await headersOf();
    expect(response).toMatchObject({ status: 200, hasContent: true, hasTrailers: false, isStream: true });
    expect(response.headers.list).toEqual([
      ['content-type', 'text/event-stream'],
      ['cache-control', 'no-cache'],
    ]);
  });

  test('leaves alone what is there, in whatever case', async () => {
    const own: [string, string][] = [
      ['Content-Type', 'text/event-stream; charset=utf-8'],
      ['CACHE-CONTROL', 'no-store'],
      ['x', 'y'],
    ];
    expect((await headersOf(own)).headers.list).toEqual(own);
  });

  test('drops a length, which a stream cannot have', async () => {
    const { headers } = await headersOf([
      ['Content-Length', '5'],
      ['x', 'y'],
    ]);
    expect([headers.contentLength, headers.list.map(([name]) => name)]).toEqual([
      -1,
      ['x', 'content-type', 'cache-control'],
    ]);
  });

  test('makes one list for streams that begin alike, and one of its own for who sets a cookie', async () => {
    const first = (await headersOf([['a', 'b']])).headers;
    expect((await headersOf([['a', 'b']])).headers).toBe(first);
    const cookie: [string, string][] = [['set-cookie', 'a=b']];
    expect((await headersOf(cookie)).headers).not.toBe((await headersOf(cookie)).headers);
  });

  test('may have any status with content', async () => {
    for (const status of [200, 201, 404, 503]) expect((await headersOf([], status)).status).toBe(status);
  });

  test('to HEAD is all of it (RFC 9110 9.3.2): the stream is over, and nothing more is written', async () => {
    const { session, exchange } = openSse({ method: 'HEAD' });
    await session.send(START);
    for (const event of [data('x'), comment('y'), keepalive(1), CLOSE])
      expect(await refusalOf(session, event)).toBe('accepted');
    expect([exchange.calls, exchange.response?.hasContent]).toEqual([['respond 200', 'end'], false]);
    expect(await session.receive()).toEqual({ type: 'sse.disconnect', reason: 'x-head' });
    expect([session.standing, session.finish()]).toEqual(['gone', undefined]);
  });
});

describe('an event that is refused', () => {
  const refused: [string, object[], unknown, string][] = [
    ['no object', [], 5, 'send: an event must be an object with a type, not 5'],
    [
      'one of http',
      [],
      { type: 'http.response.start' },
      'send: unknown event type "http.response.start" on an sse',
    ],
    [
      'an event before the start',
      [],
      data('x'),
      'sse.send is not allowed before sse.start or sse.http.response',
    ],
    ['a close before the start', [], CLOSE, 'sse.close is not allowed before sse.start'],
    ['a second start', [START], START, 'sse.start is not allowed once the stream has begun'],
    [
      'a status without content',
      [],
      { ...START, status: 204 },
      'sse.start: status must be one that has content',
    ],
    ['a status that is none', [], { ...START, status: '200' }, 'status must be an integer from 200 to 999'],
    ['faulty headers', [], { ...START, headers: [['a', 'b\n']] }, 'sse.start: headers[0] (a) must be'],
    [
      'an event without data',
      [START],
      { type: 'sse.send' },
      'sse.send: data must be a string, not undefined',
    ],
    ['data of bytes', [START], data(new Uint8Array(1)), 'data must be a string, not an object (Uint8Array)'],
    ['an object as data', [START], data({ a: 1 }), 'sse.send: data must be a string, not an object (Object)'],
    [
      'LF in the type',
      [START],
      data('x', { event: 'a\nb' }),
      'event must be a string without CR and LF, not "a\\nb"',
    ],
    [
      'CR in the type',
      [START],
      data('x', { event: 'a\r' }),
      'sse.send: event must be a string without CR and LF',
    ],
    [
      'a type that is no string',
      [START],
      data('x', { event: null }),
      'event must be a string without CR and LF',
    ],
    ['LF in the id', [START], data('x', { id: '1\n' }), 'sse.send: id must be a string without CR and LF'],
    ['CR in the id', [START], data('x', { id: '\r1' }), 'sse.send: id must be a string without CR and LF'],
    ['NUL in the id', [START], data('x', { id: '1\0' }), 'sse.send: id must be a string without NUL'],
    [
      'an id that is no string',
      [START],
      data('x', { id: 7 }),
      'sse.send: id must be a string without CR and LF, not 7',
    ],
    [
      'a negative retry',
      [START],
      data('x', { retry: -1 }),
      'sse.send: retry must be a non-negative integer, not -1',
    ],
    ['a broken retry', [START], data('x', { retry: 1.5 }), 'sse.send: retry must be a non-negative integer'],
    ['a retry of text', [START], data('x', { retry: '5' }), 'sse.send: retry must be a non-negative integer'],
    ['a comment of nothing', [START], { type: 'sse.comment' }, 'sse.comment: comment must be a string'],
    ['a comment of a number', [START], comment(5), 'sse.comment: comment must be a string, not 5'],
    [
      'no interval',
      [START],
      { type: 'sse.keepalive' },
      'sse.keepalive: interval must be a non-negative number',
    ],
    ['a negative interval', [START], keepalive(-1), 'sse.keepalive: interval must be a non-negative number'],
    [
      'an endless interval',
      [START],
      keepalive(Infinity),
      'sse.keepalive: interval must be a non-negative number',
    ],
    ['an interval of text', [START], keepalive('5'), 'sse.keepalive: interval must be a non-negative number'],
    [
      'a keepalive comment',
      [START],
      keepalive(1, { comment: null }),
      'sse.keepalive: comment must be a string',
    ],
    [
      'a reason that is no string',
      [START],
      { ...CLOSE, reason: 5 },
      'sse.close: reason must be a string, not 5',
    ],
  ];
  for (const [name, earlier, event, message] of refused) {
    test(`${name}: says why, writes nothing, and the stream goes on`, async () => {
      const { session, exchange, clock } = openSse();
      for (const before of earlier) await session.send(before);
      const calls = [...exchange.calls];
      expect(await refusalOf(session, event)).toContain(message);
      clock.advance(100_000);
      expect(exchange.calls).toEqual(calls);
      if (earlier.length === 0) await session.send(START);
      await session.send(data('fine', { colour: 'red' }));
      expect(exchange.content).toBe('data: fine\n\n');
    });
  }
});

describe('the request body', () => {
  test('is one empty piece where there is none', async () => {
    const { session } = openSse();
    expect(await session.receive()).toEqual(EMPTY);
    expect(await stateOf(session.receive())).toBe('pending');
  });

  test('comes in pieces, before and after the start', async () => {
    const { session, exchange } = openSse({ hasBody: true, method: 'POST' });
    const first = session.receive();
    expect([session.wantsBody, session.readsBody, exchange.calls]).toEqual([true, true, ['continue']]);
    session.bodyChunk(Buffer.from('a'), true);
    expect(await first).toEqual({ type: 'sse.request', body: Buffer.from('a'), more: true });
    await session.send(START);
    session.bodyChunk(Buffer.alloc(70_000), true);
    expect(exchange.calls.at(-1)).toBe('pauseBody');
    await session.receive();
    expect(exchange.calls.at(-1)).toBe('resumeBody');
    session.bodyChunk(new Uint8Array(0), false);
    expect(await session.receive()).toEqual(EMPTY);
    expect([session.wantsBody, session.readsBody]).toEqual([false, true]);
  });
});

describe('a response that declines', () => {
  test('is an ordinary one, and no disconnect follows', async () => {
    const { session, exchange } = openSse();
    await session.receive();
    await session.send(decline({ headers: [['x', 'y']] }));
    expect(session.standing).toBe('started');
    await session.send(declineBody('no', { more: true }));
    await session.send(declineBody(' way'));
    expect(exchange.calls).toEqual(['respond 403', 'write no', 'end  way']);
    expect(exchange.response).toMatchObject({ isStream: false, headers: { list: [['x', 'y']] } });
    expect([session.standing, session.finish()]).toEqual(['complete', undefined]);
    expect(await stateOf(session.receive())).toBe('pending');
    expect(await refusalOf(session, declineBody('x'))).toContain('after the stream has been declined');
  });

  test('may be a file', async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join('a'), Buffer.alloc(300_000, 'x'));
    const { session, exchange } = openSse();
    await session.send(decline());
    const sending = session.send({ type: 'sse.http.response.body', file: directory.join('a') });
    expect(session.pending).toBe(sending);
    expect(await refusalOf(session, declineBody('x'))).toContain('not allowed while a file is being sent');
    await sending;
    expect([exchange.content.length, session.pending, session.standing]).toEqual([
      300_000,
      undefined,
      'complete',
    ]);
  });

  test('excludes the stream, and the stream excludes it', async () => {
    const first = openSse().session;
    await first.send(decline());
    for (const event of [START, data('x'), comment('x'), keepalive(1), CLOSE, decline()])
      expect(await refusalOf(first, event)).toContain('is not allowed once the stream is being declined');
    const { session } = await openStream();
    for (const event of [decline(), declineBody('x')])
      expect(await refusalOf(session, event)).toContain('is not allowed once the stream has begun');
  });

  test('that is refused leaves the choice open', async () => {
    const { session, exchange } = openSse();
    expect(await refusalOf(session, decline({ status: 'no' }))).toContain(
      'sse.http.response.start: status must be',
    );
    await session.send(START);
    expect(exchange.calls).toEqual(['respond 200']);
  });

  test('and is cut short by the client ends with a disconnect', async () => {
    const { session } = openSse();
    await session.send(decline());
    session.disconnected('client_closed');
    expect(await refusalOf(session, declineBody('x'))).toBe('accepted');
    expect(await session.receive()).toEqual({ type: 'sse.disconnect', reason: 'client_closed' });
  });

  test('is finished in a shutdown', async () => {
    const { session, exchange } = openSse();
    await session.send(decline());
    session.shutdown();
    await afterMicrotasks();
    await session.send(declineBody('no'));
    expect(exchange.calls).toEqual(['respond 403', 'end no']);
  });
});
