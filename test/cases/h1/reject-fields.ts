/** Field sections that a server must refuse: line ends, folding, names, values, Host, Expect, size and count. */

import { nameByte, refused } from './row.ts';
import type { RejectRow } from './row.ts';

/** A GET with `host: a` and then these field lines. */
function fields(lines: string): string {
  return `GET / HTTP/1.1\r\nhost: a\r\n${lines}\r\n\r\n`;
}

/** A GET with this Host and nothing else. */
function host(value: string): string {
  return `GET / HTTP/1.1\r\nhost: ${value}\r\n\r\n`;
}

const lineEnds = refused(400, 'line end', 'RFC 9112 2.2', {
  'a line feed alone ends a field line': 'GET / HTTP/1.1\r\nhost: a\nx: y\r\n\r\n',
  'a line feed alone ends the last field line': 'GET / HTTP/1.1\r\nhost: a\n\r\n',
  'a line feed alone is the blank line': 'GET / HTTP/1.1\r\nhost: a\r\n\n',
  'line feeds alone end the field section': 'GET / HTTP/1.1\r\nhost: a\n\n',
  'a carriage return alone ends a field line': 'GET / HTTP/1.1\r\nhost: a\rx: y\r\n\r\n',
  'two carriage returns end a field line': 'GET / HTTP/1.1\r\nhost: a\r\r\n\r\n',
  'two carriage returns before the last line feed': 'GET / HTTP/1.1\r\nhost: a\r\n\r\r\n',
  'a carriage return inside a value': fields('x: a\rb'),
  'a carriage return before a value': fields('x:\r a'),
  'a carriage return inside a name': fields('x\ry: a'),
  'a line feed hides a field': fields('x: a\ntransfer-encoding: chunked'),
  'a carriage return hides a field': fields('x: a\rtransfer-encoding: chunked'),
});

const folding = refused(400, 'folded line', 'RFC 9112 5.2', {
  'a space begins the continuation': fields('x: a\r\n b'),
  'a tab begins the continuation': fields('x: a\r\n\tb'),
  'the continuation looks like a field': fields('x: a\r\n y: b'),
  'the continuation is white space alone': fields('x: a\r\n \r\ny: b'),
  'a folded Host': fields('x: y').replace('host: a', 'host:\r\n a'),
  'a folded Transfer-Encoding': fields('transfer-encoding:\r\n chunked'),
  'a space before the first field': 'GET / HTTP/1.1\r\n host: a\r\n\r\n',
  'a tab before the first field': 'GET / HTTP/1.1\r\n\thost: a\r\n\r\n',
  'white space alone before the first field': 'GET / HTTP/1.1\r\n \r\nhost: a\r\n\r\n',
});

const names = refused(400, 'field name', 'RFC 9112 5.1', {
  'a space before the colon': fields('x : y'),
  'a tab before the colon': fields('x\t: y'),
  'a space before the colon of Host': fields('x: y').replace('host:', 'host :'),
  'a space before the colon of Content-Length': fields('content-length : 5'),
  'a space before the colon of Transfer-Encoding': fields('transfer-encoding : chunked'),
  'a tab before the colon of Transfer-Encoding': fields('Transfer-Encoding\t: chunked'),
  'a space inside': fields('x y: z'),
  'an empty name': fields(': y'),
  'an empty name and an empty value': fields(':'),
  'two colons before anything': fields(':: y'),
  'no colon': fields('x'),
  'no colon, but a value': fields('x y'),
  'an equals sign for the colon': fields('x=y'),
  'a request line among the fields': fields('GET / HTTP/1.1'),
  'a quoted name': fields('"x": y'),
});

const nameBytes = [
  0x00, 0x01, 0x09, 0x0b, 0x0c, 0x1f, 0x20, 0x22, 0x28, 0x29, 0x2c, 0x2f, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40,
  0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xa0, 0xe9, 0xff,
].map((code): RejectRow => ({
  name: `field name: ${nameByte(code)} inside`,
  rfc: 'RFC 9110 5.1',
  input: fields(`x${String.fromCharCode(code)}y: z`),
  expect: { status: 400 },
}));

const nameEdges = refused(400, 'field name', 'RFC 9110 5.1', {
  'NUL at the start': fields('\x00x: y'),
  'NUL at the end': fields('x\x00: y'),
  'NUL at the end of Transfer-Encoding': fields('transfer-encoding\x00: chunked'),
  'a vertical tab at the start': fields('\x0bx: y'),
  'a high byte at the start': fields('\xffx: y'),
  'a high byte at the end': fields('x\x80: y'),
});

const valueBytes = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x0b, 0x0c, 0x0e, 0x0f, 0x10, 0x1a, 0x1b, 0x1f, 0x7f,
].map((code): RejectRow => ({
  name: `field value: ${nameByte(code)} inside`,
  rfc: 'RFC 9110 5.5',
  input: fields(`x: a${String.fromCharCode(code)}b`),
  expect: { status: 400 },
}));

