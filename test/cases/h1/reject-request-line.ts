/** Request lines that a server must refuse: line ends, spaces, methods, targets, versions, length. */

import { nameByte, refused } from './row.ts';
import type { RejectRow } from './row.ts';

const FIELDS = 'host: a\r\n\r\n';

/** A complete request with this request line. */
function line(text: string): string {
  return `${text}\r\n${FIELDS}`;
}

function target(text: string): string {
  return line(`GET ${text} HTTP/1.1`);
}

function version(text: string): string {
  return line(`GET / ${text}`);
}

const lineEnds = refused(400, 'line end', 'RFC 9112 2.2', {
  'a line feed alone ends the request line': `GET / HTTP/1.1\n${FIELDS}`,
  'a line feed alone ends the request line, and nothing follows': 'GET / HTTP/1.1\n',
  'line feeds alone end every line': 'GET / HTTP/1.1\nhost: a\n\n',
  'a carriage return alone ends the request line': `GET / HTTP/1.1\r${FIELDS}`,
  'two carriage returns end the request line': `GET / HTTP/1.1\r\r\n${FIELDS}`,
  'line feed and carriage return are swapped': `GET / HTTP/1.1\n\r${FIELDS}`,
  'a carriage return in the target': target('/a\rb'),
  'a line feed in the target': target('/a\nb'),
  'a carriage return behind the method': line('GET\r / HTTP/1.1'),
  'a carriage return before the version': line('GET / \rHTTP/1.1'),
});

const emptyLines = refused(400, 'before the request line', 'RFC 9112 2.2', {
  'a line feed alone': `\n${line('GET / HTTP/1.1')}`,
  'a line feed alone behind an empty line': `\r\n\n${line('GET / HTTP/1.1')}`,
  'a carriage return alone': `\r${line('GET / HTTP/1.1')}`,
  'two carriage returns and a line feed': `\r\r\n${line('GET / HTTP/1.1')}`,
  'a carriage return and another byte, and nothing else': '\rG',
  'a space': ` ${line('GET / HTTP/1.1')}`,
  'a line of one space': ` \r\n${line('GET / HTTP/1.1')}`,
  'a tab': `\t${line('GET / HTTP/1.1')}`,
  'nine empty lines': `${'\r\n'.repeat(9)}${line('GET / HTTP/1.1')}`,
  'empty lines and nothing else': '\r\n'.repeat(64),
  'a UTF-8 byte order mark': `\xef\xbb\xbf${line('GET / HTTP/1.1')}`,
});

const firstByte = refused(400, 'first byte', 'RFC 9112 3', {
  'a TLS ClientHello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'the first byte of a TLS record alone': '\x16',
  'an SSLv2 ClientHello': '\x80\x2e\x01\x03\x01',
  'NUL alone': '\x00',
  'a high byte alone': '\xff',
  'a space alone': ' ',
  'a slash alone': '/',
  'a colon alone': ':',
  'a quote alone': '"',
  'a brace alone, as of a JSON text': '{',
  'an angle bracket alone, as of an XML text': '<',
  'a PROXY protocol version 2 header': '\r\n\r\n\x00\r\nQUIT\n',
  'NUL bytes longer than any limit': '\x00'.repeat(20000),
});

const spaces = refused(400, 'request line', 'RFC 9112 3', {
  'two spaces behind the method': line('GET  / HTTP/1.1'),
  'two spaces behind the target': line('GET /  HTTP/1.1'),
  'a space behind the version': line('GET / HTTP/1.1 '),
  'a tab behind the version': line('GET / HTTP/1.1\t'),
  'a tab behind the method': line('GET\t/ HTTP/1.1'),
  'a tab behind the target': line('GET /\tHTTP/1.1'),
  'a vertical tab behind the method': line('GET\x0b/ HTTP/1.1'),
  'a form feed behind the target': line('GET /\x0cHTTP/1.1'),
  'a no-break space (0xa0) behind the target': line('GET /\xa0HTTP/1.1'),
  'four parts': line('GET / a HTTP/1.1'),
  'a second version': line('GET / HTTP/1.1 HTTP/1.1'),
  'a method alone': line('GET'),
  'a method and a space': line('GET '),
  'a method and two spaces': line('GET  '),
  'a method and a version': line('GET HTTP/1.1'),
  'an empty target': line('GET  HTTP/1.1'),
  'an HTTP/0.9 request': 'GET /\r\n',
  'an HTTP/0.9 request with a space at its end': 'GET / \r\n',
  'a response': line('HTTP/1.1 200 OK'),
  'a field line': line('host: a'),
});

