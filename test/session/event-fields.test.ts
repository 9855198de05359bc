/**
 * Fields of events: what passes comes back as it is, what does not names event, field, expectation and value.
 */
import { expect, test } from 'bun:test';
import {
  describe as describeValue,
  asEvent,
  readCount,
  readFlag,
  readLine,
  readStatus,
  readText,
} from '../../src/session/event-fields.ts';

const EVENT = 'http.response.start';

test('a status is an integer from 200 to 999', () => {
  for (const status of [200, 404, 999]) expect(readStatus(EVENT, status)).toBe(status);
  for (const status of [undefined, null, '200', 199, 100, 1000, 200.5, Number.NaN, Infinity, -200, 200n]) {
    expect(() => readStatus(EVENT, status)).toThrow(TypeError);
    expect(() => readStatus(EVENT, status)).toThrow(
      `${EVENT}: status must be an integer from 200 to 999, not `,
    );
  }
});

test('a flag is a boolean, and false where it is left out', () => {
  expect([readFlag(EVENT, 'more', true), readFlag(EVENT, 'more', false)]).toEqual([true, false]);
  expect(readFlag(EVENT, 'more', undefined)).toBe(false);
  for (const value of [null, 0, 1, 'true', '', {}]) {
    expect(() => readFlag(EVENT, 'more', value)).toThrow(`${EVENT}: more must be a boolean, not `);
  }
});

test('a count is an integer that is not negative, and undefined where it is left out', () => {
  expect([readCount(EVENT, 'offset', 0), readCount(EVENT, 'offset', 2 ** 53 - 1)]).toEqual([0, 2 ** 53 - 1]);
  expect(readCount(EVENT, 'offset', undefined)).toBeUndefined();
  for (const value of [null, -1, 0.5, 2 ** 53, Number.NaN, Infinity, '5', 5n]) {
    expect(() => readCount(EVENT, 'offset', value)).toThrow(
      `${EVENT}: offset must be a non-negative integer, not `,
    );
  }
});

test('a text is a string, whatever is in it', () => {
  for (const text of ['', 'a\r\n\0']) expect(readText(EVENT, 'data', text)).toBe(text);
  for (const value of [undefined, null, 5, new Uint8Array(1)]) {
    expect(() => readText(EVENT, 'data', value)).toThrow(`${EVENT}: data must be a string, not `);
  }
});

test('a line is a string without line breaks, and undefined where it is left out', () => {
  for (const line of ['', 'a b', '\0\u2028']) expect(readLine(EVENT, 'event', line)).toBe(line);
  expect(readLine(EVENT, 'event', undefined)).toBeUndefined();
  for (const value of [null, 5, 'a\n', '\ra', 'a\r\nb']) {
    expect(() => readLine(EVENT, 'event', value)).toThrow(
      `${EVENT}: event must be a string without CR and LF, not `,
    );
  }
});

test('an event is an object', () => {
  const event = { type: 'x' };
  expect(asEvent(event)).toBe(event);
  for (const value of [undefined, null, 'x', 5, () => 1]) {
    expect(() => asEvent(value)).toThrow('send: an event must be an object with a type, not ');
  }
});

test('a value is described by what it is, in little room', () => {
  const described: [unknown, string][] = [
    [undefined, 'undefined'],
    [null, 'null'],
    [Number.NaN, 'NaN'],
    [false, 'false'],
    ['a"b\n', String.raw`"a\"b\n"`],
    ['x'.repeat(100), `"${'x'.repeat(60)}…"`],
    [[1, 2], 'an array of 2'],
    [{}, 'an object (Object)'],
    [new Map(), 'an object (Map)'],
    [Object.create(null), 'an object (no class)'],
    [() => 1, 'a function'],
    [5n, 'a bigint'],
    [Symbol('s'), 'a symbol'],
  ];
  for (const [value, text] of described) expect(describeValue(value)).toBe(text);
});
