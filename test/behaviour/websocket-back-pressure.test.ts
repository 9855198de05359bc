/**
 * Flow control both ways: a peer that sends faster than the application receives is held back by its own transport and loses
 * nothing; a peer that does not read makes `send` wait, and costs the server the high-water mark and one message.
 */
import { expect, test } from 'bun:test';
import type { TransportState } from '../../src/contract/handles.ts';
import { stateOf } from '../support/settled.ts';
import type { TestServer } from '../support/start-server.ts';
import { openWebSocket, OP, type WebSocketPeer } from '../support/websocket-client.ts';
import { clientFrame } from '../support/websocket-frames.ts';
import { until, within } from '../support/within.ts';
import { CARRIERS, onEach } from './carriers.ts';
import { acceptingApp, echoing, Endings, nextMessage, sendMessage } from './websocket-apps.ts';

const MEBIBYTE = 1_048_576;
/** More than the socket buffers of both sides and what the server reads ahead. */
const HELD = 24 * MEBIBYTE;

/** Sends `count` binary messages of `size` bytes that begin with their number, some 64 KiB when those before have left. */
async function sendNumbered(peer: WebSocketPeer, count: number, size: number): Promise<void> {
  // Masked with zeros, so that the number can be put in its place.
  const frame = Buffer.from(
    clientFrame({ opcode: OP.binary, payload: Buffer.alloc(size), mask: [0, 0, 0, 0] }),
  );
  const perWrite = Math.ceil(65_536 / frame.length);
  const batch = Buffer.concat(Array.from({ length: perWrite }, () => frame));
  for (let number = 0; number < count; number += perWrite) {
    const frames = Math.min(perWrite, count - number);
    for (let i = 0; i < frames; i++) batch.writeUInt32BE(number + i, (i + 1) * frame.length - size);
    await peer.send(batch.subarray(0, frames * frame.length));
  }
}

/** Waits until `count` stands still while ten requests come and go. */
async function standsStill(server: TestServer, count: () => number): Promise<void> {
  for (let quiet = 0, before = -1; quiet < 10; before = count()) {
    await server.request();
    quiet = count() === before ? quiet + 1 : 0;
  }
}

