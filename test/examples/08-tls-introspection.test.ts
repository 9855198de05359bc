import { expect, test } from 'bun:test';
import { certificate, certificateFile, identity, keyFile } from '../support/certificates.ts';
import { startServer, type RunningProgram } from '../support/running-program.ts';

const APP = 'examples/08-tls-introspection/app.ts';

const TLS = ['--ssl-cert', certificateFile('server'), '--ssl-key', keyFile('server')];
const CLIENTS = ['--ssl-ca', certificateFile('ca'), '--ssl-verify-client', 'optional'];

async function ask(server: RunningProgram, client: object = {}): Promise<string> {
  const [, url] = await server.said(/listening on (https:\S+)\n/);
  const init = { tls: { ca: certificate('ca'), ...client }, keepalive: false } as RequestInit;
  return await (await fetch(url!, init)).text();
}

test('08-tls-introspection says what the handshake has settled', async () => {
  await using server = startServer(APP, ['--port', '0', ...TLS]);
  expect(await ask(server)).toMatch(
    /^version {7}TLS 1\.3\ncipher suite {2}0x130[123]\nclient {8}unknown: it has no certificate\n$/,
  );
});

test('08-tls-introspection knows a client by its certificate, once that has been accepted', async () => {
  await using server = startServer(APP, ['--port', '0', ...TLS, ...CLIENTS]);
  expect(await ask(server, identity('client'))).toEndWith(
    'client        CN=Zoé,OU=R\\+D+O=Acme\\, Inc.,C=FR\n',
  );
  expect(await ask(server, identity('expired'))).toEndWith('certificate has expired (CERT_HAS_EXPIRED)\n');
});

test('08-tls-introspection says where there is no TLS', async () => {
  await using server = startServer(APP);
  expect(await (await fetch(await server.url())).text()).toBe('no TLS\n');
});
