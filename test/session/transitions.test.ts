/**
 * Which event may be sent when: every state of every scope type against every event.
 */
import { describe, expect, test } from 'bun:test';
import {
  HTTP_SEND,
  requireAllowed,
  type SendTable,
  SSE_SEND,
  WEBSOCKET_SEND,
} from '../../src/session/transitions.ts';

interface Expected {
  readonly table: SendTable<string, string>;
  /** Per state the allowed events, each with where it may lead. */
  readonly allowed: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

const EXPECTED: readonly Expected[] = [
  {
    table: HTTP_SEND as unknown as Expected['table'],
    allowed: {
      initial: { 'http.response.start': ['started'], 'http.fullflush': ['initial'] },
      started: {
        'http.response.body': ['started', 'complete', 'trailers'],
        'http.fullflush': ['started'],
      },
      trailers: { 'http.response.trailers': ['complete'], 'http.fullflush': ['trailers'] },
      complete: {},
    },
  },
  {
    table: SSE_SEND as unknown as Expected['table'],
    allowed: {
      initial: {
        'sse.start': ['streaming'],
        'sse.keepalive': ['initial'],
        'sse.http.response.start': ['declining'],
      },
      streaming: {
        'sse.send': ['streaming'],
        'sse.comment': ['streaming'],
        'sse.keepalive': ['streaming'],
        'http.fullflush': ['streaming'],
        'sse.close': ['closed'],
      },
      closed: { 'sse.close': ['closed'] },
      declining: { 'sse.http.response.body': ['declining', 'declined'] },
      declined: {},
    },
  },
  {
    table: WEBSOCKET_SEND as unknown as Expected['table'],
    allowed: {
      connecting: {
        'websocket.accept': ['open'],
        'websocket.close': ['closed'],
        'websocket.keepalive': ['connecting'],
        'websocket.http.response.start': ['denying'],
      },
      open: {
        'websocket.send': ['open'],
        'websocket.close': ['closed'],
        'websocket.keepalive': ['open'],
        'websocket.http.response.start': ['open'],
        'websocket.http.response.body': ['open'],
      },
      denying: { 'websocket.http.response.body': ['denying', 'denied'] },
      denied: {},
      closed: {
        'websocket.close': ['closed'],
        'websocket.http.response.start': ['closed'],
        'websocket.http.response.body': ['closed'],
      },
    },
  },
];

const UNKNOWN = [
  '',
  'http.request',
  'lifespan.startup.complete',
  'toString',
  '__proto__',
  'constructor',
  5,
  null,
];

for (const { table, allowed } of EXPECTED) {
  describe(`on ${table.scope}`, () => {
    test('the states are these', () => {
      expect(Object.keys(table.next)).toEqual(Object.keys(allowed));
      expect(Object.keys(table.situations).sort()).toEqual(Object.keys(allowed).sort());
    });

    for (const [state, row] of Object.entries(allowed)) {
      for (const type of table.types) {
        const targets = row[type];
        test(`while ${state}, ${type} is ${targets === undefined ? 'not ' : ''}allowed`, () => {
          const send = (): void => requireAllowed(table, state, type);
          expect<unknown>(table.next[state]?.[type]).toEqual(targets);
          if (targets !== undefined) expect(send).not.toThrow();
          else expect(send).toThrow(new TypeError(`${type} is not allowed ${table.situations[state]}`));
        });
      }

      test(`while ${state}, others are unknown`, () => {
        const others = EXPECTED.filter((other) => other.table !== table).flatMap(
          (other) => other.table.types,
        );
        for (const type of [...UNKNOWN, ...others.filter((other) => !table.types.includes(other))]) {
          expect(() => requireAllowed(table, state, type)).toThrow(
            new TypeError(`send: unknown event type ${JSON.stringify(type)} on ${table.scope}`),
          );
        }
      });
    }

    test('every transition leads to a state that the table has', () => {
      const targets = Object.values(table.next).flatMap((row) => Object.values(row).flat());
      expect(targets.length).toBeGreaterThan(0);
      for (const target of targets) expect(Object.keys(table.next)).toContain(target!);
    });
  });
}
