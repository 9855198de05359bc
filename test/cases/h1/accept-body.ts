/** Bodies that a server must accept: by Content-Length, in chunks with extensions and trailers, and none at all. */

import { accepted, request } from './row.ts';
import type { AcceptRow, ExpectedRequest, Field, H1Limits } from './row.ts';

const CHUNKED = 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n';

/** A POST with these field lines behind the Host, and the request it makes. */
function post(fields: Field[], body: string): [string, ExpectedRequest] {
  const headers: Field[] = [['host', 'a'], ...fields];
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return [`POST / HTTP/1.1\r\n${lines}\r\n${body}`, request({ method: 'POST', headers, body })];
}

/** A POST whose Content-Length is written like this, and the request it makes. */
function length(written: string, body: string): [string, ExpectedRequest] {
  return post([['content-length', written]], body);
}

/** A POST with this chunked body on the wire, and the request it makes. */
function chunked(wire: string, body: string, trailers: Field[] = []): [string, ExpectedRequest] {
  const headers: Field[] = [
    ['host', 'a'],
    ['transfer-encoding', 'chunked'],
  ];
  return [CHUNKED + wire, request({ method: 'POST', headers, body, trailers })];
}

/** A POST whose Transfer-Encoding line is this, with the body `hi`, and the request it makes. */
function coding(line: string, value: string): [string, ExpectedRequest] {
  const headers: Field[] = [
    ['host', 'a'],
    ['transfer-encoding', value],
  ];
  const input = `POST / HTTP/1.1\r\nhost: a\r\n${line}\r\n\r\n2\r\nhi\r\n0\r\n\r\n`;
  return [input, request({ method: 'POST', headers, body: 'hi' })];
}

const noBody = accepted('no body', 'RFC 9112 6.3', {
  'a POST without Content-Length has none': post([], ''),
  'a POST with Content-Length 0 has none': length('0', ''),
  'a Content-Type alone makes none': post([['content-type', 'text/plain']], ''),
  'a TE field alone makes none': post([['te', 'trailers, chunked']], ''),
  'a POST on HTTP/1.0 without Content-Length has none': [
    'POST / HTTP/1.0\r\n\r\n',
    request({ method: 'POST', version: '1.0', headers: [], keepAlive: false }),
  ],
});

const contentLength = accepted('Content-Length', 'RFC 9112 6.2', {
  'a body of five bytes': length('5', 'hello'),
  'a body of one byte': length('1', 'x'),
  'a body that looks like a request': length('28', 'GET /evil HTTP/1.1\r\nx: y\r\n\r\n'),
  'a body of line ends': length('6', '\r\n\r\n\r\n'),
  'a body of NUL and high bytes': length('4', '\x00\x7f\x80\xff'),
  'a body that looks chunked is not decoded': length('12', '2\r\nhi\r\n0\r\n\r\n'),
  'a body of 70000 bytes': length('70000', 'b'.repeat(70000)),
  'leading zeros': length('005', 'hello'),
  'many leading zeros': length(`${'0'.repeat(40)}5`, 'hello'),
  'only zeros': length('0000', ''),
  'the name in mixed case, spaces and tabs around the digits': [
    'POST / HTTP/1.1\r\nhost: a\r\nCONTENT-length:\t 2 \t\r\n\r\nhi',
    request({
      method: 'POST',
      headers: [
        ['host', 'a'],
        ['content-length', '2'],
      ],
      body: 'hi',
    }),
  ],
  'a body on HTTP/1.0': [
    'POST / HTTP/1.0\r\ncontent-length: 2\r\n\r\nhi',
    request({
      method: 'POST',
      version: '1.0',
      headers: [['content-length', '2']],
      body: 'hi',
      keepAlive: false,
    }),
  ],
});

