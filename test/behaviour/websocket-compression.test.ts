/**
 * permessage-deflate on the wire (RFC 7692): what is agreed on, which messages are compressed, that a client may compress as it
 * likes within that, and that order and limits hold for what is inflated.
 */
import { expect, test } from 'bun:test';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { TestServer } from '../support/start-server.ts';
import { clientFrame } from '../support/websocket-frames.ts';
import {
  answerHeader,
  askForWebSocket,
  openWebSocket,
  OP,
  type WebSocketPeer,
} from '../support/websocket-client.ts';
import { until } from '../support/within.ts';
import { CARRIERS, onEach } from './carriers.ts';
import { acceptingApp, echoing, Endings, nextMessage, sendMessage } from './websocket-apps.ts';

const EXTENSIONS = 'sec-websocket-extensions';
const OFFER = 'permessage-deflate; client_max_window_bits';
const AGREED = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
const ON = { wsCompression: true };
const TAIL = Buffer.of(0x00, 0x00, 0xff, 0xff);

/** RFC 7692 7.2.1 */
function deflated(message: string | Uint8Array, windowBits = 15): Buffer {
  const bytes = deflateRawSync(message, { windowBits, finishFlush: constants.Z_SYNC_FLUSH });
  return bytes.subarray(0, -TAIL.length);
}