const valueEdges = refused(400, 'field value', 'RFC 9110 5.5', {
  'NUL alone': fields('x: \x00'),
  'NUL at the start': fields('x:\x00a'),
  'NUL at the end': fields('x: a\x00'),
  'a vertical tab around it is not white space': fields('x:\x0ba\x0b'),
  'a form feed at the end': fields('x: a\x0c'),
  'DEL at the end': fields('x: a\x7f'),
  'a vertical tab before chunked': fields('transfer-encoding: \x0bchunked'),
});

const hostCount = refused(400, 'Host', 'RFC 9112 3.2', {
  'none on HTTP/1.1': 'GET / HTTP/1.1\r\n\r\n',
  'none among other fields': 'GET / HTTP/1.1\r\nx: y\r\nx-host: a\r\n\r\n',
  'none with OPTIONS *': 'OPTIONS * HTTP/1.1\r\n\r\n',
  'none with CONNECT': 'CONNECT a:443 HTTP/1.1\r\n\r\n',
  'two that differ': fields('host: b'),
  'two that are equal': fields('host: a'),
  'two in different case': fields('HOST: a'),
  'two apart from each other': fields('x: y\r\nhost: b'),
  'two, one of them empty': fields('host:'),
  'two on HTTP/1.0': 'GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n',
  'invalid on HTTP/1.0': 'GET / HTTP/1.0\r\nhost: a b\r\n\r\n',
});

const hostValues = refused(400, 'Host', 'RFC 9110 7.2, RFC 3986 3.2.2', {
  'a space inside': host('a b'),
  'a tab inside': host('a\tb'),
  'a list': host('a, b'),
  'a user': host('user@a'),
  'a user and a password': host('user:secret@a'),
  'an at sign at the start': host('@a'),
  'a path': host('a/b'),
  'a slash at the end': host('a/'),
  'a slash alone': host('/'),
  'a query': host('a?b'),
  'a fragment': host('a#b'),
  'a URI': host('http://a'),
  'a URI with a path': host('http://a/'),
  'a network path': host('//a'),
  'a backslash': host('a\\b'),
  'a quote': host('a"b'),
  'quotes around it': host('"a"'),
  'an angle bracket': host('<a>'),
  'a vertical bar': host('a|b'),
  'a caret': host('a^b'),
  'a backtick': host('a`b'),
  'a brace': host('{a}'),
  'UTF-8': host('b\xc3\xbccher.example'),
  'a high byte': host('\xff'),
  'a lone percent sign': host('a%'),
  'a percent-escape of one digit': host('a%4'),
  'a malformed percent-escape': host('a%zz'),
  'a malformed percent-escape before the port': host('a%4:80'),
});

const hostPorts = refused(400, 'port in Host', 'RFC 9110 7.2', {
  'without a host': host(':80'),
  'a colon alone': host(':'),
  'a name': host('a:http'),
  negative: host('a:-1'),
  'a sign': host('a:+80'),
  hexadecimal: host('a:0x50'),
  'a decimal point': host('a:80.0'),
  'a space before it': host('a: 80'),
  'a space before the colon': host('a :80'),
  'out of range by one': host('a:65536'),
  'out of range by far': host('a:99999999999999999999'),
  two: host('a:80:80'),
  'two colons': host('a::80'),
  'a path behind it': host('a:80/'),
  'a user behind it': host('a:80@b'),
  'digits that are not ASCII': host('a:\xb2\xb3'),
  'out of range behind an IPv6 address': host('[::1]:65536'),
  'no number behind an IPv6 address': host('[::1]:x'),
  'no colon behind an IPv6 address': host('[::1]80'),
});

