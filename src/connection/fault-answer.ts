/**
 * The answer to a request that cannot be read or has taken too long. It is made without an exchange, because there may
 * be no request that one could be for, and the connection ends behind it.
 */
import type { DefaultHeaders } from '../session/default-headers.ts';
import { plainBody, plainHeaders } from '../session/plain-response.ts';
import { fieldLines, statusLine } from '../wire/h1/response-writer.ts';
import type { ProtocolError } from '../wire/protocol-error.ts';
import type { FinishedRequest } from './connection-context.ts';

export const RETRY_SOON = ['retry-after', '1'] as const;

type FaultAnswer = Pick<FinishedRequest, 'status' | 'bytes' | 'responseHeaders'> & { readonly text: string };

/** The whole response as a byte string, and what the access log says of it. */
export function faultAnswer(
  { status, message }: ProtocolError,
  method: string | undefined,
  defaults: DefaultHeaders,
): FaultAnswer {
  const body = plainBody(status, message);
  const headers = plainHeaders(body, status === 503 ? [RETRY_SOON] : []);
  const content = method === 'HEAD' ? '' : body;
  const lines = fieldLines(headers.list) + defaults.text(headers);
  const text = `${statusLine(status)}${lines}connection: close\r\n\r\n${content}`;
  return { text, status, bytes: content.length, responseHeaders: headers.list };
}
