/**
 * Whether the peer is still there: pings at an interval, the end of a session whose peer does not answer them or says
 * nothing for too long, and that no deadline of HTTP cuts a session that is merely quiet. These tests mostly wait, so they
 * run side by side.
 */
import { expect, test } from 'bun:test';
import { openWebSocket, OP, type WebSocketPeer } from '../support/websocket-client.ts';
import { until } from '../support/within.ts';
import { CARRIERS, H1_CARRIERS, onEach } from './carriers.ts';
import { acceptingApp, echoing, Endings, sendMessage, websocketApp } from './websocket-apps.ts';

/** The next frame, which must be a ping; answered where `isAnswered`. */
async function nextPing(peer: WebSocketPeer, isAnswered = true): Promise<string> {
  const { opcode, fin, payload } = await peer.frame();
  expect([opcode, fin]).toEqual([OP.ping, true]);
  if (isAnswered) await peer.pong(payload);
  return Buffer.from(payload).toString('latin1');
}

onEach(CARRIERS, (carrier) => {
  test.concurrent('pings come at the interval, and a peer that answers stays', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app, { wsPingInterval: 0.05, wsPingTimeout: 5 });
    const peer = await openWebSocket(server);
    const payloads: string[] = [];
    const began = performance.now();
    for (let i = 0; i < 8; i++) payloads.push(await nextPing(peer));
    expect(performance.now() - began).toBeGreaterThan(300);
    expect(new Set(payloads).size).toBe(8);
    expect(endings.count).toBe(0);
    void peer.close(1000);
    for (let frame = await peer.frame(); frame.opcode !== OP.close; frame = await peer.frame());
    expect(await endings.next()).toBe('1000 ');
  });

  test.concurrent(
    'a peer that does not answer is closed with 1011, then FIN; the app is told keepalive_timeout',
    async () => {
      const { app, endings } = echoing();
      await using server = await carrier.start(app, { wsPingInterval: 0.05, wsPingTimeout: 0.1 });
      const peer = await openWebSocket(server);
      let frame = await peer.frame();
      expect(frame.opcode).toBe(OP.ping);
      while (frame.opcode === OP.ping) frame = await peer.frame();
      expect([frame.opcode, Buffer.from(frame.payload).readUInt16BE(0)]).toEqual([OP.close, 1011]);
      expect(await peer.ended()).toBe('fin');
      expect(await endings.next()).toBe('1006 keepalive_timeout');
      expect(server.errors).toEqual([]);
    },
  );

  test.concurrent('a pong that answers no ping does not count', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app, { wsPingInterval: 0.05, wsPingTimeout: 0.1 });
    const peer = await openWebSocket(server);
    const answers = ['something else', '0', '999', '', '01'];
    let pings = 0;
    for (let frame = await peer.frame(); frame.opcode === OP.ping; frame = await peer.frame()) {
      await peer.pong(answers[pings++ % answers.length]!);
      expect(pings).toBeLessThan(20);
    }
    expect(await endings.next()).toBe('1006 keepalive_timeout');
  });

  test.concurrent('a pong answers the pings before its own too', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app, { wsPingInterval: 0.05, wsPingTimeout: 0.4 });
    const peer = await openWebSocket(server);
    const began = performance.now();
    for (let i = 0; i < 16; i++) await nextPing(peer, i % 3 === 2);
    expect(performance.now() - began).toBeGreaterThan(600);
    expect(endings.count).toBe(0);
  });

  test.concurrent('without a timeout pings go on for ever', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app, { wsPingInterval: 0.03, wsPingTimeout: 0 });
    const peer = await openWebSocket(server);
    for (let i = 0; i < 8; i++) await nextPing(peer, false);
    expect(endings.count).toBe(0);
  });

  test.concurrent(
    'websocket.keepalive takes the place of the options, before and after accept; the last one wins',
    async () => {
      const endings = new Endings();
      await using server = await carrier.start(
        websocketApp(async ({ path }, receive, send) => {
          await receive();
          if (path === '/before') await send({ type: 'websocket.keepalive', interval: 0.03, timeout: 0.1 });
          await send({ type: 'websocket.accept' });
          if (path === '/after') {
            await send({ type: 'websocket.keepalive', interval: 1000 });
            await send({ type: 'websocket.keepalive', interval: 0.03, timeout: 0.1 });
          }
          await endings.follow(receive);
        }),
      );
      for (const target of ['/before', '/after']) {
        const peer = await openWebSocket(server, { target });
        await nextPing(peer);
        while ((await peer.frame()).opcode === OP.ping);
        expect(await endings.next()).toBe('1006 keepalive_timeout');
        expect(await peer.ended()).toBe('fin');
      }
    },
  );

  test.concurrent(
    'websocket.keepalive with 0 turns pings off, and a pong that is awaited is awaited no more',
    async () => {
      const endings = new Endings();
      await using server = await carrier.start(
        acceptingApp((_scope, receive, send) =>
          endings.follow(receive, () => send({ type: 'websocket.keepalive', interval: 0, timeout: 0 })),
        ),
        { wsPingInterval: 0.05, wsPingTimeout: 0.3, wsIdleTimeout: 0.7 },
      );
      const peer = await openWebSocket(server);
      await nextPing(peer, false);
      await peer.text('off');
      // The session ends for being idle, long after a ping and the end of the wait for its pong would have come.
      expect((await peer.nextClose()).code).toBe(1001);
      expect(await endings.next()).toBe('1006 idle_timeout');
    },
  );

  test.concurrent(
    'wsIdleTimeout: a session without messages is closed with 1001, pings and pongs being none',
    async () => {
      const { app, endings } = echoing();
      await using server = await carrier.start(app, { wsPingInterval: 0.05, wsIdleTimeout: 0.3 });
      const peer = await openWebSocket(server);
      const began = performance.now();
      let frame = await peer.frame();
      for (; frame.opcode === OP.ping; frame = await peer.frame()) {
        await peer.pong(frame.payload);
        await peer.ping('mine');
        expect((await peer.frame()).opcode).toBe(OP.pong);
      }
      expect(performance.now() - began).toBeGreaterThan(250);
      expect([frame.opcode, Buffer.from(frame.payload).readUInt16BE(0)]).toEqual([OP.close, 1001]);
      expect(await peer.ended()).toBe('fin');
      expect(await endings.next()).toBe('1006 idle_timeout');
    },
  );

  test.concurrent('wsIdleTimeout: messages either way put it off', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app, { wsPingInterval: 0.1, wsIdleTimeout: 0.6 });
    const peer = await openWebSocket(server);
    // The pings are the clock.
    for (let i = 0; i < 9; i++) {
      await nextPing(peer);
      await peer.text('busy');
      expect(await peer.nextText()).toBe('busy');
    }
    expect(endings.count).toBe(0);
  });

  test.concurrent('a session that is closed is pinged no more', async () => {
    const endings = new Endings();
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        await sendMessage(send, 'open');
        await send({ type: 'websocket.close' });
        await endings.follow(receive);
      }),
      { wsPingInterval: 0.02 },
    );
    const clock = await carrier.start(echoing().app, { wsPingInterval: 0.04 });
    const peer = await openWebSocket(server);
    expect(await peer.nextText()).toBe('open');
    expect((await peer.nextClose()).code).toBe(1000);
    const ticking = await openWebSocket(clock);
    for (let i = 0; i < 3; i++) await nextPing(ticking);
    await clock[Symbol.asyncDispose]();
    void peer.close(1000);
    expect(await peer.ended()).toBe('fin');
    expect(await endings.next()).toBe('1000 ');
  });

  test.concurrent('an app that does not receive is not taken for a peer that does not answer', async () => {
    const gate = Promise.withResolvers<void>();
    const endings = new Endings();
    let received = 0;
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive) => {
        await gate.promise;
        await endings.follow(receive, () => void received++);
      }),
      { wsPingInterval: 0.05, wsPingTimeout: 0.1, maxReceiveQueue: 4 },
    );
    const peer = await openWebSocket(server);
    for (let i = 0; i < 20; i++) await peer.text('waiting');
    // The pongs lie behind messages that nobody receives.
    for (let i = 0; i < 8; i++) await nextPing(peer);
    expect(endings.count).toBe(0);
    gate.resolve();
    await until(() => received === 20, 'the messages');
    for (let i = 0; i < 3; i++) await nextPing(peer);
    expect(endings.count).toBe(0);
  });
});

onEach(H1_CARRIERS, (carrier) => {
  test.concurrent(
    'the deadlines of HTTP do not cut a quiet session, nor one that is quiet inside a frame',
    async () => {
      const { app, endings } = echoing();
      await using server = await carrier.start(app, {
        timeout: 0.1,
        headerTimeout: 0.1,
        bodyTimeout: 0.1,
        requestTimeout: 0.1,
        writeTimeout: 0.1,
        wsPingInterval: 0,
      });
      const quiet = await openWebSocket(server);
      const inside = await openWebSocket(server);
      await inside.send(Uint8Array.of(0x81, 0x85, 0, 0));
      // Connections that are idle, one after another, say how much time has gone by.
      for (let i = 0; i < 4; i++) {
        const idle = await server.connect();
        await idle.request();
        expect(await idle.ended()).toBe('fin');
      }
      await quiet.text('still here');
      expect(await quiet.nextText()).toBe('still here');
      await inside.send(Buffer.from('\0\0hello'));
      expect(await inside.nextText()).toBe('hello');
      expect(endings.count).toBe(0);
    },
  );
});
