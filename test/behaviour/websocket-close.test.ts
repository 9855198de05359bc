/**
 * How a WebSocket ends: the close handshake from either side, FIN behind it and no reset, a client that leaves without
 * one, and an application that returns or fails. However it ends, the application gets one disconnect (RFC 6455 7).
 */
import { expect, test } from 'bun:test';
import { stateOf } from '../support/settled.ts';
import { clientFrame, closeFrame } from '../support/websocket-frames.ts';
import { openWebSocket, OP, type WebSocketPeer } from '../support/websocket-client.ts';
import { until, within } from '../support/within.ts';
import { refusal } from './apps.ts';
import { CARRIERS, onEach } from './carriers.ts';
import { acceptingApp, echoing, Endings, sendMessage } from './websocket-apps.ts';

/** The close handshake of a server that said these, and its end; the peer's own code is 4321. */
async function answerClose(peer: WebSocketPeer, code: number, reason: string): Promise<void> {
  expect(await peer.nextClose()).toEqual({ code, reason });
  void peer.close(4321, 'heard');
  expect(await peer.ended()).toBe('fin');
}

onEach(CARRIERS, (carrier) => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 4999]) {
    test(`the peer closes with ${code}: it is answered with the same, FIN follows, and the app is told`, async () => {
      const { app, endings } = echoing();
      await using server = await carrier.start(app);
      const peer = await openWebSocket(server);
      await peer.text('last words');
      await peer.close(code, 'grüße');
      expect(await peer.nextText()).toBe('last words');
      expect(await peer.nextClose()).toEqual({ code, reason: '' });
      expect(await peer.ended()).toBe('fin');
      expect(await endings.next()).toBe(`${code} grüße`);
      expect(server.errors).toEqual([]);
    });
  }

  test('messages that come in one piece with the close frame are still answered, before it is', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app);
    const peer = await openWebSocket(server);
    const texts = ['one', 'two', 'three'];
    const frames = texts.map((payload) => clientFrame({ opcode: OP.text, payload }));
    await peer.send(Buffer.concat([...frames, closeFrame(1000, 'bye')]));
    for (const text of texts) expect(await peer.nextText()).toBe(text);
    expect(await peer.nextClose()).toEqual({ code: 1000, reason: '' });
    expect(await peer.ended()).toBe('fin');
    expect(await endings.next()).toBe('1000 bye');
  });

  test('the peer closes without a code: the answer has none either, and the app is told 1005', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app);
    const peer = await openWebSocket(server);
    await peer.sendByteByByte(closeFrame());
    expect(await peer.nextClose()).toEqual({ code: 1005, reason: '' });
    expect(await peer.ended()).toBe('fin');
    expect(await endings.next()).toBe('1005 ');
  });

  test('what the peer sends behind its close frame is neither read nor answered with a reset', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app);
    const peer = await openWebSocket(server);
    const message = clientFrame({ opcode: OP.binary, payload: Buffer.alloc(500_000) });
    await peer.send(Buffer.concat([closeFrame(1000, 'bye'), closeFrame(1002), message]));
    for (let i = 0; i < 10; i++) await peer.send(message);
    expect(await peer.nextClose()).toEqual({ code: 1000, reason: '' });
    expect(await peer.ended()).toBe('fin');
    expect(await endings.next()).toBe('1000 bye');
    expect(endings.count).toBe(1);
  });

  test('messages in front of a close frame are received before the disconnect', async () => {
    const gate = Promise.withResolvers<void>();
    const endings = new Endings();
    const received: number[] = [];
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive) => {
        await gate.promise;
        await endings.follow(receive, (message) => void received.push(message.length));
      }),
    );
    const peer = await openWebSocket(server);
    for (let i = 0; i < 20; i++) await peer.text('x'.repeat(i));
    await peer.close(1000, 'that was all');
    expect(await peer.nextClose()).toEqual({ code: 1000, reason: '' });
    expect(await peer.ended()).toBe('fin');
    gate.resolve();
    expect(await endings.next()).toBe('1000 that was all');
    expect(received).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  for (const [name, event, code, reason] of [
    ['no code', {}, 1000, ''],
    ['a code', { code: 3999 }, 3999, ''],
    ['a code and a reason', { code: 4000, reason: 'é'.repeat(61) }, 4000, 'é'.repeat(61)],
  ] as const) {
    test(`the app closes with ${name}: the peer's answer is the disconnect, and the server sends FIN first`, async () => {
      const endings = new Endings();
      await using server = await carrier.start(
        acceptingApp(async (_scope, receive, send) => {
          await sendMessage(send, 'goodbye');
          await send({ type: 'websocket.close', ...event });
          await endings.follow(receive);
        }),
      );
      const peer = await openWebSocket(server);
      expect(await peer.nextText()).toBe('goodbye');
      await answerClose(peer, code, reason);
      expect(await endings.next()).toBe('4321 heard');
      expect(server.errors).toEqual([]);
    });
  }

  test('both close at once: no second close frame, nothing in between is answered or received', async () => {
    const endings = new Endings();
    const received: unknown[] = [];
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        await send({ type: 'websocket.close', code: 4000, reason: 'mine' });
        await endings.follow(receive, (message) => void received.push(message));
      }),
    );
    const peer = await openWebSocket(server);
    await peer.text('sent before I heard');
    await peer.ping('likewise');
    await peer.close(4001, 'yours');
    expect(await peer.nextClose()).toEqual({ code: 4000, reason: 'mine' });
    expect(await peer.ended()).toBe('fin');
    expect(await endings.next()).toBe('4001 yours');
    expect(received).toEqual([]);
  });

  for (const way of ['halfClose', 'reset'] as const) {
    test(`a peer that leaves in place of an answer to the close frame (${way}): 1006 client_closed`, async () => {
      const endings = new Endings();
      await using server = await carrier.start(
        acceptingApp(async (_scope, receive, send) => {
          await send({ type: 'websocket.close', code: 4000 });
          await endings.follow(receive);
        }),
      );
      const peer = await openWebSocket(server);
      expect(await peer.nextClose()).toEqual({ code: 4000, reason: '' });
      peer[way]();
      expect(await endings.next()).toBe('1006 client_closed');
      expect(await peer.ended()).toBe('fin');
      await until(() => server.server.connectionCount === 0, 'the connection to go');
    });
  }

  test('a peer with megabytes on their way gets through to its close frame', async () => {
    const endings = new Endings();
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        await receive();
        await send({ type: 'websocket.close', code: 4000 });
        await endings.follow(receive);
      }),
    );
    const peer = await openWebSocket(server);
    for (let i = 0; i < 100; i++) void peer.binary(Buffer.alloc(100_000, i));
    void peer.close(1000, 'at last');
    expect(await peer.nextClose()).toEqual({ code: 4000, reason: '' });
    expect(await peer.ended()).toBe('fin');
    expect(await endings.next()).toEndWith('1000 at last');
  });

  test('a faulty close is refused; behind a good one a second is nothing, and a message is refused', async () => {
    const refusals: string[] = [];
    await using server = await carrier.start(
      acceptingApp(async (_scope, _receive, send) => {
        for (const fields of [
          ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, '1000'].map((code) => ({ code })),
          { reason: 'x'.repeat(124) },
          { reason: 1 },
        ]) {
          refusals.push(await refusal(send, { type: 'websocket.close', ...fields }));
        }
        await send({ type: 'websocket.close', code: 1000, reason: 'x'.repeat(123) });
        refusals.push(await refusal(send, { type: 'websocket.close', code: 4000 }));
        refusals.push(await refusal(send, { type: 'websocket.send', text: 'late' }));
        refusals.push(await refusal(send, { type: 'websocket.keepalive', interval: 1 }));
      }),
    );
    const peer = await openWebSocket(server);
    expect(await peer.nextClose()).toEqual({ code: 1000, reason: 'x'.repeat(123) });
    expect(refusals.slice(0, 10).every((text) => text.startsWith('websocket.close: code must be '))).toBe(
      true,
    );
    expect(refusals.slice(10)).toEqual([
      expect.stringContaining('websocket.close: reason must be a string of at most 123 bytes, not "xxx'),
      'websocket.close: reason must be a string of at most 123 bytes, not 1',
      'accepted',
      'websocket.send is not allowed after websocket.close',
      'websocket.keepalive is not allowed after websocket.close',
    ]);
    void peer.close(1000);
    expect(await peer.ended()).toBe('fin');
  });

  for (const [name, part] of [
    ['between frames', clientFrame({ opcode: OP.text, payload: 'whole' })],
    ['inside a frame', clientFrame({ opcode: OP.text, payload: 'whole', announcedLength: 100 })],
    ['inside a message', clientFrame({ opcode: OP.text, fin: false, payload: 'whole' })],
    ['inside a close frame', closeFrame(1000, 'bye').subarray(0, 7)],
  ] as const) {
    for (const way of ['halfClose', 'drop', 'reset'] as const) {
      test(`a peer that leaves ${name} (${way}): 1006 client_closed`, async () => {
        const { app, endings } = echoing();
        await using server = await carrier.start(app);
        const peer = await openWebSocket(server);
        await peer.text('before');
        expect(await peer.nextText()).toBe('before');
        await peer.send(part);
        peer[way]();
        expect(await endings.next()).toBe('1006 client_closed');
        await until(() => server.server.connectionCount === 0 || way === 'halfClose', 'the connection to go');
        if (way === 'halfClose') {
          if (name === 'between frames') expect(await peer.nextText()).toBe('whole');
          expect(await peer.ended()).toBe('fin');
        }
        expect(server.errors).toEqual([]);
      });
    }
  }

  test('behind a drop, messages that had arrived are received, sends resolve, and nobody complains', async () => {
    const gate = Promise.withResolvers<void>();
    const endings = new Endings();
    const outcome = Promise.withResolvers<string>();
    let received = 0;
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        await gate.promise;
        await endings.follow(receive, () => void received++);
        await sendMessage(send, Buffer.alloc(1_000_000));
        outcome.resolve(await refusal(send, { type: 'websocket.close' }));
      }),
    );
    const peer = await openWebSocket(server);
    for (let i = 0; i < 3; i++) await peer.text('x');
    peer.halfClose();
    expect(await peer.ended()).toBe('fin');
    gate.resolve();
    expect([await endings.next(), received]).toEqual(['1006 client_closed', 3]);
    expect(await within(outcome.promise, 'the sends')).toBe('accepted');
    expect(server.errors).toEqual([]);
  });

  test('the app returns: 1000, also with messages that it has not received', async () => {
    await using server = await carrier.start(acceptingApp(() => undefined));
    const peer = await openWebSocket(server);
    for (let i = 0; i < 50; i++) void peer.binary(Buffer.alloc(50_000));
    await answerClose(peer, 1000, '');
    expect(server.errors).toEqual([]);
  });

  test('the app throws: 1011 without a word about why, and a line in the log', async () => {
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        await receive();
        await sendMessage(send, 'on my way');
        throw new Error('a secret');
      }),
    );
    const peer = await openWebSocket(server, { target: '/chat' });
    await peer.text('go');
    expect(await peer.nextText()).toBe('on my way');
    await answerClose(peer, 1011, '');
    expect(server.errors.length).toBe(1);
    expect(server.errors[0]).toContain('WebSocket /chat: the application threw: Error: a secret');
  });

  test('the app throws behind its own close, or behind the peer’s: logged where it is its fault', async () => {
    await using server = await carrier.start(
      acceptingApp(async ({ path }, receive, send) => {
        if (path === '/own') await send({ type: 'websocket.close', code: 4000 });
        else await receive();
        throw new Error(`from ${path}`);
      }),
    );
    const own = await openWebSocket(server, { target: '/own' });
    await answerClose(own, 4000, '');
    const left = await openWebSocket(server, { target: '/left' });
    await left.close(1000);
    expect(await left.nextClose()).toEqual({ code: 1000, reason: '' });
    expect(await left.ended()).toBe('fin');
    expect(server.errors.map((line) => /Error: from \/\w+/.exec(line)?.[0])).toEqual(['Error: from /own']);
  });

  test('a receive that waits when the session ends gets the disconnect, one behind it an error', async () => {
    const outcomes = Promise.withResolvers<string[]>();
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive) => {
        const first = receive();
        const second = receive();
        expect(await stateOf(first)).toBe('pending');
        const settled = await Promise.allSettled([first, second, first.then(() => receive())]);
        outcomes.resolve(
          settled.map((it) => (it.status === 'fulfilled' ? it.value.type : String(it.reason))),
        );
      }),
    );
    const peer = await openWebSocket(server);
    await peer.close(1000);
    expect(await within(outcomes.promise, 'the receives', 1000)).toEqual([
      'websocket.disconnect',
      'Error: receive: websocket.disconnect was the last event',
      'Error: receive: websocket.disconnect was the last event',
    ]);
  });

  test('sessions leave nothing behind, however they end', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app);
    for (let round = 0; round < 3; round++) {
      const peers = await Promise.all(Array.from({ length: 20 }, () => openWebSocket(server)));
      for (const [i, peer] of peers.entries()) {
        if (i % 4 === 0) void peer.close(1000);
        else if (i % 4 === 1) peer.reset();
        else if (i % 4 === 2) peer.drop();
        else void peer.send(clientFrame({ opcode: 3 }));
      }
      for (const _ of peers) await endings.next();
      for (const [i, peer] of peers.entries()) if (i % 4 === 0 || i % 4 === 3) peer.drop();
      await until(() => server.server.connectionCount === 0, 'the connections to go');
    }
    expect(server.errors).toEqual([]);
  });
});

test('a peer that never answers the close frame is let go after a few seconds', async () => {
  const endings = new Endings();
  const [carrier] = CARRIERS;
  await using server = await carrier!.start(
    acceptingApp(async ({ path }, receive, send) => {
      if (path === '/returns') return;
      await send({ type: 'websocket.close', code: 4000 });
      await endings.follow(receive);
    }),
  );
  const peers = [await openWebSocket(server), await openWebSocket(server, { target: '/returns' })];
  expect(await peers[0]!.nextClose()).toEqual({ code: 4000, reason: '' });
  expect(await peers[1]!.nextClose()).toEqual({ code: 1000, reason: '' });
  const began = performance.now();
  for (const peer of peers) await peer.text('I go on');
  await until(() => endings.count === 1, 'the end of the session', 8000);
  expect(performance.now() - began).toBeWithin(2000, 8000);
  expect(await endings.next()).toBe('1006 client_timeout');
  for (const peer of peers) expect(await peer.ended()).toBe('fin');
}, 20_000);
