/**
 * Faulty events: each is refused with a TypeError that names event and field, nothing of it reaches the wire, and the
 * application can go on as if it had not sent it.
 */
import { describe, expect, test } from 'bun:test';
import type { SendEvent } from '../../src/contract/send-events.ts';
import { httpApp, refusal, reply } from './apps.ts';
import { CARRIERS, onEach, type Carrier } from './carriers.ts';

const START = { type: 'http.response.start', status: 200 };
const BODY = { type: 'http.response.body', body: 'fine' };

interface Refused {
  readonly name: string;
  /** Sent before. */
  readonly after?: readonly object[];
  readonly event: unknown;
  readonly says: string;
  /** What makes the response whole afterwards. */
  readonly afterwards?: readonly object[];
}

const TOKEN = 'named by a token (RFC 9110 5.6.2)';
const SAFE = 'a byte string without CR, LF and NUL';

const EVENTS: readonly Refused[] = [
  { name: 'no event', event: undefined, says: 'send: an event must be an object with a type, not undefined' },
  { name: 'null', event: null, says: 'send: an event must be an object with a type, not null' },
  { name: 'a string', event: 'x', says: 'send: an event must be an object with a type, not "x"' },
  { name: 'no type', event: {}, says: 'send: unknown event type undefined on an http scope' },
  { name: 'an unknown type', event: { type: 'http.pong' }, says: 'send: unknown event type "http.pong"' },
  { name: 'a prototype name', event: { type: 'toString' }, says: 'send: unknown event type "toString"' },
  {
    name: 'a type in an array',
    event: { type: ['http.response.start'], status: 200 },
    says: 'unknown event type',
  },
  { name: '__proto__', event: { type: '__proto__' }, says: 'send: unknown event type "__proto__"' },
  {
    name: 'a type of another scope',
    event: { type: 'websocket.accept' },
    says: 'unknown event type "websocket.accept"',
  },
  {
    name: 'an event that is only received',
    event: { type: 'http.request' },
    says: 'unknown event type "http.request"',
  },
];

const ORDER: readonly Refused[] = [
  {
    name: 'body first',
    event: BODY,
    says: 'http.response.body is not allowed before http.response.start',
  },
  {
    name: 'trailers first',
    event: { type: 'http.response.trailers' },
    says: 'http.response.trailers is not allowed before',
  },
  {
    name: 'start twice',
    after: [START],
    event: { ...START, status: 404 },
    says: 'http.response.start is not allowed while the response body is being sent',
    afterwards: [BODY],
  },
  {
    name: 'trailers that were not announced',
    after: [START],
    event: { type: 'http.response.trailers', headers: [['x', '1']] },
    says: 'http.response.trailers is not allowed while',
    afterwards: [BODY],
  },
  {
    name: 'start after the end',
    after: [START, BODY],
    event: START,
    says: 'http.response.start is not allowed after the response is complete',
    afterwards: [],
  },
  {
    name: 'body after the end',
    after: [START, BODY],
    event: BODY,
    says: 'http.response.body is not allowed after the response is complete',
    afterwards: [],
  },
  {
    name: 'body where trailers are due',
    after: [{ ...START, trailers: true }, BODY],
    event: BODY,
    says: 'http.response.body is not allowed where http.response.trailers is due',
    afterwards: [{ type: 'http.response.trailers' }],
  },
  {
    name: 'fullflush that is not advertised',
    event: { type: 'http.fullflush' },
    says: 'http.fullflush is not allowed: the server does not advertise',
  },
];

const badStart = (name: string, fields: object, says: string): Refused => ({
  name,
  event: { ...START, ...fields },
  says: `http.response.start: ${says}`,
});

