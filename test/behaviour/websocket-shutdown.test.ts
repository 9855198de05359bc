/**
 * Graceful shutdown with WebSockets open: every peer is told 1001 and gets a moment to answer, and neither a peer nor an
 * application that takes no notice holds the process up for longer than `shutdownTimeout`.
 */
import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { askForWebSocket, openWebSocket, OP, type WebSocketPeer } from '../support/websocket-client.ts';
import { clientFrame } from '../support/websocket-frames.ts';
import { until, within } from '../support/within.ts';
import { refusal } from './apps.ts';
import { CARRIERS, onEach } from './carriers.ts';
import { acceptingApp, echoing, Endings, sendMessage, websocketApp } from './websocket-apps.ts';

const GOING_AWAY = { code: 1001, reason: 'the server is shutting down' };

onEach(CARRIERS, (carrier) => {
  test('peers are told 1001, answer, and it is over', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app, { shutdownTimeout: 20 });
    const peers: WebSocketPeer[] = [];
    while (peers.length < 10) peers.push(await openWebSocket(server));
    const stopping = server.server.shutdown();
    for (const peer of peers) {
      expect(await peer.nextClose()).toEqual(GOING_AWAY);
      void peer.close(1001);
      expect(await peer.ended()).toBe('fin');
      expect(await endings.next()).toBe('1001 ');
      peer.drop();
    }
    await within(stopping, 'the end of the shutdown', 2000);
    expect(server.server.connectionCount).toBe(0);
    expect(server.errors).toEqual([]);
    expect(server.log.some((line) => line.includes('cut off'))).toBe(false);
  });

  test('messages that were sent before arrive before the close frame, and those on their way are taken', async () => {
    const endings = new Endings();
    let signal: AbortSignal | undefined;
    const refusals: string[] = [];
    await using server = await carrier.start(
      acceptingApp(async (scope, receive, send) => {
        signal = scope['tsagi.shutdown'];
        signal.addEventListener('abort', () => void sendMessage(send, 'farewell'));
        await endings.follow(receive);
        refusals.push(await refusal(send, { type: 'websocket.send', text: 'too late' }));
      }),
      { shutdownTimeout: 20 },
    );
    const peer = await openWebSocket(server);
    expect(signal!.aborted).toBe(false);
    const stopping = server.server.shutdown();
    expect(await peer.nextText()).toBe('farewell');
    expect(await peer.nextClose()).toEqual(GOING_AWAY);
    expect(signal!.aborted).toBe(true);
    await peer.text('crossing');
    await peer.close(1000, 'understood');
    expect(await endings.next()).toBe('1000 understood');
    expect(await peer.ended()).toBe('fin');
    peer.drop();
    await within(stopping, 'the end of the shutdown', 2000);
    expect(refusals).toEqual(['accepted']);
  });

  test('an application that sends on and on while the server closes is refused nothing', async () => {
    const outcome = Promise.withResolvers<string>();
    await using server = await carrier.start(
      acceptingApp(async (scope, receive, send) => {
        const endings = new Endings();
        void endings.follow(receive);
        const refusals = new Set<string>();
        const tick = async () => refusals.add(await refusal(send, { type: 'websocket.send', text: 'tick' }));
        while (endings.count === 0) await tick();
        await tick();
        outcome.resolve([...refusals, await endings.next(), scope['tsagi.shutdown'].aborted].join(', '));
      }),
      { shutdownTimeout: 20 },
    );
    const peer = await openWebSocket(server);
    expect(await peer.nextText()).toBe('tick');
    const stopping = server.server.shutdown();
    let frame = await peer.frame();
    while (frame.opcode === OP.text) frame = await peer.frame();
    expect(frame.opcode).toBe(OP.close);
    void peer.close(1001);
    expect(await peer.ended()).toBe('fin');
    peer.drop();
    expect(await within(outcome.promise, 'the app')).toBe('accepted, 1001 , true');
    await within(stopping, 'the end of the shutdown', 2000);
  });

  test('a peer that is in the middle of a message can still answer', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app, { shutdownTimeout: 20 });
    const peer = await openWebSocket(server);
    await peer.send(clientFrame({ opcode: OP.binary, payload: Buffer.alloc(1000), fin: false }));
    const stopping = server.server.shutdown();
    expect(await peer.nextClose()).toEqual(GOING_AWAY);
    await peer.send(clientFrame({ opcode: OP.continuation, payload: 'rest' }));
    await peer.close(1001);
    expect(await endings.next()).toBe('1001 ');
    peer.drop();
    await within(stopping, 'the end of the shutdown', 2000);
  });

  test('a peer that never answers is cut off at the deadline', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app, { shutdownTimeout: 0.2 });
    const peer = await openWebSocket(server);
    const stopping = server.server.shutdown();
    expect(await peer.nextClose()).toEqual(GOING_AWAY);
    await peer.ping();
    await within(stopping, 'the end of the shutdown', 2000);
    expect(await endings.next()).toBe('1006 server_shutdown');
    expect(await peer.ended()).toBe(carrier.brokenOff);
    expect(server.server.connectionCount).toBe(0);
  });

  test('a peer that does not even read is cut off at the deadline', async () => {
    const endings = new Endings();
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        await sendMessage(send, Buffer.alloc(15_000_000));
        await endings.follow(receive);
      }),
      { shutdownTimeout: 0.2 },
    );
    const peer = await openWebSocket(server);
    peer.pause();
    await within(server.server.shutdown(), 'the end of the shutdown', 2000);
    expect(await endings.next()).toBe('1006 server_shutdown');
  });

  test('an app that takes no notice does not hold up its peer, nor the process beyond the deadline', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await carrier.start(
      acceptingApp(() => gate.promise),
      { shutdownTimeout: 0.3 },
    );
    const peer = await openWebSocket(server);
    const stopping = server.server.shutdown();
    expect(await peer.nextClose()).toEqual(GOING_AWAY);
    void peer.close(1001);
    expect(await peer.ended()).toBe('fin');
    peer.drop();
    await within(stopping, 'the end of the shutdown', 2000);
    expect(
      server.log.filter((line) => line.startsWith('warn shutdown: 0 connections and 1 requests')).length,
    ).toBe(1);
    expect(server.errors).toEqual([]);
    gate.resolve();
  });

  test('an app that waits with a full inbox is told as well', async () => {
    const gate = Promise.withResolvers<void>();
    const endings = new Endings();
    let received = 0;
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive) => {
        await gate.promise;
        await endings.follow(receive, () => void received++);
      }),
      { shutdownTimeout: 20, maxReceiveQueue: 2 },
    );
    const peer = await openWebSocket(server);
    for (let i = 0; i < 40; i++) await peer.text('waiting');
    const stopping = server.server.shutdown();
    expect(await peer.nextClose()).toEqual(GOING_AWAY);
    await peer.close(1001);
    expect(await peer.ended()).toBe('fin');
    gate.resolve();
    expect(await endings.next()).toBe('1001 ');
    expect(received).toBeWithin(2, 41);
    peer.drop();
    await within(stopping, 'the end of the shutdown', 2000);
  });

  test('a handshake that is accepted while the server stops is answered and closed at once', async () => {
    const gate = Promise.withResolvers<void>();
    const endings = new Endings();
    let signal: AbortSignal | undefined;
    const server = await carrier.start(
      websocketApp(async (scope, receive, send) => {
        signal = scope['tsagi.shutdown'];
        await receive();
        await gate.promise;
        await send({ type: 'websocket.accept' });
        await endings.follow(receive);
      }),
      { shutdownTimeout: 20 },
    );
    const peer = await askForWebSocket(server);
    await until(() => signal !== undefined, 'the app');
    const idle = await server.connect();
    await until(() => server.server.connectionCount === 2, 'the idle connection');
    const stopping = server.server.shutdown();
    expect(await idle.ended()).toBe('fin');
    expect(signal!.aborted).toBe(true);
    gate.resolve();
    expect((await peer.answer()).status).toBe(carrier.accepted);
    expect(await peer.nextClose()).toEqual(GOING_AWAY);
    await peer.close(1001);
    expect(await endings.next()).toBe('1001 ');
    peer.drop();
    await within(stopping, 'the end of the shutdown', 2000);
  });

  test('a handshake that is not answered at all is cut off at the deadline', async () => {
    const endings = new Endings();
    await using server = await carrier.start(
      websocketApp(async (_scope, receive) => {
        await receive();
        await endings.follow(receive);
      }),
      { shutdownTimeout: 0.2 },
    );
    const peer = await askForWebSocket(server);
    await server.request();
    await within(server.server.shutdown(), 'the end of the shutdown', 2000);
    expect(await endings.next()).toBe('1006 server_shutdown');
    expect(await peer.ended()).toBe(carrier.brokenOff);
    expect(peer.bytesReceived).toBe(0);
  });

  test('every descriptor is given back', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    const { app, endings } = echoing();
    // Whatever is opened once and kept.
    await (await carrier.start(app))[Symbol.asyncDispose]();
    const before = open();
    {
      await using server = await carrier.start(app, { shutdownTimeout: 20 });
      const peers = await Promise.all(Array.from({ length: 30 }, () => openWebSocket(server)));
      expect(open()).toBeGreaterThan(before + 59);
      for (const peer of peers.slice(0, 10)) peer.reset();
      for (const peer of peers.slice(10, 20)) void peer.close(1000);
      await until(() => endings.count === 20, 'the sessions');
      const stopping = server.server.shutdown();
      for (const peer of peers.slice(20)) {
        expect(await peer.nextClose()).toEqual(GOING_AWAY);
        void peer.close(1001);
      }
      await within(stopping, 'the end of the shutdown', 2000);
      expect(server.server.connectionCount).toBe(0);
    }
    await until(() => open() <= before, 'the descriptors to be closed');
  });
});
