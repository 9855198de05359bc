/**
 * Which event may be sent when on an http scope: every state against every event.
 */
import { describe, expect, test } from 'bun:test';
import { HTTP_EVENTS, HTTP_SEND, requireAllowed, type HttpSendState } from '../../src/session/transitions.ts';

const ALLOWED: Record<HttpSendState, readonly string[]> = {
  initial: ['http.response.start', 'http.fullflush'],
  started: ['http.response.body', 'http.fullflush'],
  trailers: ['http.response.trailers', 'http.fullflush'],
  complete: [],
};

for (const state of Object.keys(ALLOWED) as HttpSendState[]) {
  describe(`while ${state}`, () => {
    for (const event of HTTP_EVENTS) {
      const isAllowed = ALLOWED[state].includes(event);
      test(`${event} is ${isAllowed ? '' : 'not '}allowed`, () => {
        const send = (): void => requireAllowed(state, event);
        if (isAllowed) expect(send).not.toThrow();
        else expect(send).toThrow(`${event} is not allowed `);
      });
    }

    for (const event of ['', 'http.request', 'sse.start', 'toString', '__proto__', 'constructor', 5, null]) {
      test(`${JSON.stringify(event)} is unknown`, () => {
        expect(() => requireAllowed(state, event)).toThrow(
          new TypeError(`send: unknown event type ${JSON.stringify(event)} on an http scope`),
        );
      });
    }
  });
}

test('every transition leads to a state that the table has', () => {
  const targets = Object.values(HTTP_SEND).flatMap((row) => Object.values(row).flat());
  expect(targets.length).toBeGreaterThan(0);
  for (const target of targets) expect(HTTP_SEND).toHaveProperty(target);
});
