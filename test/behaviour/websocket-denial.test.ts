/**
 * A handshake that the application does not accept: 403 when it closes, a response of its own when it denies, 500 when
 * it fails. Each is ordinary HTTP, and the connection goes on behind it.
 */
import { expect, test } from 'bun:test';
import { header } from '../support/raw-client.ts';
import { stateOf } from '../support/settled.ts';
import {
  answerHeader,
  askForWebSocket,
  handshakeRequest,
  openWebSocket,
} from '../support/websocket-client.ts';
import { clientFrame } from '../support/websocket-frames.ts';
import { until } from '../support/within.ts';
import { refusal } from './apps.ts';
import { CARRIERS, H1_CARRIERS, onEach } from './carriers.ts';
import { acceptingApp, Endings, sendMessage, websocketApp } from './websocket-apps.ts';

const NEXT = 'GET /next HTTP/1.1\r\nhost: test\r\n\r\n';

onEach(CARRIERS, (carrier) => {
  test('close before accept is answered with 403, and the session is over for the application', async () => {
    const endings = new Endings();
    const refusals: string[] = [];
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        await receive();
        await send({ type: 'websocket.close', code: 4000, reason: 'not you' });
        for (const type of ['websocket.accept', 'websocket.send', 'websocket.http.response.start']) {
          refusals.push(await refusal(send, { type, text: 'late', status: 200 }));
        }
        await endings.follow(receive);
      }),
    );
    const answer = await (await askForWebSocket(server)).answer();
    expect(answer.status).toBe(403);
    expect(answer.body.toString()).toStartWith('403 Forbidden\n');
    expect(answerHeader(answer, 'sec-websocket-accept')).toBeUndefined();
    expect(await endings.next()).toBe('1006 ');
    expect(refusals).toEqual([
      'websocket.accept is not allowed after websocket.close',
      'websocket.send is not allowed after websocket.close',
      'accepted',
    ]);
    expect(server.errors).toEqual([]);
  });

  test('a denial is the application’s own response, and no disconnect follows', async () => {
    let state = '';
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        await receive();
        await send({
          type: 'websocket.http.response.start',
          status: 429,
          headers: [
            ['content-type', 'application/json'],
            ['retry-after', '5'],
          ],
        });
        await send({ type: 'websocket.http.response.body', body: '{"later":', more: true });
        await send({ type: 'websocket.http.response.body', body: Buffer.from('true}') });
        state = await stateOf(receive());
      }),
    );
    const answer = await (await askForWebSocket(server)).answer();
    expect([answer.status, answer.body.toString()]).toEqual([429, '{"later":true}']);
    expect(answerHeader(answer, 'content-type')).toBe('application/json');
    expect(answerHeader(answer, 'retry-after')).toBe('5');
    await until(() => state !== '', 'the state of receive');
    expect(state).toBe('pending');
    expect(server.errors).toEqual([]);
  });

  test('a denial without a body is whole', async () => {
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        await receive();
        await send({ type: 'websocket.http.response.start', status: 401 });
        await send({ type: 'websocket.http.response.body' });
      }),
    );
    expect(await (await askForWebSocket(server)).answer()).toMatchObject({
      status: 401,
      body: Buffer.alloc(0),
    });
  });

  test('once a denial has begun, nothing else can be said, and it is complete only once', async () => {
    const refusals: string[] = [];
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        await receive();
        refusals.push(await refusal(send, { type: 'websocket.http.response.start', status: 101 }));
        await send({
          type: 'websocket.http.response.start',
          status: 404,
          headers: [['content-length', '4']],
        });
        for (const type of ['websocket.accept', 'websocket.close', 'websocket.http.response.start']) {
          refusals.push(await refusal(send, { type, status: 200 }));
        }
        refusals.push(await refusal(send, { type: 'websocket.http.response.body', body: 'too long' }));
        await send({ type: 'websocket.http.response.body', body: 'gone' });
        refusals.push(await refusal(send, { type: 'websocket.http.response.body', body: 'more' }));
      }),
    );
    const answer = await (await askForWebSocket(server)).answer();
    expect([answer.status, answer.body.toString()]).toEqual([404, 'gone']);
    await until(() => refusals.length === 6, 'the last send');
    expect(refusals).toEqual([
      'websocket.http.response.start: status must be an integer from 200 to 999, not 101',
      'websocket.accept is not allowed once the handshake is being denied',
      'websocket.close is not allowed once the handshake is being denied',
      'websocket.http.response.start is not allowed once the handshake is being denied',
      'websocket.http.response.body: 4 bytes more than the declared content-length',
      'websocket.http.response.body is not allowed after the handshake has been denied',
    ]);
  });

  test('a denial comes too late once the session is open, and is ignored', async () => {
    await using server = await carrier.start(
      acceptingApp(async (_scope, _receive, send) => {
        await send({ type: 'websocket.http.response.start', status: 403 });
        await send({ type: 'websocket.http.response.body', body: 'never seen' });
        await sendMessage(send, 'still here');
      }),
    );
    expect(await (await openWebSocket(server)).nextText()).toBe('still here');
  });

  for (const [name, failure] of [
    ['throws', 'the application threw: Error: out of order'],
    ['returns', 'the application returned without an answer to websocket.connect'],
  ] as const) {
    test(`an application that ${name} before it has answered: 500, and a line in the log`, async () => {
      await using server = await carrier.start(
        websocketApp(async () => {
          if (name === 'throws') throw new Error('out of order');
        }),
      );
      const { status, body } = await (await askForWebSocket(server, { target: '/chat?a=b' })).answer();
      expect([status, body.toString()]).toEqual([
        500,
        '500 Internal Server Error\nThe application failed.\n',
      ]);
      expect(server.errors.length).toBe(1);
      expect(server.errors[0]).toContain(`WebSocket /chat: ${failure}`);
    });
  }
});

