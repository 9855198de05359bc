/**
 * An http session on a fake exchange, and short names for the events that tests send.
 */
import { expect } from 'bun:test';
import type { RequestHead } from '../../src/session/exchange.ts';
import { HttpSession } from '../../src/session/http-session.ts';
import { FakeExchange } from './fake-exchange.ts';
import { sessionContext, type TestSessionContext, type TestSessionOptions } from './session-context.ts';

export interface OpenSession {
  readonly exchange: FakeExchange;
  readonly context: TestSessionContext;
  readonly session: HttpSession;
}

export function openSession(head: Partial<RequestHead> = {}, options: TestSessionOptions = {}): OpenSession {
  const exchange = new FakeExchange(head);
  const context = sessionContext(options);
  return { exchange, context, session: new HttpSession(exchange, context) };
}

export const start = (fields: object = {}): object => ({
  type: 'http.response.start',
  status: 200,
  ...fields,
});
export const body = (content: unknown, fields: object = {}): object => ({
  type: 'http.response.body',
  body: content,
  ...fields,
});
export const trailers = (headers?: unknown): object => ({ type: 'http.response.trailers', headers });
export const length = (count: number): object => ({ headers: [['content-length', String(count)]] });

export async function refusal(session: HttpSession, event: unknown): Promise<string> {
  try {
    await session.send(event);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  return 'accepted';
}

export async function sendAll(session: HttpSession, ...events: object[]): Promise<void> {
  for (const event of events) await session.send(event);
}
