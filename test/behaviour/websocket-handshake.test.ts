/**
 * The opening handshake: what is refused and with what, that nothing is written before the application has decided, and
 * what an acceptance looks like (RFC 6455 4.2). A refused handshake costs the client its answer, not its connection.
 */
import { expect, test } from 'bun:test';
import type { WebSocketScope } from '../../src/contract/scope.ts';
import { header } from '../support/raw-client.ts';
import { clientFrame } from '../support/websocket-frames.ts';
import {
  answerHeader,
  askForWebSocket,
  H1WebSocketPeer,
  handshakeRequest,
  openWebSocket,
  OP,
  readAnswer,
  SAMPLE_ACCEPT,
  SAMPLE_KEY,
} from '../support/websocket-client.ts';
import { until, within } from '../support/within.ts';
import { refusal } from './apps.ts';
import { CARRIERS, H1_CARRIERS, onEach } from './carriers.ts';
import { acceptingApp, echoing, Endings, sendMessage, websocketApp } from './websocket-apps.ts';

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nhost: test\r\n\r\n`;

/** Handshakes that are refused without the application: what is wrong, the status, and the request. */
const REFUSED: readonly [name: string, status: number, request: string][] = [
  ['POST', 405, handshakeRequest({ method: 'POST' })],
  ['HEAD', 405, handshakeRequest({ method: 'HEAD' })],
  ['a body', 400, handshakeRequest({ fields: { 'content-length': ['3'] }, rest: 'abc' })],
  [
    'a chunked body',
    400,
    handshakeRequest({ fields: { 'transfer-encoding': ['chunked'] }, rest: '0\r\n\r\n' }),
  ],
  ['no version', 426, handshakeRequest({ fields: { 'sec-websocket-version': [] } })],
  ['version 8', 426, handshakeRequest({ fields: { 'sec-websocket-version': ['8'] } })],
  ['a list of versions', 426, handshakeRequest({ fields: { 'sec-websocket-version': ['13, 8'] } })],
  ['two versions', 400, handshakeRequest({ fields: { 'sec-websocket-version': ['13', '13'] } })],
  ['no key', 400, handshakeRequest({ fields: { 'sec-websocket-key': [] } })],
  ['an empty key', 400, handshakeRequest({ fields: { 'sec-websocket-key': [''] } })],
  ['a key of 15 bytes', 400, handshakeRequest({ fields: { 'sec-websocket-key': ['AAAAAAAAAAAAAAAAAAAA'] } })],
  ['two keys', 400, handshakeRequest({ fields: { 'sec-websocket-key': [SAMPLE_KEY, SAMPLE_KEY] } })],
  ['a subprotocol twice', 400, handshakeRequest({ fields: { 'sec-websocket-protocol': ['a, b', 'a'] } })],
  ['a malformed subprotocol', 400, handshakeRequest({ fields: { 'sec-websocket-protocol': ['a b'] } })],
  ['malformed extensions', 400, handshakeRequest({ fields: { 'sec-websocket-extensions': ['a; =1'] } })],
];

/** Ways to ask that are as good as any. */
const ACCEPTED: readonly [name: string, fields: Record<string, string[]>][] = [
  ['other case', { upgrade: ['WebSocket'], connection: ['UPGRADE'] }],
  ['connection as a list', { connection: ['keep-alive, Upgrade'] }],
  ['several connection fields', { connection: ['keep-alive', 'upgrade'] }],
  ['upgrade as a list', { upgrade: ['h2c, websocket'] }],
  ['several upgrade fields', { upgrade: ['h2c', 'websocket'] }],
  ['an origin and cookies', { origin: ['https://elsewhere.example'], cookie: ['a=1', 'b=2'] }],
  ['extensions that nobody knows', { 'sec-websocket-extensions': ['x-own; a="b"', 'y'] }],
];

onEach(H1_CARRIERS, (carrier) => {
  const counting = async () => {
    const seen: string[] = [];
    const { app } = echoing();
    const server = await carrier.start((scope, receive, send) => {
      seen.push(scope.type);
      return app(scope, receive, send);
    });
    return Object.assign(server, { seen });
  };

  for (const [name, status, request] of REFUSED) {
    test(`${name}: ${status}, the app is not called, and the connection goes on`, async () => {
      await using server = await counting();
      const client = await server.connect();
      const isHead = request.startsWith('HEAD');
      void client.send(GET('/before') + request + GET('/behind'));
      expect((await client.response()).body.toString()).toBe('/before');
      const response = await client.response(isHead ? 'HEAD' : 'GET');
      expect(response).toMatchObject({ status, isComplete: true });
      expect(response.headers.some(([field]) => field === 'sec-websocket-accept')).toBe(false);
      expect(header(response, 'allow')).toBe(status === 405 ? 'GET' : undefined);
      expect(header(response, 'sec-websocket-version')).toBe(status === 426 ? '13' : undefined);
      expect(header(response, 'upgrade')).toBe(status === 426 ? 'websocket' : undefined);
      expect(header(response, 'connection')).toBe(status === 426 ? 'upgrade' : undefined);
      if (!isHead) expect(response.body.toString()).toStartWith(`${status} `);
      expect((await client.response()).body.toString()).toBe('/behind');
      expect([server.seen, server.errors]).toEqual([['http', 'http'], []]);
    });
  }

  for (const [name, fields] of ACCEPTED) {
    test(`${name}: accepted`, async () => {
      await using server = await counting();
      const client = await server.connect();
      void client.send(handshakeRequest({ fields }));
      const answer = await readAnswer(client);
      expect([answer.status, answerHeader(answer, 'sec-websocket-accept')]).toEqual([101, SAMPLE_ACCEPT]);
      expect(answerHeader(answer, 'sec-websocket-extensions')).toBeUndefined();
    });
  }

  test('an upgrade that HTTP/1.0 asks for is ordinary HTTP', async () => {
    await using server = await counting();
    const client = await server.connect();
    void client.send(handshakeRequest().replace('HTTP/1.1', 'HTTP/1.0'));
    expect((await client.response()).status).toBe(200);
    expect(server.seen).toEqual(['http']);
  });

  test('the answer has the fields of RFC 6455 and the usual ones, and none that frame a body', async () => {
    await using server = await counting();
    const client = await server.connect();
    void client.send(handshakeRequest());
    await client.received('\r\n\r\n');
    expect(client.unread).toStartWith('HTTP/1.1 101 Switching Protocols\r\n');
    const { headers } = await readAnswer(client);
    const fields = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
    expect(headers.length).toBe(Object.keys(fields).length);
    expect(fields).toEqual({
      'sec-websocket-accept': SAMPLE_ACCEPT,
      server: 'tsagi-server',
      date: expect.stringMatching(/ GMT$/),
      upgrade: 'websocket',
      connection: 'Upgrade',
    });
  });

  test('requests pipelined before a handshake are answered first', async () => {
    await using server = await counting();
    const client = await server.connect();
    const early = clientFrame({ opcode: OP.text, payload: 'early' });
    void client.send(GET('/a') + GET('/b') + handshakeRequest());
    void client.send(early);
    expect((await client.responses(2)).map(({ body }) => body.toString())).toEqual(['/a', '/b']);
    expect((await readAnswer(client)).status).toBe(101);
    expect(await new H1WebSocketPeer(client).nextText()).toBe('early');
  });

  test('a handshake that arrives byte by byte, with a frame behind, is as good as a whole one', async () => {
    await using server = await counting();
    const client = await server.connect();
    const peer = new H1WebSocketPeer(client);
    await peer.sendByteByByte(Buffer.from(handshakeRequest()));
    await peer.sendByteByByte(clientFrame({ opcode: OP.text, payload: 'byte' }));
    expect((await peer.answer()).status).toBe(101);
    expect(await peer.nextText()).toBe('byte');
  });

  test('a client that closes half before it is accepted is told nothing more than that', async () => {
    const gate = Promise.withResolvers<void>();
    const endings = new Endings();
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        await receive();
        await gate.promise;
        await send({ type: 'websocket.accept' });
        await endings.follow(receive);
      }),
    );
    const client = await server.connect();
    await client.send(handshakeRequest());
    client.halfClose();
    await server.request();
    gate.resolve();
    expect((await readAnswer(client)).status).toBe(101);
    expect(await client.ended()).toBe('fin');
    expect(await endings.next()).toBe('1006 client_closed');
    expect(server.errors).toEqual([]);
  });
});

onEach(CARRIERS, (carrier) => {
  test('nothing is on the wire before the application has answered', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        const event = await receive();
        await gate.promise;
        await send({ type: 'websocket.accept' });
        await sendMessage(send, event.type);
      }),
    );
    const peer = await askForWebSocket(server);
    for (let i = 0; i < 10; i++) await server.request();
    expect(peer.bytesReceived).toBe(0);
    gate.resolve();
    expect((await peer.answer()).status).toBe(carrier.accepted);
    expect(await peer.nextText()).toBe('websocket.connect');
  });

  test('frames that leave with the handshake are delivered once it is accepted, and not before', async () => {
    const gate = Promise.withResolvers<void>();
    const received: string[] = [];
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        received.push((await receive()).type);
        const next = receive();
        void next.then(({ type }) => received.push(type));
        await gate.promise;
        await send({ type: 'websocket.accept' });
        const event = await next;
        await sendMessage(send, event.type === 'websocket.receive' ? event.text! : event.type);
      }),
    );
    const early = clientFrame({ opcode: OP.text, payload: 'as early as can be' });
    const peer = await askForWebSocket(server, { early });
    await server.request();
    expect(received).toEqual(['websocket.connect']);
    gate.resolve();
    await peer.answer();
    expect(await peer.nextText()).toBe('as early as can be');
  });

  test('a large message that begins with the handshake is held back until then, and arrives whole', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        await receive();
        await gate.promise;
        await send({ type: 'websocket.accept' });
        const event = await receive();
        await sendMessage(send, `${event.type === 'websocket.receive' && event.bytes!.length}`);
      }),
    );
    const peer = await askForWebSocket(server);
    void peer.binary(Buffer.alloc(15_000_000, 'x'));
    await peer.settled(() => server.request());
    expect(peer.bytesSent).toBe(0);
    gate.resolve();
    await peer.answer();
    expect(await peer.nextText()).toBe('15000000');
  });

  test('the scope says what was asked for', async () => {
    const scopes: WebSocketScope[] = [];
    await using server = await carrier.start(
      acceptingApp((scope, _receive, send) => {
        scopes.push(scope);
        scope.state['own'] = true;
        return sendMessage(send, 'done');
      }),
      { rootPath: '/mounted', extensions: { fullflush: {} } },
    );
    const headers: [string, string][] = [
      ['sec-websocket-protocol', 'chat, Super-Chat'],
      ['cookie', 'a=1'],
      ['cookie', 'b=2'],
    ];
    for (let i = 0; i < 2; i++) {
      await (await openWebSocket(server, { target: '/caf%C3%A9?a=%20b', headers })).nextText();
    }
    const scope = scopes[0]!;
    const keys =
      'type,tsagi,httpVersion,scheme,path,rawPath,queryString,rootPath,headers,server,state,extensions,' +
      'tsagi.transport,tsagi.shutdown,subprotocols';
    expect(Object.keys(scope).sort()).toEqual(
      [...keys.split(','), ...(carrier.isUnix ? [] : ['client'])].sort(),
    );
    expect(scope).toMatchObject({
      type: 'websocket',
      tsagi: { version: '0.3', specVersion: '0.3' },
      httpVersion: carrier.protocol === 'h2' ? '2' : '1.1',
      scheme: carrier.isSecure ? 'wss' : 'ws',
      path: '/café',
      rawPath: '/caf%C3%A9',
      queryString: 'a=%20b',
      rootPath: '/mounted',
      subprotocols: ['chat', 'Super-Chat'],
      extensions: { 'websocket.http.response': {}, fullflush: {} },
    });
    expect(scope.headers).toContainEqual(['cookie', 'a=1; b=2']);
    expect(scope['tsagi.transport']).toMatchObject({ highWaterMark: 65536, lowWaterMark: 16384 });
    expect(scopes[1]!.state).not.toBe(scope.state);
  });

  test('state is a copy of the lifespan’s of each session’s own', async () => {
    await using server = await carrier.start(
      async (scope, receive, send) => {
        if (scope.type === 'lifespan') {
          await receive();
          scope.state['shared'] = 'from the start';
          await send({ type: 'lifespan.startup.complete' });
          await receive();
          return send({ type: 'lifespan.shutdown.complete' });
        }
        if (scope.type !== 'websocket') throw new Error(scope.type);
        await receive();
        await send({ type: 'websocket.accept' });
        await sendMessage(send, JSON.stringify(scope.state));
        scope.state['shared'] = 'changed';
      },
      { lifespan: 'on' },
    );
    for (let i = 0; i < 2; i++) {
      expect(await (await openWebSocket(server)).nextText()).toBe('{"shared":"from the start"}');
    }
  });

  test('a subprotocol that was offered is answered, another one is refused and can be made good', async () => {
    let refused = '';
    await using server = await carrier.start(
      websocketApp(async (scope, receive, send) => {
        await receive();
        refused = await refusal(send, { type: 'websocket.accept', subprotocol: 'Chat' });
        await send({ type: 'websocket.accept', subprotocol: scope.subprotocols[1]! });
        await receive();
      }),
    );
    const peer = await askForWebSocket(server, { headers: [['sec-websocket-protocol', 'chat,chat.v2']] });
    expect(answerHeader(await peer.answer(), 'sec-websocket-protocol')).toBe('chat.v2');
    expect(refused).toBe('websocket.accept: subprotocol must be one of "chat", "chat.v2", not "Chat"');
  });

  test('without a subprotocol from the application there is none, whatever was offered', async () => {
    await using server = await carrier.start(acceptingApp(async (_scope, receive) => void (await receive())));
    const peer = await askForWebSocket(server, { headers: [['sec-websocket-protocol', 'chat']] });
    expect(answerHeader(await peer.answer(), 'sec-websocket-protocol')).toBeUndefined();
  });

  test('fields of the application and of the headers option are in the answer', async () => {
    const refusals: string[] = [];
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        await receive();
        for (const field of [
          ['sec-websocket-accept', 'mine'],
          ['a b', 'c'],
          ['a', 'b\r\nc: d'],
        ]) {
          refusals.push(await refusal(send, { type: 'websocket.accept', headers: [field] }));
        }
        const headers: [string, string][] = [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['content-length', '7'],
          ['transfer-encoding', 'chunked'],
          ['connection', 'close'],
        ];
        await send({ type: 'websocket.accept', headers });
        await receive();
      }),
      { headers: [['x-default', 'yes']], serverHeader: false },
    );
    const { headers } = await (await askForWebSocket(server)).answer();
    expect(headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)).toEqual([
      'a=1',
      'b=2',
    ]);
    expect(headers).toContainEqual(['x-default', 'yes']);
    const names = headers.map(([name]) => name.toLowerCase());
    for (const name of ['content-length', 'transfer-encoding', 'server']) expect(names).not.toContain(name);
    expect(headers.filter(([name]) => name === 'connection')).toEqual(
      carrier.protocol === 'h1' ? [['connection', 'Upgrade']] : [],
    );
    expect(refusals.length).toBe(3);
    for (const message of refusals) expect(message).toStartWith('websocket.accept: ');
  });

  test('before it is accepted nothing can be sent, and a keepalive may be set', async () => {
    const refusals: string[] = [];
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        await receive();
        refusals.push(await refusal(send, { type: 'websocket.send', text: 'too early' }));
        refusals.push(await refusal(send, { type: 'websocket.http.response.body', body: 'too early' }));
        refusals.push(await refusal(send, { type: 'websocket.keepalive', interval: 10 }));
        await send({ type: 'websocket.accept' });
        await sendMessage(send, 'now');
      }),
    );
    expect(await (await openWebSocket(server)).nextText()).toBe('now');
    expect(refusals).toEqual([
      'websocket.send is not allowed before websocket.accept',
      'websocket.http.response.body is not allowed before websocket.accept',
      'accepted',
    ]);
  });

  test('a client that leaves before it is answered: one disconnect, and accepting harms nobody', async () => {
    const endings = new Endings();
    const answered = Promise.withResolvers<string>();
    await using server = await carrier.start(
      websocketApp(async (_scope, receive, send) => {
        await receive();
        await endings.follow(receive);
        answered.resolve(await refusal(send, { type: 'websocket.accept' }));
      }),
    );
    const peer = await askForWebSocket(server);
    await server.request();
    peer.reset();
    expect(await endings.next()).toBe('1006 client_closed');
    expect(await within(answered.promise, 'the answer')).toBe('accepted');
    await until(() => server.server.connectionCount === 0, 'the connection to go');
    expect(server.errors).toEqual([]);
  });
});
