/**
 * The head of one HTTP/1.1 request, and what its fields say about the message. Filled by HeadReader line by
 * line; once complete it does not change. All strings are byte strings.
 */

/** Framing and connection facts gathered while the field lines go by, as bits of {@link RequestHead.flags}. */
export const FLAG = {
  hasHost: 1,
  hasTransferEncoding: 2,
  isChunked: 4,
  closes: 8,
  keepsAlive: 16,
  expectsContinue: 32,
  hasUpgrade: 64,
  expectsUnknown: 128,
  mentionsEventStream: 256,
  hasCookie: 512,
  repeatsCookie: 1024,
} as const;

export class RequestHead {
  method = '';
  /** As received. */
  target = '';
  /** Without the query; `*` in asterisk form, empty in authority form. */
  rawPath = '';
  /** Whether `rawPath` has percent-encoded bytes. */
  hasEscapes = false;
  /** Behind `?`, still percent-encoded. */
  queryString = '';
  /** Host and port of a request-target in absolute or authority form (RFC 9112 3.2.2), else undefined. */
  authority: string | undefined = undefined;
  minorVersion: 0 | 1 = 1;
  /** Names in lower case, order and repeats kept. */
  headers: [name: string, value: string][] = [];
  /** Declared Content-Length in bytes, -1 without one. */
  contentLength = -1;
  flags = 0;

  get httpVersion(): '1.0' | '1.1' {
    return this.minorVersion === 1 ? '1.1' : '1.0';
  }

  get isChunked(): boolean {
    return (this.flags & FLAG.isChunked) !== 0;
  }

  get hasBody(): boolean {
    return this.contentLength > 0 || this.isChunked;
  }

  /** RFC 9110 10.1.1: an expectation in an HTTP/1.0 request is ignored. */
  get expectsContinue(): boolean {
    return this.minorVersion === 1 && (this.flags & FLAG.expectsContinue) !== 0;
  }

  /** Only HTTP/2 has an extended CONNECT. */
  get protocol(): undefined {
    return undefined;
  }

  get hasUpgrade(): boolean {
    return (this.flags & FLAG.hasUpgrade) !== 0;
  }

  /** Whether an Accept field names the media type of event streams, in whatever way. */
  get mentionsEventStream(): boolean {
    return (this.flags & FLAG.mentionsEventStream) !== 0;
  }

  get repeatsCookie(): boolean {
    return (this.flags & FLAG.repeatsCookie) !== 0;
  }

  /** Whether the client lets the connection persist (RFC 9112 9.3). */
  get keepsAlive(): boolean {
    if ((this.flags & FLAG.closes) !== 0) return false;
    return this.minorVersion === 1 || (this.flags & FLAG.keepsAlive) !== 0;
  }
}
