/** Request lines that a server must accept: empty lines before them, methods, the four target forms, versions. */

import { accepted, request } from './row.ts';
import type { AcceptRow, ExpectedRequest } from './row.ts';

const FIELDS = 'host: a\r\n\r\n';

/** A GET of an origin-form target, and the request it makes. */
function get(path: string, query?: string): [string, ExpectedRequest] {
  const target = query === undefined ? path : `${path}?${query}`;
  return [`GET ${target} HTTP/1.1\r\n${FIELDS}`, request({ target, path, query: query ?? '' })];
}

/** A GET of an absolute-form target with `host: other`, and the request it makes. */
function getAbsolute(target: string, host: string, path: string, query = ''): [string, ExpectedRequest] {
  const expected = request({ target, path, query, headers: [['host', host]] });
  return [`GET ${target} HTTP/1.1\r\nhost: other\r\n\r\n`, expected];
}

function withMethod(method: string): [string, ExpectedRequest] {
  return [`${method} / HTTP/1.1\r\n${FIELDS}`, request({ method })];
}

function connect(target: string): [string, ExpectedRequest] {
  const expected = request({ method: 'CONNECT', target, headers: [['host', target]] });
  return [`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n`, expected];
}

const emptyLines = accepted('empty lines', 'RFC 9112 2.2', {
  'a request without an empty line before it': get('/'),
  'one empty line before the request line is skipped': [`\r\nGET / HTTP/1.1\r\n${FIELDS}`, request()],
  'two empty lines before the request line are skipped': [`\r\n\r\nGET / HTTP/1.1\r\n${FIELDS}`, request()],
  'eight empty lines before the request line are skipped': [
    `${'\r\n'.repeat(8)}GET / HTTP/1.1\r\n${FIELDS}`,
    request(),
  ],
  'an empty line after the body of an earlier request is skipped': [
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi\r\nGET / HTTP/1.1\r\n${FIELDS}`,
    request({
      method: 'POST',
      headers: [
        ['host', 'a'],
        ['content-length', '2'],
      ],
      body: 'hi',
    }),
    request(),
  ],
});

const methods = accepted('method', 'RFC 9110 9.1', {
  HEAD: withMethod('HEAD'),
  'OPTIONS with a path': withMethod('OPTIONS'),
  'DELETE without a body': withMethod('DELETE'),
  TRACE: withMethod('TRACE'),
  'PATCH without a body': withMethod('PATCH'),
  'a WebDAV method': withMethod('PROPFIND'),
  'a method with a hyphen': withMethod('M-SEARCH'),
  'a method in lower case is another method and kept as sent': withMethod('get'),
  'a method of one letter': withMethod('X'),
  'a method of every character that a token may have': withMethod("!#$%&'*+-.^_`|~09azAZ"),
  'a method of 100 letters': withMethod('M'.repeat(100)),
  'PRI with an ordinary version is a method like another': withMethod('PRI'),
});

const originForm = accepted('origin-form', 'RFC 9112 3.2.1', {
  'a path': get('/a/b/c.html'),
  'a path and a query': get('/search', 'q=1&r=2'),
  'an empty query': get('/', ''),
  'a second question mark belongs to the query': get('/a', 'b?c'),
  'a slash in the query belongs to the query': get('/a', 'b/c//d'),
  'an empty first segment is not an authority': get('//example.com/a'),
  'only slashes': get('////'),
  'dot segments are not resolved': get('/a/../b/./c/..'),
  'a path that climbs above the root is not resolved': get('/../../etc/passwd'),
  'percent-escapes are kept as sent': get('/%41%2f%2F%7e'),
  'a percent-encoded NUL is kept as sent': get('/a%00b'),
  'percent-encoded dots and slashes are kept as sent': get('/%2e%2e/%2e%2e%2fa'),
  'a percent-encoded percent sign': get('/100%25'),
  'escapes that are not UTF-8': get('/%ff%fe'),
  'every unreserved character': get('/AZaz09-._~'),
  'every sub-delimiter, colon and at sign': get("/!$&'()*+,;=:@"),
  'path parameters': get('/a;v=1/b;w=2'),
  'a URI inside the path': get('/proxy/http://example.com/'),
  'an asterisk after the slash': get('/*'),
});

const asBrowsersSend = accepted('target', 'RFC 3986 3.3, 3.4, as browsers send them', {
  'a vertical bar in the path': get('/a|b'),
  'a caret in the path': get('/a^b'),
  'braces in the path': get('/{id}'),
  'brackets in the path': get('/a[0]'),
  'a backslash in the path is not a slash': get('/a\\..\\b'),
  'a backtick in the path': get('/a`b'),
  'the same characters in the query': get('/', 'a[]={1}|2^3\\4`5'),
  'a lone percent sign in the query': get('/', 'discount=100%'),
  'a malformed percent-escape in the query': get('/', 'a=%zz&b=%4'),
});

const absoluteForm = accepted('absolute-form', 'RFC 9112 3.2.2', {
  'its authority replaces the Host': getAbsolute('http://example.com/a?b', 'example.com', '/a', 'b'),
  'a port is part of the authority': getAbsolute('http://example.com:8080/', 'example.com:8080', '/'),
  'an empty port': getAbsolute('http://example.com:/', 'example.com:', '/'),
  'an https target': getAbsolute('https://example.com/', 'example.com', '/'),
  'the scheme in upper case': getAbsolute('HTTP://example.com/', 'example.com', '/'),
  'the scheme in mixed case': getAbsolute('hTTpS://example.com/', 'example.com', '/'),
  'an empty path is the root': getAbsolute('http://example.com', 'example.com', '/'),
  'an empty path before a query is the root': getAbsolute(
    'http://example.com?q=1',
    'example.com',
    '/',
    'q=1',
  ),
  'an empty path before a query with a slash': getAbsolute('http://a?b/c', 'a', '/', 'b/c'),
  'an IPv4 address': getAbsolute('http://127.0.0.1:5000/', '127.0.0.1:5000', '/'),
  'an IPv6 address': getAbsolute('http://[::1]:5000/x', '[::1]:5000', '/x'),
  'an at sign in the path is not user information': getAbsolute('http://a/b@c', 'a', '/b@c'),
  'an at sign in the query is not user information': getAbsolute('http://a?b@c', 'a', '/', 'b@c'),
  'an empty first segment': getAbsolute('http://a//b', 'a', '//b'),
  'dot segments are not resolved': getAbsolute('http://a/b/../c', 'a', '/b/../c'),
  'a path that holds a URI': getAbsolute('http://a/http://b/', 'a', '/http://b/'),
  'a malformed percent-escape in the query': getAbsolute('http://a/?%zz', 'a', '/', '%zz'),
  'the Host keeps its place among the fields': [
    'GET http://b/ HTTP/1.1\r\nx: 1\r\nHost: a\r\ny: 2\r\n\r\n',
    request({
      target: 'http://b/',
      path: '/',
      headers: [
        ['x', '1'],
        ['host', 'b'],
        ['y', '2'],
      ],
    }),
  ],
  'on HTTP/1.0 without a Host the authority becomes one, first': [
    'GET http://b/ HTTP/1.0\r\nx: 1\r\n\r\n',
    request({
      target: 'http://b/',
      path: '/',
      version: '1.0',
      headers: [
        ['host', 'b'],
        ['x', '1'],
      ],
      keepAlive: false,
    }),
  ],
  'a POST': [
    'POST http://b/form HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx',
    request({
      method: 'POST',
      target: 'http://b/form',
      path: '/form',
      headers: [
        ['host', 'b'],
        ['content-length', '1'],
      ],
      body: 'x',
    }),
  ],
});

const authorityForm = accepted('authority-form', 'RFC 9112 3.2.3', {
  'CONNECT to a name and port': connect('example.com:443'),
  'CONNECT to an IPv4 address and port': connect('192.0.2.1:8080'),
  'CONNECT to an IPv6 address and port': connect('[2001:db8::1]:443'),
  'CONNECT to the highest port': connect('a:65535'),
});

const asteriskForm = accepted('asterisk-form', 'RFC 9112 3.2.4', {
  'OPTIONS *': [`OPTIONS * HTTP/1.1\r\n${FIELDS}`, request({ method: 'OPTIONS', target: '*' })],
  'OPTIONS * on HTTP/1.0': [
    'OPTIONS * HTTP/1.0\r\n\r\n',
    request({ method: 'OPTIONS', target: '*', version: '1.0', headers: [], keepAlive: false }),
  ],
});

const versions = accepted('version', 'RFC 9112 2.3', {
  'HTTP/1.0 without any field': [
    'GET / HTTP/1.0\r\n\r\n',
    request({ version: '1.0', headers: [], keepAlive: false }),
  ],
  'HTTP/1.0 with a Host': [`GET / HTTP/1.0\r\n${FIELDS}`, request({ version: '1.0', keepAlive: false })],
});

export const acceptRequestLine: AcceptRow[] = [
  ...emptyLines,
  ...methods,
  ...originForm,
  ...asBrowsersSend,
  ...absoluteForm,
  ...authorityForm,
  ...asteriskForm,
  ...versions,
];
