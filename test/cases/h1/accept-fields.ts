/** Field sections that a server must accept, and the exact fields they give: order, repeats and bytes kept. */

import { accepted, nameByte, request } from './row.ts';
import type { AcceptRow, ExpectedRequest, Field } from './row.ts';

/** A GET with `host: a` and then the given field lines, and the request it makes. */
function fields(lines: string, ...expected: Field[]): [string, ExpectedRequest] {
  return [
    `GET / HTTP/1.1\r\nhost: a\r\n${lines}\r\n\r\n`,
    request({ headers: [['host', 'a'], ...expected] }),
  ];
}

/** A GET with this Host, and the request it makes. */
function host(value: string): [string, ExpectedRequest] {
  return [`GET / HTTP/1.1\r\nhost: ${value}\r\n\r\n`, request({ headers: [['host', value]] })];
}

const names = accepted('field name', 'RFC 9110 5.1', {
  'names are lower-cased': fields('X-ReQuEsT-Id: AbC', ['x-request-id', 'AbC']),
  'a name of every character that a token may have': fields("!#$%&'*+-.^_`|~09azAZ: v", [
    "!#$%&'*+-.^_`|~09azaz",
    'v',
  ]),
  'a name of one character': fields('x: v', ['x', 'v']),
  'a name of digits': fields('123: v', ['123', 'v']),
  'a name of 200 characters': fields(`${'n'.repeat(200)}: v`, ['n'.repeat(200), 'v']),
  'an underscore is not a hyphen': fields(
    'X_Real_IP: 1\r\nX-Real-IP: 2',
    ['x_real_ip', '1'],
    ['x-real-ip', '2'],
  ),
  'a name that looks like an object property': fields(
    '__proto__: 1\r\nconstructor: 2',
    ['__proto__', '1'],
    ['constructor', '2'],
  ),
  'transfer_encoding is an unknown field': fields('transfer_encoding: chunked', [
    'transfer_encoding',
    'chunked',
  ]),
  'content_length is an unknown field': fields('content_length: 5', ['content_length', '5']),
  'a longer name than Content-Length is an unknown field': fields('content-length-x: 5', [
    'content-length-x',
    '5',
  ]),
});

const order = accepted('fields', 'RFC 9110 5.3', {
  'order is kept': fields('z: 1\r\na: 2\r\nm: 3', ['z', '1'], ['a', '2'], ['m', '3']),
  'repeated fields stay apart and in order': fields(
    'x: 1\r\ny: 2\r\nX: 3',
    ['x', '1'],
    ['y', '2'],
    ['x', '3'],
  ),
  'repeated equal fields are not merged': fields('x: 1\r\nx: 1', ['x', '1'], ['x', '1']),
  'a comma does not split a value': fields('x: 1, 2,3', ['x', '1, 2,3']),
  'several Cookie fields stay apart here': fields(
    'cookie: a=1\r\ncookie: b=2',
    ['cookie', 'a=1'],
    ['cookie', 'b=2'],
  ),
  'Host need not be first': [
    'GET / HTTP/1.1\r\nx: 1\r\nHOST: a\r\n\r\n',
    request({
      headers: [
        ['x', '1'],
        ['host', 'a'],
      ],
    }),
  ],
});

const values = accepted('field value', 'RFC 9110 5.5', {
  'no space after the colon': fields('x:v', ['x', 'v']),
  'spaces around the value are not part of it': fields('x:   v   ', ['x', 'v']),
  'tabs around the value are not part of it': fields('x:\tv\t', ['x', 'v']),
  'spaces and tabs mixed around the value': fields('x: \t \tv \t \t', ['x', 'v']),
  'spaces and tabs inside the value are kept': fields('x: a  b\tc \t d', ['x', 'a  b\tc \t d']),
  'an empty value': fields('x:', ['x', '']),
  'a value of one space is empty': fields('x: ', ['x', '']),
  'a value of only spaces and tabs is empty': fields('x: \t \t ', ['x', '']),
  'a value of one character': fields('x:1', ['x', '1']),
  'a colon in the value': fields('x: a:b: c', ['x', 'a:b: c']),
  'a value that begins with a colon': fields('x::v', ['x', ':v']),
  'every visible ASCII character': fields(`x: ${visibleAscii()}`, ['x', visibleAscii()]),
  'every byte from 0x80 to 0xff is kept as a byte': fields(`x: ${obsText()}`, ['x', obsText()]),
  'a no-break space (0xa0) is not white space': fields('x: \xa0v\xa0', ['x', '\xa0v\xa0']),
  'the byte 0x85 is not a line end': fields('x: a\x85b', ['x', 'a\x85b']),
  'UTF-8 bytes are kept as bytes': fields('x: \xc3\xa9\xe2\x82\xac', ['x', '\xc3\xa9\xe2\x82\xac']),
  'an unbalanced quote': fields('x: "abc', ['x', '"abc']),
  'a value that looks like a request line': fields('x: GET /evil HTTP/1.1', ['x', 'GET /evil HTTP/1.1']),
  'a value of 8000 bytes': fields(`x: ${'v'.repeat(8000)}`, ['x', 'v'.repeat(8000)]),
});

