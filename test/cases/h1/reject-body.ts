/** Framing that a server must refuse: Content-Length, Transfer-Encoding, chunks, trailers, and what is pipelined. */

import { refused } from './row.ts';
import type { RejectRow } from './row.ts';

/** A POST with these field lines behind the Host and the body `hello`. */
function post(lines: string, version = '1.1'): string {
  return `POST / HTTP/${version}\r\nhost: a\r\n${lines}\r\n\r\nhello`;
}

function length(value: string): string {
  return post(`content-length: ${value}`);
}

/** A POST with this Transfer-Encoding and a well-formed chunked body. */
function coding(value: string, version = '1.1'): string {
  return `POST / HTTP/${version}\r\nhost: a\r\ntransfer-encoding: ${value}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`;
}

/** A POST whose chunked body is this on the wire. */
function chunked(wire: string): string {
  return `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${wire}`;
}

/** A chunked body whose first chunk-size line is this. */
function size(line: string): string {
  return chunked(`${line}\r\nhello\r\n0\r\n\r\n`);
}

/** A chunked body whose trailer section has these lines. */
function trailers(lines: string): string {
  return chunked(`5\r\nhello\r\n0\r\n${lines}\r\n\r\n`);
}

const contentLength = refused(400, 'Content-Length', 'RFC 9110 8.6', {
  empty: length(''),
  'white space alone': length(' \t '),
  'a list of equal numbers': length('5, 5'),
  'a list of equal numbers without a space': length('5,5'),
  'a list of different numbers': length('5, 6'),
  'a comma behind it': length('5,'),
  'a comma before it': length(',5'),
  'two numbers with a space': length('5 5'),
  'a plus sign': length('+5'),
  'a minus sign': length('-5'),
  'minus zero': length('-0'),
  hexadecimal: length('0x5'),
  'hexadecimal without its mark': length('a'),
  octal: length('0o5'),
  binary: length('0b101'),
  'a decimal point': length('5.0'),
  'a dot behind it': length('5.'),
  'an exponent': length('5e0'),
  'an underscore': length('5_0'),
  'a letter behind it': length('5a'),
  'a semicolon behind it': length('5;'),
  'quotes around it': length('"5"'),
  NaN: length('NaN'),
  Infinity: length('Infinity'),
  true: length('true'),
  'a superscript digit (0xb2)': length('\xb2'),
  'Arabic digits in UTF-8': length('\xd9\xa5'),
  'a no-break space (0xa0) around it': length('\xa05'),
  'NUL behind it': length('5\x00'),
  'a vertical tab before it': length('\x0b5'),
  '2^53': length('9007199254740992'),
  '2^64 and five': length('18446744073709551621'),
  '400 digits': length('9'.repeat(400)),
});

const contentLengths = refused(400, 'two Content-Length fields', 'RFC 9112 6.3', {
  equal: post('content-length: 5\r\ncontent-length: 5'),
  different: post('content-length: 5\r\ncontent-length: 6'),
  'in different case': post('content-length: 5\r\nCONTENT-LENGTH: 5'),
  'apart from each other': post('content-length: 5\r\nx: y\r\ncontent-length: 5'),
  'the second one empty': post('content-length: 5\r\ncontent-length:'),
  'zero first': post('content-length: 0\r\ncontent-length: 5'),
  'zero second': post('content-length: 5\r\ncontent-length: 0'),
  'both zero': post('content-length: 0\r\ncontent-length: 0'),
  'on HTTP/1.0': post('content-length: 5\r\ncontent-length: 5', '1.0'),
});

