/**
 * From the field section of an HTTP/2 request to its head (RFC 9113 8.2, 8.3). What a client may not send makes the request
 * malformed, which is a stream error; what is well-formed and still not acceptable is answered like any HTTP request.
 */
import { hasValidEscapes, isAuthority, isToken, TARGET } from '../grammar.ts';
import { H1_ERRORS } from '../h1/errors.ts';
import { ProtocolError } from '../protocol-error.ts';

/** RFC 9113 8.1.1: a request that no application is to see. */
export const MALFORMED = new ProtocolError('malformed_request', 400, 'The HTTP/2 request is malformed.');

export interface H2FieldLimits {
  readonly maxRequestLine: number;
  readonly maxHeaderCount: number;
}

/** What the fields say. */
export class H2RequestHead {
  readonly httpVersion = '2' as const;
  /** The protocol of an extended CONNECT (RFC 8441), else undefined. */
  protocol: string | undefined = undefined;
  method = '';
  scheme = '';
  rawPath = '';
  hasEscapes = false;
  queryString = '';
  headers: [name: string, value: string][] = [];
  hasBody = false;
  readonly hasUpgrade = false;
  mentionsEventStream = false;
  repeatsCookie = false;
  expectsContinue = false;
  /** Declared Content-Length in bytes, -1 without one. */
  contentLength = -1;
}

/** RFC 9113 8.2.2: fields of a connection, of which HTTP/2 has none. */
const CONNECTION_FIELDS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** Pseudo-header fields of one request, by name. */
type Pseudo = Partial<Record<':method' | ':scheme' | ':authority' | ':path' | ':protocol', string>>;

const PSEUDO_NAMES = new Set([':method', ':scheme', ':authority', ':path', ':protocol']);

/** `raw` holds names and values in turn, as they came. */
export function readRequestFields(
  raw: readonly string[],
  hasBody: boolean,
  limits: H2FieldLimits,
): H2RequestHead | ProtocolError {
  const head = new H2RequestHead();
  head.hasBody = hasBody;
  const pseudo: Pseudo = {};
  let fault: ProtocolError | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    const found =
      name.charCodeAt(0) === 58 ? notePseudo(pseudo, name, value, head) : noteField(head, name, value);
    if (found === MALFORMED) return MALFORMED;
    fault ??= found;
  }
  const wrong = applyPseudo(head, pseudo, limits);
  if (wrong === MALFORMED) return MALFORMED;
  if (head.headers.length > limits.maxHeaderCount) return H1_ERRORS.tooManyHeaders;
  return wrong ?? fault ?? head;
}

/** RFC 9113 8.3: known ones, each once, none behind a field. */
function notePseudo(
  pseudo: Pseudo,
  name: string,
  value: string,
  head: H2RequestHead,
): ProtocolError | undefined {
  if (!PSEUDO_NAMES.has(name) || head.headers.length > 0) return MALFORMED;
  const key = name as keyof Pseudo;
  if (pseudo[key] !== undefined) return MALFORMED;
  pseudo[key] = value;
  return undefined;
}

function noteField(head: H2RequestHead, name: string, value: string): ProtocolError | undefined {
  // RFC 9113 8.2, 8.2.1, 8.2.2
  if (!isToken(name) || name !== name.toLowerCase() || CONNECTION_FIELDS.has(name)) return MALFORMED;
  if (!isFieldValue(value)) return MALFORMED;
  head.headers.push([name, value]);
  switch (name) {
    case 'te':
      return value.toLowerCase() === 'trailers' ? undefined : MALFORMED;
    case 'content-length':
      return noteContentLength(head, value);
    case 'accept':
      if (/text\/event-stream/i.test(value)) head.mentionsEventStream = true;
      return undefined;
    case 'cookie':
      head.repeatsCookie ||= head.headers.filter(([other]) => other === 'cookie').length > 1;
      return undefined;
    case 'expect':
      if (value.toLowerCase() !== '100-continue') return H1_ERRORS.expectation;
      head.expectsContinue = head.hasBody;
      return undefined;
    default:
      return undefined;
  }
}

/** RFC 9113 8.2.1: no NUL, CR and LF, and no blank at either end. */
function isFieldValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === 0 || code === 10 || code === 13) return false;
  }
  return !isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(value.length - 1));
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** RFC 9110 8.6, RFC 9113 8.1.1: a length that is none, or two, makes the request malformed. */
function noteContentLength(head: H2RequestHead, value: string): ProtocolError | undefined {
  const length = /^\d+$/.test(value) ? Number(value) : -1;
  if (!Number.isSafeInteger(length) || length < 0) return MALFORMED;
  if (head.contentLength >= 0 && head.contentLength !== length) return MALFORMED;
  head.contentLength = length;
  return undefined;
}

/** RFC 9113 8.3.1; for CONNECT 8.5, for extended CONNECT RFC 8441 4. */
function applyPseudo(head: H2RequestHead, pseudo: Pseudo, limits: H2FieldLimits): ProtocolError | undefined {
  const { ':method': method, ':path': path, ':scheme': scheme, ':authority': authority } = pseudo;
  if (method === undefined || !isToken(method)) return MALFORMED;
  head.method = method;
  // RFC 9110 7.8: protocols are compared without regard to case; proxies hand on the Upgrade field of a client as it stands.
  head.protocol = pseudo[':protocol']?.toLowerCase();
  if (head.protocol !== undefined && method !== 'CONNECT') return MALFORMED;
  if (method === 'CONNECT' && head.protocol === undefined) {
    if (path !== undefined || scheme !== undefined || authority === undefined) return MALFORMED;
  } else {
    if (path === undefined || scheme === undefined) return MALFORMED;
    const isAsterisk = path === '*' && method === 'OPTIONS';
    if (path.charCodeAt(0) !== 47 && !isAsterisk) return MALFORMED;
    if (path.length > limits.maxRequestLine) return H1_ERRORS.requestLineTooLong;
    head.scheme = scheme;
    splitTarget(head, path);
    if (!isPath(path) || !hasValidEscapes(head.rawPath)) return H1_ERRORS.requestTarget;
  }
  return applyAuthority(head, authority);
}

function isPath(path: string): boolean {
  for (let i = 0; i < path.length; i++) if (!TARGET[path.charCodeAt(i)]) return false;
  return true;
}

function splitTarget(head: H2RequestHead, target: string): void {
  const queryAt = target.indexOf('?');
  head.rawPath = queryAt < 0 ? target : target.slice(0, queryAt);
  head.queryString = queryAt < 0 ? '' : target.slice(queryAt + 1);
  head.hasEscapes = head.rawPath.includes('%');
}

/** RFC 9113 8.3.1: Host and `:authority` say the same, and the latter is what counts. */
function applyAuthority(head: H2RequestHead, authority: string | undefined): ProtocolError | undefined {
  let host: string | undefined;
  for (const [name, value] of head.headers) {
    if (name !== 'host') continue;
    if (host !== undefined) return MALFORMED;
    host = value;
  }
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase())
    return MALFORMED;
  const named = authority ?? host;
  if (named === undefined) return H1_ERRORS.hostMissing;
  if (!isAuthority(named)) return H1_ERRORS.hostInvalid;
  if (host === undefined) head.headers.unshift(['host', named]);
  return undefined;
}
