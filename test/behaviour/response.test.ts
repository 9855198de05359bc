/**
 * What becomes of the application's response: which fields the server adds, how the content is framed, and whether the
 * connection goes on (RFC 9110 6, RFC 9112 6 and 9).
 */
import { describe, expect, test } from 'bun:test';
import type { HeaderList } from '../../src/contract/send-events.ts';
import { header } from '../support/raw-client.ts';
import { httpApp, refusal, reply } from './apps.ts';
import { CARRIERS, H1_CARRIERS, onEach } from './carriers.ts';

/** An app that answers with this head and these pieces. */
function answering(status: number, headers: HeaderList, pieces: readonly string[] = ['']) {
  return httpApp(async (_scope, _receive, send) => {
    await send({ type: 'http.response.start', status, headers });
    for (const [i, body] of pieces.entries()) {
      await send({ type: 'http.response.body', body, more: i < pieces.length - 1 });
    }
  });
}

onEach(CARRIERS, (carrier) => {
  describe('fields', () => {
    test('date and server are added', async () => {
      const before = Math.floor(Date.now() / 1000) * 1000;
      await using server = await carrier.start(answering(200, [['content-length', '0']]));
      const response = await server.request();
      expect(header(response, 'server')).toBe('tsagi-server');
      const date = header(response, 'date')!;
      expect(date).toMatch(/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
      expect(Date.parse(date)).toBeWithin(before, Date.now() + 1);
    });

    test('the app’s own date and server are kept, in any case and place', async () => {
      const own: HeaderList = [
        ['Server', 'mine'],
        ['x-a', '1'],
        ['DATE', 'Thu, 01 Jan 1970 00:00:00 GMT'],
        ['content-length', '0'],
      ];
      await using server = await carrier.start(answering(200, own));
      expect((await server.request()).headers).toEqual(carrier.fields(own));
    });

    test('order and repeats of the app’s fields are kept', async () => {
      const own: HeaderList = [
        ['set-cookie', 'b=2'],
        ['x-a', '1'],
        ['set-cookie', 'a=1'],
        ['X-A', '\xe9\t"\x80'],
      ];
      await using server = await carrier.start(answering(200, own));
      const { headers } = await server.request();
      // The order of fields that have different names says nothing (RFC 9110 5.3), and node:http2 does not keep it.
      for (const wanted of ['set-cookie', 'x-a']) {
        const isWanted = ([name]: readonly [string, string]): boolean => name.toLowerCase() === wanted;
        expect(headers.filter(isWanted)).toEqual(carrier.fields(own).filter(isWanted));
      }
      if (carrier.protocol === 'h1')
        expect(headers.filter(([name]) => /set-cookie|x-a/i.test(name))).toEqual(carrier.fields(own));
    });

    test('serverHeader, dateHeader and headers are options', async () => {
      const options = {
        serverHeader: false,
        dateHeader: false,
        headers: [
          ['X-Frame-Options', 'DENY'],
          ['x-own', 'default'],
        ] as [string, string][],
      };
      await using server = await carrier.start(answering(200, [['X-Own', 'app']]), options);
      const response = await server.request();
      expect([header(response, 'server'), header(response, 'date')]).toEqual([undefined, undefined]);
      expect([header(response, 'x-frame-options'), header(response, 'x-own')]).toEqual(['DENY', 'app']);
    });

    test('the configured fields go with the server’s own answers too', async () => {
      await using server = await carrier.start(
        httpApp(() => {}),
        { headers: [['x-own', 'yes']] },
      );
      const response = await server.request();
      expect([response.status, header(response, 'x-own')]).toEqual([500, 'yes']);
    });
  });

  describe('content', () => {
    test('a string is sent as UTF-8, bytes as they are', async () => {
      await using server = await carrier.start(
        httpApp(async (_scope, _receive, send) => {
          await send({ type: 'http.response.start', status: 200 });
          await send({ type: 'http.response.body', body: 'é😀', more: true });
          await send({ type: 'http.response.body', body: Uint8Array.of(0xe9, 0, 255) });
        }),
      );
      expect((await server.request()).body).toEqual(
        Buffer.concat([Buffer.from('é😀'), Buffer.from([0xe9, 0, 255])]),
      );
    });

    test('a view of a larger buffer sends its own bytes only', async () => {
      const bytes = new Uint8Array(100_000).fill(1);
      bytes.set([7, 8, 9], 50_000);
      await using server = await carrier.start(
        httpApp((_scope, _receive, send) => reply(send, bytes.subarray(50_000, 50_003))),
      );
      expect([...(await server.request()).body]).toEqual([7, 8, 9]);
    });

    test('bytes may be changed once send has resolved', async () => {
      const piece = new Uint8Array(50_000);
      await using server = await carrier.start(
        httpApp(async (_scope, _receive, send) => {
          await send({ type: 'http.response.start', status: 200 });
          for (let i = 1; i <= 40; i++) {
            piece.fill(i);
            await send({ type: 'http.response.body', body: piece, more: i < 40 });
          }
          piece.fill(0);
        }),
      );
      const client = await server.connect();
      client.pause();
      void client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      client.resume();
      const { body } = await client.response();
      expect(body.length).toBe(2_000_000);
      for (let i = 0; i < 40; i++) {
        expect(body.subarray(i * 50_000, (i + 1) * 50_000).every((byte) => byte === i + 1)).toBe(true);
      }
    });

    for (const status of [204, 205, 304]) {
      test(`${status} never carries content, and the next response is framed right`, async () => {
        await using server = await carrier.start(answering(status, [['x-a', '1']], ['one', 'two']));
        const client = await server.connect();
        for (let i = 0; i < 2; i++) {
          const response = await client.request();
          expect(response).toMatchObject({ status, isComplete: true });
          expect([response.body.length, header(response, 'transfer-encoding')]).toEqual([0, undefined]);
        }
        expect(server.errors).toEqual([]);
      });
    }

    test('304 and HEAD keep the length that the content would have', async () => {
      await using server = await carrier.start(
        httpApp((scope, _receive, send) =>
          reply(send, 'x'.repeat(1234), { status: scope.path === '/304' ? 304 : 200 }),
        ),
      );
      const client = await server.connect();
      for (const request of [{ method: 'HEAD' }, { target: '/304' }, { method: 'HEAD', target: '/304' }]) {
        const response = await client.request(request);
        expect([header(response, 'content-length'), response.body.length]).toEqual(['1234', 0]);
      }
      expect(client.unread).toBe('');
    });

    test('HEAD without a length gets no content and the connection goes on', async () => {
      await using server = await carrier.start(answering(200, [], ['one', 'two']));
      const client = await server.connect();
      expect((await client.request({ method: 'HEAD' })).status).toBe(200);
      expect((await client.request()).body.toString()).toBe('onetwo');
      expect(server.errors).toEqual([]);
    });

    test('a status without a registered phrase is sent', async () => {
      await using server = await carrier.start(answering(299, [['content-length', '0']]));
      expect(await server.request()).toMatchObject({ status: 299, isComplete: true });
    });
  });

  describe('content-length', () => {
    test('less content than declared breaks the connection and is logged', async () => {
      await using server = await carrier.start(answering(200, [['content-length', '10']], ['four', '!!']));
      const client = await server.connect();
      const response = await client.request({ target: '/short' });
      expect(response.isComplete).toBe(false);
      expect(response.body.length).toBeLessThan(10);
      expect(await client.ended()).toBe(carrier.brokenOff);
      expect(server.errors).toHaveLength(1);
      expect(server.errors[0]).toContain(
        'GET /short: the response ended 4 bytes short of its content-length',
      );
    });

    test('no content at all where some was declared breaks the connection', async () => {
      await using server = await carrier.start(answering(200, [['content-length', '10']]));
      const client = await server.connect();
      expect((await client.request()).isComplete).toBe(false);
      expect(server.errors).toHaveLength(1);
    });

    test('more content than declared rejects the send, and what is on the wire is right', async () => {
      let message = '';
      await using server = await carrier.start(
        httpApp(async (_scope, _receive, send) => {
          await send({ type: 'http.response.start', status: 200, headers: [['content-length', '5']] });
          await send({ type: 'http.response.body', body: 'abc', more: true });
          message = await refusal(send, { type: 'http.response.body', body: 'def', more: true });
          await send({ type: 'http.response.body', body: 'de' });
        }),
      );
      const client = await server.connect();
      expect((await client.request()).body.toString()).toBe('abcde');
      expect((await client.request()).body.toString()).toBe('abcde');
      expect(message).toBe('http.response.body: 1 bytes more than the declared content-length');
    });

    test('the length is counted in bytes', async () => {
      await using server = await carrier.start(answering(200, [['content-length', '2']], ['é']));
      expect(await server.request()).toMatchObject({ isComplete: true, body: Buffer.from('é') });
    });
  });
});

onEach(H1_CARRIERS, (carrier) => {
  const exchange = async (app: ReturnType<typeof answering>, request: string) => {
    await using server = await carrier.start(app);
    const client = await server.connect();
    void client.send(request);
    const response = await client.response(request.split(' ')[0]);
    const isOpen = response.framing !== 'close' && header(response, 'connection') !== 'close';
    return { response, ending: isOpen ? client.ending : await client.ended() };
  };
  const HTTP11 = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

  describe('framing', () => {
    test('without a length the content is chunked, one chunk a piece, empty pieces none', async () => {
      const { response } = await exchange(answering(200, [], ['one', '', 'three', '']), HTTP11);
      expect(response).toMatchObject({ framing: 'chunked', chunks: [3, 5], isComplete: true });
      expect(header(response, 'transfer-encoding')).toBe('chunked');
      expect(header(response, 'connection')).toBeUndefined();
    });

    test('the app’s transfer-encoding is ignored', async () => {
      const own: HeaderList = [
        ['Transfer-Encoding', 'gzip, chunked'],
        ['x', '1'],
      ];
      const chunked = await exchange(answering(200, own, ['abc']), HTTP11);
      expect(chunked.response).toMatchObject({ framing: 'chunked', isComplete: true });
      const withLength = await exchange(answering(200, [...own, ['content-length', '3']], ['abc']), HTTP11);
      expect(withLength.response).toMatchObject({ framing: 'length', isComplete: true });
      expect(header(withLength.response, 'transfer-encoding')).toBeUndefined();
    });

    test('hop-by-hop fields of the app do not reach the client', async () => {
      const own: HeaderList = [
        ['Keep-Alive', 'timeout=5'],
        ['connection', 'keep-alive'],
        ['upgrade', 'h2c'],
        ['x-mine', '1'],
        ['content-length', '0'],
      ];
      const { response } = await exchange(answering(200, own), HTTP11);
      expect(response.headers.map(([name]) => name)).toEqual(['x-mine', 'content-length', 'server', 'date']);
    });

    test('head and a short body leave together', async () => {
      await using server = await carrier.start(answering(200, [['content-length', '2']], ['ok']));
      const client = await server.connect();
      const sizes: number[] = [];
      client.socket.on('data', (data: Buffer) => sizes.push(data.length));
      await client.request();
      expect(sizes).toHaveLength(1);
    });
  });

  describe('HTTP/1.0', () => {
    test('without a length the end of the connection ends the content, keep-alive asked for or not', async () => {
      for (const extra of ['', 'connection: keep-alive\r\n']) {
        const { response, ending } = await exchange(
          answering(200, [], ['one', 'two']),
          `GET / HTTP/1.0\r\n${extra}\r\n`,
        );
        expect(response).toMatchObject({ framing: 'close', isComplete: true });
        expect(response.body.toString()).toBe('onetwo');
        expect(header(response, 'connection')).toBe('close');
        expect(ending).toBe('fin');
      }
    });

    test('with a length and keep-alive asked for the connection goes on, and says so', async () => {
      await using server = await carrier.start(answering(200, [['content-length', '2']], ['ok']));
      const client = await server.connect();
      for (let i = 0; i < 2; i++) {
        void client.send('GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n');
        const response = await client.response();
        expect([response.framing, header(response, 'connection')]).toEqual(['length', 'keep-alive']);
      }
      expect(client.ending).toBe('open');
    });

    test('with a length and nothing asked for the connection closes', async () => {
      const app = answering(200, [['content-length', '2']], ['ok']);
      const { response, ending } = await exchange(app, 'GET / HTTP/1.0\r\n\r\n');
      expect([response.framing, header(response, 'connection'), ending]).toEqual(['length', 'close', 'fin']);
    });

    test('an announced trailer section is left out, as there are no chunks', async () => {
      const app = httpApp(async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200, trailers: true });
        await send({ type: 'http.response.body', body: 'content' });
        await send({ type: 'http.response.trailers', headers: [['x-sum', '1']] });
      });
      const { response } = await exchange(app, 'GET / HTTP/1.0\r\n\r\n');
      expect(response.body.toString()).toBe('content');
      expect(response.trailers).toEqual([]);
    });
  });

  describe('205 (RFC 9110 15.3.6)', () => {
    test('says that it has no content', async () => {
      const { response } = await exchange(answering(205, [['content-length', '3']], ['abc']), HTTP11);
      expect([header(response, 'content-length'), response.body.length]).toEqual(['0', 0]);
    });
  });

  test('the app asks for the connection to be closed, and it is', async () => {
    const own: HeaderList = [
      ['Connection', 'Close'],
      ['content-length', '2'],
    ];
    const { response, ending } = await exchange(answering(200, own, ['ok']), HTTP11);
    expect([header(response, 'connection'), response.body.toString(), ending]).toEqual([
      'close',
      'ok',
      'fin',
    ]);
  });
});
