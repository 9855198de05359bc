/**
 * Header lists of applications: what passes is a copy, what does not names its place, and what is kept for the next
 * response is never more than a shortcut.
 */
import { describe, expect, test } from 'bun:test';
import { checkHeaders, checkTrailers, FIELD } from '../../src/session/response-headers.ts';

const EVENT = 'http.response.start';

/** The message with which a list is refused. */
function refusal(list: unknown, check: typeof checkHeaders | typeof checkTrailers = checkHeaders): string {
  try {
    check(EVENT, list);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as TypeError).message;
  }
  return 'accepted';
}

describe('a list that is well-formed', () => {
  test('keeps its order, repeats, case and bytes', () => {
    const list = [
      ['X-B', '1'],
      ['a', ''],
      ['X-B', 'caf\xe9 \t\x01'],
    ];
    expect(checkHeaders(EVENT, list).list).toEqual(list as [string, string][]);
  });

  test('may be left out or empty', () => {
    for (const list of [undefined, []]) {
      expect(checkHeaders(EVENT, list)).toMatchObject({ list: [], fields: 0, contentLength: -1 });
    }
  });

  const facts: [string, string, number, number][] = [
    ['Date', 'now', FIELD.date, -1],
    ['SERVER', 'mine', FIELD.server, -1],
    ['Content-Length', '42', FIELD.contentLength, 42],
    ['content-length', '0', FIELD.contentLength, 0],
    ['content-length', '007', FIELD.contentLength, 7],
    ['content-length', '9007199254740991', FIELD.contentLength, Number.MAX_SAFE_INTEGER],
    ['Transfer-Encoding', 'gzip', FIELD.transferEncoding, -1],
    ['Set-Cookie', 'a=b', FIELD.setCookie, -1],
    ['Connection', 'keep-alive', FIELD.hopByHop, -1],
    ['Connection', 'close', FIELD.hopByHop | FIELD.closes, -1],
    ['connection', 'x-a ,\tCLOSE , y', FIELD.hopByHop | FIELD.closes, -1],
    ['connection', 'closed', FIELD.hopByHop, -1],
    ['connection', 'not-close', FIELD.hopByHop, -1],
    ['Keep-Alive', 'timeout=5', FIELD.hopByHop, -1],
    ['Proxy-Connection', 'x', FIELD.hopByHop, -1],
    ['TE', 'trailers', FIELD.hopByHop, -1],
    ['Trailer', 'x', FIELD.hopByHop, -1],
    ['Upgrade', 'h2c', FIELD.hopByHop, -1],
    ['x-date', 'x', 0, -1],
    ['dates', 'x', 0, -1],
  ];
  for (const [name, value, fields, contentLength] of facts) {
    test(`says what ${name}: ${value} means`, () => {
      expect(checkHeaders(EVENT, [[name, value]])).toMatchObject({ fields, contentLength });
    });
  }

  test('is copied: changing it afterwards changes nothing', () => {
    const pair = ['x-a', 'before'];
    const list = [pair];
    const checked = checkHeaders(EVENT, list);
    pair[1] = 'after\r\nx-evil: 1';
    list.push(['x-b', 'late']);
    expect(checked.list).toEqual([['x-a', 'before']]);
  });
});

