/**
 * An sse session on a fake exchange, and short names for the events that tests send.
 */
import { expect } from 'bun:test';
import type { RequestHead } from '../../src/session/exchange.ts';
import { SseSession } from '../../src/session/sse-session.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeExchange } from './fake-exchange.ts';
import { sessionContext, type TestSessionContext, type TestSessionOptions } from './session-context.ts';

export interface OpenSseSession {
  readonly exchange: FakeExchange;
  readonly context: TestSessionContext;
  readonly session: SseSession;
  readonly clock: FakeClock;
}

export function openSse(head: Partial<RequestHead> = {}, options: TestSessionOptions = {}): OpenSseSession {
  const exchange = new FakeExchange({ mentionsEventStream: true, ...head });
  const clock = new FakeClock();
  const context = sessionContext({ clock, ...options });
  return { exchange, context, clock, session: new SseSession(exchange, context) };
}

/** One whose stream has begun. */
export async function openStream(options: TestSessionOptions = {}): Promise<OpenSseSession> {
  const opened = openSse({}, options);
  await opened.session.send(START);
  return opened;
}

export const START = { type: 'sse.start' } as const;
export const CLOSE = { type: 'sse.close' } as const;
export const data = (text: unknown, fields: object = {}): object => ({
  type: 'sse.send',
  data: text,
  ...fields,
});
export const comment = (text: unknown): object => ({ type: 'sse.comment', comment: text });
export const keepalive = (interval: unknown, fields: object = {}): object => ({
  type: 'sse.keepalive',
  interval,
  ...fields,
});
export const decline = (fields: object = {}): object => ({
  type: 'sse.http.response.start',
  status: 403,
  ...fields,
});
export const declineBody = (body: unknown, fields: object = {}): object => ({
  type: 'sse.http.response.body',
  body,
  ...fields,
});

/** What a send that ought to be refused is refused with. */
export async function refusalOf(session: SseSession, event: unknown): Promise<string> {
  try {
    await session.send(event);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  return 'accepted';
}