const edgeBytes = [0x21, 0x22, 0x2c, 0x3a, 0x3b, 0x5c, 0x7e, 0x80, 0x9f, 0xff].map((code): AcceptRow => {
  const byte = String.fromCharCode(code);
  const [input, expected] = fields(`x: ${byte}`, ['x', byte]);
  return { name: `field value: ${nameByte(code)} alone`, rfc: 'RFC 9110 5.5', input, expect: [expected] };
});

const hostNames = accepted('Host', 'RFC 3986 3.2.2', {
  'a name': host('example.com'),
  'a name in upper case is kept as sent': host('EXAMPLE.com'),
  'a name that ends with a dot': host('example.com.'),
  'a name with an underscore': host('my_service'),
  'a name with a hyphen at its end': host('a-'),
  'an internationalised name': host('xn--bcher-kva.example'),
  'a name with percent-escapes': host('a%41%c3%a9'),
  'a name of sub-delimiters': host("!$&'()*+;="),
  'a name of digits': host('12345'),
  'an empty value': ['GET / HTTP/1.1\r\nhost:\r\n\r\n', request({ headers: [['host', '']] })],
  'an empty value behind a space': ['GET / HTTP/1.1\r\nhost: \r\n\r\n', request({ headers: [['host', '']] })],
  'spaces and tabs around the value': [
    'GET / HTTP/1.1\r\nhost:\t a:1 \t\r\n\r\n',
    request({ headers: [['host', 'a:1']] }),
  ],
  'an IPv4 address': host('127.0.0.1'),
  'four numbers out of range are a name': host('999.1.1.1'),
  'five numbers are a name': host('1.2.3.4.5'),
});

const hostPorts = accepted('Host with a port', 'RFC 9110 7.2', {
  'a port': host('example.com:8080'),
  'the highest port': host('a:65535'),
  'port 0': host('a:0'),
  'an empty port': host('a:'),
  'a port with leading zeros': host('a:00080'),
  'an IPv4 address with a port': host('10.0.0.1:80'),
  'an IPv6 address with a port': host('[::1]:8080'),
  'an IPv6 address with an empty port': host('[::1]:'),
});

const hostLiterals = accepted('Host with an IP literal', 'RFC 3986 3.2.2, IP-literal', {
  'the IPv6 loopback': host('[::1]'),
  'the IPv6 unspecified address': host('[::]'),
  'eight groups': host('[1:2:3:4:5:6:7:8]'),
  'eight groups of four digits in both cases': host('[2001:0db8:85A3:0000:0000:8a2e:0370:7334]'),
  'a gap in the middle': host('[2001:db8::1]'),
  'a gap at the end': host('[fe80::]'),
  'a gap of one group': host('[1:2:3:4:5::7:8]'),
  'a gap of one group at the end': host('[1:2:3:4:5:6:7::]'),
  'a gap of one group at the start': host('[::2:3:4:5:6:7:8]'),
  'an IPv4 address in the last groups': host('[::ffff:192.0.2.1]'),
  'an IPv4 address behind six groups': host('[1:2:3:4:5:6:1.2.3.4]'),
  'an IPv4 address behind a gap alone': host('[::255.255.255.255]'),
  'a future address': host('[v1.fe80::a+en1]'),
  'a future address with a capital V and a long version': host('[VAF09.a]'),
  'a future address with a port': host('[v1.a]:80'),
});

const counts = accepted(
  'fields at the limit',
  { rfc: 'RFC 9110 5.4', limits: { maxHeaderCount: 3 } },
  {
    'as many fields as the limit': fields('x: 1\r\ny: 2', ['x', '1'], ['y', '2']),
  },
);

const defaultCount = accepted('fields', 'RFC 9110 5.4', {
  '100 fields are within the default limit': fields(
    Array.from({ length: 99 }, (_, index) => `x${index}: ${index}`).join('\r\n'),
    ...Array.from({ length: 99 }, (_, index): Field => [`x${index}`, `${index}`]),
  ),
  // "host: a", the field and the blank line, each with its CRLF, are 16384 bytes.
  'a field section of 16384 bytes is within the default limit': fields(`x: ${'v'.repeat(16368)}`, [
    'x',
    'v'.repeat(16368),
  ]),
});

function visibleAscii(): string {
  return Array.from({ length: 0x7e - 0x21 + 1 }, (_, index) => String.fromCharCode(0x21 + index)).join('');
}

function obsText(): string {
  return Array.from({ length: 0x80 }, (_, index) => String.fromCharCode(0x80 + index)).join('');
}

export const acceptFields: AcceptRow[] = [
  ...names,
  ...order,
  ...values,
  ...edgeBytes,
  ...hostNames,
  ...hostPorts,
  ...hostLiterals,
  ...counts,
  ...defaultCount,
];
