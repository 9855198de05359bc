import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { compileAccessLogFormat } from '../../src/server/access-log-format.ts';
import type { AccessRecord } from '../../src/server/access-log-format.ts';

/** The example of Apache's own documentation: 10 October 2000, 13:55:36 in Los Angeles. */
const TIME = Date.UTC(2000, 9, 10, 20, 55, 36, 123);

function record(overrides: Partial<AccessRecord> = {}): AccessRecord {
  return {
    client: '192.0.2.7',
    method: 'GET',
    path: '/a%20b',
    query: 'x=1&y=2',
    httpVersion: '1.1',
    status: 200,
    bytes: 2326,
    durationMs: 1234.5678,
    time: TIME,
    requestHeaders: [
      ['referer', 'http://example.com/start'],
      ['user-agent', 'Mozilla/4.08'],
    ],
    responseHeaders: [['Content-Type', 'text/plain']],
    ...overrides,
  };
}

function render(format: string, overrides: Partial<AccessRecord> = {}): string {
  return compileAccessLogFormat(format)(record(overrides));
}

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = 'America/Los_Angeles';
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

describe('presets', () => {
  test.each([
    ['clf', '192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET /a%20b?x=1&y=2" 200 1.235s'],
    ['common', '192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET /a%20b?x=1&y=2 HTTP/1.1" 200 2326'],
    [
      'combined',
      '192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET /a%20b?x=1&y=2 HTTP/1.1" 200 2326 "http://example.com/start" "Mozilla/4.08"',
    ],
    ['tiny', 'GET /a%20b?x=1&y=2 200 1234.568ms'],
  ])('%s', (preset, expected) => {
    expect(render(preset)).toBe(expected);
  });

  test('json is one object with the same keys for every request', () => {
    const line = render('json', { requestHeaders: [['X-Request-Id', 'r-1']] });
    expect(JSON.parse(line)).toEqual({
      time: '2000-10-10T20:55:36.123Z',
      client: '192.0.2.7',
      method: 'GET',
      path: '/a%20b',
      query: 'x=1&y=2',
      httpVersion: '1.1',
      status: 200,
      bytes: 2326,
      durationMs: 1234.568,
      referer: null,
      userAgent: null,
      requestId: 'r-1',
    });
  });

  test('json takes the request id from the response where the request has none', () => {
    const line = render('json', { requestHeaders: [], responseHeaders: [['x-request-id', 'made-here']] });
    expect(JSON.parse(line).requestId).toBe('made-here');
  });

  test('a unix socket is named as the client', () => {
    expect(render('%h', { client: null })).toBe('unix');
    expect(JSON.parse(render('json', { client: null })).client).toBe('unix');
  });
});

describe('atoms', () => {
  test.each([
    ['%h', '192.0.2.7'],
    ['%l', '-'],
    ['%u', '-'],
    ['%t', '[10/Oct/2000:13:55:36 -0700]'],
    ['[%t]', '[10/Oct/2000:13:55:36 -0700]'],
    ['%r', 'GET /a%20b?x=1&y=2 HTTP/1.1'],
    ['%m', 'GET'],
    ['%U', '/a%20b'],
    ['%q', '?x=1&y=2'],
    ['%H', 'HTTP/1.1'],
    ['%s', '200'],
    ['%b', '2326'],
    ['%B', '2326'],
    ['%d', '1.235'],
    ['%D', '1234568'],
    ['%T', '1'],
    ['%{Referer}i', 'http://example.com/start'],
    ['%{content-type}o', 'text/plain'],
    ['100%% %s%%', '100% 200%'],
    ['%%s %s', '%s 200'],
    ['[%m%s]\t%s', '[GET200]\t200'],
  ])('%j renders %j', (format, expected) => {
    expect(render(format)).toBe(expected);
  });

  test('a request without a query shows no question mark', () => {
    expect(render('%U%q|%r', { query: '' })).toBe('/a%20b|GET /a%20b HTTP/1.1');
  });

  test('no body is a dash for %b and a zero for %B', () => {
    expect(render('%b %B', { bytes: 0 })).toBe('- 0');
  });

  test('an absent header is a dash, an empty one is empty', () => {
    expect(render('"%{X-A}i" "%{X-A}o"', { responseHeaders: [['x-a', '']] })).toBe('"-" ""');
  });

  test('header names match whatever their case, and several fields are one list', () => {
    const requestHeaders = [
      ['x-forwarded-for', '192.0.2.1'],
      ['X-Forwarded-For', '192.0.2.2'],
    ] as const;
    expect(render('%{X-FORWARDED-for}i', { requestHeaders })).toBe('192.0.2.1, 192.0.2.2');
  });

  test('request and response headers are not mixed up', () => {
    expect(render('%{content-type}i %{referer}o')).toBe('- -');
  });

  test('a request that could not be read is shown as dashes', () => {
    const unread = { method: '', path: '', query: '', httpVersion: '', status: 400, bytes: 0 };
    expect(render('"%r" "%m %U%q" %H %s', unread)).toBe('"-" "- -" - 400');
  });

  test('a duration is never negative', () => {
    expect(render('%d %D %T', { durationMs: -3 })).toBe('0.000 0 0');
  });
});

