/**
 * Requests that the server refuses by itself: the client reads the whole answer and then FIN, the application is not
 * called, and what stands behind is not read as a request.
 */
import { expect, test } from 'bun:test';
import { header } from '../support/raw-client.ts';
import { echoPath, httpApp, reply } from './apps.ts';
import { H1_CARRIERS, onEach } from './carriers.ts';

const LIMITS = { maxRequestLine: 100, maxHeaderSize: 200, maxHeaderCount: 5, maxBodySize: 50 };

/** Each closes the connection, as framing is lost. */
const REFUSED: readonly [name: string, status: number, request: string][] = [
  ['rubbish', 400, '\x16\x03\x01\x00\xa5'],
  ['a request without Host', 400, 'GET / HTTP/1.1\r\n\r\n'],
  ['two Host fields', 400, 'GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n'],
  ['a bare LF', 400, 'GET / HTTP/1.1\nhost: a\n\n'],
  ['a folded field', 400, 'GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n z\r\n\r\n'],
  [
    'a blank before a colon',
    400,
    'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'length and chunks',
    400,
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n',
  ],
  ['a wrong length', 400, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +3\r\n\r\nabc'],
  ['a declared length over the limit', 413, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 51\r\n\r\n'],
  ['a chunk over the limit', 413, 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n33\r\n'],
  ['a long request line', 414, `GET /${'a'.repeat(200)} HTTP/1.1\r\nhost: a\r\n\r\n`],
  ['a long request line without its end', 414, `GET /${'a'.repeat(200)}`],
  ['an unknown expectation', 417, 'GET / HTTP/1.1\r\nhost: a\r\nexpect: 200-maybe\r\n\r\n'],
  ['a large field section', 431, `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(300)}\r\n\r\n`],
  ['a large field section without its end', 431, `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(300)}`],
  ['too many fields', 431, `GET / HTTP/1.1\r\nhost: a\r\n${'x: y\r\n'.repeat(5)}\r\n`],
  ['an unknown transfer coding', 501, 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n'],
  ['another version', 505, 'GET / HTTP/1.2\r\nhost: a\r\n\r\n'],
  ['the preface of HTTP/2', 505, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
];

/** What is not implemented, without loss of framing. */
const UNSUPPORTED: readonly [name: string, request: string][] = [
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n'],
];

/** What looks like it and is ordinary HTTP. */
const ORDINARY: readonly [name: string, fields: string][] = [
  ['an event stream with weight 0', 'accept: text/event-stream;q=0\r\n'],
  ['accept */*', 'accept: */*, text/*\r\n'],
  ['upgrade to something else', 'connection: upgrade\r\nupgrade: h2c\r\n'],
  ['upgrade that connection does not list', 'upgrade: websocket\r\n'],
];

onEach(H1_CARRIERS, (carrier) => {
  const counting = async (options = {}) => {
    const seen: string[] = [];
    const server = await carrier.start(
      httpApp((scope, _receive, send) => {
        seen.push(scope.path);
        return reply(send, scope.path);
      }),
      { ...LIMITS, ...options },
    );
    return Object.assign(server, { seen });
  };

  for (const [name, status, request] of REFUSED) {
    test(`${name}: ${status}, then FIN`, async () => {
      await using server = await counting();
      const client = await server.connect();
      void client.send(request);
      const response = await client.response();
      expect(response).toMatchObject({ status, isComplete: true, framing: 'length' });
      expect(header(response, 'connection')).toBe('close');
      expect(header(response, 'content-type')).toBe('text/plain; charset=utf-8');
      expect(header(response, 'date')).toBeDefined();
      expect(response.body.toString()).toStartWith(`${status} ${response.reason}\n`);
      expect(await client.ended()).toBe('fin');
      expect([client.unread, server.seen, server.errors]).toEqual(['', [], []]);
    });
  }

  test('a client that goes on sending reads the answer and no reset', async () => {
    await using server = await counting();
    const client = await server.connect();
    void client.send('GET / HTTP/1.2\r\n\r\n');
    for (let i = 0; i < 20; i++)
      await client.send(Buffer.alloc(500_000, 'GET /evil HTTP/1.1\r\nhost: a\r\n\r\n'));
    expect((await client.response()).status).toBe(505);
    expect(await client.ended()).toBe('fin');
    expect([client.unread, server.seen]).toEqual(['', []]);
  });

  test('a refused HEAD is answered without content where its method is known', async () => {
    await using server = await counting();
    const client = await server.connect();
    void client.send('HEAD / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n');
    expect((await client.response('HEAD')).status).toBe(400);
    expect(await client.ended()).toBe('fin');
    expect(client.unread).toBe('');
  });

  test('requests exactly at the limits are served', async () => {
    await using server = await counting();
    const client = await server.connect();
    const line = `GET /${'a'.repeat(100 - 'GET / HTTP/1.1'.length)} HTTP/1.1`;
    const fields = `host: a\r\nx: ${'y'.repeat(200 - 'host: a\r\nx: \r\n\r\n'.length)}\r\n`;
    void client.send(`${line}\r\n${fields}\r\nGET / HTTP/1.1\r\nhost: a\r\n${'x: y\r\n'.repeat(4)}\r\n`);
    expect((await client.responses(2)).map(({ status }) => status)).toEqual([200, 200]);
  });

  for (const [name, request] of UNSUPPORTED) {
    test(`${name}: 501, and the app is not called`, async () => {
      await using server = await counting();
      const client = await server.connect();
      void client.send(request);
      expect(await client.response()).toMatchObject({ status: 501, isComplete: true });
      expect(server.seen).toEqual([]);
      if (client.ending === 'open') expect((await client.request({ target: '/next' })).status).toBe(200);
    });
  }

  for (const [name, fields] of ORDINARY) {
    test(`${name} is ordinary HTTP`, async () => {
      await using server = await counting();
      const client = await server.connect();
      void client.send(`GET /plain HTTP/1.1\r\nhost: a\r\n${fields}\r\n`);
      expect((await client.response()).body.toString()).toBe('/plain');
    });
  }

  test('each of many refused clients gets its answer, and the server serves on', async () => {
    await using server = await carrier.start(echoPath);
    const clients = await Promise.all(Array.from({ length: 50 }, () => server.connect()));
    for (const client of clients) void client.send('BAD\r\n\r\n');
    for (const client of clients) expect((await client.response()).status).toBe(400);
    expect((await server.request({ target: '/fine' })).body.toString()).toBe('/fine');
  });
});