const anyMethod = accepted('body', 'RFC 9110 9.3', {
  'of a GET': [
    'GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi',
    request({
      headers: [
        ['host', 'a'],
        ['content-length', '2'],
      ],
      body: 'hi',
    }),
  ],
  'of a HEAD': [
    'HEAD / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi',
    request({
      method: 'HEAD',
      headers: [
        ['host', 'a'],
        ['content-length', '2'],
      ],
      body: 'hi',
    }),
  ],
  'of a DELETE in chunks': [
    'DELETE / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    request({
      method: 'DELETE',
      headers: [
        ['host', 'a'],
        ['transfer-encoding', 'chunked'],
      ],
      body: 'x',
    }),
  ],
  'of an unknown method': [
    'QUERY / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx',
    request({
      method: 'QUERY',
      headers: [
        ['host', 'a'],
        ['content-length', '1'],
      ],
      body: 'x',
    }),
  ],
});

const transferEncoding = accepted('Transfer-Encoding', 'RFC 9112 6.1', {
  'chunked in lower case': coding('transfer-encoding: chunked', 'chunked'),
  'chunked in upper case': coding('Transfer-Encoding: CHUNKED', 'CHUNKED'),
  'chunked in mixed case': coding('Transfer-Encoding: Chunked', 'Chunked'),
  'no space after the colon': coding('transfer-encoding:chunked', 'chunked'),
  'spaces and tabs around chunked': coding('transfer-encoding: \tchunked\t ', 'chunked'),
});

const chunks = accepted('chunks', 'RFC 9112 7.1', {
  one: chunked('5\r\nhello\r\n0\r\n\r\n', 'hello'),
  several: chunked('1\r\nh\r\n2\r\nel\r\n2\r\nlo\r\n0\r\n\r\n', 'hello'),
  'none but the last': chunked('0\r\n\r\n', ''),
  'a size in lower-case hexadecimal': chunked('a\r\n0123456789\r\n0\r\n\r\n', '0123456789'),
  'a size in upper-case hexadecimal': chunked('A\r\n0123456789\r\n0\r\n\r\n', '0123456789'),
  'a size of two digits': chunked(`fF\r\n${'x'.repeat(255)}\r\n0\r\n\r\n`, 'x'.repeat(255)),
  'a size with leading zeros': chunked('0005\r\nhello\r\n0\r\n\r\n', 'hello'),
  'a size of 40 digits that is small': chunked(`${'0'.repeat(39)}5\r\nhello\r\n0\r\n\r\n`, 'hello'),
  'a last size of several zeros': chunked('5\r\nhello\r\n00000\r\n\r\n', 'hello'),
  'data of line ends': chunked('4\r\n\r\n\r\n\r\n0\r\n\r\n', '\r\n\r\n'),
  'data that looks like a chunk': chunked('5\r\n0\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n'),
  'data of NUL and high bytes': chunked('4\r\n\x00\x7f\x80\xff\r\n0\r\n\r\n', '\x00\x7f\x80\xff'),
  'a chunk of 70000 bytes': chunked(`11170\r\n${'c'.repeat(70000)}\r\n0\r\n\r\n`, 'c'.repeat(70000)),
  '300 chunks of one byte': chunked(`${'1\r\nx\r\n'.repeat(300)}0\r\n\r\n`, 'x'.repeat(300)),
});

