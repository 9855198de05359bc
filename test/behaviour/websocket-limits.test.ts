/**
 * What a session counts as: a connection and a request in hand for as long as it lasts, and one line in the access log
 * when it is over.
 */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { header } from '../support/raw-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { answerHeader, askForWebSocket, openWebSocket } from '../support/websocket-client.ts';
import { clientFrame } from '../support/websocket-frames.ts';
import { until } from '../support/within.ts';
import { CARRIERS, H1_CARRIERS, onEach } from './carriers.ts';
import { acceptingApp, echoing, nextMessage, sendMessage, websocketApp } from './websocket-apps.ts';

onEach(H1_CARRIERS, (carrier) => {
  test('maxConnections: sessions count, and there is room again when one is over', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app, { maxConnections: 2 });
    const peers = [await openWebSocket(server), await openWebSocket(server)];
    const extra = await askForWebSocket(server);
    const answer = await extra.answer();
    expect([answer.status, answerHeader(answer, 'connection')]).toEqual([503, 'close']);
    expect(await extra.ended()).toBe('fin');
    extra.drop();
    for (const peer of peers) {
      await peer.text('inside');
      expect(await peer.nextText()).toBe('inside');
    }
    void peers[0]!.close(1000);
    await endings.next();
    peers[0]!.drop();
    await until(() => server.server.connectionCount < 2, 'the connection to go');
    await (await openWebSocket(server)).text('in');
  });

  test('limitConcurrency: a session counts until its application has returned', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        await sendMessage(send, String(await nextMessage(receive)));
        await receive();
        await gate.promise;
      }),
      { limitConcurrency: 1 },
    );
    const peer = await openWebSocket(server);
    const client = await server.connect();
    const refused = await client.request();
    expect([refused.status, header(refused, 'connection')]).toEqual([503, undefined]);
    const denied = await (await askForWebSocket(server)).answer();
    expect(denied.status).toBe(503);
    expect(answerHeader(denied, 'retry-after')).toMatch(/^[1-9]\d*$/);
    await peer.text('still mine');
    expect(await peer.nextText()).toBe('still mine');
    void peer.close(1000);
    expect((await peer.nextClose()).code).toBe(1000);
    expect(await peer.ended()).toBe('fin');
    expect((await client.request()).status).toBe(503);
    gate.resolve();
    await gate.promise;
    expect((await client.request({ target: '/again' })).body.toString()).toBe('/again');
  });

  for (const [name, end, line] of [
    ['closed by its peer', 'close', '"GET /chat a=b" 101'],
    ['dropped', 'drop', '"GET /chat a=b" 101'],
    ['at fault', 'fault', '"GET /chat a=b" 101'],
  ] as const) {
    test(`a session ${name} has one line in the access log, at its end`, async () => {
      using directory = temporaryDirectory();
      const file = directory.join('access.log');
      const { app, endings } = echoing();
      await using server = await carrier.start(app, {
        accessLog: file,
        accessLogFormat: '"%m %U %q" %s %B %{x-agent}i %D',
      });
      const lines = (): string[] => readFileSync(file, 'latin1').split('\n').filter(Boolean);
      const peer = await openWebSocket(server, { target: '/chat?a=b', headers: [['x-agent', 'me']] });
      await peer.text('hello');
      expect(await peer.nextText()).toBe('hello');
      await server.request({ target: '/between' });
      await until(() => lines().length > 0, 'the line of the request');
      expect(lines().map((each) => each.split(' ')[1])).toEqual(['/between']);
      if (end === 'close') void peer.close(1000);
      else if (end === 'drop') peer.drop();
      else void peer.send(clientFrame({ opcode: 3 }));
      await endings.next();
      await until(() => lines().length > 1, 'the line of the session');
      const [, last] = lines();
      expect(last!.replace('?', '')).toStartWith(line);
      const [bytes, agent, microseconds] = last!.split(' ').slice(-3);
      expect([Number(bytes) >= 7, agent, Number(microseconds) > 0]).toEqual([true, 'me', true]);
    });
  }

  test('handshakes that are refused or denied have a line each, with their status', async () => {
    using directory = temporaryDirectory();
    const file = directory.join('access.log');
    await using server = await carrier.start(
      websocketApp(async ({ path }, receive, send) => {
        await receive();
        if (path === '/close') return send({ type: 'websocket.close' });
        await send({ type: 'websocket.http.response.start', status: 418 });
        await send({ type: 'websocket.http.response.body', body: 'short' });
      }),
      { accessLog: file, accessLogFormat: '%U %s' },
    );
    await (await askForWebSocket(server, { target: '/close' })).answer();
    await (await askForWebSocket(server, { target: '/deny' })).answer();
    await (await askForWebSocket(server, { target: '/two', headers: [['sec-websocket-key', 'x']] })).answer();
    const lines = (): string[] => readFileSync(file, 'latin1').trim().split('\n');
    await until(() => lines().length === 3, 'three lines');
    expect(lines()).toEqual(['/close 403', '/deny 418', '/two 400']);
  });
});

onEach(CARRIERS, (carrier) => {
  test('connectionCount goes back to 0 when the last session is over', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app);
    const peers = await Promise.all(Array.from({ length: 10 }, () => openWebSocket(server)));
    expect(server.server.connectionCount).toBe(10);
    for (const peer of peers) {
      void peer.close(1000);
      expect((await peer.nextClose()).code).toBe(1000);
      expect(await peer.ended()).toBe('fin');
      peer.drop();
      await endings.next();
    }
    await until(() => server.server.connectionCount === 0, 'the connections to go');
  });
});
