/**
 * Event streams as they are written, and what a client reads from them.
 */
import { describe, expect, test } from 'bun:test';
import { encodeComment, encodeEvent, type EventFields } from '../../src/wire/sse.ts';
import { sseRows, type SseRow } from '../cases/sse.ts';
import { EventStreamParser, parseEventStream } from '../support/event-stream-parser.ts';

const encode = ({ input }: SseRow): string =>
  'comment' in input ? encodeComment(input.comment) : encodeEvent(input);

test('there are rows, and each has a name of its own', () => {
  expect(sseRows.length).toBeGreaterThanOrEqual(40);
  expect(new Set(sseRows.map(({ name }) => name)).size).toBe(sseRows.length);
});

for (const row of sseRows) {
  describe(`${row.name} (WHATWG HTML ${row.section})`, () => {
    test('is these bytes', () => expect(encode(row)).toBe(row.expected));

    test('is read as what was sent', () => {
      const { events, comments } = parseEventStream(encode(row));
      if (row.parsed === undefined) expect([events.length, comments.length > 0]).toEqual([0, true]);
      else expect(events).toEqual([{ type: 'message', data: '', lastEventId: '', ...row.parsed }]);
    });

    test('is read alike byte by byte, and between other events', () => {
      const around = encodeEvent({ data: 'other' });
      const bytes = Buffer.from(`${around}${encode(row)}${around}`, 'latin1');
      const whole = parseEventStream(bytes);
      const parser = new EventStreamParser();
      for (const byte of bytes) parser.push(Uint8Array.of(byte));
      expect([parser.events, parser.comments, parser.lines]).toEqual([
        whole.events,
        whole.comments,
        whole.lines,
      ]);
      expect(whole.events.length).toBe(row.parsed === undefined ? 2 : 3);
      expect([whole.events[0]!.data, whole.events.at(-1)!.data]).toEqual(['other', 'other']);
    });
  });
}

test('a retry sets the reconnection time', () => {
  expect(parseEventStream(encodeEvent({ data: '', retry: 1500 })).reconnectionTime).toBe(1500);
});

test('an id stays for the events behind it, and an empty one ends that', () => {
  const { events } = parseEventStream(
    [{ data: '1', id: 'a' }, { data: '2' }, { data: '3', id: '' }, { data: '4' }].map(encodeEvent).join(''),
  );
  expect(events.map(({ lastEventId }) => lastEventId)).toEqual(['a', 'a', '', '']);
});

describe('an event that was encoded last', () => {
  const event: EventFields = { data: 'a\nb', event: 'e', id: 'i', retry: 5 };

  test('is the same text again, whatever object says it', () => {
    const first = encodeEvent(event);
    expect(encodeEvent({ ...event })).toBe(first);
  });

  const others: [string, Partial<EventFields>][] = [
    ['data', { data: 'a\nc' }],
    ['type', { event: 'f' }],
    ['id', { id: undefined }],
    ['retry', { retry: 6 }],
  ];
  for (const [name, change] of others) {
    test(`does not stand for one with another ${name}`, () => {
      const first = encodeEvent(event);
      const other = encodeEvent({ ...event, ...change });
      expect(other).not.toBe(first);
      expect(encodeEvent({ ...event, ...change })).toBe(other);
      expect(encodeEvent(event)).toBe(first);
    });
  }

  test('does not stand for what the same object says later', () => {
    const changing = { data: 'before' };
    encodeEvent(changing);
    changing.data = 'after';
    expect(encodeEvent(changing)).toBe('data: after\n\n');
  });
});

test('a large event is encoded like a small one', () => {
  const data = `${'x'.repeat(1_500_000)}\n\u20ac`;
  expect(parseEventStream(encodeEvent({ data })).events[0]?.data).toBe(data);
  expect(parseEventStream(encodeEvent({ data })).events[0]?.data).toBe(data);
});
