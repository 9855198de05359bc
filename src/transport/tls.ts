/**
 * TLS as far as a server sees it: what a listener is given, and what a finished handshake says. The judgement about a
 * client's certificate is made here, from what the library found out, and relied on nowhere else.
 */
import { createSecureContext } from 'node:tls';
import { type CertificateFileSettings, readCertificates } from './certificate-files.ts';
import { cipherSuiteNumber } from './cipher-suites.ts';
import { subjectName } from './distinguished-name.ts';
import type { RawSocket } from './socket.ts';

export interface TlsSettings extends CertificateFileSettings {
  /** What clients must show of themselves: under `optional` the application judges what they show. */
  readonly verifyClient: 'none' | 'optional' | 'require';
  /** The floor. */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL cipher list for TLS 1.2; those of TLS 1.3 cannot be chosen. */
  readonly ciphers?: string | undefined;
  /** Whether HTTP/2 is offered. */
  readonly http2?: boolean;
}

/** What a handshake has settled. Frozen: connections that agreed on the same share one. */
export interface TlsDetails {
  readonly serverCert: string | null;
  readonly clientCertChain: string[];
  readonly clientCertName: string | null;
  readonly clientCertError: string | null;
  readonly tlsVersion: 0x0303 | 0x0304 | null;
  readonly cipherSuite: number | null;
}

/** By ALPN (RFC 7301). */
export type NegotiatedProtocol = 'h2' | 'http/1.1';

export type HandshakeOutcome =
  | {
      readonly type: 'established';
      readonly details: TlsDetails;
      /** Undefined where the client did not ask. */
      readonly protocol: NegotiatedProtocol | undefined;
    }
  | {
      readonly type: 'failed';
      readonly reason: string;
      /** Whether it tells of somebody who wanted to talk and must know how, rather than of a probe or a broken line. */
      readonly isNoteworthy: boolean;
    };

type HandshakeError = Error & { readonly code?: string };

interface PeerCertificate {
  readonly raw: Uint8Array;
  toString(): string;
}

/** What Bun's TLS sockets have beyond the types, in Bun 1.4.5. */
interface RawTlsSocket {
  readonly authorized: boolean;
  readonly alpnProtocol: string | false | null;
  getTLSVersion(): string;
  getCipher(): { readonly standardName?: string | null };
  getPeerX509Certificate(): PeerCertificate | undefined;
}

const VERSIONS = { 'TLSv1.2': 0x0303, 'TLSv1.3': 0x0304 } as const;

/** `http/1.0` is what some clients ask for that want to speak HTTP/1.0, and nothing else. */
const HTTP1_PROTOCOLS = ['http/1.1', 'http/1.0'];

export class TlsContext {
  /** For `Bun.listen`. */
  readonly options: object;
  /** When the server's certificate ends. */
  readonly expiresAt: Date;
  readonly #serverCert: string;
  readonly #verifyClient: TlsSettings['verifyClient'];
  /** Without a client's certificate there are as many different ones as there are cipher suites. */
  readonly #detailsByCipher = new Map<string, TlsDetails>();

  /** Reads the files. Throws an Error that names the one that cannot be used. */
  constructor(settings: TlsSettings) {
    const { verifyClient, minVersion, ciphers, http2 = false } = settings;
    const { cert, key, ca, server } = readCertificates(settings);
    this.#verifyClient = verifyClient;
    this.#serverCert = server.toString();
    this.expiresAt = new Date(server.validTo);
    this.options = {
      cert,
      key,
      ...(ca === undefined ? {} : { ca }),
      ...(ciphers === undefined ? {} : { ciphers }),
      // A number: Bun 1.4.5 refuses the names that node:tls takes.
      minVersion: VERSIONS[minVersion],
      requestCert: verifyClient !== 'none',
      rejectUnauthorized: verifyClient === 'require',
      // In the form it has on the wire: anything else makes every handshake of Bun 1.4.5 fail.
      ALPNProtocols: alpnList(http2 ? ['h2', ...HTTP1_PROTOCOLS] : HTTP1_PROTOCOLS),
    };
    if (ciphers !== undefined) checkCiphers(ciphers);
  }

