/**
 * What a peer does wrong: it reads the close frame that says so and then FIN, whatever else it has sent, and the
 * application gets one disconnect and nothing of what stands behind the fault (RFC 6455 7.1.7, 8.1).
 */
import { expect, test } from 'bun:test';
import { clientFrame, closeFrame } from '../support/websocket-frames.ts';
import { openWebSocket, OP } from '../support/websocket-client.ts';
import { CARRIERS, onEach } from './carriers.ts';
import { acceptingApp, Endings, sendMessage } from './websocket-apps.ts';

const LIMITS = { maxWsFrameSize: 1000, maxWsMessageSize: 1500 };

const text = (payload: string | Uint8Array, fin = true) => clientFrame({ opcode: OP.text, payload, fin });
const more = (payload: string | Uint8Array, fin = true) =>
  clientFrame({ opcode: OP.continuation, payload, fin });

/** A frame that announces more than it brings. */
const begun = (payload: Uint8Array | string, opcode: number = OP.text) =>
  clientFrame({ opcode, payload, announcedLength: 100 });

interface Fault {
  readonly name: string;
  readonly code: 1002 | 1007 | 1009;
  readonly frames: readonly Uint8Array[];
}

const fault = (code: Fault['code'], name: string, ...frames: Uint8Array[]): Fault => ({ name, code, frames });

const FAULTS: readonly Fault[] = [
  fault(1002, 'RSV1 without an extension', clientFrame({ opcode: OP.text, payload: 'x', rsv1: true })),
  fault(1002, 'RSV2', clientFrame({ opcode: OP.binary, payload: 'x', rsv2: true })),
  fault(1002, 'RSV3 on a ping', clientFrame({ opcode: OP.ping, rsv3: true })),
  ...[3, 7, 11, 15].map((opcode) => fault(1002, `opcode ${opcode}`, clientFrame({ opcode, payload: 'x' }))),
  fault(1002, 'an unmasked text', clientFrame({ opcode: OP.text, payload: 'plain', mask: false })),
  fault(1002, 'an unmasked ping', clientFrame({ opcode: OP.ping, mask: false })),
  fault(1002, 'an unmasked close frame', clientFrame({ opcode: OP.close, mask: false })),
  fault(1002, 'a fragmented ping', clientFrame({ opcode: OP.ping, payload: 'x', fin: false })),
  fault(1002, 'a fragmented close frame', clientFrame({ opcode: OP.close, fin: false })),
  fault(1002, 'a ping of 126 bytes', clientFrame({ opcode: OP.ping, payload: 'x'.repeat(126) })),
  fault(1002, 'a close frame of 126 bytes', closeFrame(1000, 'x'.repeat(124))),
  fault(1002, 'a continuation of nothing', more('x')),
  fault(1002, 'a continuation behind a whole message', text('a', false), more('b'), more('c')),
  fault(1002, 'a message inside another', text('a', false), text('b')),
  fault(1002, 'binary inside a fragmented text', text('a', false), clientFrame({ opcode: OP.binary })),
  fault(
    1002,
    '16 bits for a length of 125',
    clientFrame({ opcode: OP.text, payload: 'x'.repeat(125), lengthForm: 16 }),
  ),
  fault(1002, '64 bits for a length of 1', clientFrame({ opcode: OP.text, payload: 'x', lengthForm: 64 })),
  fault(1002, 'a length of 2 to the 63rd', clientFrame({ opcode: OP.text, announcedLength: 2n ** 63n })),
  fault(1002, 'a close frame of one byte', clientFrame({ opcode: OP.close, payload: Uint8Array.of(3) })),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535].map((code) =>
    fault(1002, `close code ${code}`, closeFrame(code, 'x')),
  ),
  fault(1007, 'text that is not UTF-8', text(Uint8Array.of(0x61, 0xff))),
  fault(1007, 'a surrogate', text(Uint8Array.of(0xed, 0xa0, 0x80))),
  fault(1007, 'a character that is cut off', text(Uint8Array.of(0xe2, 0x82))),
  fault(
    1007,
    'a character that ends wrongly in the next fragment',
    text(Uint8Array.of(0xe2, 0x82), false),
    more('a'),
  ),
  fault(1007, 'invalid bytes in a frame that is not complete', begun(Uint8Array.of(0x61, 0xc0, 0xaf))),
  fault(
    1007,
    'invalid bytes in a message that is not complete',
    text('a', false),
    more(Uint8Array.of(0x80), false),
  ),
  fault(1007, 'a close reason that is not UTF-8', closeFrame(1000, Uint8Array.of(0x61, 0xff))),
  fault(1007, 'a close reason that is cut off', closeFrame(1000, Uint8Array.of(0xe2, 0x82))),
  fault(1009, 'a frame over the limit', clientFrame({ opcode: OP.binary, payload: Buffer.alloc(1001) })),
  fault(
    1009,
    'a frame over the limit, of which only the head is there',
    clientFrame({ opcode: OP.text, announcedLength: 1001 }),
  ),
  fault(1009, 'an absurd length', clientFrame({ opcode: OP.binary, announcedLength: 2n ** 62n })),
  fault(1009, 'a message over the limit', text('x'.repeat(1000), false), more('x'.repeat(501))),
  fault(
    1009,
    'a message over the limit in many fragments',
    text('x', false),
    ...Array.from({ length: 4 }, () => more('x'.repeat(400), false)),
  ),
];