const START_FIELDS: readonly Refused[] = [
  {
    name: 'no status',
    event: { type: START.type },
    says: 'http.response.start: status must be an integer from 200 to 999, not undefined',
  },
  ...[99, 100, 101, 103, 199, 1000, 200.5, -200, Number.NaN, Infinity, '200', null, {}].map((status) =>
    badStart(`status ${JSON.stringify(status) ?? String(status)}`, { status }, 'status must be an integer'),
  ),
  badStart('headers null', { headers: null }, 'headers must be an array of [name, value] pairs, not null'),
  badStart(
    'headers an object',
    { headers: { a: 'b' } },
    'headers must be an array of [name, value] pairs, not an object',
  ),
  badStart('headers a Map', { headers: new Map([['a', 'b']]) }, 'headers must be an array'),
  badStart(
    'a header that is no pair',
    { headers: [['a', 'b'], 'c: d'] },
    'headers[1] must be a [name, value] pair',
  ),
  badStart('a header with one part', { headers: [['a']] }, 'headers[0] must be a [name, value] pair'),
  badStart(
    'a header with three parts',
    { headers: [['a', 'b', 'c']] },
    'headers[0] must be a [name, value] pair',
  ),
  badStart('a hole among the headers', { headers: Array.from({ length: 1 }) }, 'headers[0] must be'),
  ...['', ' ', 'a b', 'a:', ':a', 'a\r\nb', 'a\n', 'é', '(a)', 'a\0', 7, undefined].map((name) =>
    badStart(
      `the header name ${JSON.stringify(name)}`,
      { headers: [[name, 'v']] },
      `headers[0] must be ${TOKEN}`,
    ),
  ),
  ...['a\r\nx-injected: 1', 'a\n', '\r', 'a\0b', 'caf\u0101', '😀', 7, null, undefined, ['a']].map((value) =>
    badStart(
      `the header value ${JSON.stringify(value)}`,
      { headers: [['x-a', value]] },
      `headers[0] (x-a) must be ${SAFE}`,
    ),
  ),
  ...['', '-1', '+1', '1.5', '0x10', '1,1', ' 1', '99999999999999999999', 'abc'].map((length) =>
    badStart(
      `content-length ${JSON.stringify(length)}`,
      { headers: [['Content-Length', length]] },
      'content-length must be a decimal number',
    ),
  ),
  badStart(
    'two content-length fields',
    {
      headers: [
        ['content-length', '4'],
        ['content-length', '4'],
      ],
    },
    'content-length must be given once',
  ),
  badStart('trailers 1', { trailers: 1 }, 'trailers must be a boolean, not 1'),
];

const badBody = (name: string, fields: object, says: string): Refused => ({
  name,
  after: [START],
  event: { type: BODY.type, ...fields },
  says: `http.response.body: ${says}`,
  afterwards: [BODY],
});

const BODY_FIELDS: readonly Refused[] = [
  badBody(
    'no content',
    {},
    'body must be a string or Uint8Array (or file or fh in its place), not undefined',
  ),
  ...[null, 7, {}, [1], new ArrayBuffer(1), new Uint16Array(1)].map((body, i) =>
    badBody(`body of a wrong kind, ${i}`, { body }, 'body must be a string or Uint8Array'),
  ),
  badBody('more a string', { body: 'x', more: 'true' }, 'more must be a boolean, not "true"'),
  badBody('more 1', { body: 'x', more: 1 }, 'more must be a boolean, not 1'),
  badBody('body and file', { body: 'x', file: '/etc/hostname' }, 'exactly one of body, file and fh'),
  badBody('body and fh', { body: 'x', fh: 0 }, 'exactly one of body, file and fh'),
  badBody('file and fh', { file: '/etc/hostname', fh: 0 }, 'exactly one of body, file and fh'),
  badBody('file a number', { file: 7 }, 'file must be a path or a BunFile, not 7'),
  badBody('fh a string', { fh: 'x' }, 'fh must be an open FileHandle or file descriptor, not "x"'),
  badBody('fh negative', { fh: -1 }, 'fh must be an open FileHandle'),
  badBody(
    'offset negative',
    { file: import.meta.path, offset: -1 },
    'offset must be a non-negative integer, not -1',
  ),
  badBody(
    'offset a fraction',
    { file: import.meta.path, offset: 0.5 },
    'offset must be a non-negative integer',
  ),
  badBody(
    'offset a string',
    { file: import.meta.path, offset: '1' },
    'offset must be a non-negative integer',
  ),
  badBody('length negative', { file: import.meta.path, length: -1 }, 'length must be a non-negative integer'),
  badBody(
    'length infinite',
    { file: import.meta.path, length: Infinity },
    'length must be a non-negative integer',
  ),
];