  /** What a finished handshake means. To be called within Bun's `handshake` handler. */
  judge(raw: RawSocket, isComplete: boolean, error: HandshakeError | null | undefined): HandshakeOutcome {
    if (!isComplete) return failure(error);
    const socket = raw as unknown as RawTlsSocket;
    const certificate = this.#verifyClient === 'none' ? undefined : socket.getPeerX509Certificate();
    const fault = socket.authorized && error?.code === undefined ? undefined : describeFault(error);
    // Bun 1.4.5 calls this handler before it closes a connection whose certificate it does not accept.
    if (this.#verifyClient === 'require' && (certificate === undefined || fault !== undefined)) {
      const reason = certificate === undefined ? 'it has no certificate' : `its certificate: ${fault}`;
      return { type: 'failed', reason, isNoteworthy: true };
    }
    const protocol = protocolOf(socket.alpnProtocol);
    return { type: 'established', details: this.#detailsOf(socket, certificate, fault), protocol };
  }

  #detailsOf(
    socket: RawTlsSocket,
    certificate: PeerCertificate | undefined,
    fault: string | undefined,
  ): TlsDetails {
    const version = socket.getTLSVersion();
    const cipher = socket.getCipher().standardName ?? '';
    const shared = certificate === undefined ? this.#detailsByCipher.get(version + cipher) : undefined;
    if (shared !== undefined) return shared;
    const details: TlsDetails = Object.freeze({
      serverCert: this.#serverCert,
      // The certificates between it and its authority are not to be had from Bun 1.4.5.
      clientCertChain: Object.freeze(
        certificate === undefined ? [] : [certificate.toString()],
      ) as unknown as string[],
      clientCertName: certificate === undefined ? null : (subjectName(certificate.raw) ?? null),
      clientCertError: certificate === undefined ? null : (fault ?? null),
      tlsVersion: version in VERSIONS ? VERSIONS[version as keyof typeof VERSIONS] : null,
      cipherSuite: cipherSuiteNumber(cipher) ?? null,
    });
    if (certificate === undefined) this.#detailsByCipher.set(version + cipher, details);
    return details;
  }
}

/** RFC 7301 3.1: each name behind its length. */
function alpnList(names: readonly string[]): Buffer {
  return Buffer.from(names.map((name) => String.fromCharCode(name.length) + name).join(''), 'latin1');
}

function protocolOf(alpnProtocol: string | false | null): NegotiatedProtocol | undefined {
  if (!alpnProtocol) return undefined;
  return alpnProtocol === 'h2' ? 'h2' : 'http/1.1';
}

function describeFault(error: HandshakeError | null | undefined): string {
  return error?.code === undefined ? 'not verified' : `${error.message} (${error.code})`;
}

/** What BoringSSL says, `error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST`, in words where it matters who reads it. */
const FAILURES: Readonly<Record<string, string>> = {
  HTTP_REQUEST: 'it speaks HTTP without TLS',
  PEER_DID_NOT_RETURN_A_CERTIFICATE: 'it has no certificate',
};

function failure(error: HandshakeError | null | undefined): HandshakeOutcome {
  if (error?.code === 'ECONNRESET') return { type: 'failed', reason: 'it has left', isNoteworthy: false };
  const said = /^error:[0-9a-f]+:[^:]*:[^:]*:(\w+)$/i.exec(error?.message ?? '')?.[1];
  const known = FAILURES[said ?? ''];
  const reason = known ?? said ?? error?.message ?? 'no reason is known';
  return { type: 'failed', reason, isNoteworthy: known !== undefined };
}

/** Names that are unknown beside known ones are passed over, as OpenSSL does; those of TLS 1.3 suites are. */
function checkCiphers(ciphers: string): void {
  try {
    const names = ciphers.split(/[:, ]+/).filter((name) => !name.startsWith('TLS_'));
    if (names.join('') === '') throw new Error('only TLS 1.3 suites are named');
    createSecureContext({ ciphers: names.join(':') });
  } catch (error) {
    throw new Error(`ciphers (--ssl-ciphers) ${ciphers} names no cipher suite of TLS 1.2`, { cause: error });
  }
}
