/**
 * The fields that decide how a message is framed and what becomes of its connection, noted as they go by and
 * judged once the head is complete. Whatever two recipients could read differently is refused (RFC 9112 11.2).
 */
import { isAuthority, isToken, listMembers, trimOws } from '../grammar.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { H1_ERRORS } from './errors.ts';
import { FLAG, type RequestHead } from './request-head.ts';

const EVENT_STREAM = /text\/event-stream/i;

/** Looks at one field. Chosen by length first: of a browser's fields most are passed over by that alone. */
export function noteField(head: RequestHead, name: string, value: string): ProtocolError | undefined {
  switch (name.length) {
    case 4:
      return name === 'host' ? noteHost(head, value) : undefined;
    case 6:
      if (name === 'expect') {
        head.flags |= value.toLowerCase() === '100-continue' ? FLAG.expectsContinue : FLAG.expectsUnknown;
      } else if (name === 'accept') {
        if (EVENT_STREAM.test(value)) head.flags |= FLAG.mentionsEventStream;
      } else if (name === 'cookie') {
        head.flags |= (head.flags & FLAG.hasCookie) === 0 ? FLAG.hasCookie : FLAG.repeatsCookie;
      }
      return undefined;
    case 7:
      if (name === 'upgrade') head.flags |= FLAG.hasUpgrade;
      return undefined;
    case 10:
      if (name === 'connection') noteConnection(head, value);
      return undefined;
    case 14:
      return name === 'content-length' ? noteContentLength(head, value) : undefined;
    case 17:
      return name === 'transfer-encoding' ? noteTransferEncoding(head, value) : undefined;
    default:
      return undefined;
  }
}

/** What only the whole head can tell: a missing Host, framing that contradicts itself, unmet expectations. */
export function judgeFields(head: RequestHead): ProtocolError | undefined {
  const { flags } = head;
  if ((flags & FLAG.hasHost) === 0) {
    // RFC 9112 3.2
    if (head.minorVersion === 1) return H1_ERRORS.hostMissing;
    if (head.authority !== undefined) head.headers.unshift(['host', head.authority]);
  } else if (head.authority !== undefined) {
    // RFC 9112 3.2.2: the authority of the target replaces whatever Host says.
    head.headers.find(([name]) => name === 'host')![1] = head.authority;
  }
  if ((flags & FLAG.hasTransferEncoding) !== 0) {
    // RFC 9112 6.1: either could be a smuggling attempt, so neither is interpreted.
    if (head.minorVersion === 0) return H1_ERRORS.transferEncodingVersion;
    if (head.contentLength >= 0) return H1_ERRORS.framingConflict;
    if ((flags & FLAG.isChunked) === 0) return H1_ERRORS.codingUnknown;
  }
  if ((flags & FLAG.expectsUnknown) !== 0 && head.minorVersion === 1) return H1_ERRORS.expectation;
  return undefined;
}

/** Most requests to a server name the same host. */
let lastValidHost: string | undefined;

function noteHost(head: RequestHead, value: string): ProtocolError | undefined {
  if ((head.flags & FLAG.hasHost) !== 0) return H1_ERRORS.hostRepeated;
  head.flags |= FLAG.hasHost;
  // RFC 9112 3.2: empty where the target URI has no authority.
  if (value === lastValidHost || value === '') return undefined;
  if (!isAuthority(value)) return H1_ERRORS.hostInvalid;
  lastValidHost = value;
  return undefined;
}

function noteConnection(head: RequestHead, value: string): void {
  for (const member of listMembers(value)) {
    if (member === 'close') head.flags |= FLAG.closes;
    else if (member === 'keep-alive') head.flags |= FLAG.keepsAlive;
  }
}

/** RFC 9110 8.6: digits only, and one field; lists of equal numbers are refused too. */
function noteContentLength(head: RequestHead, value: string): ProtocolError | undefined {
  if (head.contentLength >= 0 || !/^\d+$/.test(value)) return H1_ERRORS.contentLength;
  const length = Number(value);
  if (!Number.isSafeInteger(length)) return H1_ERRORS.contentLength;
  head.contentLength = length;
  return undefined;
}

/** RFC 9112 6.1: `chunked` once and last; anything else well-formed is a coding that this server lacks. */
function noteTransferEncoding(head: RequestHead, value: string): ProtocolError | undefined {
  const isRepeated = (head.flags & FLAG.hasTransferEncoding) !== 0;
  head.flags |= FLAG.hasTransferEncoding;
  if (!isRepeated && value.toLowerCase() === 'chunked') {
    head.flags |= FLAG.isChunked;
    return undefined;
  }
  const codings = value.toLowerCase().split(',').map(trimOws);
  const isLastOnly = codings.indexOf('chunked') === -1 || codings.indexOf('chunked') === codings.length - 1;
  if (!isLastOnly || (head.flags & FLAG.isChunked) !== 0) return H1_ERRORS.transferEncoding;
  if (!codings.every((coding) => isToken(trimOws(coding.split(';', 1)[0]!))))
    return H1_ERRORS.transferEncoding;
  if (codings.some((coding) => /^chunked[ \t]*;/.test(coding))) return H1_ERRORS.transferEncoding;
  return undefined;
}
