/**
 * The table of cipher suites, against what the TLS library says that it has. That each has its right number is seen where
 * it is negotiated: test/behaviour/tls-handshake.test.ts.
 */
import { getCiphers } from 'node:tls';
import { expect, test } from 'bun:test';
import { CIPHER_SUITES, cipherSuiteNumber } from '../../src/transport/cipher-suites.ts';

/** `TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA` as OpenSSL has it: `ecdhe-rsa-aes128-sha`. */
function openSslName(name: string): string {
  const lower = name.toLowerCase();
  // Those of TLS 1.3 have one name only (RFC 8446 B.4).
  if (!lower.includes('_with_')) return lower;
  return (
    lower
      .replace(/^tls_(rsa_)?/, '')
      .replace('with_', '')
      .replaceAll('_', '-')
      .replace(/aes-(\d+)/, 'aes$1')
      .replace('3des-ede-cbc-sha', 'des-cbc3-sha')
      // With the two older kinds of key exchange, and SHA-1 or SHA-256, CBC goes without saying.
      .replace(/^(?!.*psk)(.*)-cbc-sha(256)?$/, '$1-sha$2')
      .replace('poly1305-sha256', 'poly1305')
  );
}

test('every suite of the library is in the table, and nothing else', () => {
  const known = [...CIPHER_SUITES.keys()].map(openSslName).sort();
  expect(known).toEqual([...getCiphers()].sort());
});

test('no two have one number', () => {
  expect(new Set(CIPHER_SUITES.values()).size).toBe(CIPHER_SUITES.size);
});

test('what is not in the table has no number', () => {
  expect([cipherSuiteNumber('TLS_NULL_WITH_NULL_NULL'), cipherSuiteNumber(null)]).toEqual([
    undefined,
    undefined,
  ]);
});