onEach(CARRIERS, (carrier) => {
  for (const [name, count, size, maxReceiveQueue] of [
    ['100 MB in large messages', 1600, 62_500, 32],
    ['large messages without a bound on their number', 1600, 62_500, 0],
    ['many small messages', 600_000, 50, 32],
  ] as const) {
    test(`${name}: a peer is held back while the app does not receive, and everything arrives in order`, async () => {
      const gate = Promise.withResolvers<void>();
      const arrived = Promise.withResolvers<number>();
      await using server = await carrier.start(
        acceptingApp(async (_scope, receive, send) => {
          await gate.promise;
          let number = 0;
          for (; number < count; number++) {
            const message = (await nextMessage(receive)) as Uint8Array;
            if (message.length !== size || Buffer.from(message).readUInt32BE(0) !== number) break;
          }
          arrived.resolve(number);
          await sendMessage(send, 'all of it');
        }),
        { maxReceiveQueue },
      );
      const peer = await openWebSocket(server);
      Bun.gc(true);
      const before = process.memoryUsage().rss;
      const sending = sendNumbered(peer, count, size);
      await peer.settled(() => server.request());
      expect(peer.bytesSent).toBeWithin(1, HELD);
      expect(process.memoryUsage().rss - before).toBeLessThan(48 * MEBIBYTE);
      expect([peer.ending, server.errors]).toEqual(['open', []]);
      gate.resolve();
      expect(await within(arrived.promise, 'all messages', 15_000)).toBe(count);
      await sending;
      expect(await peer.nextText()).toBe('all of it');
    }, 30_000);
  }

  test('a peer that is held back can still leave, and its close frame is found behind its messages', async () => {
    const gate = Promise.withResolvers<void>();
    const endings = new Endings();
    let received = 0;
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive) => {
        await gate.promise;
        await endings.follow(receive, () => void received++);
      }),
    );
    const peer = await openWebSocket(server);
    const sending = sendNumbered(peer, 500, 62_500).then(() => peer.close(1000, 'done'));
    await peer.settled(() => server.request());
    gate.resolve();
    await sending;
    expect(await peer.nextClose()).toEqual({ code: 1000, reason: '' });
    expect(await peer.ended()).toBe('fin');
    expect([await endings.next(), received]).toEqual(['1000 done', 500]);
  });

  test('a peer that is held back and resets is noticed at once', async () => {
    const gate = Promise.withResolvers<void>();
    const endings = new Endings();
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive) => {
        await gate.promise;
        await endings.follow(receive);
      }),
    );
    const peer = await openWebSocket(server);
    void sendNumbered(peer, 500, 62_500);
    await peer.settled(() => server.request());
    peer.reset();
    gate.resolve();
    expect(await endings.next()).toBe('1006 client_closed');
    expect(server.errors).toEqual([]);
  });

  test('a peer that does not read costs the high-water mark and one message, and send waits for it', async () => {
    const size = 10_000;
    const count = 2500;
    let most = 0;
    let sent = 0;
    let transport: TransportState | undefined;
    await using server = await carrier.start(
      acceptingApp(async (scope, _receive, send) => {
        transport = scope['tsagi.transport'];
        const bytes = Buffer.alloc(size, 'b');
        for (sent = 0; sent < count; sent++) {
          await send({ type: 'websocket.send', bytes });
          most = Math.max(most, transport.bufferedAmount);
        }
      }),
    );
    const peer = await openWebSocket(server);
    peer.pause();
    await standsStill(server, () => sent);
    expect(sent).toBeLessThan(count);
    expect(transport!.bufferedAmount).toBeWithin(1, 65_536 + size + 10);
    peer.resume();
    for (let i = 0; i < count; i++) expect((await peer.frame()).payload.length).toBe(size);
    expect((await peer.nextClose()).code).toBe(1000);
    expect(most).toBeLessThan(65_536 + size + 10);
    expect(transport!.bufferedAmount).toBe(0);
  });

  test('send stays pending above the high-water mark and resolves when the peer reads, or leaves', async () => {
    const states: string[] = [];
    const sends: Promise<void>[] = [];
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        const sending = sendMessage(send, Buffer.alloc(12_000_000));
        states.push(await stateOf(sending));
        sends.push(sending);
        await receive();
      }),
    );
    const peers = [await openWebSocket(server), await openWebSocket(server)];
    for (const peer of peers) peer.pause();
    await until(() => states.length === 2, 'the sends');
    expect(states).toEqual(['pending', 'pending']);
    peers[0]!.resume();
    peers[1]!.reset();
    expect((await peers[0]!.frame()).payload.length).toBe(12_000_000);
    await within(Promise.all(sends), 'the sends to resolve');
    expect(server.errors).toEqual([]);
  });

  test('onHighWater and onDrain fire in turns, once for each crossing', async () => {
    const events: string[] = [];
    await using server = await carrier.start(
      acceptingApp(async (scope, _receive, send) => {
        const transport = scope['tsagi.transport'];
        transport.onDrain(() => events.push(`drain ${transport.bufferedAmount <= transport.lowWaterMark}`));
        transport.onHighWater(() =>
          events.push(`high ${transport.bufferedAmount > transport.highWaterMark}`),
        );
        transport.onHighWater(() => events.push('unregistered'))();
        for (let i = 0; i < 30; i++) await sendMessage(send, Buffer.alloc(300_000));
      }),
      { writeHighWatermark: 100_000, writeLowWatermark: 20_000 },
    );
    const peer = await openWebSocket(server);
    peer.pause();
    await until(() => events.length > 0, 'the high-water mark');
    expect(events).toEqual(['high true']);
    peer.resume();
    for (let i = 0; i < 30; i++) expect((await peer.frame()).payload.length).toBe(300_000);
    expect(events.length).toBeGreaterThan(1);
    expect(events.every((event, i) => event === (i % 2 === 0 ? 'high true' : 'drain true'))).toBe(true);
  });

  test('an application that does not wait for send sees it in bufferedAmount, and is cut off', async () => {
    const endings = new Endings();
    const amounts: number[] = [];
    await using server = await carrier.start(
      acceptingApp(async (scope, receive, send) => {
        const transport = scope['tsagi.transport'];
        for (let i = 0; i < 60; i++) {
          void sendMessage(send, Buffer.alloc(MEBIBYTE));
          amounts.push(transport.bufferedAmount);
        }
        await endings.follow(receive);
      }),
    );
    const peer = await openWebSocket(server, { target: '/feed' });
    peer.pause();
    expect(await endings.next()).toBe('1006 queue_overflow');
    expect(Math.max(...amounts)).toBeWithin(16 * MEBIBYTE, 18 * MEBIBYTE);
    expect(amounts.at(-1)).toBe(0);
    const line = server.errors.find((each) => each.includes('/feed'));
    expect(line).toContain('the application sends on without waiting for send; ');
    expect(server.errors.length).toBe(1);
    if (carrier.protocol === 'h2') peer.drop();
    await until(() => server.server.connectionCount === 0, 'the connection to go');
  });

  test('so is one that answers every message without waiting, to a peer that sends and never reads', async () => {
    const endings = new Endings();
    await using server = await carrier.start(
      acceptingApp((_scope, receive, send) =>
        endings.follow(receive, (message) => void sendMessage(send, message)),
      ),
    );
    const peer = await openWebSocket(server);
    peer.pause();
    void sendNumbered(peer, 800, 62_500);
    expect(await endings.next()).toBe('1006 queue_overflow');
    expect(server.errors.length).toBe(1);
  });

  test('a peer that pings and never reads the pongs is bounded as well', async () => {
    const gate = Promise.withResolvers<void>();
    let transport: TransportState | undefined;
    await using server = await carrier.start(
      acceptingApp((scope) => {
        transport = scope['tsagi.transport'];
        return gate.promise;
      }),
    );
    const peer = await openWebSocket(server);
    peer.pause();
    const ping = clientFrame({ opcode: OP.ping, payload: 'x'.repeat(125) });
    const pings = Buffer.concat(Array.from({ length: 5000 }, () => ping));
    const sending = (async () => {
      for (let i = 0; i < 80 && peer.ending === 'open'; i++) await peer.send(pings);
    })();
    await Promise.race([sending, peer.settled(() => server.request())]);
    expect(server.errors).toEqual([]);
    expect(transport!.bufferedAmount).toBeLessThan(2 * MEBIBYTE);
    peer.resume();
    await peer.ping('the last');
    let frame = await peer.frame();
    for (; Buffer.from(frame.payload).toString() !== 'the last'; frame = await peer.frame()) {
      expect([frame.opcode, frame.payload.length]).toEqual([OP.pong, 125]);
    }
    await sending;
    expect(frame.opcode).toBe(OP.pong);
    gate.resolve();
  });

  test('writeTimeout: a peer that takes nothing is let go', async () => {
    const endings = new Endings();
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        await sendMessage(send, Buffer.alloc(20_000_000));
        await endings.follow(receive);
      }),
      { writeTimeout: 0.2 },
    );
    const peer = await openWebSocket(server);
    peer.pause();
    expect(await endings.next()).toBe('1006 write_timeout');
    expect(server.errors).toEqual([]);
    peer.resume();
    await until(() => peer.ending !== 'open', 'the end as the peer sees it');
    if (carrier.protocol === 'h2') peer.drop();
    await until(() => server.server.connectionCount === 0, 'the connection to go');
    expect(peer.bytesReceived).toBeLessThan(20_000_000);
  });

  test('a session that sends without end to a peer that takes everything starves nobody', async () => {
    const stopping = new AbortController();
    let sentInOneTurn: number | undefined;
    await using server = await carrier.start(
      acceptingApp(async ({ path }, receive, send) => {
        if (path === '/echo') return sendMessage(send, (await nextMessage(receive))!);
        let sent = 0;
        setImmediate(() => (sentInOneTurn ??= sent));
        for (; !stopping.signal.aborted; sent++) await sendMessage(send, 'a little');
      }),
    );
    const endless = [await openWebSocket(server), await openWebSocket(server)];
    const peer = await openWebSocket(server, { target: '/echo' });
    for (const each of endless) expect(await each.nextText()).toBe('a little');
    await peer.text('in time');
    expect(await peer.nextText()).toBe('in time');
    expect((await server.request({ target: '/too' })).body.toString()).toBe('/too');
    endless[0]!.reset();
    expect((await server.request({ target: '/still' })).body.toString()).toBe('/still');
    // The peers are in this process, and could take nothing meanwhile: it is the sends that have waited for a turn.
    expect(sentInOneTurn).toBeWithin(1, 1000);
    stopping.abort();
  });

  test('a peer that floods the server starves nobody', async () => {
    await using server = await carrier.start(echoing().app);
    const flooding = await openWebSocket(server);
    const frame = clientFrame({ opcode: OP.text, payload: 'x' });
    const flood = Buffer.concat(Array.from({ length: 20_000 }, () => frame));
    const stopping = new AbortController();
    const sending = (async () => {
      while (!stopping.signal.aborted) await flooding.send(flood);
    })();
    expect(await flooding.nextText()).toBe('x');
    const peer = await openWebSocket(server);
    for (let i = 0; i < 5; i++) {
      await peer.text(`in time ${i}`);
      expect(await peer.nextText()).toBe(`in time ${i}`);
    }
    stopping.abort();
    flooding.drop();
    await sending;
  });
});