const transferEncoding = refused(400, 'Transfer-Encoding', 'RFC 9112 6.1', {
  empty: coding(''),
  'chunked twice in a list': coding('chunked, chunked'),
  'chunked twice in two cases': coding('chunked, CHUNKED'),
  'chunked twice in two fields': coding('chunked\r\ntransfer-encoding: chunked'),
  'chunked is not last': coding('chunked, gzip'),
  'chunked in upper case is not last': coding('CHUNKED, gzip'),
  'chunked is not last, in two fields': coding('chunked\r\ntransfer-encoding: gzip'),
  'chunked before identity': coding('chunked, identity'),
  'chunked before identity, in two fields': coding('chunked\r\ntransfer-encoding: identity'),
  'a parameter of chunked': coding('chunked;q=1'),
  'a parameter of chunked in upper case': coding('CHUNKED;q=1'),
  'a parameter of chunked behind a space': coding('chunked ;q=1'),
  'a comma before chunked': coding(',chunked'),
  'a comma behind chunked': coding('chunked,'),
  'quotes around chunked': coding('"chunked"'),
  'single quotes are token characters, and still not chunked last': coding("chunked, 'x'"),
  'a word behind chunked': coding('chunked gzip'),
  'a tab inside chunked': coding('chun\tked'),
  'a no-break space (0xa0) behind chunked': coding('chunked\xa0'),
  'a vertical tab behind chunked': coding('chunked\x0b'),
  'NUL behind chunked': coding('chunked\x00'),
  'a high byte in place of a letter': coding('chun\xe1ed'),
  parentheses: coding('chunked(x)'),
});

const conflicts = refused(400, 'Transfer-Encoding with Content-Length', 'RFC 9112 6.1, 11.2', {
  'Content-Length first': post('content-length: 5\r\ntransfer-encoding: chunked'),
  'Transfer-Encoding first': post('transfer-encoding: chunked\r\ncontent-length: 5'),
  'a Content-Length of zero': post('content-length: 0\r\ntransfer-encoding: chunked'),
  'fields between them': post('content-length: 5\r\nx: y\r\ntransfer-encoding: chunked'),
  'a coding that is unknown': post('content-length: 5\r\ntransfer-encoding: xchunked'),
  identity: post('transfer-encoding: identity\r\ncontent-length: 5'),
  'of a GET': 'GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'a request hidden behind the last chunk':
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 33\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nhost: a\r\n\r\n',
});

const onHttp10 = refused(400, 'Transfer-Encoding on HTTP/1.0', 'RFC 9112 6.1', {
  chunked: coding('chunked', '1.0'),
  gzip: coding('gzip', '1.0'),
  identity: coding('identity', '1.0'),
  'with keep-alive': coding('chunked\r\nconnection: keep-alive', '1.0'),
  'with Content-Length': post('transfer-encoding: chunked\r\ncontent-length: 5', '1.0'),
});

const unknownCodings = refused(501, 'Transfer-Encoding', 'RFC 9112 6.1', {
  gzip: coding('gzip'),
  identity: coding('identity'),
  'gzip before chunked': coding('gzip, chunked'),
  'gzip before chunked, in two fields': coding('gzip\r\ntransfer-encoding: chunked'),
  'identity before chunked': coding('identity, chunked'),
  'a name that ends with chunked': coding('xchunked'),
  'a name that begins with chunked': coding('chunkedx'),
  'a name that holds chunked': coding('x-chunked-x'),
  'two unknown ones': coding('deflate, br'),
  'a parameter of gzip': coding('gzip;level=9'),
  'of a GET': 'GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n',
});

const chunkSizes = refused(400, 'chunk size', 'RFC 9112 7.1', {
  empty: size(''),
  'empty before the last chunk': chunked('5\r\nhello\r\n\r\n0\r\n\r\n'),
  'not hexadecimal': size('g'),
  'a letter behind it': size('5g'),
  'the mark of hexadecimal': size('0x5'),
  'the mark of hexadecimal on the last chunk': chunked('5\r\nhello\r\n0x0\r\n\r\n'),
  'a plus sign': size('+5'),
  'a minus sign': size('-5'),
  'a space before it': size(' 5'),
  'a tab before it': size('\t5'),
  'a space behind it': size('5 '),
  'a tab behind it': size('5\t'),
  'a space inside': size('0 5'),
  'a space behind the last one': chunked('5\r\nhello\r\n0 \r\n\r\n'),
  'a decimal point': size('5.0'),
  'an underscore': size('0_5'),
  'a comma': size('5,5'),
  quotes: size('"5"'),
  'an equals sign': size('5=a'),
  'a high byte': size('\xb5'),
  'a high byte behind it': size('5\xa0'),
  'NUL behind it': size('5\x00'),
  'NUL before it': size('\x005'),
  '2^53': size('20000000000000'),
  '2^64 and five': size('10000000000000005'),
  '40 digits': size('f'.repeat(40)),
  'negative by 64 bits': size('ffffffffffffffff'),
  'a line of 5000 digits that does not end': chunked('0'.repeat(5000)),
});

