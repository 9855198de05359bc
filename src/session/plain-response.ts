/**
 * The short text responses that the server itself makes.
 */
import type { HeaderList } from '../contract/send-events.ts';
import { reasonPhrase } from '../wire/status.ts';
import type { Exchange } from './exchange.ts';
import { type CheckedHeaders, checkHeaders } from './response-headers.ts';

/** Body of a response with this status: the status line's words, and what happened. */
export function plainBody(status: number, message: string): string {
  return `${status} ${reasonPhrase(status)}\n${message}\n`;
}

/** Fields of a response with that body. */
export function plainHeaders(body: string, extra: HeaderList = []): CheckedHeaders {
  return checkHeaders('response', [
    ['content-type', 'text/plain; charset=utf-8'],
    ['content-length', String(body.length)],
    ...extra,
  ]);
}

/** Answers `exchange` with a status and one line of text. */
export function plainResponse(
  exchange: Exchange,
  status: number,
  message: string,
  extra: HeaderList = [],
): void {
  const body = plainBody(status, message);
  const hasContent = exchange.head.method !== 'HEAD';
  exchange.respond({
    status,
    headers: plainHeaders(body, extra),
    hasContent,
    hasTrailers: false,
    isStream: false,
  });
  void exchange.end(hasContent ? body : undefined);
}