describe('a list that is not', () => {
  const refused: [string, unknown, string][] = [
    ['no array', { a: 'b' }, 'headers must be an array of [name, value] pairs, not an object (Object)'],
    ['null', null, 'headers must be an array of [name, value] pairs, not null'],
    ['a Headers object', new Headers(), 'headers must be an array of [name, value] pairs'],
    ['a string as pair', [['a', '1'], 'b: 2'], 'headers[1] must be a [name, value] pair, not "b: 2"'],
    ['a pair of three', [['a', '1', '2']], 'headers[0] must be a [name, value] pair, not an array of 3'],
    ['a hole', Array.from({ length: 1 }), 'headers[0] must be a [name, value] pair, not undefined'],
    ['an empty name', [['', 'x']], 'headers[0] must be named by a token (RFC 9110 5.6.2), not ""'],
    ['a name with a space', [['a b', 'x']], 'headers[0] must be named by a token'],
    ['a name with a colon', [['a:', 'x']], 'headers[0] must be named by a token'],
    ['a name with a line feed', [['a\n', 'x']], 'headers[0] must be named by a token'],
    ['a name that is no string', [[1, 'x']], 'headers[0] must be named by a token (RFC 9110 5.6.2), not 1'],
    ['a name beyond ASCII', [['n\xe4me', 'x']], 'headers[0] must be named by a token'],
    ['a value with CR', [['a', 'x\ry']], 'headers[0] (a) must be a byte string without CR, LF and NUL'],
    ['a value with LF', [['a', 'x\ny']], 'headers[0] (a) must be a byte string'],
    ['a value with NUL', [['a', 'x\0y']], 'headers[0] (a) must be a byte string'],
    ['a value beyond a byte', [['a', '\u20ac']], 'headers[0] (a) must be a byte string'],
    [
      'a value that is a number',
      [['content-length', 5]],
      'headers[0] (content-length) must be a byte string',
    ],
    ['bytes as a value', [['a', new Uint8Array(2)]], 'not an object (Uint8Array)'],
    ['a length that is none', [['content-length', 'x']], 'content-length must be a decimal number, not "x"'],
    ['a length with a sign', [['content-length', '+5']], 'content-length must be a decimal number'],
    ['a negative length', [['content-length', '-5']], 'content-length must be a decimal number'],
    ['a length with a fraction', [['content-length', '5.0']], 'content-length must be a decimal number'],
    ['a length in hexadecimal', [['content-length', '0x5']], 'content-length must be a decimal number'],
    ['an empty length', [['content-length', '']], 'content-length must be a decimal number'],
    ['a length of spaces', [['content-length', ' 5']], 'content-length must be a decimal number'],
    [
      'a length too large',
      [['content-length', '9007199254740992']],
      'content-length must be a decimal number',
    ],
    [
      'two lengths',
      [
        ['content-length', '5'],
        ['Content-Length', '5'],
      ],
      'content-length must be given once',
    ],
  ];
  for (const [name, list, message] of refused) {
    test(`is refused for ${name}, by event and place`, () => {
      expect(refusal(list)).toStartWith(`${EVENT}: `);
      expect(refusal(list)).toContain(message);
    });
  }
});

describe('a list that comes again', () => {
  const list = (): [string, string][] => [
    ['x-again', '1'],
    ['x-other', '2'],
  ];

  test('equal to the last of its length is the same object, so that its text can be used again', () => {
    expect(checkHeaders(EVENT, list())).toBe(checkHeaders(EVENT, list()));
  });

  test('with one other value is checked for itself', () => {
    const first = checkHeaders(EVENT, list());
    const changed = list();
    changed[1]![1] = '3';
    expect(checkHeaders(EVENT, changed).list).toEqual(changed);
    expect(first.list).toEqual(list());
  });

  test('is refused for what is wrong with it, though the last was right', () => {
    checkHeaders(EVENT, list());
    expect(
      refusal([
        ['x-again', '1'],
        ['x-other', '2\n'],
      ]),
    ).toContain('headers[1] (x-other)');
    expect(
      refusal([
        ['x-again', '1'],
        ['x-other', 2],
      ]),
    ).toContain('headers[1] (x-other)');
    expect(
      refusal([
        ['x-again', '1'],
        ['x-other', '2', ''],
      ]),
    ).toContain('headers[1] must be a [name, value]');
  });

  test('with a cookie is not kept', () => {
    const cookie = (): [string, string][] => [['set-cookie', 'session=secret']];
    expect(checkHeaders(EVENT, cookie())).not.toBe(checkHeaders(EVENT, cookie()));
  });
});

describe('trailers', () => {
  test('may be fields that say nothing about framing or routing', () => {
    const list = [
      ['x-checksum', 'abc'],
      ['Server-Timing', 'a;dur=1'],
    ] as [string, string][];
    expect(checkTrailers(EVENT, list)).toEqual(list);
    expect(checkTrailers(EVENT, undefined)).toEqual([]);
  });

  const forbidden = [
    'Content-Length',
    'transfer-encoding',
    'Trailer',
    'host',
    'connection',
    'authorization',
    'Set-Cookie',
    'content-type',
    'content-encoding',
    'content-range',
    'cache-control',
    'if-match',
    'proxy-authenticate',
    'te',
    'location',
    'Vary',
  ];
  for (const name of forbidden) {
    test(`may not be ${name} (RFC 9110 6.5.1)`, () => {
      const value = name === 'Content-Length' ? '1' : 'x';
      expect(
        refusal(
          [
            ['x-a', '1'],
            [name, value],
          ],
          checkTrailers,
        ),
      ).toBe(
        `${EVENT}: headers must be fields that may come in a trailer section (RFC 9110 6.5.1), not "${name}"`,
      );
    });
  }

  test('are checked as headers are', () => {
    expect(refusal([['x', 'a\nb']], checkTrailers)).toContain('headers[0] (x) must be a byte string');
  });
});
