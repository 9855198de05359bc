/**
 * How the application receives a request's body: in pieces, de-chunked, in the order of its calls, and then
 * `http.disconnect`.
 */
import { expect, test } from 'bun:test';
import type { ReceiveEvent } from '../../src/contract/receive-events.ts';
import { until, within } from '../support/within.ts';
import { echoBody, httpApp, readBody, reply } from './apps.ts';
import { CARRIERS, H1_CARRIERS, onEach } from './carriers.ts';

onEach(CARRIERS, (carrier) => {
  test('a request without a body yields one empty event, then waits, then http.disconnect for good', async () => {
    const events: ReceiveEvent[] = [];
    const all = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        events.push(await receive());
        const next = receive();
        let isEarly = true;
        void next.then(() => (isEarly = false));
        await reply(send, 'answer');
        events.push(await next, await receive());
        expect(isEarly).toBe(false);
        all.resolve();
      }),
    );
    expect((await server.request()).body.toString()).toBe('answer');
    await within(all.promise, 'three events');
    expect(events).toEqual([
      { type: 'http.request', body: new Uint8Array(0), more: false },
      { type: 'http.disconnect' },
      { type: 'http.disconnect' },
    ]);
  });

  test('a second receive() without more body does not resolve before the response is complete', async () => {
    const order: string[] = [];
    const done = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        await receive();
        const after = receive().then((event) => order.push(event.type));
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: 'a', more: true });
        order.push('first piece');
        await send({ type: 'http.response.body', body: 'b' });
        await after;
        done.resolve();
      }),
    );
    expect((await server.request()).body.toString()).toBe('ab');
    await within(done.promise, 'the disconnect event');
    expect(order).toEqual(['first piece', 'http.disconnect']);
  });

  test('content-length: 0 is a body as empty as none', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => reply(send, JSON.stringify(await receive()))),
    );
    const response = await server.request({ method: 'POST', headers: [['content-length', '0']] });
    expect(response.body.toString()).toBe('{"type":"http.request","body":{},"more":false}');
  });

  test('every byte value arrives unchanged, as a Uint8Array', async () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    let isBytes = false;
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        const body = await readBody(async () => {
          const event = await receive();
          isBytes = event.type === 'http.request' && event.body instanceof Uint8Array;
          return event;
        });
        await reply(send, body);
      }),
    );
    expect(new Uint8Array((await server.request({ method: 'PUT', body: all })).body)).toEqual(all);
    expect(isBytes).toBe(true);
  });

  test('a body of megabytes comes in pieces and is whole', async () => {
    const body = Buffer.alloc(5_000_000, 'abcdefg');
    let pieces = 0;
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        const received = await readBody(async () => {
          pieces++;
          return await receive();
        });
        await reply(send, Bun.hash(received).toString());
      }),
    );
    const response = await server.request({ method: 'POST', body });
    expect(response.body.toString()).toBe(Bun.hash(body).toString());
    expect(pieces).toBeGreaterThan(1);
  });

  test('pieces belong to the application: later ones do not overwrite them', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        const pieces: Uint8Array[] = [];
        for (;;) {
          const event = await receive();
          if (event.type !== 'http.request') throw new Error(event.type);
          pieces.push(event.body);
          if (!event.more) break;
        }
        await reply(send, Bun.hash(Buffer.concat(pieces)).toString());
      }),
    );
    const body = Buffer.alloc(1_000_000);
    for (let i = 0; i < body.length; i += 4) body.writeUInt32LE(i, i);
    expect((await server.request({ method: 'POST', body })).body.toString()).toBe(Bun.hash(body).toString());
  });

  test('several pending receive() calls are served in their order', async () => {
    const order: string[] = [];
    const asked = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        const calls = ['first', 'second', 'third'].map(async (name) => {
          const event = await receive();
          order.push(
            event.type === 'http.request'
              ? `${name} ${Buffer.from(event.body).toString()} ${event.more}`
              : `${name} ${event.type}`,
          );
        });
        asked.resolve();
        await Promise.all(calls.slice(0, 2));
        await reply(send);
        await calls[2];
      }),
    );
    const client = await server.connect();
    void client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\n');
    await within(asked.promise, 'the calls');
    await client.send('one');
    await until(() => order.length === 1, 'the first piece');
    await client.send('two');
    expect((await client.response()).status).toBe(200);
    await until(() => order.length === 3, 'the third event');
    // On HTTP/2 the end is a flag of its own, which the last piece may come without.
    expect(order).toEqual(
      carrier.protocol === 'h2'
        ? ['first one true', 'second two true', 'third  false']
        : ['first one true', 'second two false', 'third http.disconnect'],
    );
  });

  test('an app that never calls receive() can answer, and the connection goes on behind a small body', async () => {
    await using server = await carrier.start(httpApp((scope, _receive, send) => reply(send, scope.method)));
    const client = await server.connect();
    expect((await client.request({ method: 'POST', body: 'unread' })).body.toString()).toBe('POST');
    expect((await client.request()).body.toString()).toBe('GET');
  });
});

