import { describe, expect, test } from 'bun:test';
import { contentOf, fieldsOf, responseFields } from '../../src/connection/h2-fields.ts';
import type { HeaderList } from '../../src/contract/send-events.ts';
import { CheckedHeaders } from '../../src/session/response-headers.ts';

const DEFAULTS: HeaderList = [['server', 'x']];

describe('fields', () => {
  test('have names in lower case, repeats as lists, and nothing of HTTP/1.1 connections', () => {
    const list: HeaderList = [
      ['X-One', '1'],
      ['Set-Cookie', 'a'],
      ['set-cookie', 'b'],
      ['SET-COOKIE', 'c'],
      ['Connection', 'close'],
    ];
    expect(fieldsOf(list)).toEqual({ 'x-one': '1', 'set-cookie': ['a', 'b', 'c'] });
  });

  test('may be named like what every object has', () => {
    const list: HeaderList = [
      ['__proto__', '1'],
      ['constructor', '2'],
      ['toString', '3'],
      ['constructor', '4'],
      ['__proto__', '5'],
    ];
    // As node:http2 copies them.
    expect(Object.entries({ ...fieldsOf(list) })).toEqual([
      ['__proto__', ['1', '5']],
      ['constructor', ['2', '4']],
      ['tostring', '3'],
    ]);
  });
});

describe('the fields of a response', () => {
  const headers = new CheckedHeaders([['x', '1']], 0, -1);

  test('begin with the status and end with the defaults', () => {
    expect(Object.entries(responseFields(200, headers, DEFAULTS))).toEqual([
      [':status', 200],
      ['x', '1'],
      ['server', 'x'],
    ]);
  });

  test('are made once for the same list, status and defaults', () => {
    const fields = responseFields(200, headers, DEFAULTS);
    expect(responseFields(200, headers, DEFAULTS)).toBe(fields);
    expect(responseFields(404, headers, DEFAULTS)[':status']).toBe(404);
    expect(responseFields(404, headers, [['server', 'y']])['server']).toBe('y');
  });
});

describe('content', () => {
  test('of bytes is a copy', () => {
    const bytes = Buffer.from('ab');
    const content = contentOf(bytes);
    bytes[0] = 0;
    expect(content).toEqual(Buffer.from('ab'));
  });

  test('in two pieces is one, whether they are strings or bytes', () => {
    const high = '\xff';
    for (const first of [high, Buffer.from([0xff])])
      for (const second of [high, Buffer.from([0xff])]) {
        const content = contentOf(first, second);
        expect(Buffer.from(content as string, 'latin1')).toEqual(Buffer.from([0xff, 0xff]));
      }
  });
});
