/**
 * Certificates and keys on the disk: what is wrong with them is said with the file and the option.
 */
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'bun:test';
import { readCertificates, type CertificateFileSettings } from '../../src/transport/certificate-files.ts';
import { TlsContext } from '../../src/transport/tls.ts';
import { certificate, certificateFile, identity, keyFile, SERVER_TLS } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('what is read is PEM, and the server’s certificate the first of its file', () => {
  const { cert, key, ca, server } = readCertificates({
    certFile: certificateFile('chained-server'),
    keyFile: keyFile('chained-server'),
    caFile: certificateFile('ca'),
  });
  expect(cert).toBe(certificate('chained-server'));
  expect(key).toStartWith('-----BEGIN PRIVATE KEY-----');
  expect(ca).toBe(certificate('ca'));
  expect(server.subject).toBe('CN=localhost');
});

test('an encrypted key is opened with its passphrase', () => {
  const settings = { ...SERVER_TLS, keyFile: keyFile('server.encrypted'), passphrase: 'open sesame' };
  expect(readCertificates(settings).key).toBe(readCertificates(SERVER_TLS).key);
});

test('a passphrase for a key that is not encrypted changes nothing', () => {
  expect(readCertificates({ ...SERVER_TLS, passphrase: 'x' }).key).toBe(readCertificates(SERVER_TLS).key);
});

describe('refusals', () => {
  const { cert, key } = identity('server');
  const files: Readonly<Record<string, string>> = {
    empty: '',
    text: 'no certificate',
    damaged: cert.replace(/\n.{40}/, '\nAAAA'),
    chain: `${cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    key,
    cert,
  };
  const rows: readonly (readonly [
    name: string,
    settings: (join: (name: string) => string) => CertificateFileSettings,
    message: RegExp,
  ])[] = [
    [
      'a certificate that is not there',
      (join) => ({ ...SERVER_TLS, certFile: join('missing') }),
      /^certFile \(--ssl-cert\) \S+\/missing cannot be read: there is no such file$/,
    ],
    [
      'a directory',
      (join) => ({ ...SERVER_TLS, certFile: join('') }),
      /^certFile \(--ssl-cert\) \S+ cannot be read: it is a directory$/,
    ],
    [
      'a key that is not there',
      (join) => ({ ...SERVER_TLS, keyFile: join('missing') }),
      /^keyFile \(--ssl-key\) \S+\/missing cannot be read: there is no such file$/,
    ],
    [
      'authorities that are not there',
      (join) => ({ ...SERVER_TLS, caFile: join('missing') }),
      /^caFile \(--ssl-ca\) \S+\/missing cannot be read: there is no such file$/,
    ],
    ...['empty', 'text', 'key'].map(
      (name) =>
        [
          `a certificate file with ${name} in it`,
          (join: (name: string) => string) => ({ ...SERVER_TLS, certFile: join(name) }),
          /^certFile \(--ssl-cert\) \S+ holds no certificate in PEM form$/,
        ] as const,
    ),
    [
      'a damaged certificate',
      (join) => ({ ...SERVER_TLS, certFile: join('damaged') }),
      /^certFile \(--ssl-cert\) \S+ is damaged: its certificate number 1 cannot be read$/,
    ],
    [
      'a damaged certificate behind a good one',
      (join) => ({ ...SERVER_TLS, certFile: join('chain') }),
      /^certFile \(--ssl-cert\) \S+ is damaged: its certificate number 2 cannot be read$/,
    ],
    ...['empty', 'text', 'cert'].map(
      (name) =>
        [
          `a key file with ${name} in it`,
          (join: (name: string) => string) => ({ ...SERVER_TLS, keyFile: join(name) }),
          /^keyFile \(--ssl-key\) \S+ holds no private key in PEM form$/,
        ] as const,
    ),
    [
      'a key of another certificate',
      () => ({ ...SERVER_TLS, keyFile: keyFile('client') }),
      /^keyFile \(--ssl-key\) \S+client.key is not the key of the certificate in \S+server.pem$/,
    ],
    [
      'an encrypted key without a passphrase',
      () => ({ ...SERVER_TLS, keyFile: keyFile('server.encrypted') }),
      /^keyFile \(--ssl-key\) \S+ is encrypted: give its passphrase in the environment variable TSAGI_PASSPHRASE$/,
    ],
    [
      'an encrypted key with another passphrase',
      () => ({ ...SERVER_TLS, keyFile: keyFile('server.encrypted'), passphrase: 'open barley' }),
      /^keyFile \(--ssl-key\) \S+ cannot be opened with its passphrase$/,
    ],
    [
      'authorities that are none',
      (join) => ({ ...SERVER_TLS, caFile: join('key') }),
      /^caFile \(--ssl-ca\) \S+ holds no certificate in PEM form$/,
    ],
  ];

  test.each(rows)('%s', (_name, settings, message) => {
    using directory = temporaryDirectory();
    for (const [name, text] of Object.entries(files)) writeFileSync(directory.join(name), text);
    expect(() => readCertificates(settings(directory.join))).toThrow(message);
  });

  test.each(['nonsense', 'TLS_AES_128_GCM_SHA256', ''])('the cipher list %j', (ciphers) => {
    const settings = { ...SERVER_TLS, verifyClient: 'none', minVersion: 'TLSv1.2', ciphers } as const;
    expect(() => new TlsContext(settings)).toThrow(
      /^ciphers \(--ssl-ciphers\) .*names no cipher suite of TLS 1.2$/,
    );
  });
});
