/**
 * The memo of header sections is a shortcut and nothing else: a reader that has one gives what a reader without
 * one gives, for every request of a sequence.
 */
import { describe, expect, test } from 'bun:test';
import { FieldMemo } from '../../../src/wire/h1/field-memo.ts';
import { H1Reader } from '../../../src/wire/h1/h1-reader.ts';
import type { RequestHead } from '../../../src/wire/h1/request-head.ts';
import { ProtocolError } from '../../../src/wire/protocol-error.ts';
import { toBytes } from '../../support/bytes.ts';
import { DEFAULT_LIMITS, readRequests } from '../../support/read-requests.ts';

/** Tells how often a section has been recalled. */
class CountingMemo extends FieldMemo {
  recalled = 0;

  override recall(head: RequestHead, text: string, start: number): number {
    const end = super.recall(head, text, start);
    if (end >= 0) this.recalled++;
    return end;
  }
}

/** The head of each request, or the code of the fault. */
function readHeads(
  requests: readonly string[],
  memo: FieldMemo,
  limits = DEFAULT_LIMITS,
): (RequestHead | string)[] {
  const reader = new H1Reader(limits, memo);
  return requests.map((request) => {
    reader.push(Buffer.from(request, 'latin1'));
    const head = reader.readHead();
    if (head === undefined) return 'incomplete';
    return head instanceof ProtocolError ? head.code : head;
  });
}

/** Heads as a reader gives them that has never seen anything before. */
function readApart(requests: readonly string[], limits = DEFAULT_LIMITS): (RequestHead | string)[] {
  return requests.flatMap((request) => readHeads([request], new FieldMemo(), limits));
}

const SECTION = 'Host: example.com\r\nUser-Agent: test/1.0\r\nAccept: */*\r\n\r\n';
const request = (target: string, section = SECTION, version = '1.1'): string =>
  `GET ${target} HTTP/${version}\r\n${section}`;

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

describe('a section that is repeated byte for byte', () => {
  test('is recalled from the third time on, whatever the target', () => {
    const memo = new CountingMemo();
    const requests = times(5, (index) => request(`/${index}?q=${index}`));
    expect(readHeads(requests, memo)).toEqual(readApart(requests));
    expect(memo.recalled).toBe(3);
  });

  test('is recalled on other connections too', () => {
    const memo = new CountingMemo();
    for (let i = 0; i < 4; i++) expect(readHeads([request('/')], memo)).toEqual(readApart([request('/')]));
    expect(memo.recalled).toBe(2);
  });

  test('is recalled when the requests come in one piece', () => {
    const memo = new CountingMemo();
    const reader = new H1Reader(DEFAULT_LIMITS, memo);
    reader.push(Buffer.from(times(6, (index) => request(`/${index}`)).join('')));
    const targets = times(6, () => (reader.readHead() as RequestHead).target);
    expect(targets).toEqual(['/0', '/1', '/2', '/3', '/4', '/5']);
    expect([memo.recalled, reader.bufferedBytes]).toEqual([4, 0]);
  });

  test('brings its framing along: bodies are read as before', () => {
    const posts = times(5, (i) => `POST /${i} HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nbody${i}`);
    const { requests, error } = readRequests([toBytes(posts.join(''))]);
    expect(error).toBeUndefined();
    expect(requests.map(({ body }) => body)).toEqual(['body0', 'body1', 'body2', 'body3', 'body4']);
    const chunked = times(
      5,
      (i) => `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\n${i}\r\n0\r\n\r\n`,
    );
    expect(readRequests([toBytes(chunked.join(''))]).requests.map(({ body }) => body)).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
    ]);
  });

  test('brings what it says about the connection along', () => {
    const closing = request('/', 'host: a\r\nconnection: close\r\nexpect: 100-continue\r\n\r\n');
    const memo = new CountingMemo();
    const heads = times(4, () => readHeads([closing], memo)[0] as RequestHead);
    expect(memo.recalled).toBe(2);
    expect(heads.map((head) => [head.keepsAlive, head.expectsContinue])).toEqual(
      times(4, () => [false, true]),
    );
  });

  test('is the same for who gets it, whatever those before have done to theirs', () => {
    const memo = new CountingMemo();
    for (let i = 0; i < 5; i++) {
      const head = readHeads([request('/')], memo)[0] as RequestHead;
      expect(head.headers).toEqual([
        ['host', 'example.com'],
        ['user-agent', 'test/1.0'],
        ['accept', '*/*'],
      ]);
      head.headers[0]![1] = 'changed';
      head.headers.push(['x-added', 'by the application']);
      head.headers.shift();
    }
    expect(memo.recalled).toBe(3);
  });
});

