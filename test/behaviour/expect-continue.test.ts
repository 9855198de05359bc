/**
 * `expect: 100-continue` (RFC 9110 10.1.1): the client is told to go on only when the application wants the body, and a
 * body that nobody asked for closes the connection behind the answer.
 */
import { expect, test } from 'bun:test';
import { header } from '../support/raw-client.ts';
import { within } from '../support/within.ts';
import { echoBody, httpApp, readBody, reply } from './apps.ts';
import { H1_CARRIERS, onEach } from './carriers.ts';

const HEAD = 'POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

onEach(H1_CARRIERS, (carrier) => {
  test('100 comes when the app reads, and not before', async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (scope, receive, send) => {
        if (scope.path === '/fence') return reply(send);
        started.resolve();
        await gate.promise;
        await reply(send, await readBody(receive));
      }),
    );
    const client = await server.connect();
    await client.send(HEAD);
    await started.promise;
    // Whatever the server had to say by itself would be here before the answer on another connection.
    await server.request({ target: '/fence' });
    expect(client.unread).toBe('');
    gate.resolve();
    await client.received(CONTINUE);
    expect(client.unread).toBe(CONTINUE);
    void client.send('hello');
    const response = await client.response();
    expect([response.status, response.interim, response.body.toString()]).toEqual([200, [100], 'hello']);
    expect((await client.request()).status).toBe(200);
  });

  test('100 comes once, however often the app reads', async () => {
    const asked = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        const [first, second] = [receive(), receive()];
        await first;
        asked.resolve();
        await second;
        await reply(send);
      }),
    );
    const client = await server.connect();
    await client.send(HEAD);
    await client.received(CONTINUE);
    await client.send('he');
    await within(asked.promise, 'the first piece');
    await client.send('llo');
    expect((await client.response()).interim).toEqual([100]);
  });

  test('no 100 when the body has come already', async () => {
    await using server = await carrier.start(echoBody);
    const client = await server.connect();
    void client.send(`${HEAD}hello`);
    expect(await client.response()).toMatchObject({ interim: [], body: Buffer.from('hello') });
  });

  test('no 100 for a request without a body', async () => {
    await using server = await carrier.start(echoBody);
    const client = await server.connect();
    void client.send('GET / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n\r\n');
    expect(await client.response()).toMatchObject({ interim: [], status: 200 });
  });

  test('no 100 to an HTTP/1.0 client', async () => {
    const started = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        started.resolve();
        await reply(send, await readBody(receive));
      }),
    );
    const client = await server.connect();
    await client.send('POST / HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n');
    await started.promise;
    void client.send('hello');
    expect(await client.response()).toMatchObject({ interim: [], body: Buffer.from('hello') });
  });

  test('an app that answers without reading: no 100, the answer, and the connection closes', async () => {
    await using server = await carrier.start(
      httpApp((_scope, _receive, send) => reply(send, 'no', { status: 403 })),
    );
    const client = await server.connect();
    void client.send(HEAD);
    const response = await client.response();
    expect([response.status, response.interim, header(response, 'connection')]).toEqual([403, [], 'close']);
    expect(await client.ended()).toBe('fin');
  });

  test('an app that reads after it has begun to answer gets no 100 in the middle of its response', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: 'first', more: true });
        const body = await readBody(receive);
        await send({ type: 'http.response.body', body });
      }),
    );
    const client = await server.connect();
    await client.send(HEAD);
    await client.received('first');
    void client.send('hello');
    const response = await client.response();
    expect([response.body.toString(), response.interim]).toEqual(['firsthello', []]);
  });

  test('a chunked body is asked for in the same way', async () => {
    await using server = await carrier.start(echoBody);
    const client = await server.connect();
    await client.send(
      'POST / HTTP/1.1\r\nhost: a\r\nExpect: 100-Continue\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    await client.received(CONTINUE);
    void client.send('5\r\nhello\r\n0\r\n\r\n');
    expect((await client.response()).body.toString()).toBe('hello');
  });

  test('an unknown expectation gets 417 and the connection closes', async () => {
    await using server = await carrier.start(echoBody);
    const client = await server.connect();
    void client.send('POST / HTTP/1.1\r\nhost: a\r\nexpect: teapot\r\ncontent-length: 5\r\n\r\nhello');
    expect((await client.response()).status).toBe(417);
    expect(await client.ended()).toBe('fin');
  });
});
