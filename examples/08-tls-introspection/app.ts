/**
 * What the TLS handshake has settled, and who the client is by its certificate.
 */
import type { App, TlsExtension } from 'tsagi-server';

export const app: App = async (scope, _receive, send) => {
  if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
  // There on TLS connections only.
  const { tls } = scope.extensions;
  const body = tls === undefined ? 'no TLS\n' : describe(tls);
  await send({
    type: 'http.response.start',
    status: 200,
    headers: [['content-type', 'text/plain; charset=utf-8']],
  });
  await send({ type: 'http.response.body', body });
};

function describe(tls: TlsExtension): string {
  return [
    `version       ${tls.tlsVersion === null ? 'unknown' : VERSIONS[tls.tlsVersion]}`,
    `cipher suite  ${tls.cipherSuite === null ? 'unknown' : `0x${tls.cipherSuite.toString(16).padStart(4, '0')}`}`,
    `client        ${clientOf(tls)}`,
    '',
  ].join('\n');
}

const VERSIONS = { 0x0303: 'TLS 1.2', 0x0304: 'TLS 1.3' } as const;

/** The name in a certificate says nothing until the certificate has been accepted. */
function clientOf({ clientCertChain, clientCertName, clientCertError }: TlsExtension): string {
  if (clientCertChain.length === 0) return 'unknown: it has no certificate';
  if (clientCertError !== null) return `unknown: ${clientCertError}`;
  return clientCertName ?? 'unknown: its certificate has no readable name';
}