onEach(H1_CARRIERS, (carrier) => {
  test('behind 403, a denial and 500 the connection goes on', async () => {
    await using server = await carrier.start(
      websocketApp(async ({ path }, receive, send) => {
        await receive();
        if (path === '/throw') throw new Error('out of order');
        if (path === '/close') return send({ type: 'websocket.close' });
        await send({ type: 'websocket.http.response.start', status: 418 });
        await send({ type: 'websocket.http.response.body', body: 'short' });
      }),
    );
    const client = await server.connect();
    for (const [target, status] of [
      ['/close', 403],
      ['/deny', 418],
      ['/throw', 500],
    ] as const) {
      void client.send(handshakeRequest({ target }) + NEXT);
      expect(await client.response()).toMatchObject({ status, isComplete: true });
      expect((await client.response()).body.toString()).toBe('/next');
    }
  });

  test('frames behind a handshake that is refused are no request, and no message', async () => {
    const events: string[] = [];
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        events.push((await receive()).type);
        await send({ type: 'websocket.close' });
        events.push((await receive()).type);
      }),
    );
    const client = await server.connect();
    await client.send(handshakeRequest());
    await client.send(clientFrame({ opcode: 1, payload: 'GET /evil HTTP/1.1\r\nhost: a\r\n\r\n' }));
    expect(await client.response()).toMatchObject({ status: 403, isComplete: true });
    expect((await client.response()).status).toBe(400);
    expect(await client.ended()).toBe('fin');
    expect(events).toEqual(['websocket.connect', 'websocket.disconnect']);
  });

  test('a denial is streamed: each piece arrives before the next one is sent', async () => {
    const pieces = ['one, ', 'two, ', 'three'];
    const gates = pieces.map(() => Promise.withResolvers<void>());
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        await receive();
        await send({ type: 'websocket.http.response.start', status: 503 });
        for (const [i, body] of pieces.entries()) {
          await gates[i]!.promise;
          await send({ type: 'websocket.http.response.body', body, more: i < 2 });
        }
      }),
    );
    const client = await server.connect();
    void client.send(handshakeRequest() + NEXT);
    for (const [i, piece] of pieces.entries()) {
      gates[i]!.resolve();
      if (i < 2) await client.received(piece);
    }
    const response = await client.response();
    expect(response).toMatchObject({ status: 503, framing: 'chunked', isComplete: true });
    expect(response.body.toString()).toBe('one, two, three');
    expect(header(response, 'upgrade')).toBeUndefined();
    expect((await client.response()).body.toString()).toBe('/next');
  });

  test('a denial waits for a client that does not read', async () => {
    let sent = 0;
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        await receive();
        await send({ type: 'websocket.http.response.start', status: 403 });
        const body = Buffer.alloc(50_000, 'd');
        for (; sent < 400; sent++) await send({ type: 'websocket.http.response.body', body, more: true });
        await send({ type: 'websocket.http.response.body' });
      }),
    );
    const client = await server.connect();
    client.pause();
    await client.send(handshakeRequest());
    for (let quiet = 0, before = -1; quiet < 10; before = sent) {
      await server.request();
      quiet = sent === before ? quiet + 1 : 0;
    }
    expect(sent).toBeLessThan(400);
    client.resume();
    expect((await client.response()).body.length).toBe(20_000_000);
  });

  for (const [name, failure] of [
    ['returns', 'the application returned before its response was complete; connection closed'],
    ['throws', 'the application threw: Error: out of order'],
  ] as const) {
    test(`an application that ${name} inside a denial: visibly broken off`, async () => {
      await using server = await carrier.start(
        websocketApp(async (_scope, receive, send) => {
          await receive();
          await send({ type: 'websocket.http.response.start', status: 403 });
          await send({ type: 'websocket.http.response.body', body: 'half', more: true });
          if (name === 'throws') throw new Error('out of order');
        }),
      );
      const client = await server.connect();
      void client.send(handshakeRequest());
      expect(await client.response()).toMatchObject({ status: 403, isComplete: false });
      expect(await client.ended()).toBe(carrier.brokenOff);
      expect(server.errors.length).toBe(1);
      expect(server.errors[0]).toContain(failure);
    });
  }
});