const methods = refused(400, 'method', 'RFC 9110 9.1', {
  'an at sign': line('G@T / HTTP/1.1'),
  'a parenthesis': line('GET( / HTTP/1.1'),
  'a slash': line('GET/ / HTTP/1.1'),
  'a colon': line('GET: / HTTP/1.1'),
  'a comma': line('GET,POST / HTTP/1.1'),
  'a quote': line('GET" / HTTP/1.1'),
  'an equals sign': line('G=T / HTTP/1.1'),
  'a bracket': line('G[T / HTTP/1.1'),
  NUL: line('GE\x00T / HTTP/1.1'),
  DEL: line('GET\x7f / HTTP/1.1'),
  'a high byte': line('G\xc9T / HTTP/1.1'),
});

const targets = refused(400, 'target', 'RFC 9112 3.2', {
  'a path without its slash': target('a/b'),
  'a query without a path': target('?a=b'),
  'a dot': target('.'),
  'a fragment': target('/a#b'),
  'a fragment behind a query': target('/a?b#c'),
  'a fragment alone': target('#a'),
  'a quote': target('/a"b'),
  'an opening angle bracket': target('/<script>'),
  'a closing angle bracket in the query': target('/?a>b'),
  'a quote in the query': target('/?a="b"'),
  'a space in the path': target('/a b'),
  'a space in the query': target('/?a b'),
  'a tab in the path': target('/a\tb'),
  'NUL in the path': target('/a\x00'),
  'NUL in the query': target('/?a\x00'),
  'DEL in the path': target('/a\x7f'),
  'the highest control byte in the path': target('/a\x1fb'),
  'UTF-8 in the path': target('/caf\xc3\xa9'),
  'UTF-8 in the query': target('/?q=caf\xc3\xa9'),
  'the byte 0x80': target('/\x80'),
  'the byte 0xff': target('/\xff'),
  'a percent sign at the end of the path': target('/100%'),
  'a percent sign before the query': target('/100%?a=b'),
  'a percent-escape of one digit': target('/a%4'),
  'a percent-escape cut off by the query': target('/a%4?1'),
  'a percent-escape of other letters': target('/%zz'),
  'a percent-escape whose second digit is none': target('/%4g'),
  'a percent-escape in the style of JavaScript': target('/%u0041'),
  'two percent signs': target('/%%41'),
});

const absoluteForm = refused(400, 'absolute-form', 'RFC 9112 3.2.2, RFC 9110 4.2', {
  'an empty authority': target('http:///a'),
  'nothing behind the slashes': target('http://'),
  'only a query behind the slashes': target('http://?a'),
  'one slash': target('http:/a'),
  'no slash': target('http:a'),
  'a user': target('http://user@a/'),
  'a user and a password': target('http://user:secret@a/'),
  'an empty user': target('http://@a/'),
  'a backslash before an at sign': target('http://a\\@b/'),
  'a backslash behind the authority': target('http://a\\b'),
  'an empty host with a port': target('http://:80/'),
  'a port that is no number': target('http://a:b/'),
  'a port out of range': target('http://a:65536/'),
  'two ports': target('http://a:80:80/'),
  'an IPv6 address without brackets': target('http://::1/'),
  'an IPv6 address without its closing bracket': target('http://[::1/'),
  'a malformed percent-escape in the host': target('http://a%zz/'),
  'a malformed percent-escape in the path': target('http://a/%zz'),
  'a fragment': target('http://a/#b'),
  'a brace in the host': target('http://{a}/'),
  'another scheme': target('ftp://a/'),
  'a file URI': target('file:///etc/passwd'),
  'a scheme that begins with http': target('httpx://a/'),
  'the ws scheme': target('ws://a/'),
  'a space in front of the scheme': line('GET  http://a/ HTTP/1.1'),
  'without a Host on HTTP/1.1': 'GET http://a/ HTTP/1.1\r\n\r\n',
  'beside an invalid Host': 'GET http://a/ HTTP/1.1\r\nhost: b c\r\n\r\n',
  'beside two Hosts': 'GET http://a/ HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n',
});

const authorityForm = refused(400, 'authority-form', 'RFC 9112 3.2.3', {
  'with GET': target('a:443'),
  'with OPTIONS': line('OPTIONS a:443 HTTP/1.1'),
  'a name alone with GET': target('example.com'),
  'with connect in lower case': line('connect a:443 HTTP/1.1'),
  'without a port': line('CONNECT a HTTP/1.1'),
  'an empty port': line('CONNECT a: HTTP/1.1'),
  'an IPv6 address without a port': line('CONNECT [::1] HTTP/1.1'),
  'an IPv6 address without brackets': line('CONNECT ::1:443 HTTP/1.1'),
  'an empty host': line('CONNECT :443 HTTP/1.1'),
  'a port out of range': line('CONNECT a:65536 HTTP/1.1'),
  'a port that is no number': line('CONNECT a:https HTTP/1.1'),
  'a user': line('CONNECT u@a:443 HTTP/1.1'),
  'a path': line('CONNECT a:443/ HTTP/1.1'),
  'a query': line('CONNECT a:443?b HTTP/1.1'),
  'CONNECT with origin-form': line('CONNECT / HTTP/1.1'),
  'CONNECT with absolute-form': line('CONNECT http://a:443/ HTTP/1.1'),
  'CONNECT with asterisk-form': line('CONNECT * HTTP/1.1'),
});