onEach(H1_CARRIERS, (carrier) => {
  test('a chunked body arrives without its framing, extensions and trailers', async () => {
    await using server = await carrier.start(echoBody);
    const client = await server.connect();
    void client.send(
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n' +
        '5;name="va;lue"\r\nhello\r\n1\r\n \r\n005\r\nworld\r\n0\r\nx-trailer: GET /evil HTTP/1.1\r\n\r\n',
    );
    expect((await client.response()).body.toString()).toBe('hello world');
    expect((await client.request({ method: 'POST', body: 'next' })).body.toString()).toBe('next');
  });

  test('a chunked body that comes byte by byte is the same', async () => {
    await using server = await carrier.start(echoBody);
    const client = await server.connect();
    const text =
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
    for (const char of text) await client.send(char);
    expect((await client.response()).body.toString()).toBe('abcde');
  });

  test('an empty chunked body yields one empty event', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => reply(send, JSON.stringify(await receive()))),
    );
    const client = await server.connect();
    void client.send('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n');
    expect((await client.response()).body.toString()).toBe('{"type":"http.request","body":{},"more":false}');
  });

  test('the app sees a piece before the client has sent the next', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        for (;;) {
          const event = await receive();
          if (event.type !== 'http.request') return;
          await send({ type: 'http.response.body', body: event.body, more: event.more });
          if (!event.more) return;
        }
      }),
    );
    const client = await server.connect();
    void client.send('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\nping\r\n');
    await client.received('4\r\nping\r\n');
    void client.send('4\r\npong\r\n0\r\n\r\n');
    const response = await client.response();
    expect(response.body.toString()).toBe('pingpong');
    expect(response.isComplete).toBe(true);
  });

  test('a body that the client breaks off ends in http.disconnect, not in a last piece', async () => {
    const events: string[] = [];
    const done = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (_scope, receive) => {
        for (let type = ''; type !== 'http.disconnect';) {
          const event = await receive();
          ({ type } = event);
          events.push(event.type === 'http.request' ? `${event.body.length} ${event.more}` : type);
        }
        done.resolve();
      }),
    );
    const client = await server.connect();
    await client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf');
    await until(() => events.length === 1, 'the first piece');
    client.close();
    await within(done.promise, 'the end');
    expect(events).toEqual(['4 true', 'http.disconnect']);
    expect(server.errors).toEqual([]);
  });

  test('a malformed chunk ends the body with http.disconnect and the client sees 400', async () => {
    const first = Promise.withResolvers<void>();
    const last = Promise.withResolvers<string>();
    await using server = await carrier.start(
      httpApp(async (scope, receive) => {
        await receive();
        first.resolve();
        last.resolve(`${(await receive()).type} ${scope['tsagi.connection'].disconnectReason}`);
      }),
    );
    const client = await server.connect();
    await client.send('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await within(first.promise, 'the first piece');
    await client.send('zz\r\n');
    expect((await client.response()).status).toBe(400);
    expect(await client.ended()).toBe('fin');
    expect(await within(last.promise, 'the end')).toBe('http.disconnect protocol_error');
    expect(server.errors).toEqual([]);
  });
});