const extensions = accepted('chunk extension', 'RFC 9112 7.1.1', {
  'a name': chunked('5;a\r\nhello\r\n0\r\n\r\n', 'hello'),
  'a name and a token': chunked('5;a=b\r\nhello\r\n0\r\n\r\n', 'hello'),
  'a name and a quoted string': chunked('5;a="b c"\r\nhello\r\n0\r\n\r\n', 'hello'),
  'an empty quoted string': chunked('5;a=""\r\nhello\r\n0\r\n\r\n', 'hello'),
  'a semicolon inside a quoted string': chunked('5;a="b;c"\r\nhello\r\n0\r\n\r\n', 'hello'),
  'a tab inside a quoted string': chunked('5;a="b\tc"\r\nhello\r\n0\r\n\r\n', 'hello'),
  'high bytes inside a quoted string': chunked('5;a="\x80\xff"\r\nhello\r\n0\r\n\r\n', 'hello'),
  'an escaped quote': chunked('5;a="b\\"c"\r\nhello\r\n0\r\n\r\n', 'hello'),
  'an escaped backslash before the closing quote': chunked('5;a="b\\\\"\r\nhello\r\n0\r\n\r\n', 'hello'),
  several: chunked('5;a;b=c;d="e";f\r\nhello\r\n0\r\n\r\n', 'hello'),
  'white space before the semicolon': chunked('5 \t;a\r\nhello\r\n0\r\n\r\n', 'hello'),
  'white space behind the semicolon': chunked('5; \ta\r\nhello\r\n0\r\n\r\n', 'hello'),
  'white space around the equals sign': chunked('5;a \t=\t "b"\r\nhello\r\n0\r\n\r\n', 'hello'),
  'white space between two': chunked('5;a=b ; c="d" ; e\r\nhello\r\n0\r\n\r\n', 'hello'),
  'on the last chunk': chunked('5\r\nhello\r\n0;a="b"\r\n\r\n', 'hello'),
  'every character of a token': chunked("5;!#$%&'*+-.^_`|~09azAZ=!#$\r\nhello\r\n0\r\n\r\n", 'hello'),
  'a name of digits is not part of the size': chunked('5;5=5\r\nhello\r\n0\r\n\r\n', 'hello'),
  'a line of 4096 bytes': chunked(`5;${'e'.repeat(4094)}\r\nhello\r\n0\r\n\r\n`, 'hello'),
  '16384 bytes in one body': chunked(`${`1;${'e'.repeat(4094)}\r\nx\r\n`.repeat(4)}0;eee\r\n\r\n`, 'xxxx'),
  'four lines of 4001 bytes in one body': chunked(
    `${`1;${'e'.repeat(3999)}\r\nx\r\n`.repeat(4)}0\r\n\r\n`,
    'xxxx',
  ),
});

const trailers = accepted('trailers', 'RFC 9112 7.1.2', {
  'one field': chunked('0\r\nx: y\r\n\r\n', '', [['x', 'y']]),
  'behind data': chunked('5\r\nhello\r\n0\r\nx: y\r\n\r\n', 'hello', [['x', 'y']]),
  'names are lower-cased, values trimmed': chunked('0\r\nX-Sum:\t abc \t\r\n\r\n', '', [['x-sum', 'abc']]),
  'order and repeats are kept': chunked('0\r\nb: 1\r\na: 2\r\nb: 3\r\n\r\n', '', [
    ['b', '1'],
    ['a', '2'],
    ['b', '3'],
  ]),
  'an empty value': chunked('0\r\nx:\r\n\r\n', '', [['x', '']]),
  'high bytes in a value': chunked('0\r\nx: \x80\xff\r\n\r\n', '', [['x', '\x80\xff']]),
  'a field that looks like a request line stays a field': chunked(
    '0\r\na:GET /evil HTTP/1.1\r\nb: c\r\n\r\n',
    '',
    [
      ['a', 'GET /evil HTTP/1.1'],
      ['b', 'c'],
    ],
  ),
});

const atLimit = (limits: Partial<H1Limits>) => ({ rfc: 'RFC 9110 15.5.14', limits });

const sizes = [
  ...accepted('body at the limit', atLimit({ maxBodySize: 5 }), {
    'by Content-Length': length('5', 'hello'),
    'in one chunk': chunked('5\r\nhello\r\n0\r\n\r\n', 'hello'),
    'in two chunks': chunked('2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n', 'hello'),
  }),
  ...accepted('body without a limit', atLimit({ maxBodySize: 0 }), {
    'by Content-Length': length('5', 'hello'),
    'in chunks': chunked('5\r\nhello\r\n0\r\n\r\n', 'hello'),
  }),
  ...accepted('trailers at the limit', atLimit({ maxHeaderCount: 2 }), {
    'as many fields as a head may have': chunked('0\r\nx: 1\r\ny: 2\r\n\r\n', '', [
      ['x', '1'],
      ['y', '2'],
    ]),
  }),
  ...accepted('trailers at the limit', atLimit({ maxHeaderSize: 64 }), {
    'as many bytes as a head may have': chunked(`0\r\nx: ${'v'.repeat(57)}\r\n\r\n`, '', [
      ['x', 'v'.repeat(57)],
    ]),
  }),
];

export const acceptBody: AcceptRow[] = [
  ...noBody,
  ...contentLength,
  ...anyMethod,
  ...transferEncoding,
  ...chunks,
  ...extensions,
  ...trailers,
  ...sizes,
];
