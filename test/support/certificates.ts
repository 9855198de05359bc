/**
 * The certificates that tests use; `certificates/make.sh` says what each is and how it was made.
 */
import { readFileSync } from 'node:fs';

export type CertificateName =
  | 'ca'
  | 'server'
  | 'renewed'
  | 'rsa-server'
  | 'chained-server'
  | 'client'
  | 'server-only'
  | 'expired'
  | 'stranger'
  | 'chained-client';

const DIRECTORY = new URL('certificates/', import.meta.url).pathname;

export function certificateFile(name: CertificateName): string {
  return `${DIRECTORY}${name}.pem`;
}

export function keyFile(name: CertificateName | 'server.encrypted'): string {
  return `${DIRECTORY}${name}.key`;
}

/** PEM. */
export function certificate(name: CertificateName): string {
  return readFileSync(certificateFile(name), 'utf8');
}

/** Certificate and key, for a client or a server of `node:tls`. */
export function identity(name: CertificateName): { cert: string; key: string } {
  return { cert: certificate(name), key: readFileSync(keyFile(name), 'utf8') };
}

/** The options of a server that is `localhost`. */
export const SERVER_TLS = { certFile: certificateFile('server'), keyFile: keyFile('server') } as const;
