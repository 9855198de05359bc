/**
 * What a client's opening handshake must be (RFC 6455 section 4.2.1, over HTTP/2 RFC 8441 section 5), judged once the request
 * is known to be one. Whatever is missing, repeated or malformed is refused before the application hears of it.
 */

import { createHash } from 'node:crypto';

import { isToken, trimOws } from '../grammar.ts';
import { ProtocolError } from '../protocol-error.ts';
import { parseExtensions } from './extensions.ts';
import type { ExtensionOffer } from './extensions.ts';

export interface Handshake {
  /** Value of `sec-websocket-accept`; undefined over HTTP/2, which has none. */
  readonly acceptKey: string | undefined;
  /** In the client's order of preference, as sent. */
  readonly subprotocols: string[];
  readonly extensions: readonly ExtensionOffer[];
}

/** A request that asks for a WebSocket, by `upgrade` and `connection` or by the `:protocol` of an extended CONNECT. */
export interface HandshakeHead {
  readonly method: string;
  readonly httpVersion: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly hasBody: boolean;
}

const fault = (code: string, status: number, message: string): ProtocolError =>
  new ProtocolError(code, status, message);

export const HANDSHAKE_ERRORS = {
  method: fault('websocket_method', 405, 'The method of a WebSocket handshake must be GET.'),
  body: fault('websocket_body', 400, 'A WebSocket handshake must not have a body.'),
  version: fault('websocket_version', 426, 'This server speaks version 13 of the WebSocket protocol.'),
  versionInStream: fault(
    'websocket_version',
    400,
    'This server speaks version 13 of the WebSocket protocol.',
  ),
  versionRepeated: fault(
    'websocket_version_repeated',
    400,
    'A WebSocket handshake must have one Sec-WebSocket-Version field only.',
  ),
  key: fault('websocket_key', 400, 'A WebSocket handshake must have one Sec-WebSocket-Key of 16 bytes.'),
  subprotocols: fault(
    'websocket_subprotocols',
    400,
    'Sec-WebSocket-Protocol must be a list of tokens without repeats.',
  ),
  extensions: fault('websocket_extensions', 400, 'Sec-WebSocket-Extensions is malformed.'),
} as const satisfies Record<string, ProtocolError>;

type Fields = [name: string, value: string][];

/** RFC 6455 4.4: what tells a client which versions there are. */
const VERSIONS: readonly [name: string, value: string] = ['sec-websocket-version', '13'];

/** Gives the fields that belong to the answer, besides the usual ones. */
export function handshakeErrorHeaders(error: ProtocolError): Fields {
  switch (error) {
    case HANDSHAKE_ERRORS.method:
      // RFC 9110 15.5.6
      return [['allow', 'GET']];
    case HANDSHAKE_ERRORS.version:
      // RFC 9110 15.5.22
      return [[...VERSIONS], ['upgrade', 'websocket']];
    case HANDSHAKE_ERRORS.versionInStream:
      return [[...VERSIONS]];
    default:
      return [];
  }
}

/** RFC 6455 4.1: base64 of 16 bytes. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** RFC 6455 1.3 */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export function judgeHandshake(head: HandshakeHead): Handshake | ProtocolError {
  // An extended CONNECT has its own method, its stream as body, and no key (RFC 8441 5).
  const isUpgrade = head.httpVersion.startsWith('1');
  if (isUpgrade) {
    // RFC 6455 4.2.1, 1
    if (head.method !== 'GET') return HANDSHAKE_ERRORS.method;
    // Its bytes would stand where frames are to begin.
    if (head.hasBody) return HANDSHAKE_ERRORS.body;
  }
  const fields = collectFields(head.headers);
  const [version, ...otherVersions] = fields.versions;
  if (otherVersions.length > 0) return HANDSHAKE_ERRORS.versionRepeated;
  if (version !== '13') {
    // RFC 6455 4.2.1, 6 and 4.4. HTTP/2 has no Upgrade field (RFC 9113 8.2.2), and so no 426, which needs one.
    return isUpgrade ? HANDSHAKE_ERRORS.version : HANDSHAKE_ERRORS.versionInStream;
  }
  const [key, ...otherKeys] = fields.keys;
  // RFC 6455 4.2.1, 5
  if (isUpgrade && (key === undefined || otherKeys.length > 0 || !KEY.test(key))) return HANDSHAKE_ERRORS.key;
  const subprotocols = parseSubprotocols(fields.subprotocols);
  if (!subprotocols) return HANDSHAKE_ERRORS.subprotocols;
  // RFC 6455 9.1: several fields are as one. A quoted value must be a token, so none can span the comma.
  const extensions = fields.extensions.length > 0 ? parseExtensions(fields.extensions.join(',')) : [];
  if (!extensions) return HANDSHAKE_ERRORS.extensions;
  return { acceptKey: isUpgrade ? acceptKeyFor(key!) : undefined, subprotocols, extensions };
}

/** RFC 6455 4.2.2, 5.4 */
function acceptKeyFor(key: string): string {
  return createHash('sha1').update(`${key}${KEY_SUFFIX}`, 'latin1').digest('base64');
}

interface HandshakeFields {
  readonly versions: string[];
  readonly keys: string[];
  readonly subprotocols: string[];
  readonly extensions: string[];
}

function collectFields(headers: HandshakeHead['headers']): HandshakeFields {
  const fields: HandshakeFields = { versions: [], keys: [], subprotocols: [], extensions: [] };
  for (const [name, value] of headers) {
    if (name === 'sec-websocket-version') fields.versions.push(value);
    else if (name === 'sec-websocket-key') fields.keys.push(value);
    else if (name === 'sec-websocket-protocol') fields.subprotocols.push(value);
    else if (name === 'sec-websocket-extensions') fields.extensions.push(value);
  }
  return fields;
}

/** RFC 6455 4.1, 10 and 11.3.4: `1#token`, over all fields, each token once; undefined where it is not that. */
function parseSubprotocols(values: readonly string[]): string[] | undefined {
  if (values.length === 0) return [];
  const subprotocols = new Set<string>();
  for (const member of values.join(',').split(',')) {
    const subprotocol = trimOws(member);
    // RFC 9110 5.6.1.2: empty members count for nothing.
    if (subprotocol === '') continue;
    if (!isToken(subprotocol) || subprotocols.has(subprotocol)) return undefined;
    subprotocols.add(subprotocol);
  }
  return subprotocols.size > 0 ? [...subprotocols] : undefined;
}