/** RFC 7692 7.2.2 */
function inflated(payload: Uint8Array, windowBits = 15): Buffer {
  return inflateRawSync(Buffer.concat([payload, TAIL]), {
    windowBits,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
}

/** Lines that compress well, and reach back as far as they can. */
function prose(size: number): string {
  let text = '';
  for (let i = 0; text.length < size; i++) text += `${(i * 7919) % 1000} green bottles hanging on the wall; `;
  return text.slice(0, size);
}

/** What does not compress, the same each time. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 12_345;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    bytes[at] = state >> 16;
  }
  return bytes;
}

function openCompressed(server: TestServer, offer = OFFER): Promise<WebSocketPeer> {
  return openWebSocket(server, { headers: [[EXTENSIONS, offer]] });
}

function sendDeflated(peer: WebSocketPeer, payload: Uint8Array, opcode: number = OP.text): Promise<void> {
  return peer.send(clientFrame({ opcode, payload, rsv1: true }));
}

onEach(CARRIERS, (carrier) => {
  for (const [offer, answer] of [
    ['permessage-deflate', AGREED],
    ['permessage-deflate; client_max_window_bits', AGREED],
    ['permessage-deflate; client_max_window_bits=9', AGREED],
    ['permessage-deflate; server_no_context_takeover; client_no_context_takeover', AGREED],
    ['permessage-deflate; server_max_window_bits=9', `${AGREED}; server_max_window_bits=9`],
    [
      'x-webkit-deflate-frame, permessage-deflate; server_max_window_bits="10"',
      `${AGREED}; server_max_window_bits=10`,
    ],
    ['permessage-deflate; server_max_window_bits=7, permessage-deflate', AGREED],
    ['permessage-deflate; unknown', undefined],
    ['permessage-deflate; server_max_window_bits', undefined],
    ['permessage-deflate; server_no_context_takeover; server_no_context_takeover', undefined],
    ['permessage-bzip2', undefined],
  ] as const) {
    test(`the offer ${offer} is ${answer === undefined ? 'declined' : 'taken'}`, async () => {
      await using server = await carrier.start(echoing().app, ON);
      const peer = await askForWebSocket(server, { headers: [[EXTENSIONS, offer]] });
      expect(answerHeader(await peer.answer(), EXTENSIONS)).toBe(answer);
      await peer.text(prose(2000));
      const { rsv1, payload } = await peer.frame();
      expect(rsv1).toBe(answer !== undefined);
      expect((rsv1 ? inflated(payload) : payload).toString()).toBe(prose(2000));
    });
  }

  test('without wsCompression offers are ignored, and RSV1 is a fault', async () => {
    await using server = await carrier.start(echoing().app);
    const peer = await askForWebSocket(server, { headers: [[EXTENSIONS, OFFER]] });
    expect(answerHeader(await peer.answer(), EXTENSIONS)).toBeUndefined();
    await peer.text(prose(5000));
    expect(await peer.nextText()).toBe(prose(5000));
    await sendDeflated(peer, deflated('x'));
    expect((await peer.nextClose()).code).toBe(1002);
  });

  test('without an offer nothing is compressed, and RSV1 is a fault', async () => {
    await using server = await carrier.start(echoing().app, ON);
    const peer = await openWebSocket(server);
    await peer.text(prose(5000));
    expect(await peer.nextText()).toBe(prose(5000));
    await sendDeflated(peer, deflated('x'));
    expect((await peer.nextClose()).code).toBe(1002);
  });

  test('messages from 1 KiB on are compressed, text and binary; small ones and what would not shrink are plain', async () => {
    await using server = await carrier.start(echoing().app, ON);
    const peer = await openCompressed(server);
    for (const size of [0, 1, 1023]) {
      await peer.text(prose(size));
      expect(await peer.nextText()).toBe(prose(size));
    }
    for (const size of [1024, 30_000, 200_000]) {
      await peer.text(prose(size));
      await peer.binary(Buffer.from(prose(size)));
      for (const opcode of [OP.text, OP.binary]) {
        const frame = await peer.frame();
        expect(frame).toMatchObject({ opcode, fin: true, rsv1: true });
        expect(frame.payload.length).toBeLessThan(size);
        expect(inflated(frame.payload).toString() === prose(size)).toBe(true);
      }
    }
    for (const size of [2000, 100_000]) {
      await peer.binary(noise(size));
      const frame = await peer.frame();
      expect([frame.rsv1, frame.payload.length]).toEqual([false, size]);
    }
  });

  test('each message stands alone, and fits the window that was asked for', async () => {
    await using server = await carrier.start(echoing().app, ON);
    for (const bits of [8, 9, 12, 15]) {
      const peer = await openCompressed(server, `permessage-deflate; server_max_window_bits=${bits}`);
      for (const size of [5000, 5000, 60_000]) {
        await peer.text(prose(size));
        // zlib has no inflater of 8 bits, which would have to take the stream of 9 all the same.
        expect(inflated((await peer.frame()).payload, Math.max(9, bits)).toString() === prose(size)).toBe(
          true,
        );
      }
    }
  });

  test('a client compresses as it likes: its own window, any size, stored blocks, final blocks, byte by byte', async () => {
    await using server = await carrier.start(echoing().app, ON);
    const peer = await openCompressed(server);
    const small = 'grüße 🎈';
    const payloads: [Uint8Array, string][] = [
      ...[9, 12, 15].map((bits): [Uint8Array, string] => [deflated(prose(900), bits), prose(900)]),
      [deflated(small), small],
      [Uint8Array.of(0), ''],
      [deflateRawSync(small, { level: 0, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4), small],
      // RFC 7692 7.2.3.4
      [Buffer.concat([deflateRawSync(small), Buffer.of(0)]), small],
    ];
    for (const [payload, text] of payloads) {
      await sendDeflated(peer, payload);
      expect(await peer.nextText()).toBe(text);
      await peer.sendByteByByte(clientFrame({ opcode: OP.text, payload, rsv1: true }));
      expect(await peer.nextText()).toBe(text);
    }
    await peer.text('plain in between');
    expect(await peer.nextText()).toBe('plain in between');
  });

  test('a compressed message in fragments has RSV1 on the first, and may have a ping inside', async () => {
    await using server = await carrier.start(echoing().app, ON);
    const peer = await openCompressed(server);
    const payload = deflated('in three pieces');
    await peer.send(
      Buffer.concat([
        clientFrame({ opcode: OP.text, payload: payload.subarray(0, 3), fin: false, rsv1: true }),
        clientFrame({ opcode: OP.ping, payload: 'plain' }),
        clientFrame({ opcode: OP.continuation, payload: payload.subarray(3, 9), fin: false }),
        clientFrame({ opcode: OP.continuation, payload: payload.subarray(9) }),
      ]),
    );
    expect(await peer.frame()).toMatchObject({ opcode: OP.pong, rsv1: false, payload: Buffer.from('plain') });
    expect(await peer.nextText()).toBe('in three pieces');
  });

  test('order is kept where large messages take longer than small ones, in both directions', async () => {
    await using server = await carrier.start(echoing().app, { ...ON, wsPingInterval: 0 });
    const peer = await openCompressed(server);
    const sizes = [400_000, 5, 300_000, 2000, 1, 150_000, 0];
    void peer.send(
      Buffer.concat(
        sizes.map((size) => clientFrame({ opcode: OP.text, payload: deflated(prose(size)), rsv1: true })),
      ),
    );
    for (const size of sizes) {
      const { payload, rsv1 } = await peer.frame();
      expect([rsv1, (rsv1 ? inflated(payload) : payload).toString() === prose(size)]).toEqual([
        size >= 1024,
        true,
      ]);
    }
  });

  test('a close frame waits for the messages that are being compressed before it', async () => {
    await using server = await carrier.start(
      acceptingApp(async (_scope, _receive, send) => {
        void sendMessage(send, prose(500_000));
        void sendMessage(send, 'small');
        await send({ type: 'websocket.close', code: 4000 });
      }),
      ON,
    );
    const peer = await openCompressed(server);
    expect(inflated((await peer.frame()).payload).length).toBe(500_000);
    expect(await peer.nextText()).toBe('small');
    expect(await peer.nextClose()).toEqual({ code: 4000, reason: '' });
    void peer.close(4000);
    expect(await peer.ended()).toBe('fin');
  });

  test('messages in front of a peer’s close are received, however long inflating takes', async () => {
    const lengths: number[] = [];
    await using server = await carrier.start(
      acceptingApp(async (_scope, receive) => {
        for (let text = await nextMessage(receive); text !== undefined; text = await nextMessage(receive)) {
          lengths.push(text.length);
        }
      }),
      ON,
    );
    const peer = await openCompressed(server);
    for (const size of [600_000, 10]) void sendDeflated(peer, deflated(prose(size)));
    void peer.close(1000);
    expect((await peer.nextClose()).code).toBe(1000);
    await until(() => lengths.length === 2, 'both messages');
    expect(lengths).toEqual([600_000, 10]);
  });

  test('messages in front of a peer’s FIN are received likewise', async () => {
    const endings = new Endings();
    const lengths: number[] = [];
    await using server = await carrier.start(
      acceptingApp((_scope, receive) => endings.follow(receive, (text) => void lengths.push(text.length))),
      ON,
    );
    const peer = await openCompressed(server);
    for (const size of [600_000, 10]) void sendDeflated(peer, deflated(prose(size)));
    peer.halfClose();
    expect(await endings.next()).toBe('1006 client_closed');
    expect(lengths).toEqual([600_000, 10]);
    expect(await peer.ended()).toBe('fin');
  });

  test('a peer that leaves while its message is being inflated harms nobody', async () => {
    const { app, endings } = echoing();
    await using server = await carrier.start(app, ON);
    const peer = await openCompressed(server);
    await sendDeflated(peer, deflated(prose(3_000_000)));
    peer.reset();
    expect(await endings.next()).toBe('1006 client_closed');
    expect(server.errors).toEqual([]);
  });

  test('bufferedAmount counts what is still being compressed', async () => {
    let amount = 0;
    await using server = await carrier.start(
      acceptingApp(async (scope, _receive, send) => {
        const sending = sendMessage(send, prose(500_000));
        amount = scope['tsagi.transport'].bufferedAmount;
        await sending;
      }),
      ON,
    );
    const peer = await openCompressed(server);
    expect(inflated((await peer.frame()).payload).length).toBe(500_000);
    // The answer to the handshake may be waiting too.
    expect(amount).toBeWithin(500_000, 500_500);
  });

  for (const [name, code, frames] of [
    ['RSV1 on a ping', 1002, [{ opcode: OP.ping, rsv1: true }]],
    ['RSV1 on a close frame', 1002, [{ opcode: OP.close, rsv1: true }]],
    [
      'RSV1 on a continuation',
      1002,
      [
        { opcode: OP.text, fin: false, rsv1: true, payload: deflated('x') },
        { opcode: OP.continuation, rsv1: true },
      ],
    ],
    [
      'RSV2 on a compressed message',
      1002,
      [{ opcode: OP.text, rsv1: true, rsv2: true, payload: deflated('x') }],
    ],
    ['what cannot be inflated', 1007, [{ opcode: OP.binary, rsv1: true, payload: Buffer.alloc(20, 0xff) }]],
    [
      'what ends too early',
      1007,
      [{ opcode: OP.text, rsv1: true, payload: deflated(prose(900)).subarray(0, 50) }],
    ],
    [
      'text that inflates to no UTF-8',
      1007,
      [{ opcode: OP.text, rsv1: true, payload: deflated(Buffer.of(0xff)) }],
    ],
    [
      'a message that needs the one before it',
      1007,
      [{ opcode: OP.text, rsv1: true, payload: Buffer.of(0x02, 0x13, 0x00) }],
    ],
    ['a small bomb', 1009, [{ opcode: OP.binary, rsv1: true, payload: deflated(Buffer.alloc(50_001)) }]],
    ['a large bomb', 1009, [{ opcode: OP.binary, rsv1: true, payload: deflated(Buffer.alloc(50_000_000)) }]],
  ] as const) {
    test(`${name}: ${code}`, async () => {
      const { app, endings } = echoing();
      await using server = await carrier.start(app, { ...ON, maxWsMessageSize: 50_000 });
      const peer = await openCompressed(server);
      await sendDeflated(peer, deflated(Buffer.alloc(50_000)), OP.binary);
      expect(inflated((await peer.frame()).payload).length).toBe(50_000);
      await peer.send(Buffer.concat(frames.map((frame) => clientFrame(frame))));
      expect((await peer.nextClose()).code).toBe(code);
      expect(await peer.ended()).toBe('fin');
      expect(await endings.next()).toBe(`${code} ${code === 1009 ? 'body_too_large' : 'protocol_error'}`);
      expect(server.errors).toEqual([]);
    });
  }

  test('a peer that does not read holds back compressed messages too', async () => {
    let sent = 0;
    await using server = await carrier.start(
      acceptingApp(async (_scope, _receive, send) => {
        const bytes = noise(30_000);
        bytes.fill(0, 20_000);
        for (; sent < 1000; sent++) await send({ type: 'websocket.send', bytes });
      }),
      ON,
    );
    const peer = await openCompressed(server);
    peer.pause();
    for (let quiet = 0, before = -1; quiet < 10; before = sent) {
      await server.request();
      quiet = sent === before ? quiet + 1 : 0;
    }
    expect(sent).toBeLessThan(1000);
    peer.resume();
    for (let i = 0; i < 1000; i++) expect((await peer.frame()).rsv1).toBe(true);
    expect((await peer.nextClose()).code).toBe(1000);
  });
});