const chunkLines = refused(400, 'chunk line end', 'RFC 9112 7.1', {
  'a line feed alone behind the size': chunked('5\nhello\r\n0\r\n\r\n'),
  'a carriage return alone behind the size': chunked('5\rhello\r\n0\r\n\r\n'),
  'two carriage returns behind the size': chunked('5\r\r\nhello\r\n0\r\n\r\n'),
  'a line feed alone behind an extension': chunked('5;a\nhello\r\n0\r\n\r\n'),
  'a carriage return inside an extension': chunked('5;a\rb\r\nhello\r\n0\r\n\r\n'),
  'a line feed alone behind the data': chunked('5\r\nhello\n0\r\n\r\n'),
  'a carriage return alone behind the data': chunked('5\r\nhello\r0\r\n\r\n'),
  'nothing behind the data': chunked('5\r\nhello0\r\n\r\n'),
  'a byte too many': chunked('5\r\nhellox\r\n0\r\n\r\n'),
  'a byte too many that stands for the carriage return': chunked('5\r\nhellox\n0\r\n\r\n'),
  'a byte too few': chunked('5\r\nhell\r\n0\r\n\r\n'),
  'a space behind the data': chunked('5\r\nhello \r\n0\r\n\r\n'),
  'a byte too many, and nothing else': chunked('5\r\nhellox'),
  'a carriage return and another byte behind the data': chunked('5\r\nhello\rx'),
  'a line feed alone behind the last size': chunked('5\r\nhello\r\n0\n\r\n'),
  'a line feed alone is the last blank line': chunked('5\r\nhello\r\n0\r\n\n'),
  'line feeds alone throughout': chunked('5\nhello\n0\n\n'),
  'two carriage returns before the last line feed': chunked('0\r\n\r\r\n'),
});

const extensions = refused(400, 'chunk extension', 'RFC 9112 7.1.1', {
  'a semicolon alone': size('5;'),
  'a semicolon and white space': size('5; '),
  'two semicolons': size('5;;a'),
  'a semicolon at the end': size('5;a;'),
  'no name': size('5;=a'),
  'no value': size('5;a='),
  'two values': size('5;a=b=c'),
  'a name that is no token': size('5;a@b'),
  'a value that is no token': size('5;a=b/c'),
  'a space inside a name': size('5;a b'),
  'a space inside a value': size('5;a=b c'),
  'a space at the end': size('5;a '),
  'a space at the end of a value': size('5;a=b '),
  'a quoted string that does not end': size('5;a="b'),
  'a quoted string whose closing quote is escaped': size('5;a="b\\"'),
  'a token behind a quoted string': size('5;a="b"c'),
  'a quoted name': size('5;"a"=b'),
  'a quote inside a token': size('5;a=b"c"'),
  NUL: size('5;a\x00'),
  'NUL inside a quoted string': size('5;a="\x00"'),
  'an escaped control byte': size('5;a="\\\x01"'),
  'DEL inside a quoted string': size('5;a="\x7f"'),
  'a high byte in a name': size('5;\xe9'),
  'a high byte in an unquoted value': size('5;a=\xe9'),
  'a comma between two': size('5;a,b'),
  'a line of 4097 bytes': size(`5;${'e'.repeat(4095)}`),
  'a line of 4097 bytes that does not end': chunked(`5;${'e'.repeat(4095)}`),
  'a quoted string of 100000 bytes that does not end': chunked(`5;a="${'e'.repeat(100000)}`),
  'five lines of 4001 bytes in one body': chunked(`1;${'e'.repeat(3999)}\r\nx\r\n`.repeat(5)),
  '16385 bytes in one body': chunked(`${`1;${'e'.repeat(4094)}\r\nx\r\n`.repeat(4)}0;eeee\r\n\r\n`),
  'many short ones in one body': chunked('1;a\r\nx\r\n'.repeat(9000)),
  'too much on the last chunk': chunked(
    `${`1;${'e'.repeat(3999)}\r\nx\r\n`.repeat(4)}0;${'e'.repeat(3999)}\r\n\r\n`,
  ),
});