describe('time', () => {
  test('each second has its own text, in any order', () => {
    const format = compileAccessLogFormat('%t');
    const at = (time: number) => format(record({ time })).slice(13, 21);
    expect([TIME, TIME + 876, TIME + 877, TIME - 124, TIME].map(at)).toEqual([
      '13:55:36',
      '13:55:36',
      '13:55:37',
      '13:55:35',
      '13:55:36',
    ]);
  });

  test('the offset follows daylight saving', () => {
    expect(render('%t', { time: Date.UTC(2026, 0, 5, 8, 2, 3) })).toBe('[05/Jan/2026:00:02:03 -0800]');
  });

  test('an offset east of UTC with half an hour is shown as such', () => {
    process.env.TZ = 'Asia/Kolkata';
    try {
      expect(render('%t', { time: Date.UTC(2026, 11, 31, 18, 30, 9) })).toBe('[01/Jan/2027:00:00:09 +0530]');
    } finally {
      process.env.TZ = 'America/Los_Angeles';
    }
  });
});

describe('escaping', () => {
  const bytes = [...'\0\x07\b\t\n\v\f\r\x1b"\\\x7f\x80\x85\xff'].join('');
  const escaped = '\\x00\\x07\\x08\\x09\\x0a\\x0b\\x0c\\x0d\\x1b\\x22\\x5c\\x7f\\x80\\x85\\xff';

  test.each([
    ['%h', { client: bytes }, escaped],
    ['%m', { method: bytes }, escaped],
    ['%U', { path: bytes }, escaped],
    ['%q', { query: bytes }, `?${escaped}`],
    ['%H', { httpVersion: bytes }, `HTTP/${escaped}`],
    ['%r', { method: bytes, path: bytes, query: bytes }, `${escaped} ${escaped}?${escaped} HTTP/1.1`],
    ['%{x}i', { requestHeaders: [['x', bytes]] }, escaped],
    ['%{x}o', { responseHeaders: [['x', bytes]] }, escaped],
  ] as [string, Partial<AccessRecord>, string][])('%s is escaped', (format, overrides, expected) => {
    expect(render(format, overrides)).toBe(expected);
  });

  test('printable ASCII other than the quote and the backslash stays as it is', () => {
    let printable = '';
    for (let code = 0x20; code < 0x7f; code++) printable += String.fromCharCode(code);
    printable = printable.replace(/["\\]/g, '');
    expect(render('%{x}i', { requestHeaders: [['x', printable]] })).toBe(printable);
  });

  test('a char that is no byte is escaped as its UTF-8', () => {
    expect(render('%{x}o', { responseHeaders: [['x', '大🙂\ud800']] })).toBe(
      '\\xe5\\xa4\\xa7\\xf0\\x9f\\x99\\x82\\xef\\xbf\\xbd',
    );
  });

  test.each(['clf', 'combined', 'common', 'tiny', 'json'])('no request can forge a line of %s', (preset) => {
    const forged = 'x" 200 0\n192.0.2.1 - - "GET /\r\n\u2028\x85\x1b[2J';
    const line = render(preset, {
      client: forged,
      method: forged,
      path: forged,
      query: forged,
      httpVersion: forged,
      requestHeaders: ['referer', 'user-agent', 'x-request-id'].map((name) => [name, forged] as const),
    });
    expect(line).toMatch(/^[\x20-\x7e]+$/);
    if (preset === 'json') expect(JSON.parse(line)).toMatchObject({ path: forged, userAgent: forged });
    else expect(line.split('"').length).toBe(render(preset).split('"').length);
  });
});

describe('formats that do not exist', () => {
  test.each([
    ['%x', '"%x"'],
    ['%h %>s', '"%>s"'],
    ['%s %', '"%"'],
    ['%{Referer}', '"%{Referer}"'],
    ['%{Referer}e', '"%{Referer}e"'],
    ['%{}i', '"%{}i"'],
    ['%{Referer', '"%{"'],
    ['%i', '"%i"'],
    ['%é', '"%é"'],
    ['%🙂', '"%🙂"'],
  ])('%j is refused, and the error names the atom', (format, name) => {
    expect(() => compileAccessLogFormat(format)).toThrow(RangeError);
    expect(() => compileAccessLogFormat(format)).toThrow(`unknown access log atom ${name}: expected %h %l`);
  });

  test.each(['combine', 'CLF', '', 'toString', '__proto__', 'two words'])(
    'the word %j is refused, and the error lists the presets',
    (format) => {
      expect(() => compileAccessLogFormat(format)).toThrow(RangeError);
      expect(() => compileAccessLogFormat(format)).toThrow(
        `unknown access log format ${JSON.stringify(format)}: expected one of clf, combined, common, tiny, json`,
      );
    },
  );
});
