/**
 * WebSockets within streams (RFC 8441): what an extended CONNECT is answered with, how END_STREAM, RST_STREAM and the end of the
 * connection end a session, and that it leaves the other streams of its connection alone.
 */
import { describe, expect, test } from 'bun:test';
import type { TransportState } from '../../src/contract/handles.ts';
import { askForH2WebSocket, type H2TestServer, startH2Server } from '../support/h2-carrier-client.ts';
import { CODE, dataFrame, SETTING } from '../support/h2/frames.ts';
import type { Field } from '../support/h2/hpack.ts';
import { h2Header, type H2Response } from '../support/h2/raw-h2-client.ts';
import { clientFrame, closeFrame } from '../support/websocket-frames.ts';
import { OP } from '../support/websocket-client.ts';
import { until } from '../support/within.ts';
import { acceptingApp, echoing, Endings, sendMessage, websocketApp } from './websocket-apps.ts';

/** A handshake on a connection of its own, answered. */
async function answerTo(
  server: H2TestServer,
  headers: readonly Field[],
  endStream = false,
): Promise<H2Response> {
  const client = await server.open();
  const id = client.open({ method: 'CONNECT', protocol: 'websocket', headers }, { endStream });
  return await client.responseHead(id);
}

describe('the handshake', () => {
  test('the server says in its SETTINGS that it takes extended CONNECT, unless it is told not to', async () => {
    const { app } = echoing();
    await using server = await startH2Server(app);
    expect((await server.open()).peerSettings.get(SETTING.enableConnectProtocol)).toBe(1);
    await using other = await startH2Server(app, { h2EnableConnectProtocol: false });
    expect((await other.open()).peerSettings.get(SETTING.enableConnectProtocol) ?? 0).toBe(0);
  });

  test('it is accepted with 200, without a key and the fields of an upgrade', async () => {
    await using server = await startH2Server(echoing().app);
    const answer = await answerTo(server, [['sec-websocket-version', '13']]);
    expect(answer.status).toBe(200);
    expect(answer.headers.map(([name]) => name).sort()).toEqual(['date', 'server']);
  });

  test('another version is 400 and says which, because 426 needs an Upgrade field', async () => {
    await using server = await startH2Server(echoing().app);
    const answer = await answerTo(server, [['sec-websocket-version', '8']]);
    expect([answer.status, h2Header(answer, 'sec-websocket-version')]).toEqual([400, '13']);
    expect([h2Header(answer, 'upgrade'), h2Header(answer, 'connection')]).toEqual([undefined, undefined]);
  });

  test('another protocol than websocket is 501', async () => {
    await using server = await startH2Server(echoing().app);
    const client = await server.open();
    const id = client.open({ method: 'CONNECT', protocol: 'connect-udp' });
    expect((await client.responseHead(id)).status).toBe(501);
  });

  for (const [name, status, deny] of [
    ['close', 403, [{ type: 'websocket.close' }]],
    [
      'a denial',
      418,
      [
        { type: 'websocket.http.response.start', status: 418 },
        { type: 'websocket.http.response.body', body: 'short' },
      ],
    ],
  ] as const) {
    test(`${name} before accept: ${status}, and the stream ends`, async () => {
      await using server = await startH2Server(
        websocketApp(async (_scope, receive, send) => {
          await receive();
          for (const event of deny) await send(event);
        }),
      );
      const peer = await askForH2WebSocket(server.address);
      expect((await peer.answer()).status).toBe(status);
      expect(peer.ending).toBe('fin');
      expect((await peer.raw.request({ path: '/next' })).body.toString()).toBe('/next');
      peer.drop();
    });
  }

  test('a handshake that ends its stream at once: 1006', async () => {
    const { app, endings } = echoing();
    await using server = await startH2Server(app);
    expect((await answerTo(server, [['sec-websocket-version', '13']], true)).status).toBe(200);
    expect(await endings.next()).toBe('1006 client_closed');
  });
});

