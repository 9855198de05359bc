/**
 * Certificates that are replaced while the server runs: new connections get the new ones, open ones go on, and what cannot
 * be used changes nothing.
 */
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { expect, test } from 'bun:test';
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
import { httpApp, reply } from './apps.ts';

interface RenewableServer extends TestServer {
  /** Puts another certificate and its key in the place of those that the server was started with. */
  install(name: CertificateName): void;
  readonly files: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
}

async function renewableServer(options: StartOptions = {}): Promise<RenewableServer> {
  const directory = temporaryDirectory();
  const files = {
    certFile: directory.join('cert.pem'),
    keyFile: directory.join('key.pem'),
    caFile: directory.join('ca.pem'),
  };
  const install = (name: CertificateName): void => {
    copyFileSync(certificateFile(name), files.certFile);
    copyFileSync(keyFile(name), files.keyFile);
  };
  install('server');
  copyFileSync(certificateFile('ca'), files.caFile);
  const app = httpApp((scope, _receive, send) => reply(send, scope.extensions.tls!.serverCert!));
  const { certFile, keyFile: key } = files;
  const verifying = options.verifyClient === undefined ? {} : { caFile: files.caFile };
  const server = await startServer(app, { isSecure: true, certFile, keyFile: key, ...verifying, ...options });
  const dispose = server[Symbol.asyncDispose].bind(server);
  return Object.assign(server, {
    install,
    files,
    async [Symbol.asyncDispose]() {
      await dispose();
      directory[Symbol.dispose]();
    },
  });
}

/** What a client sees, and what the application is told. */
async function certificatesOf(client: RawClient): Promise<[seen: string, told: string]> {
  const { raw } = (client.socket as TLSSocket).getPeerCertificate() as DetailedPeerCertificate;
  return [raw.toString('base64'), (await client.request()).body.toString()];
}

function bothAre(name: CertificateName): [string, string] {
  const pem = certificate(name);
  return [pem.replace(/-----[A-Z ]+-----|\n/g, ''), pem];
}

test('connections from then on get the new certificate, and those that are open go on', async () => {
  await using server = await renewableServer();
  const before = await server.connect();
  expect(await certificatesOf(before)).toEqual(bothAre('server'));
  server.install('renewed');
  expect(await certificatesOf(await server.connect())).toEqual(bothAre('server'));
  server.server.reloadCertificates();
  expect(await certificatesOf(await server.connect())).toEqual(bothAre('renewed'));
  expect((await before.request()).body.toString()).toBe(certificate('server'));
  expect(before.ending).toBe('open');
});

test('none of the connections that come and go meanwhile fails', async () => {
  await using server = await renewableServer();
  const seen = new Set<string>();
  const over = new AbortController();
  const clients = Array.from({ length: 8 }, async () => {
    do {
      const response = await server.request();
      expect(response.status).toBe(200);
      seen.add(response.body.toString());
    } while (!over.signal.aborted);
  });
  for (let round = 0; round < 20; round++) {
    server.install(round % 2 === 0 ? 'renewed' : 'server');
    server.server.reloadCertificates();
    await server.request();
  }
  over.abort();
  await Promise.all(clients);
  expect([...seen].sort()).toEqual([certificate('renewed'), certificate('server')].sort());
  expect(server.errors).toEqual([]);
});

test.each([
  ['a certificate that is none', /holds no certificate/, ({ certFile }) => writeFileSync(certFile, 'broken')],
  ['a certificate that is gone', /there is no such file/, ({ certFile }) => rmSync(certFile)],
  [
    'a key that is not its own',
    /is not the key/,
    ({ certFile }) => copyFileSync(certificateFile('renewed'), certFile),
  ],
] satisfies [string, RegExp, (files: RenewableServer['files']) => void][])(
  '%s is refused, and the old one stays',
  async (_name, message, damage) => {
    await using server = await renewableServer();
    damage(server.files);
    expect(() => server.server.reloadCertificates()).toThrow(message);
    expect(await certificatesOf(await server.connect())).toEqual(bothAre('server'));
    server.install('renewed');
    server.server.reloadCertificates();
    expect(await certificatesOf(await server.connect())).toEqual(bothAre('renewed'));
  },
);

test('the authorities are read anew too, and no session of before gets past them', async () => {
  await using server = await renewableServer({ verifyClient: 'require' });
  const client = await server.connect({ ...identity('client'), maxVersion: 'TLSv1.2' });
  await client.request();
  const session = (client.socket as TLSSocket).getSession()!;
  client.close();
  // From now on it trusts only a certificate that has signed none.
  copyFileSync(certificateFile('rsa-server'), server.files.caFile);
  server.server.reloadCertificates();
  const request = async (): Promise<unknown> => {
    const stranger = await server.connect({ ...identity('client'), maxVersion: 'TLSv1.2', session });
    return await stranger.request();
  };
  await expect(request()).rejects.toThrow();
  expect(server.log.join('\n')).toContain('no TLS handshake: its certificate');
});

test('without TLS there is nothing to read anew', async () => {
  await using server = await startServer(httpApp((_scope, _receive, send) => reply(send)));
  expect(() => server.server.reloadCertificates()).toThrow('no listener speaks TLS');
});
