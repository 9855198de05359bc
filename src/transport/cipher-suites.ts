/**
 * The numbers of the cipher suites that Bun 1.4.5 can negotiate, all of them, by their names in the IANA registry (TLS
 * Cipher Suites). A test counts them against the library; one that comes to be missing here has no number.
 */

export const CIPHER_SUITES: ReadonlyMap<string, number> = new Map([
  // TLS 1.3: RFC 8446 B.4.
  ['TLS_AES_128_GCM_SHA256', 0x1301],
  ['TLS_AES_256_GCM_SHA384', 0x1302],
  ['TLS_CHACHA20_POLY1305_SHA256', 0x1303],
  // ECDHE with AEAD: RFC 5289, RFC 7905.
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 0xc02b],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 0xc02c],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 0xc02f],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 0xc030],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 0xcca8],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 0xcca9],
  // ECDHE with CBC: RFC 8422, RFC 5289.
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', 0xc009],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 0xc00a],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 0xc013],
  ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', 0xc014],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256', 0xc023],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', 0xc027],
  // Without forward secrecy: RFC 5288, RFC 5246 A.5.
  ['TLS_RSA_WITH_AES_128_GCM_SHA256', 0x009c],
  ['TLS_RSA_WITH_AES_256_GCM_SHA384', 0x009d],
  ['TLS_RSA_WITH_AES_128_CBC_SHA', 0x002f],
  ['TLS_RSA_WITH_AES_256_CBC_SHA', 0x0035],
  ['TLS_RSA_WITH_3DES_EDE_CBC_SHA', 0x000a],
  // With keys agreed beforehand: RFC 4279, RFC 5489, RFC 7905.
  ['TLS_PSK_WITH_AES_128_CBC_SHA', 0x008c],
  ['TLS_PSK_WITH_AES_256_CBC_SHA', 0x008d],
  ['TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA', 0xc035],
  ['TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA', 0xc036],
  ['TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256', 0xccac],
]);

/** Undefined for a name that is not among them. */
export function cipherSuiteNumber(standardName: string | null | undefined): number | undefined {
  return standardName ? CIPHER_SUITES.get(standardName) : undefined;
}