describe('a section that is nearly the same', () => {
  const nearMisses: Record<string, string> = {
    'with another value of the same length': SECTION.replace('1.0', '1.1'),
    'with another case of a name': SECTION.replace('User-Agent', 'user-agent'),
    'with the fields in another order': 'Accept: */*\r\nHost: example.com\r\nUser-Agent: test/1.0\r\n\r\n',
    'with one field more': SECTION.replace('\r\n\r\n', '\r\nX: y\r\n\r\n'),
    'with one field less': SECTION.replace('Accept: */*\r\n', ''),
    'with a space more': SECTION.replace('Host: ', 'Host:  '),
    'with another last byte': SECTION.replace('*/*', '*/+'),
  };
  for (const [name, other] of Object.entries(nearMisses)) {
    test(`${name} is read for itself`, () => {
      const memo = new CountingMemo();
      readHeads(
        times(3, () => request('/')),
        memo,
      );
      const { recalled } = memo;
      expect(readHeads([request('/', other)], memo)).toEqual(readApart([request('/', other)]));
      expect(memo.recalled).toBe(recalled);
    });
  }

  test('and malformed is refused as ever', () => {
    const memo = new CountingMemo();
    readHeads(
      times(4, () => request('/')),
      memo,
    );
    const bad = [
      SECTION.replace('Host:', 'Host :'),
      SECTION.replace('Host: example.com', 'Host: example com'),
      SECTION.replace('Host: example.com\r\n', ''),
      SECTION.replace('test/1.0', 'test\x01.0'),
      SECTION.replace('\r\nAccept', '\nAccept').replace('test', 'te\rst'),
    ];
    for (const section of bad) {
      const [fault] = readHeads([request('/', section)], memo);
      expect(fault).toBeString();
      expect([fault]).toEqual(readApart([request('/', section)]));
    }
  });

  test('incomplete is waited for, and then read the same', () => {
    const memo = new CountingMemo();
    readHeads(
      times(4, () => request('/')),
      memo,
    );
    const text = request('/slow');
    for (let split = 1; split < text.length; split++) {
      const reader = new H1Reader(DEFAULT_LIMITS, memo);
      reader.push(Buffer.from(text.slice(0, split)));
      expect(reader.readHead()).toBeUndefined();
      reader.push(Buffer.from(text.slice(split)));
      expect([reader.readHead()]).toEqual(readApart([text]) as RequestHead[]);
    }
  });
});

