/**
 * Status lines, fields and chunk framing as they stand on the wire (RFC 9112 4, 5, 7.1).
 */
import { expect, test } from 'bun:test';
import {
  chunkHead,
  CONTINUE,
  fieldLines,
  filteredFieldLines,
  LAST_CHUNK,
  statusLine,
} from '../../../src/wire/h1/response-writer.ts';

test('a status line has version, code and phrase, and the same text each time', () => {
  expect(statusLine(200)).toBe('HTTP/1.1 200 OK\r\n');
  expect(statusLine(404)).toBe('HTTP/1.1 404 Not Found\r\n');
  expect(statusLine(200)).toBe(statusLine(200));
});

test('a status without a phrase keeps the space before it (RFC 9112 4)', () => {
  expect(statusLine(299)).toBe('HTTP/1.1 299 \r\n');
  expect(statusLine(999)).toBe('HTTP/1.1 999 \r\n');
});

test('an interim 100 is a head of its own (RFC 9110 15.2.1)', () => {
  expect(CONTINUE).toBe('HTTP/1.1 100 Continue\r\n\r\n');
});

test('fields keep their order, repeats, case and bytes', () => {
  expect(
    fieldLines([
      ['X-B', '1'],
      ['a', ''],
      ['X-B', 'caf\xe9'],
    ]),
  ).toBe('X-B: 1\r\na: \r\nX-B: caf\xe9\r\n');
  expect(fieldLines([])).toBe('');
});

const SERVER_OWNED = [
  'connection',
  'Keep-Alive',
  'proxy-connection',
  'TE',
  'Trailer',
  'upgrade',
  'Transfer-Encoding',
];

for (const name of SERVER_OWNED) {
  test(`${name} is left out: it is the server's own (RFC 9110 7.6.1)`, () => {
    expect(
      filteredFieldLines(
        [
          ['a', '1'],
          [name, 'x'],
        ],
        false,
      ),
    ).toBe('a: 1\r\n');
  });
}

test('a field whose name only begins or ends like one of these stays', () => {
  const fields = [
    ['x-connection', '1'],
    ['upgrade-insecure-requests', '1'],
    ['te-x', '2'],
    ['trailers', '3'],
  ] as const;
  expect(filteredFieldLines(fields, false)).toBe(fieldLines(fields));
});

test('Content-Length is left out only where it is told so', () => {
  const fields = [
    ['Content-Length', '5'],
    ['b', '2'],
  ] as const;
  expect(filteredFieldLines(fields, true)).toBe('b: 2\r\n');
  expect(filteredFieldLines(fields, false)).toBe('Content-Length: 5\r\nb: 2\r\n');
});

test('a chunk begins with its size in hexadecimal, and the last one is 0 (RFC 9112 7.1)', () => {
  expect([chunkHead(1), chunkHead(16), chunkHead(255), chunkHead(65_536)]).toEqual([
    '1\r\n',
    '10\r\n',
    'ff\r\n',
    '10000\r\n',
  ]);
  expect(LAST_CHUNK).toBe('0\r\n');
});