const asteriskForm = refused(400, 'asterisk-form', 'RFC 9112 3.2.4', {
  'with GET': target('*'),
  'with HEAD': line('HEAD * HTTP/1.1'),
  'with options in lower case': line('options * HTTP/1.1'),
  'a path behind it': line('OPTIONS */a HTTP/1.1'),
  'a query behind it': line('OPTIONS *?a HTTP/1.1'),
  'two asterisks': line('OPTIONS ** HTTP/1.1'),
});

const malformedVersions = refused(400, 'version', 'RFC 9112 2.3', {
  'http in lower case': version('http/1.1'),
  'mixed case': version('Http/1.1'),
  'another name': version('HTTPS/1.1'),
  'a name cut short': version('HTT/1.1'),
  ICY: version('ICY/1.1'),
  'no minor version': version('HTTP/1'),
  'no minor version but the dot': version('HTTP/1.'),
  'no major version': version('HTTP/.1'),
  'no number': version('HTTP/'),
  'no slash': version('HTTP1.1'),
  'no dot': version('HTTP/11'),
  'a comma for the dot': version('HTTP/1,1'),
  'two dots': version('HTTP/1.1.1'),
  'two digits behind the dot': version('HTTP/1.10'),
  'a leading zero': version('HTTP/01.1'),
  'two digits before the dot': version('HTTP/11.1'),
  'a sign': version('HTTP/+1.1'),
  'a letter behind it': version('HTTP/1.1a'),
  'a letter for the minor version': version('HTTP/1.x'),
  'a space behind the slash': version('HTTP/ 1.1'),
  'a space before the slash': version('HTTP /1.1'),
  'NUL behind it': version('HTTP/1.1\x00'),
  'a high byte behind it': version('HTTP/1.1\xb9'),
  'HTTP/2 as it is written elsewhere': version('HTTP/2'),
});

const otherVersions = refused(505, 'version', 'RFC 9112 2.3, RFC 9110 15.6.6', {
  'HTTP/1.2': version('HTTP/1.2'),
  'HTTP/1.9': version('HTTP/1.9'),
  'HTTP/2.0': version('HTTP/2.0'),
  'HTTP/2.1': version('HTTP/2.1'),
  'HTTP/3.0': version('HTTP/3.0'),
  'HTTP/0.9': version('HTTP/0.9'),
  'HTTP/0.0': version('HTTP/0.0'),
  'HTTP/9.9': version('HTTP/9.9'),
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'before any field has come': 'GET / HTTP/1.2\r\n',
});

const RANGE = { rfc: 'RFC 9112 3', limits: { maxRequestLine: 20 } };

const tooLong = [
  ...refused(414, 'request line of 21 bytes where 20 are allowed', RANGE, {
    complete: line('GET /2345678 HTTP/1.1'),
    'without its line end': 'GET /2345678 HTTP/1.1',
    'without its version': 'GET /2345678901234567',
    'a method that does not end': 'M'.repeat(21),
    'behind empty lines': '\r\n\r\nGET /2345678 HTTP/1.1',
    'malformed as well, two spaces': line('GET  /345678 HTTP/1.1'),
    'malformed as well, a control byte': line('GET /234567\x01 HTTP/1.1'),
    'malformed as well, no version': line('GET /2345678901234567'),
    'of an unknown version': line('GET /2345678 HTTP/7.7'),
  }),
  ...refused(414, 'request line over the default limit', 'RFC 9112 3', {
    '8193 bytes': line(`GET /${'t'.repeat(8179)} HTTP/1.1`),
    '8193 bytes that do not end': `GET /${'t'.repeat(8188)}`,
    '100000 bytes that do not end': `GET /${'t'.repeat(100000)}`,
    '8193 bytes of query': line(`GET /?${'q'.repeat(8178)} HTTP/1.1`),
    'a method of 9000 letters': 'M'.repeat(9000),
    'two spaces and 9000 bytes': line(`GET  ${'t'.repeat(9000)}`),
  }),
];

const controls = [0x01, 0x07, 0x08, 0x0b, 0x0c, 0x1b, 0x1f, 0x7f].map((code): RejectRow => ({
  name: `target: ${nameByte(code)} behind the slash`,
  rfc: 'RFC 9112 3.2',
  input: target(`/${String.fromCharCode(code)}`),
  expect: { status: 400 },
}));

export const rejectRequestLine: RejectRow[] = [
  ...lineEnds,
  ...emptyLines,
  ...firstByte,
  ...spaces,
  ...methods,
  ...targets,
  ...absoluteForm,
  ...authorityForm,
  ...asteriskForm,
  ...malformedVersions,
  ...otherVersions,
  ...tooLong,
  ...controls,
];
