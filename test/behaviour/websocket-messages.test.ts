/**
 * Messages over an open WebSocket: they arrive whole and unchanged however long they are and however they were cut, in
 * order, and pings are answered in between (RFC 6455 5 and 6).
 */
import { expect, test } from 'bun:test';
import { clientFrame } from '../support/websocket-frames.ts';
import { OP, openWebSocket } from '../support/websocket-client.ts';
import { refusal } from './apps.ts';
import { CARRIERS, onEach } from './carriers.ts';
import { acceptingApp, echoing, nextMessage, sendMessage } from './websocket-apps.ts';

/** Each side of every change of the length's form, and one that no socket buffer holds. */
const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 1_048_576];

function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = (at * 31 + (at >> 8)) & 0xff;
  return bytes;
}

/** Printable ASCII. */
function letters(size: number): string {
  return Buffer.from(pattern(size).map((byte) => 32 + (byte % 95))).toString();
}

onEach(CARRIERS, (carrier) => {
  for (const size of SIZES) {
    test(`a text of ${size} bytes comes back as it was`, async () => {
      await using server = await carrier.start(echoing().app);
      const peer = await openWebSocket(server);
      const text = letters(size);
      void peer.text(text);
      expect((await peer.nextText()) === text).toBe(true);
    });

    test(`a binary message of ${size} bytes comes back as it was`, async () => {
      await using server = await carrier.start(echoing().app);
      const peer = await openWebSocket(server);
      const bytes = pattern(size);
      void peer.binary(bytes);
      const { opcode, fin, rsv1, payload } = await peer.frame();
      expect([opcode, fin, rsv1]).toEqual([OP.binary, true, false]);
      expect(bytes.equals(payload)).toBe(true);
    });
  }

  for (const size of SIZES) {
    test(`a message of ${size} bytes whose first bytes arrive one by one comes back as it was`, async () => {
      await using server = await carrier.start(echoing().app);
      const peer = await openWebSocket(server);
      const frame = clientFrame({ opcode: OP.text, payload: letters(size) });
      await peer.sendByteByByte(frame.subarray(0, 150));
      void peer.send(frame.subarray(150));
      expect((await peer.nextText()) === letters(size)).toBe(true);
    });
  }

  test('a large message in pieces of an odd size, with others around it, comes back as it was', async () => {
    await using server = await carrier.start(echoing().app);
    const peer = await openWebSocket(server);
    const large = pattern(300_000);
    const bytes = Buffer.concat([
      clientFrame({ opcode: OP.text, payload: 'before' }),
      clientFrame({ opcode: OP.binary, payload: large, mask: [0xff, 0, 0x80, 1] }),
      clientFrame({ opcode: OP.text, payload: 'behind', mask: [0, 0, 0, 0] }),
    ]);
    for (let at = 0; at < bytes.length; at += 997) await peer.send(bytes.subarray(at, at + 997));
    expect(await peer.nextText()).toBe('before');
    expect(large.equals((await peer.frame()).payload)).toBe(true);
    expect(await peer.nextText()).toBe('behind');
  });

  test('a fragmented text with pings between is one message, and the pongs come first', async () => {
    await using server = await carrier.start(echoing().app);
    const peer = await openWebSocket(server);
    const bytes = Buffer.from('grüß dich, 世界 🎈');
    await peer.send(clientFrame({ opcode: OP.text, fin: false, payload: bytes.subarray(0, 3) }));
    await peer.ping('one');
    expect(await peer.frame()).toMatchObject({ opcode: OP.pong, payload: Buffer.from('one') });
    await peer.send(clientFrame({ opcode: OP.continuation, fin: false, payload: '' }));
    await peer.send(clientFrame({ opcode: OP.continuation, fin: false, payload: bytes.subarray(3, 16) }));
    await peer.ping('two');
    await peer.send(clientFrame({ opcode: OP.continuation, payload: bytes.subarray(16) }));
    expect(await peer.frame()).toMatchObject({ opcode: OP.pong, payload: Buffer.from('two') });
    expect(await peer.nextText()).toBe('grüß dich, 世界 🎈');
  });

  test('a fragmented message in one write, with a ping inside, and one that arrives byte by byte', async () => {
    await using server = await carrier.start(echoing().app);
    const peer = await openWebSocket(server);
    const frames = Buffer.concat([
      clientFrame({ opcode: OP.binary, fin: false, payload: Uint8Array.of(1, 2) }),
      clientFrame({ opcode: OP.ping, payload: 'x'.repeat(125) }),
      clientFrame({ opcode: OP.continuation, payload: Uint8Array.of(3) }),
    ]);
    for (const way of ['whole', 'byte by byte']) {
      await (way === 'whole' ? peer.send(frames) : peer.sendByteByByte(frames));
      expect(await peer.frame()).toMatchObject({ opcode: OP.pong, payload: Buffer.alloc(125, 'x') });
      expect(await peer.frame()).toMatchObject({ opcode: OP.binary, payload: Buffer.of(1, 2, 3) });
    }
  });

  test('a ping is answered while the application has nothing to receive with', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await carrier.start(acceptingApp(() => gate.promise));
    const peer = await openWebSocket(server);
    await peer.ping('still there?');
    expect(await peer.frame()).toMatchObject({ opcode: OP.pong, payload: Buffer.from('still there?') });
    gate.resolve();
  });

  test('a pong that nobody asked for means nothing', async () => {
    await using server = await carrier.start(echoing().app);
    const peer = await openWebSocket(server);
    await peer.pong('1');
    await peer.pong('');
    await peer.text('after');
    expect(await peer.nextText()).toBe('after');
  });

  test('many messages in one write come back in their order', async () => {
    await using server = await carrier.start(echoing().app);
    const peer = await openWebSocket(server);
    const texts = Array.from({ length: 2000 }, (_, i) => `message ${i}`);
    void peer.send(Buffer.concat(texts.map((payload) => clientFrame({ opcode: OP.text, payload }))));
    for (const text of texts) expect(await peer.nextText()).toBe(text);
  });

  test('bytes that were received are the application’s: what comes later does not change them', async () => {
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        const kept = [await nextMessage(receive), await nextMessage(receive), await nextMessage(receive)];
        for (const message of kept) await sendMessage(send, message!);
      }),
    );
    const peer = await openWebSocket(server);
    for (const size of [10, 1000, 100_000]) {
      const fill = size % 251;
      await peer.binary(Buffer.alloc(size, fill));
    }
    for (const size of [10, 1000, 100_000]) {
      const { payload } = await peer.frame();
      expect(Buffer.alloc(size, size % 251).equals(payload)).toBe(true);
    }
  });

  test('bytes that were sent may be changed by the application as soon as send has resolved', async () => {
    await using server = await carrier.start(
      acceptingApp(async (_scope, _receive, send) => {
        for (const size of [10, 1000, 40_000, 200_000]) {
          const bytes = Buffer.alloc(size, 'a');
          await send({ type: 'websocket.send', bytes });
          bytes.fill('b');
        }
      }),
    );
    const peer = await openWebSocket(server);
    for (const size of [10, 1000, 40_000, 200_000]) {
      const { payload } = await peer.frame();
      expect(Buffer.alloc(size, 'a').equals(payload)).toBe(true);
    }
  });

  test('a string as bytes is sent as UTF-8 in a binary message', async () => {
    await using server = await carrier.start(
      acceptingApp((_scope, _receive, send) => send({ type: 'websocket.send', bytes: 'né 🎈' })),
    );
    const peer = await openWebSocket(server);
    expect(await peer.frame()).toMatchObject({ opcode: OP.binary, payload: Buffer.from('né 🎈') });
  });

  test('text and bytes are told apart, and several calls of receive are served in order', async () => {
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        const events = await Promise.all([receive(), receive(), receive()]);
        const described = events.map((event) =>
          event.type === 'websocket.receive'
            ? `${Object.keys(event).sort().join()}:${String(event.text ?? Buffer.from(event.bytes).toString())}`
            : event.type,
        );
        await sendMessage(send, described.join(' '));
      }),
    );
    const peer = await openWebSocket(server);
    await peer.text('a');
    await peer.binary(Buffer.from('b'));
    await peer.text('');
    expect(await peer.nextText()).toBe('text,type:a bytes,type:b text,type:');
  });

  test('a faulty send is refused, says why, and leaves nothing on the wire', async () => {
    const refusals: string[] = [];
    await using server = await carrier.start(
      acceptingApp(async (_scope, _receive, send) => {
        for (const event of [
          { type: 'websocket.send' },
          { type: 'websocket.send', text: 'a', bytes: Uint8Array.of(1) },
          { type: 'websocket.send', text: 1 },
          { type: 'websocket.send', bytes: [1, 2] },
          { type: 'websocket.keepalive', interval: -1 },
          { type: 'websocket.keepalive', interval: 1, timeout: '1' },
          { type: 'websocket.accept' },
          { type: 'http.response.start', status: 200 },
          null,
        ]) {
          refusals.push(await refusal(send, event));
        }
        await sendMessage(send, 'fine');
      }),
    );
    const peer = await openWebSocket(server);
    expect(await peer.nextText()).toBe('fine');
    expect(refusals).toEqual([
      'websocket.send: exactly one of text and bytes must be given',
      'websocket.send: exactly one of text and bytes must be given',
      'websocket.send: text must be a string, not 1',
      'websocket.send: bytes must be a Uint8Array or a string, not an array of 2',
      'websocket.keepalive: interval must be a non-negative number of seconds, not -1',
      'websocket.keepalive: timeout must be a non-negative number of seconds, not "1"',
      'websocket.accept is not allowed once the session is open',
      'send: unknown event type "http.response.start" on a websocket scope',
      'send: an event must be an object with a type, not null',
    ]);
  });

  test('two hundred sessions at once keep their messages apart', async () => {
    await using server = await carrier.start(echoing().app);
    const peers = await Promise.all(Array.from({ length: 200 }, () => openWebSocket(server)));
    for (const [i, peer] of peers.entries()) void peer.text(`for ${i}`);
    for (const [i, peer] of peers.entries()) expect(await peer.nextText()).toBe(`for ${i}`);
    expect(server.server.connectionCount).toBe(200);
  });
});