const trailerFields = refused(400, 'trailers', 'RFC 9112 7.1.2', {
  'a space before the colon': trailers('x : y'),
  'an empty name': trailers(': y'),
  'no colon': trailers('x'),
  'a request line': trailers('GET /evil HTTP/1.1'),
  'a name that is no token': trailers('x(: y'),
  'a folded line': trailers('x: y\r\n z'),
  'a space before the first field': trailers(' x: y'),
  'NUL in a name': trailers('x\x00: y'),
  'NUL in a value': trailers('x: \x00'),
  'a control byte in a value': trailers('x: a\x01b'),
  'DEL in a value': trailers('x: a\x7f'),
  'a carriage return in a value': trailers('x: a\rb'),
  'a line feed alone behind a field': trailers('x: y\nz: w'),
  'a line feed alone before the blank line': chunked('0\r\nx: y\n\r\n'),
  'a high byte in a name': trailers('x\xe9: y'),
});

const TRAILER_SIZE = { rfc: 'RFC 9112 7.1.2, RFC 6585 5', limits: { maxHeaderSize: 64 } };
const TRAILER_COUNT = { rfc: 'RFC 9112 7.1.2, RFC 6585 5', limits: { maxHeaderCount: 2 } };

const trailerLimits = [
  ...refused(431, 'trailers where 64 bytes are allowed', TRAILER_SIZE, {
    '65 bytes with the blank line': trailers(`x: ${'v'.repeat(58)}`),
    'a field line that does not end': chunked(`0\r\nx: ${'v'.repeat(62)}`),
    'many short field lines that do not end': chunked(`0\r\n${'x:\r\n'.repeat(17)}`),
  }),
  ...refused(431, 'trailers where two fields are allowed', TRAILER_COUNT, {
    three: trailers('x: 1\r\ny: 2\r\nz: 3'),
    'three that do not end': chunked('0\r\nx: 1\r\ny: 2\r\nz: 3\r\n'),
  }),
  ...refused(431, 'trailers over the default limit', 'RFC 9112 7.1.2, RFC 6585 5', {
    '16385 bytes that do not end': chunked(`0\r\nx: ${'v'.repeat(16382)}`),
    '101 fields': trailers('x: y\r\n'.repeat(101).trimEnd()),
  }),
];

const FIVE = { rfc: 'RFC 9110 15.5.14', limits: { maxBodySize: 5 } };

const tooLarge = [
  ...refused(413, 'body where 5 bytes are allowed', FIVE, {
    'a Content-Length of 6, and no body yet': 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\n',
    'a Content-Length of 6 with its body': 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nhello!',
    'a Content-Length of 6 that waits for 100':
      'PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 6\r\n\r\n',
    'a Content-Length of 6 on HTTP/1.0': 'POST / HTTP/1.0\r\ncontent-length: 6\r\n\r\nhello!',
    'a chunk of 6, and no data yet': chunked('6\r\n'),
    'a chunk of 6 with its data': chunked('6\r\nhello!\r\n0\r\n\r\n'),
    'chunks of 3 and 3, and only the first one is there': chunked('3\r\nhel\r\n3\r\n'),
    'chunks of 5 and 1': chunked('5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n'),
    'six chunks of 1': chunked(`${'1\r\nx\r\n'.repeat(6)}0\r\n\r\n`),
    'a chunk of 2^53-1': chunked('1fffffffffffff\r\n'),
  }),
  ...refused(413, 'body over the default limit', 'RFC 9110 15.5.14', {
    'a Content-Length of 10000001': 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10000001\r\n\r\n',
    'a Content-Length of 2^53-1': 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9007199254740991\r\n\r\n',
    'a chunk of 10000001': chunked('989681\r\n'),
    'a chunk of 1 and one of 10000000': chunked('1\r\nx\r\n989680\r\n'),
  }),
];