describe('never recalled', () => {
  const neverKept: Record<string, string> = {
    'a cookie': 'host: a\r\ncookie: session=secret\r\n\r\n',
    'an Authorization in capitals': 'host: a\r\nAUTHORIZATION: Basic c2VjcmV0\r\n\r\n',
    'a Proxy-Authorization': 'host: a\r\nproxy-authorization: Basic c2VjcmV0\r\n\r\n',
    'more than two thousand bytes': `host: a\r\nx: ${'y'.repeat(2100)}\r\n\r\n`,
  };
  for (const [name, section] of Object.entries(neverKept)) {
    test(`is a section with ${name}`, () => {
      const memo = new CountingMemo();
      const requests = times(6, () => request('/', section));
      expect(readHeads(requests, memo)).toEqual(readApart(requests));
      expect(memo.recalled).toBe(0);
    });
  }

  test('is a section on HTTP/1.0, where it means something else', () => {
    const memo = new CountingMemo();
    readHeads(
      times(4, () => request('/')),
      memo,
    );
    const { recalled } = memo;
    const heads = times(3, () => readHeads([request('/', SECTION, '1.0')], memo)[0] as RequestHead);
    expect(memo.recalled).toBe(recalled);
    expect(heads.map((head) => [head.httpVersion, head.keepsAlive])).toEqual(times(3, () => ['1.0', false]));
  });

  test('is a section that came with HTTP/1.0, for a request of HTTP/1.1', () => {
    const memo = new CountingMemo();
    const noHost = 'accept: */*\r\n\r\n';
    for (let i = 0; i < 5; i++) readHeads([request('/', noHost, '1.0')], memo);
    expect(readHeads([request('/', noHost)], memo)).toEqual(['host_missing']);
  });

  test('is a section behind a target in absolute form, which replaces its Host', () => {
    const memo = new CountingMemo();
    readHeads(
      times(4, () => request('/')),
      memo,
    );
    const { recalled } = memo;
    for (let i = 0; i < 4; i++) {
      const head = readHeads([request('http://other.example/')], memo)[0] as RequestHead;
      expect(head.headers[0]).toEqual(['host', 'other.example']);
    }
    expect(memo.recalled).toBe(recalled);
    const plain = readHeads([request('/')], memo)[0] as RequestHead;
    expect(plain.headers[0]).toEqual(['host', 'example.com']);
  });

  test('is a section in which one that is known stands at the end, or the beginning', () => {
    const memo = new CountingMemo();
    readHeads(
      times(4, () => request('/')),
      memo,
    );
    const { recalled } = memo;
    const longer = `X-First: 1\r\n${SECTION}`;
    expect(readHeads([request('/', longer)], memo)).toEqual(readApart([request('/', longer)]));
    expect(memo.recalled).toBe(recalled);
  });
});

describe('limits', () => {
  test('strike requests behind recalled ones', () => {
    const memo = new CountingMemo();
    const limits = { ...DEFAULT_LIMITS, maxHeaderSize: SECTION.length + 20, maxRequestLine: 100 };
    readHeads(
      times(4, () => request('/')),
      memo,
      limits,
    );
    const large = `X-Large: ${'x'.repeat(100)}\r\n${SECTION}`;
    expect(readHeads([request('/'), request('/', large)], memo, limits)[1]).toBe('headers_too_large');
    expect(readHeads([request('/'), request(`/${'x'.repeat(100)}`)], memo, limits)[1]).toBe(
      'request_line_too_long',
    );
  });

  test('do not count what recalled requests had: each begins anew', () => {
    const memo = new CountingMemo();
    const limits = { ...DEFAULT_LIMITS, maxHeaderSize: SECTION.length, maxHeaderCount: 3 };
    const requests = times(20, () => request('/'));
    expect(readHeads(requests, memo, limits)).toEqual(readApart(requests, limits));
    expect(memo.recalled).toBe(18);
  });
});

describe('what is kept', () => {
  test('is bounded: after many sections an early one is read anew, and correctly', () => {
    const memo = new CountingMemo();
    const section = (n: number): string => `host: h${String(n).padStart(n + 1, '0')}\r\n\r\n`;
    const requests = times(30, (n) => n).flatMap((n) => times(3, () => request('/', section(n))));
    expect(readHeads(requests, memo)).toEqual(readApart(requests));
    const { recalled } = memo;
    expect(recalled).toBe(30);
    const all = times(30, (n) => request('/', section(n)));
    expect(readHeads(all, memo)).toEqual(readApart(all));
    expect(memo.recalled - recalled).toBeLessThanOrEqual(8);
  });

  test('serves several clients that take turns', () => {
    const memo = new CountingMemo();
    const sections = times(3, (n) => `host: client-${'x'.repeat(n)}\r\n\r\n`);
    const requests = times(30, (index) => request('/', sections[index % 3]!));
    expect(readHeads(requests, memo)).toEqual(readApart(requests));
    expect(memo.recalled).toBe(24);
  });
});