describe('the session', () => {
  test('frames may be cut anywhere into DATA', async () => {
    await using server = await startH2Server(echoing().app);
    const peer = await askForH2WebSocket(server.address);
    expect((await peer.answer()).status).toBe(200);
    const frame = clientFrame({ opcode: OP.text, payload: 'piece by piece' });
    await peer.sendByteByByte(frame);
    expect(await peer.nextText()).toBe('piece by piece');
    const { raw, tunnel } = peer;
    for (const byte of frame) void raw.send(dataFrame(tunnel.stream.id, Uint8Array.of(byte), { padding: 3 }));
    expect(await peer.nextText()).toBe('piece by piece');
    peer.drop();
  });

  test('RST_STREAM of the client: 1006 client_closed, and other sessions of the connection go on', async () => {
    const { app, endings } = echoing();
    await using server = await startH2Server(app);
    const client = await server.open();
    const peers = await Promise.all([1, 2].map(() => askForH2WebSocket(server.address, { on: client })));
    for (const peer of peers) expect((await peer.answer()).status).toBe(200);
    client.reset(peers[0]!.tunnel.stream.id);
    expect(await endings.next()).toBe('1006 client_closed');
    await peers[1]!.text('still here');
    expect(await peers[1]!.nextText()).toBe('still here');
    expect((await client.request({ path: '/http' })).body.toString()).toBe('/http');
    client.close();
    expect(await endings.next()).toBe('1006 client_closed');
    await until(() => server.server.connectionCount === 0, 'the connection to go');
    expect(server.errors).toEqual([]);
  });

  test('the close handshake ends with END_STREAM on both sides, and the connection goes on', async () => {
    const { app, endings } = echoing();
    await using server = await startH2Server(app);
    const client = await server.open();
    const peer = await askForH2WebSocket(server.address, { on: client });
    await peer.answer();
    await peer.send(
      Buffer.concat([clientFrame({ opcode: OP.text, payload: 'last' }), closeFrame(1000, 'bye')]),
    );
    expect(await peer.nextText()).toBe('last');
    expect(await peer.nextClose()).toEqual({ code: 1000, reason: '' });
    expect(await peer.ended()).toBe('fin');
    peer.halfClose();
    expect(await endings.next()).toBe('1000 bye');
    expect((await client.request({ path: '/http' })).body.toString()).toBe('/http');
    expect(client.peerFaults).toEqual([]);
  });

  test('a fault is told in a close frame, and costs the stream alone', async () => {
    const { app, endings } = echoing();
    await using server = await startH2Server(app);
    const client = await server.open();
    const peer = await askForH2WebSocket(server.address, { on: client });
    await peer.answer();
    await peer.send(clientFrame({ opcode: 3 }));
    expect((await peer.nextClose()).code).toBe(1002);
    expect(await peer.ended()).toBe('fin');
    expect(await endings.next()).toBe('1002 protocol_error');
    expect((await client.request({ path: '/http' })).status).toBe(200);
  });

  test('a peer that opens no window is held in its own bufferedAmount, and others go on', async () => {
    let transport: TransportState | undefined;
    const endings = new Endings();
    await using server = await startH2Server(
      acceptingApp(async (scope, receive, send) => {
        if (scope.path !== '/feed') return endings.follow(receive, (message) => sendMessage(send, message));
        transport = scope['tsagi.transport'];
        for (let i = 0; i < 100; i++) await sendMessage(send, Buffer.alloc(10_000));
      }),
    );
    const client = await server.open({ refillsWindows: false });
    client.grant(0, 10_000_000);
    const feed = await askForH2WebSocket(server.address, { on: client, target: '/feed' });
    await client.received(feed.tunnel.stream.id, 65_535);
    const peer = await askForH2WebSocket(server.address, { on: client });
    for (let i = 0; i < 10; i++) {
      await peer.text(`in time ${i}`);
      if (i === 0) await peer.answer();
      expect(await peer.nextText()).toBe(`in time ${i}`);
    }
    expect(transport!.bufferedAmount).toBeWithin(16_385, 65_536 + 10_020);
    client.grant(feed.tunnel.stream.id, 2_000_000);
    for (let i = 0; i < 100; i++) expect((await feed.frame()).payload.length).toBe(10_000);
  });

  test('an app that fails before it accepts: 500; behind that: 1011', async () => {
    await using server = await startH2Server(
      websocketApp(async ({ path }, receive, send) => {
        await receive();
        if (path === '/late') await send({ type: 'websocket.accept' });
        throw new Error('on purpose');
      }),
    );
    const early = await askForH2WebSocket(server.address);
    expect((await early.answer()).status).toBe(500);
    early.drop();
    const late = await askForH2WebSocket(server.address, { target: '/late' });
    expect((await late.answer()).status).toBe(200);
    expect((await late.nextClose()).code).toBe(1011);
    void late.close(1011);
    expect(await late.ended()).toBe('fin');
  });

  test('a session that does not wait for a stalled peer is reset with INTERNAL_ERROR', async () => {
    const endings = new Endings();
    await using server = await startH2Server(
      acceptingApp(async (_scope, receive, send) => {
        for (let i = 0; i < 40; i++) void sendMessage(send, Buffer.alloc(1_048_576));
        await endings.follow(receive);
      }),
    );
    const client = await server.open({ refillsWindows: false });
    const peer = await askForH2WebSocket(server.address, { on: client });
    expect(await endings.next()).toBe('1006 queue_overflow');
    await until(() => peer.tunnel.stream.resetCode !== undefined, 'RST_STREAM');
    expect(peer.tunnel.stream.resetCode).toBe(CODE.internalError);
  });
});
