/**
 * request-line = method SP request-target SP HTTP-version (RFC 9112 3), strict: single spaces, nothing around.
 * The four forms of the target (RFC 9112 3.2) are told apart here and leave a path, a query and an authority.
 */
import { hasValidEscapes, isAuthority, TARGET, TOKEN } from '../grammar.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { H1_ERRORS } from './errors.ts';
import type { RequestHead } from './request-head.ts';

const HTTP_1 = 'HTTP/1.';
const SPACE = 32;
const SLASH = 47;
const PERCENT = 37;
const QUESTION_MARK = 63;

/** Reads the line `text[start, end)`, CRLF excluded, into `head`. */
export function readRequestLine(
  head: RequestHead,
  text: string,
  start: number,
  end: number,
): ProtocolError | undefined {
  let i = start;
  while (TOKEN[text.charCodeAt(i)]) i++;
  if (i === start || text.charCodeAt(i) !== SPACE) return H1_ERRORS.requestLine;
  head.method = text.substring(start, i);

  const targetStart = ++i;
  let queryAt = -1;
  let hasEscape = false;
  for (let code = text.charCodeAt(i); TARGET[code]; code = text.charCodeAt(++i)) {
    if (code === QUESTION_MARK && queryAt < 0) queryAt = i;
    else if (code === PERCENT && queryAt < 0) hasEscape = true;
  }
  if (i === targetStart) return H1_ERRORS.requestLine;
  if (text.charCodeAt(i) !== SPACE) return i === end ? H1_ERRORS.requestLine : H1_ERRORS.requestTarget;

  head.target = text.substring(targetStart, i);

  const minorVersion = minorVersionAt(text, i + 1, end);
  if (minorVersion < 0) {
    return /^HTTP\/\d\.\d$/.test(text.substring(i + 1, end)) ? H1_ERRORS.version : H1_ERRORS.requestLine;
  }
  head.minorVersion = minorVersion === 1 ? 1 : 0;
  head.hasEscapes = hasEscape;

  if (text.charCodeAt(targetStart) !== SLASH || head.method === 'CONNECT') return readOtherForm(head);
  setPath(head, text, targetStart, queryAt, i);
  return hasEscape && !hasValidEscapes(head.rawPath) ? H1_ERRORS.requestTarget : undefined;
}

/** Minor version of `HTTP/1.0` or `HTTP/1.1` in exactly that place, else -1; char by char, which costs least. */
function minorVersionAt(text: string, start: number, end: number): number {
  if (end !== start + 8) return -1;
  for (let i = 0; i < 7; i++) if (text.charCodeAt(start + i) !== HTTP_1.charCodeAt(i)) return -1;
  const digit = text.charCodeAt(end - 1) - 48;
  return digit === 0 || digit === 1 ? digit : -1;
}

function setPath(head: RequestHead, text: string, start: number, queryAt: number, end: number): void {
  if (queryAt < 0) {
    head.rawPath = text.substring(start, end);
  } else {
    head.rawPath = text.substring(start, queryAt);
    head.queryString = text.substring(queryAt + 1, end);
  }
}

/** Absolute, authority and asterisk form. */
function readOtherForm(head: RequestHead): ProtocolError | undefined {
  const { method, target } = head;
  if (method === 'CONNECT') {
    // RFC 9110 9.3.6: host and port, and the port may not be left out.
    if (!isAuthority(target) || !/:\d+$/.test(target)) return H1_ERRORS.requestTarget;
    head.authority = target;
    return undefined;
  }
  if (target === '*') {
    // RFC 9112 3.2.4: only for a server-wide OPTIONS.
    if (method !== 'OPTIONS') return H1_ERRORS.requestTarget;
    head.rawPath = '*';
    return undefined;
  }
  const match = /^https?:\/\/([^/?]*)([^?]*)(?:\?(.*))?$/i.exec(target);
  // RFC 9110 4.2.1 and 4.2.4: no empty host, no userinfo; isAuthority refuses both.
  if (match === null || !isAuthority(match[1]!)) return H1_ERRORS.requestTarget;
  head.authority = match[1]!;
  head.rawPath = match[2] || '/';
  head.queryString = match[3] ?? '';
  head.hasEscapes = head.rawPath.includes('%');
  return hasValidEscapes(head.rawPath) ? undefined : H1_ERRORS.requestTarget;
}