const REASONS = { 1002: 'protocol_error', 1007: 'protocol_error', 1009: 'body_too_large' };

onEach(CARRIERS, (carrier) => {
  const recording = async (options = {}) => {
    const endings = new Endings();
    const received: unknown[] = [];
    const server = await carrier.start(
      acceptingApp((_scope, receive, send) =>
        endings.follow(receive, (message) => {
          received.push(message);
          return sendMessage(send, message);
        }),
      ),
      { ...LIMITS, ...options },
    );
    return Object.assign(server, { endings, received });
  };

  for (const { name, code, frames } of FAULTS) {
    test(`${name}: ${code}`, async () => {
      await using server = await recording();
      const bytes = Buffer.concat([text('before'), ...frames]);
      for (const way of ['whole', 'with more behind', 'byte by byte']) {
        const peer = await openWebSocket(server);
        if (way === 'byte by byte') void peer.sendByteByByte(bytes);
        else
          void peer.send(way === 'whole' ? bytes : Buffer.concat([bytes, text('behind'), closeFrame(1000)]));
        expect(await peer.nextText()).toBe('before');
        // The message that was whole in front of the fault is received.
        if (name.includes('behind a whole message')) expect(await peer.nextText()).toBe('ab');
        const close = await peer.nextClose();
        expect(close.code).toBe(code);
        expect(close.reason).toMatch(/^[ -~]{1,123}$/);
        expect(await peer.ended()).toBe('fin');
        expect(await server.endings.next()).toBe(`${code} ${REASONS[code]}`);
      }
      expect(server.received.filter((message) => message !== 'before' && message !== 'ab')).toEqual([]);
      expect([server.endings.count, server.errors]).toEqual([3, []]);
    });
  }

  test('what is exactly at the limits is received', async () => {
    await using server = await recording();
    const peer = await openWebSocket(server);
    await peer.send(Buffer.concat([text('x'.repeat(1000), false), more('y'.repeat(500))]));
    expect(await peer.nextText()).toBe('x'.repeat(1000) + 'y'.repeat(500));
    await peer.text('z'.repeat(1000));
    expect(await peer.nextText()).toBe('z'.repeat(1000));
  });

  test('0 turns the limits off', async () => {
    await using server = await recording({ maxWsFrameSize: 0, maxWsMessageSize: 0 });
    const peer = await openWebSocket(server);
    void peer.binary(Buffer.alloc(17_000_000, 'x'));
    expect((await peer.frame()).payload.length).toBe(17_000_000);
  });

  test('a peer that goes on sending megabytes reads the close frame and no reset', async () => {
    await using server = await recording();
    const peer = await openWebSocket(server);
    await peer.send(clientFrame({ opcode: 3 }));
    const message = text('x'.repeat(500));
    const flood = Buffer.concat(Array.from({ length: 1000 }, () => message));
    for (let i = 0; i < 10; i++) await peer.send(flood);
    expect((await peer.nextClose()).code).toBe(1002);
    expect(await peer.ended()).toBe('fin');
    expect(await server.endings.next()).toBe('1002 protocol_error');
    expect(server.received).toEqual([]);
  });

  test('a fault behind the app’s own close ends the session without a second close frame', async () => {
    const endings = new Endings();
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        await send({ type: 'websocket.close', code: 4000 });
        await endings.follow(receive);
      }),
    );
    const peer = await openWebSocket(server);
    expect(await peer.nextClose()).toEqual({ code: 4000, reason: '' });
    await peer.send(clientFrame({ opcode: 3 }));
    expect(await peer.ended()).toBe('fin');
    expect(await endings.next()).toBe('1002 protocol_error');
  });

  test('an application that sends on behind a fault notices nothing but the disconnect', async () => {
    const gate = Promise.withResolvers<void>();
    const endings = new Endings();
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive, send) => {
        await gate.promise;
        for (let i = 0; i < 10; i++) await sendMessage(send, 'into the void');
        await send({ type: 'websocket.close', code: 4000 });
        await endings.follow(receive);
      }),
    );
    const peer = await openWebSocket(server);
    await peer.send(clientFrame({ opcode: OP.text, payload: 'x', mask: false }));
    expect((await peer.nextClose()).code).toBe(1002);
    expect(await peer.ended()).toBe('fin');
    gate.resolve();
    expect(await endings.next()).toBe('1002 protocol_error');
    expect(server.errors).toEqual([]);
  });

  test('one peer’s fault is nobody else’s', async () => {
    await using server = await recording();
    const [good, bad] = [await openWebSocket(server), await openWebSocket(server)];
    await bad.send(clientFrame({ opcode: 3 }));
    expect((await bad.nextClose()).code).toBe(1002);
    await good.text('still here');
    expect(await good.nextText()).toBe('still here');
  });
});