const hostLiterals = refused(400, 'IP literal in Host', 'RFC 3986 3.2.2', {
  'an IPv6 address without brackets': host('::1'),
  'an IPv6 address and a port without brackets': host('2001:db8::1:80'),
  'no closing bracket': host('[::1'),
  'no opening bracket': host('::1]'),
  'a closing bracket too many': host('[::1]]'),
  'an opening bracket too many': host('[[::1]'),
  'a name before the brackets': host('a[::1]'),
  'a name behind the brackets': host('[::1]a'),
  'a space behind the brackets': host('[::1] :80'),
  'nothing between the brackets': host('[]'),
  'nothing between the brackets, and a port': host('[]:80'),
  'a name between the brackets': host('[example.com]'),
  'an IPv4 address between the brackets': host('[127.0.0.1]'),
  'a colon alone': host('[:]'),
  'three colons': host('[:::]'),
  'one group': host('[1]'),
  'seven groups': host('[1:2:3:4:5:6:7]'),
  'nine groups': host('[1:2:3:4:5:6:7:8:9]'),
  'a gap for no group': host('[1:2:3:4::5:6:7:8]'),
  'a gap behind eight groups': host('[1:2:3:4:5:6:7:8::]'),
  'a gap before eight groups': host('[::1:2:3:4:5:6:7:8]'),
  'two gaps': host('[1::2::3]'),
  'a colon at the start': host('[:1:2:3:4:5:6:7:8]'),
  'a colon at the end': host('[1:2:3:4:5:6:7:]'),
  'a group of five digits': host('[::12345]'),
  'a group that is not hexadecimal': host('[::g]'),
  'a group with a space': host('[:: 1]'),
  'a group with a sign': host('[::-1]'),
  'an IPv4 address of three numbers': host('[::1.2.3]'),
  'an IPv4 address of five numbers': host('[::1.2.3.4.5]'),
  'an IPv4 address out of range': host('[::256.0.0.1]'),
  'an IPv4 address with a leading zero': host('[::01.2.3.4]'),
  'an IPv4 address that ends with a dot': host('[::1.2.3.4.]'),
  'an IPv4 address before a group': host('[::1.2.3.4:5]'),
  'an IPv4 address before a gap': host('[1.2.3.4::]'),
  'an IPv4 address behind seven groups': host('[1:2:3:4:5:6:7:1.2.3.4]'),
  'an IPv4 address behind five groups': host('[1:2:3:4:5:1.2.3.4]'),
  'a zone': host('[fe80::1%eth0]'),
  'a percent-encoded zone': host('[fe80::1%25eth0]'),
  'a prefix length': host('[fe80::]/10'),
  'a future address without its version': host('[v.a]'),
  'a future address without its address': host('[v1.]'),
  'a future address without its dot': host('[v1a]'),
  'a future address of a version that is not hexadecimal': host('[vg.a]'),
  'a future address with a percent-escape': host('[v1.%41]'),
  'a future address with a slash': host('[v1.a/b]'),
});

const expectations = refused(417, 'Expect', 'RFC 9110 10.1.1', {
  'another expectation': fields('expect: 200-ok'),
  '100-continue and another': fields('expect: 100-continue, foo'),
  'another and 100-continue': fields('expect: foo, 100-continue'),
  'another in a second field': fields('expect: 100-continue\r\nexpect: foo'),
  '100-continue with a parameter': fields('expect: 100-continue;q=1'),
  '100-continue in quotes': fields('expect: "100-continue"'),
  '100-continue cut short': fields('expect: 100-continu'),
  '100 alone': fields('expect: 100'),
  'with a body': 'PUT / HTTP/1.1\r\nhost: a\r\nexpect: foo\r\ncontent-length: 2\r\n\r\nhi',
});

const SIZE = { rfc: 'RFC 9110 5.4, RFC 6585 5', limits: { maxHeaderSize: 32 } };
const COUNT = { rfc: 'RFC 9110 5.4, RFC 6585 5', limits: { maxHeaderCount: 3 } };

const tooLarge = [
  ...refused(431, 'field section where 32 bytes are allowed', SIZE, {
    '33 bytes with the blank line': fields('x: 12345678901234567'),
    'a field line that does not end': `GET / HTTP/1.1\r\nx: ${'v'.repeat(30)}`,
    'a name that does not end': `GET / HTTP/1.1\r\n${'n'.repeat(33)}`,
    'many short field lines that do not end': `GET / HTTP/1.1\r\n${'x:\r\n'.repeat(9)}`,
  }),
  ...refused(
    431,
    'field section where 32 bytes are allowed',
    { ...SIZE, before: 1 },
    {
      'of a second request': `GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nx: ${'v'.repeat(30)}`,
    },
  ),
  ...refused(431, 'field section over the default limit', 'RFC 9110 5.4, RFC 6585 5', {
    '16385 bytes with the blank line': fields(`x: ${'v'.repeat(16369)}`),
    'a field line of 16385 bytes that does not end': `GET / HTTP/1.1\r\nx: ${'v'.repeat(16382)}`,
    'a field line of 100000 bytes that does not end': `GET / HTTP/1.1\r\nx: ${'v'.repeat(100000)}`,
    'two field lines of 9000 bytes that do not end': `GET / HTTP/1.1\r\n${`x: ${'v'.repeat(8995)}\r\n`.repeat(2)}`,
    '101 fields': fields('x: y\r\n'.repeat(100).trimEnd()),
    '101 fields that do not end': `GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(101)}`,
  }),
  ...refused(431, 'fields where three are allowed', COUNT, {
    four: fields('x: 1\r\ny: 2\r\nz: 3'),
    'four that do not end': 'GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\ny: 2\r\nz: 3\r\n',
    'four of one name': fields('x: 1\r\nx: 1\r\nx: 1'),
  }),
];

export const rejectFields: RejectRow[] = [
  ...lineEnds,
  ...folding,
  ...names,
  ...nameBytes,
  ...nameEdges,
  ...valueBytes,
  ...valueEdges,
  ...hostCount,
  ...hostValues,
  ...hostPorts,
  ...hostLiterals,
  ...expectations,
  ...tooLarge,
];
