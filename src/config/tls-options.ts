/**
 * The rows of the option table that say how TLS is spoken: see options.ts.
 */
import type { OptionRow } from './option-row.ts';

export const TLS_OPTIONS = {
  /** Server certificate, PEM, with those that lead to its authority behind it; TCP listeners then speak TLS. @default undefined */
  certFile: {
    kind: 'string',
    flag: 'ssl-cert',
    placeholder: 'FILE',
    group: 'TLS',
    default: undefined,
    help: 'Server certificate, PEM, with those that lead to its authority behind it; TCP listeners then speak TLS.',
  },
  /** Private key of the certificate, PEM. @default undefined */
  keyFile: {
    kind: 'string',
    flag: 'ssl-key',
    placeholder: 'FILE',
    group: 'TLS',
    default: undefined,
    help: 'Private key of the certificate, PEM.',
  },
  /** Passphrase of an encrypted key; outside code it is the environment variable TSAGI_PASSPHRASE. @default undefined */
  passphrase: {
    kind: 'string',
    isCodeOnly: true,
    group: 'TLS',
    default: undefined,
    help: 'Passphrase of an encrypted key; outside code it is the environment variable TSAGI_PASSPHRASE.',
  },
  /** Certificates of the authorities that clients' certificates must come from, PEM. @default undefined */
  caFile: {
    kind: 'string',
    flag: 'ssl-ca',
    placeholder: 'FILE',
    group: 'TLS',
    default: undefined,
    help: "Certificates of the authorities that clients' certificates must come from, PEM.",
  },
  /** Whether clients are asked for a certificate; optional leaves the judgement to the app. @default 'none' */
  verifyClient: {
    kind: 'choice',
    flag: 'ssl-verify-client',
    choices: ['none', 'optional', 'require'],
    group: 'TLS',
    default: 'none',
    help: 'Whether clients are asked for a certificate; optional leaves the judgement to the app.',
  },
  /** The oldest version that is spoken. @default 'TLSv1.2' */
  minVersion: {
    kind: 'choice',
    flag: 'ssl-min-version',
    choices: ['TLSv1.2', 'TLSv1.3'],
    group: 'TLS',
    default: 'TLSv1.2',
    help: 'The oldest version that is spoken.',
  },
  /** Cipher suites for TLS 1.2, as OpenSSL writes such a list; those of TLS 1.3 are fixed. @default undefined */
  ciphers: {
    kind: 'string',
    flag: 'ssl-ciphers',
    placeholder: 'LIST',
    group: 'TLS',
    default: undefined,
    help: 'Cipher suites for TLS 1.2, as OpenSSL writes such a list; those of TLS 1.3 are fixed.',
  },
} as const satisfies Readonly<Record<string, OptionRow>>;