const badTrailers = (name: string, headers: unknown, says: string): Refused => ({
  name,
  after: [{ ...START, trailers: true }, BODY],
  event: { type: 'http.response.trailers', headers },
  says: `http.response.trailers: ${says}`,
  afterwards: [{ type: 'http.response.trailers' }],
});

const TRAILER_FIELDS: readonly Refused[] = [
  badTrailers('an object', { a: 'b' }, 'headers must be an array of [name, value] pairs'),
  badTrailers('a value with CR LF', [['x', 'a\r\nb: c']], `headers[0] (x) must be ${SAFE}`),
  ...['Content-Length', 'transfer-encoding', 'host', 'Set-Cookie', 'content-type', 'trailer'].map((name) =>
    badTrailers(
      name,
      [
        ['x-a', '1'],
        [name, '1'],
      ],
      'headers must be fields that may come in a trailer section',
    ),
  ),
];

onEach(CARRIERS, (carrier) => {
  const refused = (title: string, rows: readonly Refused[]): void => {
    describe(title, () => {
      for (const row of rows) test(`${row.name} is refused`, () => check(carrier, row));
    });
  };
  refused('events', EVENTS);
  refused('order', ORDER);
  refused('http.response.start', START_FIELDS);
  refused('http.response.body', BODY_FIELDS);
  refused('http.response.trailers', TRAILER_FIELDS);

  test('unknown extra fields are no error', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        const events = [
          { ...START, extra: 1, body: 7, more: 'x' },
          { ...BODY, status: 'x', headers: 7, trailers: 'y', more: false },
        ];
        for (const event of events) await send(event as unknown as SendEvent);
      }),
    );
    expect(await server.request()).toMatchObject({
      status: 200,
      isComplete: true,
      body: Buffer.from('fine'),
    });
  });

  test('fields that are undefined count as left out', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        const start = { ...START, headers: undefined, trailers: undefined };
        const body = { ...BODY, file: undefined, fh: undefined, offset: undefined, more: undefined };
        for (const event of [start, body]) await send(event as unknown as SendEvent);
      }),
    );
    expect(await server.request()).toMatchObject({
      status: 200,
      isComplete: true,
      body: Buffer.from('fine'),
    });
  });

  test('an app that lets the refusal pass through is answered for with 500', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => reply(send, '', { headers: [['x', 'a\r\nb']] })),
    );
    const response = await server.request();
    expect(response.status).toBe(500);
    expect(response.headers.some(([name]) => name === 'b' || name === 'x')).toBe(false);
    expect(server.errors[0]).toContain('http.response.start: headers[1] (x) must be');
  });
});

/** The refusal's words, and a client that sees only what was sent around it. */
async function check(
  carrier: Carrier,
  { after = [], event, says, afterwards = [START, BODY] }: Refused,
): Promise<void> {
  let message = '';
  await using server = await carrier.start(
    httpApp(async (_scope, _receive, send) => {
      for (const good of after) await send(good as unknown as SendEvent);
      message = await refusal(send, event);
      for (const good of afterwards) await send(good as unknown as SendEvent);
    }),
  );
  const client = await server.connect();
  for (let i = 0; i < 2; i++) {
    const response = await client.request();
    expect(message).toContain(says);
    expect(response).toMatchObject({ status: 200, isComplete: true, body: Buffer.from('fine') });
    expect(response.headers.map(([name]) => name)).toEqual([
      'server',
      'date',
      ...(carrier.protocol === 'h1' ? ['transfer-encoding'] : []),
    ]);
  }
  expect(client.unread).toBe('');
  expect(server.errors).toEqual([]);
}
