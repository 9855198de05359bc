/**
 * TLS on the command line: its options, its failures with their exit codes, and HUP.
 */
import { copyFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'bun:test';
import { certificate, certificateFile, keyFile } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { RunningCommand, runToEnd } from './spawn-command.ts';

const APP = `(scope, receive, send) => {
  if (scope.type !== 'http') throw new Error('http only');
  void send({ type: 'http.response.start', status: 200 });
  return send({ type: 'http.response.body', body: String(scope.extensions.tls?.serverCert) });
}`;

const START = ['-e', APP, '--port', '0'];
const FILES = ['--ssl-cert', certificateFile('server'), '--ssl-key', keyFile('server')];

async function secureUrl(command: RunningCommand): Promise<string> {
  return (await command.said(/listening on (https:\S+)/))[1]!;
}

async function ask(url: string): Promise<string> {
  const init = { tls: { ca: certificate('ca') }, keepalive: false } as RequestInit;
  return await (await fetch(url, init)).text();
}

test('a certificate and its key make it speak TLS, and the start message says https', async () => {
  await using command = new RunningCommand([...START, ...FILES]);
  expect(await ask(await secureUrl(command))).toBe(certificate('server'));
});

test('the passphrase of the key comes from the environment', async () => {
  const files = ['--ssl-cert', certificateFile('server'), '--ssl-key', keyFile('server.encrypted')];
  await using command = new RunningCommand([...START, ...files], {
    env: { TSAGI_PASSPHRASE: 'open sesame' },
  });
  expect(await ask(await secureUrl(command))).toBe(certificate('server'));
});

test('HUP reads the certificates anew; broken ones are an error line, and the old ones stay', async () => {
  using directory = temporaryDirectory();
  const [cert, key] = [directory.join('cert.pem'), directory.join('key.pem')];
  copyFileSync(certificateFile('server'), cert);
  copyFileSync(keyFile('server'), key);
  await using command = new RunningCommand([...START, '--ssl-cert', cert, '--ssl-key', key]);
  const url = await secureUrl(command);
  writeFileSync(cert, 'broken');
  command.kill('SIGHUP');
  await command.said(
    /error SIGHUP: the old certificates stay: certFile \(--ssl-cert\) \S+ holds no certificate/,
  );
  expect(await ask(url)).toBe(certificate('server'));
  copyFileSync(certificateFile('renewed'), cert);
  copyFileSync(keyFile('renewed'), key);
  command.kill('SIGHUP');
  await command.said(/info SIGHUP: the certificates have been read anew/);
  expect(await ask(url)).toBe(certificate('renewed'));
});

test('an expired certificate is served, with a warning', async () => {
  const files = ['--ssl-cert', certificateFile('expired'), '--ssl-key', keyFile('expired')];
  await using command = new RunningCommand([...START, ...files]);
  await command.said(/warn the certificate in \S+expired.pem has expired: 20/);
});

test.each([
  [
    'a certificate that is not there',
    ['--ssl-cert', '/nowhere/a.pem', '--ssl-key', keyFile('server')],
    /certFile \(--ssl-cert\) \/nowhere\/a.pem cannot be read: there is no such file/,
  ],
  [
    'a key of another certificate',
    ['--ssl-cert', certificateFile('server'), '--ssl-key', keyFile('client')],
    /keyFile \(--ssl-key\) \S+ is not the key of the certificate/,
  ],
  [
    'an encrypted key',
    ['--ssl-cert', certificateFile('server'), '--ssl-key', keyFile('server.encrypted')],
    /TSAGI_PASSPHRASE/,
  ],
  [
    'ciphers that nobody knows',
    [...FILES, '--ssl-ciphers', 'nonsense'],
    /ciphers \(--ssl-ciphers\) nonsense names no cipher suite/,
  ],
] satisfies [string, string[], RegExp][])(
  '%s: it does not start, exit code 1',
  async (_name, args, message) => {
    const { exitCode, stderr } = await runToEnd([...START, ...args]);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(stderr).toMatch(/\ntsagi-server: .*\n$|^tsagi-server: .*\n$/);
  },
);

test.each([
  ['--ssl-cert a', '--ssl-cert must be given together with --ssl-key'],
  ['--ssl-key a', '--ssl-key must be given together with --ssl-cert'],
  [
    '--ssl-cert a --ssl-key b --ssl-verify-client require',
    '--ssl-verify-client must be given together with --ssl-ca',
  ],
  [
    '--ssl-cert a --ssl-key b --ssl-ca c',
    '--ssl-ca must be given together with --ssl-verify-client optional or require',
  ],
  ['--ssl-min-version TLSv1.1', '--ssl-min-version must be one of TLSv1.2, TLSv1.3, not "TLSv1.1"'],
  ['--ssl-verify-client yes', '--ssl-verify-client must be one of none, optional, require, not "yes"'],
] satisfies [string, string][])('%s: exit code 2', async (args, message) => {
  expect(await runToEnd(['-e', APP, ...args.split(' ')])).toMatchObject({
    exitCode: 2,
    stderr: `tsagi-server: ${message}\n`,
  });
});

test('https without a certificate: exit code 2', async () => {
  const { exitCode, stderr } = await runToEnd(['-e', APP, '--listen', 'https://127.0.0.1:0']);
  expect([exitCode, stderr]).toEqual([
    2,
    'tsagi-server: --listen asks for https, which needs --ssl-cert and --ssl-key\n',
  ]);
});