const UNLIMITED = { rfc: 'RFC 9110 8.6', limits: { maxBodySize: 0 } };

const unlimited = refused(400, 'length beyond 2^53-1 without a body limit', UNLIMITED, {
  'by Content-Length': length('9007199254740992'),
  'by chunk size': size('20000000000000'),
});

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi';
const CHUNKED_POST = chunked('2\r\nhi\r\n0\r\n\r\n');

const second = [
  ...refused(
    400,
    'second request',
    { rfc: 'RFC 9112 9.3.2', before: 1 },
    {
      'behind a GET, without a Host': `${GET}GET / HTTP/1.1\r\n\r\n`,
      'behind a GET, not HTTP': `${GET}\x16\x03\x01`,
      'behind a GET, what should have been its body': `${GET}{"a":1}`,
      'behind a GET, a space before the colon': `${GET}GET / HTTP/1.1\r\nhost : a\r\n\r\n`,
      'behind a body, a line feed for an empty line': `${POST}\n${GET}`,
      'behind a body, two lengths': `${POST}POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\nx`,
      'behind a body that is longer than its length': `${POST} there`,
      'behind a chunked body, a space': `${CHUNKED_POST} ${GET}`,
      'behind a chunked body, a high byte': `${CHUNKED_POST}\xff`,
      'behind a chunked body, malformed chunks': `${CHUNKED_POST}${chunked('x\r\n')}`,
      'behind HTTP/1.0 with keep-alive': `GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\nGET /\r\n`,
    },
  ),
  ...refused(
    400,
    'third request',
    { rfc: 'RFC 9112 9.3.2', before: 2 },
    {
      'behind two GETs, folded': `${GET}${GET}GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n z\r\n\r\n`,
      'behind GET and POST, Transfer-Encoding with Content-Length': `${GET}${POST}${post('content-length: 5\r\ntransfer-encoding: chunked')}`,
    },
  ),
  ...refused(
    505,
    'second request',
    { rfc: 'RFC 9112 2.3', before: 1 },
    {
      'the preface of HTTP/2': `${GET}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    },
  ),
  ...refused(
    501,
    'second request',
    { rfc: 'RFC 9112 6.1', before: 1 },
    {
      'an unknown coding': `${POST}${coding('gzip')}`,
    },
  ),
  ...refused(
    414,
    'second request',
    { rfc: 'RFC 9112 3', before: 1 },
    {
      'a request line that does not end': `${GET}GET /${'t'.repeat(9000)}`,
    },
  ),
  ...refused(
    413,
    'second request',
    { rfc: 'RFC 9110 15.5.14', before: 1, limits: { maxBodySize: 5 } },
    {
      'a body over the limit': `${POST}${length('6')}`,
    },
  ),
  ...refused(
    417,
    'second request',
    { rfc: 'RFC 9110 10.1.1', before: 1 },
    {
      'an unknown expectation': `${GET}GET / HTTP/1.1\r\nhost: a\r\nexpect: x\r\n\r\n`,
    },
  ),
];

export const rejectBody: RejectRow[] = [
  ...contentLength,
  ...contentLengths,
  ...transferEncoding,
  ...conflicts,
  ...onHttp10,
  ...unknownCodings,
  ...chunkSizes,
  ...chunkLines,
  ...extensions,
  ...trailerFields,
  ...trailerLimits,
  ...tooLarge,
  ...unlimited,
  ...second,
];
