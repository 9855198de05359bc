/**
 * TLS: what a handshake settles and what scopes say of it, who is let in, and what becomes of those who are not.
 */
import { connect, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { describe, expect, test } from 'bun:test';
import type { Scope, TlsExtension } from '../../src/contract/scope.ts';
import {
  certificate,
  certificateFile,
  identity,
  keyFile,
  type CertificateName,
} from '../support/certificates.ts';
import type { RawClient } from '../support/raw-client.ts';
import { startServer, type StartOptions, type TestServer } from '../support/start-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { openWebSocket } from '../support/websocket-client.ts';
import { until, within } from '../support/within.ts';
import { httpApp, reply } from './apps.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

interface Told {
  readonly scheme: string;
  readonly tls: TlsExtension;
}

interface SecureServer extends TestServer {
  /** What the scopes of requests have said. */
  readonly told: Told[];
}

async function secureServer(options: StartOptions = {}): Promise<SecureServer> {
  const told: Told[] = [];
  const app = httpApp(async (scope, _receive, send) => {
    told.push({ scheme: scope.scheme, tls: scope.extensions.tls! });
    await reply(send);
  });
  return Object.assign(await startServer(app, { isSecure: true, ...options }), { told });
}

/** What the scope of a request from such a client says. */
async function askedBy(server: SecureServer, tls: ConnectionOptions = {}): Promise<Told> {
  const client = await server.connect(tls);
  expect((await client.request()).status).toBe(200);
  client.close();
  return server.told.at(-1)!;
}

/** A connection without TLS. */
async function plainSocket(server: TestServer): Promise<Socket> {
  const socket = connect({ ...server.address, allowHalfOpen: true });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

async function counted(server: TestServer, count: number): Promise<void> {
  await until(() => server.server.connectionCount === count, `${count} connections`);
}

function handshakeLines(server: TestServer): string[] {
  return server.log.filter((line) => line.includes('TLS handshake'));
}

describe('the tls extension', () => {
  test.each([
    ['TLSv1.2', 0x0303, 0xc02b],
    ['TLSv1.3', 0x0304, 0x1301],
  ] as const)('%s, without a certificate of the client', async (version, number, cipherSuite) => {
    await using server = await secureServer();
    const ciphers = 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256';
    const { scheme, tls } = await askedBy(server, { minVersion: version, maxVersion: version, ciphers });
    expect(scheme).toBe('https');
    // Which suite of TLS 1.3 it is, this library's clients cannot say.
    if (version === 'TLSv1.3') expect([0x1301, 0x1302, 0x1303]).toContain(tls.cipherSuite!);
    else expect(tls.cipherSuite).toBe(cipherSuite);
    expect(tls).toEqual({
      serverCert: certificate('server'),
      clientCertChain: [],
      clientCertName: null,
      clientCertError: null,
      tlsVersion: number,
      cipherSuite: tls.cipherSuite,
    });
  });

  test.each([
    ['server', 'ECDHE-ECDSA-AES128-GCM-SHA256', 0xc02b],
    ['server', 'ECDHE-ECDSA-AES256-GCM-SHA384', 0xc02c],
    ['server', 'ECDHE-ECDSA-CHACHA20-POLY1305', 0xcca9],
    ['server', 'ECDHE-ECDSA-AES128-SHA', 0xc009],
    ['server', 'ECDHE-ECDSA-AES256-SHA', 0xc00a],
    ['server', 'ECDHE-ECDSA-AES128-SHA256', 0xc023],
    ['rsa-server', 'ECDHE-RSA-AES128-GCM-SHA256', 0xc02f],
    ['rsa-server', 'ECDHE-RSA-AES256-GCM-SHA384', 0xc030],
    ['rsa-server', 'ECDHE-RSA-CHACHA20-POLY1305', 0xcca8],
    ['rsa-server', 'ECDHE-RSA-AES128-SHA', 0xc013],
    ['rsa-server', 'ECDHE-RSA-AES256-SHA', 0xc014],
    ['rsa-server', 'ECDHE-RSA-AES128-SHA256', 0xc027],
    ['rsa-server', 'AES128-GCM-SHA256', 0x009c],
    ['rsa-server', 'AES256-GCM-SHA384', 0x009d],
    ['rsa-server', 'AES128-SHA', 0x002f],
    ['rsa-server', 'AES256-SHA', 0x0035],
    ['rsa-server', 'DES-CBC3-SHA', 0x000a],
  ] as const)('%s, %s', async (name, ciphers, number) => {
    const files = { certFile: certificateFile(name), keyFile: keyFile(name) };
    await using server = await secureServer({ ...files, ciphers });
    const { tls } = await askedBy(server, { maxVersion: 'TLSv1.2', ciphers });
    expect(tls.cipherSuite).toBe(number);
  });

  test('is on WebSocket and event stream scopes too', async () => {
    const scopes: Scope[] = [];
    await using server = await startServer(
      async (scope, receive, send) => {
        scopes.push(scope);
        if (scope.type === 'websocket') {
          await receive();
          await send({ type: 'websocket.accept' });
        } else await send({ type: 'sse.start' });
      },
      { isSecure: true },
    );
    await openWebSocket(server);
    await server.request({ headers: [['accept', 'text/event-stream']] });
    expect(scopes.map((scope) => [scope.type, 'scheme' in scope && scope.scheme])).toEqual([
      ['websocket', 'wss'],
      ['sse', 'https'],
    ]);
    for (const scope of scopes) {
      expect('extensions' in scope && scope.extensions.tls).toMatchObject({
        serverCert: certificate('server'),
      });
    }
  });

  test('is the same object for the requests of a connection, and cannot be changed', async () => {
    await using server = await secureServer();
    const client = await server.connect();
    await client.request();
    await client.request();
    const [first, second] = server.told;
    expect(second!.tls).toBe(first!.tls);
    expect(Object.isFrozen(first!.tls) && Object.isFrozen(first!.tls.clientCertChain)).toBe(true);
  });

  test('a server sends the certificates that lead to its authority', async () => {
    await using server = await secureServer({
      certFile: certificateFile('chained-server'),
      keyFile: keyFile('chained-server'),
    });
    const { tls } = await askedBy(server);
    expect(certificate('chained-server')).toStartWith(tls.serverCert!);
  });

  test('a key behind a passphrase serves', async () => {
    await using server = await secureServer({
      keyFile: keyFile('server.encrypted'),
      passphrase: 'open sesame',
    });
    expect((await askedBy(server)).scheme).toBe('https');
  });
});

describe('the floor of versions', () => {
  test('TLS 1.3 is spoken over a floor of 1.2, and 1.2 not below a floor of 1.3', async () => {
    await using low = await secureServer();
    expect((await askedBy(low)).tls.tlsVersion).toBe(0x0304);
    await using high = await secureServer({ minVersion: 'TLSv1.3' });
    expect((await askedBy(high)).tls.tlsVersion).toBe(0x0304);
    await expect(high.connect({ maxVersion: 'TLSv1.2' })).rejects.toThrow(/PROTOCOL_VERSION/i);
  });

  test('TLS 1.1 is not spoken', async () => {
    await using server = await secureServer();
    await expect(server.connect({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).rejects.toThrow();
    await counted(server, 0);
  });
});

describe('ALPN', () => {
  test.each([
    ['http/1.1', 'http/1.1'],
    ['http/1.0', 'http/1.0'],
    ['h2,http/1.1', 'http/1.1'],
    ['', false],
  ] as const)('a client that offers %j', async (offered, chosen) => {
    await using server = await secureServer();
    const client = await server.connect(offered === '' ? {} : { ALPNProtocols: offered.split(',') });
    expect((client.socket as unknown as { alpnProtocol: unknown }).alpnProtocol).toBe(chosen);
    expect((await client.request()).status).toBe(200);
  });

  test('a client that offers nothing of it is told so (RFC 7301 3.2)', async () => {
    await using server = await secureServer();
    await expect(server.connect({ ALPNProtocols: ['smtp'] })).rejects.toThrow(/NO_APPLICATION_PROTOCOL/i);
    await counted(server, 0);
  });
});

const REFUSED: readonly (readonly [name: CertificateName | undefined, error: RegExp | null])[] = [
  [undefined, null],
  ['stranger', /UNABLE_TO_VERIFY_LEAF_SIGNATURE/],
  ['expired', /certificate has expired \(CERT_HAS_EXPIRED\)/],
  ['server-only', /INVALID_PURPOSE/],
];

describe.each([...VERSIONS])('clients’ certificates over %s', (version) => {
  const VERIFYING = { caFile: certificateFile('ca') } as const;

  const clientWith = (name: CertificateName | undefined): ConnectionOptions => ({
    minVersion: version,
    maxVersion: version,
    ...(name === undefined ? {} : identity(name)),
  });

  test.each(['optional', 'require'] as const)('%s: a good one is described', async (verifyClient) => {
    await using server = await secureServer({ ...VERIFYING, verifyClient });
    const { tls } = await askedBy(server, clientWith('client'));
    expect(tls).toMatchObject({
      clientCertChain: [certificate('client')],
      clientCertName: 'CN=Zoé,OU=R\\+D+O=Acme\\, Inc.,C=FR',
      clientCertError: null,
    });
  });

  test('one that comes with those that lead to the authority is good', async () => {
    await using server = await secureServer({ ...VERIFYING, verifyClient: 'require' });
    const { tls } = await askedBy(server, clientWith('chained-client'));
    expect(tls).toMatchObject({ clientCertName: 'CN=chained client', clientCertError: null });
  });

  test.each([...REFUSED])('optional: with %s the application is told what is wrong', async (name, error) => {
    await using server = await secureServer({ ...VERIFYING, verifyClient: 'optional' });
    const { tls } = await askedBy(server, clientWith(name));
    expect(tls.clientCertChain).toEqual(name === undefined ? [] : [certificate(name)]);
    if (error === null) expect([tls.clientCertName, tls.clientCertError]).toEqual([null, null]);
    else expect(tls.clientCertError).toMatch(error);
  });

  test.each([...REFUSED])('require: with %s nobody reaches the application', async (name) => {
    await using server = await secureServer({ ...VERIFYING, verifyClient: 'require' });
    let client: RawClient | undefined;
    try {
      client = await server.connect(clientWith(name));
      void client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      await client.ended();
    } catch {
      // With TLS 1.2 the handshake fails on the client's side too.
    }
    await counted(server, 0);
    expect(client?.bytesReceived ?? 0).toBe(0);
    expect(server.told).toEqual([]);
    expect(handshakeLines(server)).toEqual([
      expect.stringMatching(/^info 127\.0\.0\.1: no TLS handshake: (it has no|its) certificate/),
    ]);
    // The next one is let in.
    expect((await askedBy(server, clientWith('client'))).tls.clientCertError).toBeNull();
  });

  test('none: nobody is asked', async () => {
    await using server = await secureServer();
    const { tls } = await askedBy(server, clientWith('client'));
    expect(tls).toMatchObject({ clientCertChain: [], clientCertName: null, clientCertError: null });
  });
});

describe('handshakes that come to nothing', () => {
  test('HTTP without TLS gets no answer, and one line says what it was', async () => {
    await using server = await secureServer();
    const socket = await plainSocket(server);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.once('end', () => socket.end());
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await within(ended, 'the end of the connection');
    await counted(server, 0);
    expect(received).not.toContain('HTTP/');
    expect(handshakeLines(server)).toEqual(['info 127.0.0.1: no TLS handshake: it speaks HTTP without TLS']);
    expect(server.told).toEqual([]);
  });

  const LEAVING: readonly (readonly [name: string, opening: string, leave: (socket: Socket) => void])[] = [
    ['at once', '', (socket) => socket.destroy()],
    ['with FIN at once', '', (socket) => socket.end()],
    ['with a reset at once', '', (socket) => socket.resetAndDestroy()],
    ['inside its first record', '\x16\x03\x01\x02\x00\x01\x00', (socket) => socket.destroy()],
    ['with FIN inside its first record', '\x16\x03\x01\x02\x00\x01\x00', (socket) => socket.end()],
    ['with a reset inside its first record', '\x16\x03\x01\x02\x00', (socket) => socket.resetAndDestroy()],
  ];

  test.each([...LEAVING])('nothing is left of a client that leaves %s', async (_name, opening, leave) => {
    await using server = await secureServer();
    const socket = await plainSocket(server);
    await counted(server, 1);
    if (opening !== '') await new Promise((resolve) => socket.write(Buffer.from(opening, 'latin1'), resolve));
    leave(socket);
    await counted(server, 0);
    expect(handshakeLines(server)).toEqual(['debug 127.0.0.1: no TLS handshake: it has left']);
    expect(server.errors).toEqual([]);
    expect((await askedBy(server)).scheme).toBe('https');
  });

  test('what is no record of TLS ends the connection, with one line', async () => {
    await using server = await secureServer();
    const socket = await plainSocket(server);
    socket.write(Buffer.alloc(100, 0xff));
    await within(new Promise((resolve) => socket.once('end', resolve).resume()), 'the end of the connection');
    socket.destroy();
    await counted(server, 0);
    expect(handshakeLines(server)).toEqual([
      expect.stringMatching(/^debug 127\.0\.0\.1: no TLS handshake: \w+$/),
    ]);
  });

  test.each([
    ['nothing', ''],
    ['half a record', '\x16\x03\x01\x02\x00\x01\x00'],
  ])('one that stalls behind %s is ended by handshakeTimeout, with one line', async (_name, opening) => {
    await using server = await secureServer({ handshakeTimeout: 0.1 });
    const idle = await server.connect();
    const socket = await plainSocket(server);
    await counted(server, 2);
    const closed = new Promise((resolve) => socket.once('close', resolve).resume());
    if (opening !== '') socket.write(Buffer.from(opening, 'latin1'));
    await within(closed, 'the end of the connection');
    // The deadline is not one of connections whose handshake is over.
    await counted(server, 1);
    expect((await idle.request()).status).toBe(200);
    expect(handshakeLines(server)).toEqual([
      'debug 127.0.0.1: no TLS handshake: it takes too long (handshakeTimeout)',
    ]);
  });
});

describe('connections that have not finished their handshake', () => {
  test('count, and one too many is told so once it can understand', async () => {
    await using server = await secureServer({ maxConnections: 1 });
    const waiting = await plainSocket(server);
    await counted(server, 1);
    const client = await server.connect();
    const response = await client.response();
    expect([response.status, response.headers.map(([name]) => name)]).toEqual([
      503,
      expect.arrayContaining(['retry-after', 'connection']),
    ]);
    expect(await client.ended()).toBe('fin');
    client.close();
    waiting.destroy();
    await counted(server, 0);
    expect(server.told).toEqual([]);
    expect((await askedBy(server)).scheme).toBe('https');
  });

  test('do not hold up a shutdown', async () => {
    await using server = await secureServer({ shutdownTimeout: 20 });
    const waiting = await plainSocket(server);
    await counted(server, 1);
    await within(server.server.shutdown(), 'the end of the shutdown', 2000);
    waiting.destroy();
    expect(server.errors).toEqual([]);
  });
});

describe('per-listener TLS', () => {
  test('one server speaks it here and not there', async () => {
    const app = httpApp(async (scope, _receive, send) =>
      reply(send, `${scope.scheme} ${'tls' in scope.extensions}`),
    );
    const listen = ['127.0.0.1:0', 'http://127.0.0.1:0'];
    await using server = await startServer(app, { listen, isSecure: true, port: undefined });
    const [secure, plain] = server.server.listeners.map(({ url }) => url);
    expect([secure, plain]).toEqual([
      expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    ]);
    const ca = certificate('ca');
    expect(await (await fetch(secure!, { tls: { ca } } as RequestInit)).text()).toBe('https true');
    expect(await (await fetch(plain!)).text()).toBe('http false');
  });

  test('a unix socket speaks it where its address says https', async () => {
    using directory = temporaryDirectory();
    const app = httpApp(async (scope, _receive, send) => reply(send, `${scope.scheme} ${scope.server[0]}`));
    const listen = [directory.join('plain'), `https://${directory.join('secure')}`];
    await using _server = await startServer(app, { listen, isSecure: true, port: undefined });
    const ask = async (name: string, url: string) => {
      const options = { unix: directory.join(name), tls: { ca: certificate('ca') } } as RequestInit;
      return await (await fetch(url, options)).text();
    };
    expect(await ask('plain', 'http://localhost/')).toBe(`http ${directory.join('plain')}`);
    expect(await ask('secure', 'https://localhost/')).toBe(`https ${directory.join('secure')}`);
  });
});
