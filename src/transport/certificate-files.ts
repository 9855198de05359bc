/**
 * Reads certificates and keys, and judges them before they are used: every error names the file, the option it came from,
 * and what is wrong with it. What has passed here is accepted by a listener.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface CertificateFileSettings {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly caFile?: string | undefined;
}

export interface Certificates {
  /** PEM: the server's certificate, and behind it those that lead to its authority. */
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  readonly server: X509Certificate;
}

/** Throws an Error of one line. */
export function readCertificates(settings: CertificateFileSettings): Certificates {
  const { certFile, keyFile, passphrase, caFile } = settings;
  if (certFile === undefined || keyFile === undefined) {
    throw new Error('TLS needs certFile (--ssl-cert) and keyFile (--ssl-key)');
  }
  const cert = readText('certFile (--ssl-cert)', certFile);
  const [server] = parseCertificates('certFile (--ssl-cert)', certFile, cert);
  const key = readKey(keyFile, passphrase);
  if (!server!.checkPrivateKey(createPrivateKey(key))) {
    throw new Error(`keyFile (--ssl-key) ${keyFile} is not the key of the certificate in ${certFile}`);
  }
  const ca = caFile === undefined ? undefined : readText('caFile (--ssl-ca)', caFile);
  if (ca !== undefined) parseCertificates('caFile (--ssl-ca)', caFile!, ca);
  return { cert, key, ca, server: server! };
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

function readText(option: string, path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(`${option} ${path} cannot be read: ${FILE_ERRORS[code] ?? message}`, { cause: error });
  }
}

/** RFC 7468 section 5: any text may stand around the certificates. */
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/** One at least. */
function parseCertificates(option: string, path: string, text: string): X509Certificate[] {
  const blocks = text.match(PEM_CERTIFICATE);
  if (blocks === null) throw new Error(`${option} ${path} holds no certificate in PEM form`);
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new Error(`${option} ${path} is damaged: its certificate number ${index + 1} cannot be read`, {
        cause: error,
      });
    }
  });
}

/** The key as PEM, no longer encrypted, so that what was checked is what is used. */
function readKey(path: string, passphrase: string | undefined): string {
  const text = readText('keyFile (--ssl-key)', path);
  // PKCS #8 says it in the label, the older form in a field (RFC 7468 section 11, RFC 1421).
  const isEncrypted = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text);
  if (isEncrypted && passphrase === undefined) {
    throw new Error(
      `keyFile (--ssl-key) ${path} is encrypted: give its passphrase in the environment variable TSAGI_PASSPHRASE`,
    );
  }
  try {
    const key = createPrivateKey(passphrase === undefined ? text : { key: text, passphrase });
    return key.export({ type: 'pkcs8', format: 'pem' }) as string;
  } catch (error) {
    const reason = isEncrypted ? 'cannot be opened with its passphrase' : 'holds no private key in PEM form';
    throw new Error(`keyFile (--ssl-key) ${path} ${reason}`, { cause: error });
  }
}
