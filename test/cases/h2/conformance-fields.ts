/** Conformance rows: fields and pseudo-header fields of requests (RFC 9113 sections 8.2 and 8.3). */
import { CODE, headersFrame } from '../../support/h2/frames.ts';
import { type Field, plainBlock } from '../../support/h2/hpack.ts';
import {
  alike,
  anyError,
  type ConformanceRow,
  described,
  type Expected,
  get,
  malformed,
  message,
  PATH,
  post,
  refused,
  request,
  response,
  rows,
  type Step,
} from './conformance-row.ts';

const { protocolError } = CODE;
const hidden = { isHidden: true } as const;
const trailers = (...fields: Field[]): Buffer => message(1, fields, { endStream: true });
const describe = { path: PATH.describe };
/** No application may see the request, and the client is told by RST_STREAM. */
const hiddenMalformed = (table: Record<string, Step | readonly Step[]>) => alike(malformed, table, hidden);
/** One request each, without a body, with one more field. */
const withField = (table: Record<string, Field>) =>
  hiddenMalformed(
    Object.fromEntries(Object.entries(table).map(([claim, field]) => [claim, get(1, {}, field)])),
  );

const names = rows('RFC 9113 8.2.1', 'a field name', {
  ...withField({
    'in upper case': ['X-Upper', 'x'],
    'with one upper-case letter': ['x-uppeR', 'x'],
    'with a space': ['x a', 'x'],
    'with a space at its end': ['x-a ', 'x'],
    'with a tab': ['x\ta', 'x'],
    'with a colon in it': ['x:a', 'x'],
    'with CR LF': ['x-a\r\nx-b', 'x'],
    'with NUL': ['x-\0', 'x'],
    'with DEL': ['x-\x7f', 'x'],
    'with bytes above 0x7f': ['x-\xe9', 'x'],
    'with a control character': ['x-\x1f', 'x'],
  }),
  ...hiddenMalformed({
    'of a pseudo-header field in upper case': message(1, [...request({ method: null }), [':Method', 'GET']]),
  }),
  'that is empty': [get(1, {}, ['', 'x']), anyError(1, protocolError, CODE.compressionError), hidden],
  'in upper case, in trailers': [[post(1), trailers(['X-Upper', 'x'])], malformed],
  'with every character that a token may have': [
    get(1, describe, ["x!#$%&'*+-.^_`|~09az", 'v']),
    described(1, {}, ["x!#$%&'*+-.^_`|~09az", 'v']),
  ],
});

const values = rows('RFC 9113 8.2.1', 'a field value', {
  ...withField({
    'with NUL': ['x-a', 'a\0b'],
    'with LF': ['x-a', 'a\nb'],
    'with CR': ['x-a', 'a\rb'],
    'with CR LF and another field': ['x-a', 'a\r\nx-b: c'],
    // node:http2 drops a field with a blank at either end unless it is told not to, and lets the request go on without it (Bun 1.4.5).
    'with a space in front': ['x-a', ' a'],
    'with a tab in front': ['x-a', '\ta'],
    'with a space behind': ['x-a', 'a '],
    'with a tab behind': ['x-a', 'a\t'],
  }),
  'with LF, in trailers': [[post(1), trailers(['x-a', 'a\nb'])], malformed],
  // RFC 9110 5.5: refused like in HTTP/1.1, but never dropped from a request that goes on.
  ...alike(
    refused(1, 400),
    {
      // Dropped by node:http2 (Bun 1.4.5), which the guard notices.
      'with a control character': get(1, {}, ['x-a', 'a\x01b']),
      'with DEL': get(1, {}, ['x-a', 'a\x7fb']),
      'of content-length, with a blank behind': get(1, { method: 'POST' }, ['content-length', '5 ']),
    },
    hidden,
  ),
  'that is empty': [get(1, describe, ['x-a', '']), described(1, {}, ['x-a', ''])],
  'with blanks in it': [get(1, describe, ['x-a', 'a \t b']), described(1, {}, ['x-a', 'a \t b'])],
  'with bytes above 0x7f': [
    get(1, describe, ['x-a', 'caf\xc3\xa9']),
    described(1, {}, ['x-a', 'caf\xc3\xa9']),
  ],
});

const connectionFields = rows('RFC 9113 8.2.2', 'the connection-specific field', {
  ...withField({
    connection: ['connection', 'close'],
    'connection, naming a field': ['connection', 'x-a'],
    'keep-alive': ['keep-alive', 'timeout=5'],
    'proxy-connection': ['proxy-connection', 'keep-alive'],
    'transfer-encoding': ['transfer-encoding', 'chunked'],
    upgrade: ['upgrade', 'websocket'],
    'te with gzip': ['te', 'gzip'],
    'te with trailers and more': ['te', 'trailers, deflate'],
  }),
  'connection, in trailers': [[post(1), trailers(['connection', 'close'])], malformed],
  'transfer-encoding, in trailers': [[post(1), trailers(['transfer-encoding', 'chunked'])], malformed],
  'te with trailers alone is none': [
    get(1, describe, ['te', 'trailers']),
    described(1, {}, ['te', 'trailers']),
  ],
});

const cookies = rows('RFC 9113 8.2.3', 'cookies', {
  'in crumbs are joined': [
    get(1, describe, ['cookie', 'a=1'], ['x-between', 'x'], ['cookie', 'b=2'], ['cookie', 'c=3; d=4']),
    described(1, {}, ['cookie', 'a=1; b=2; c=3; d=4'], ['x-between', 'x']),
  ],
  'in one field stay as they are': [
    get(1, describe, ['cookie', 'a=1; b=2']),
    described(1, {}, ['cookie', 'a=1; b=2']),
  ],
});

const pseudo = rows('RFC 9113 8.3', 'a pseudo-header field', {
  ...hiddenMalformed({
    'that is unknown': message(1, [[':test', 'x'], ...request()], { endStream: true }),
    'without a name': message(1, [[':', 'x'], ...request()], { endStream: true }),
    'of responses': message(1, [...request(), [':status', '200']], { endStream: true }),
    'behind an ordinary field': message(1, [['x-a', 'b'], ...request()], { endStream: true }),
    'between ordinary fields': message(1, [...request({ path: null }), ['x-a', 'b'], [':path', '/']], {
      endStream: true,
    }),
  }),
  ...alike(malformed, {
    'in trailers': [post(1), trailers([':path', '/other'])],
    'of a request, in trailers': [post(1), trailers([':method', 'GET'])],
    'unknown, in trailers': [post(1), trailers([':test', 'x'])],
    'of responses, in trailers': [post(1), trailers([':status', '200'])],
  }),
  'comes in any order': [message(1, request().reverse(), { endStream: true }), response(1)],
});

const twice = (name: string, value: string) => message(1, [...request(), [name, value]], { endStream: true });

const requestPseudo = rows('RFC 9113 8.3.1', 'a request', {
  ...hiddenMalformed({
    'without :method': get(1, { method: null }),
    'without :scheme': get(1, { scheme: null }),
    'without :path': get(1, { path: null }),
    'without any pseudo-header field': message(1, [['host', 'test']], { endStream: true }),
    'without any field': headersFrame(1, plainBlock([]), { endStream: true }),
    'with two :method': twice(':method', 'GET'),
    'with two :scheme': twice(':scheme', 'http'),
    'with two :path': twice(':path', '/'),
    'with two :authority': twice(':authority', 'test'),
    'with an empty :path': get(1, { path: '' }),
    'with a :path that does not begin with a slash': get(1, { path: 'relative' }),
    'with :path * and not OPTIONS': get(1, { path: '*' }),
    'with an absolute URI as :path': get(1, { path: 'http://test/' }),
    'with another host than :authority': get(1, {}, ['host', 'other']),
  }),
  ...alike(
    refused(1, 400),
    {
      'with an empty :method': get(1, { method: '' }),
      'with a :method that is no token': get(1, { method: 'GET /' }),
      'with a space in :path': get(1, { path: '/a b' }),
      'with a fragment in :path': get(1, { path: '/a#b' }),
      'with CR LF in :path': get(1, { path: '/a\r\nx: y' }),
      'with NUL in :path': get(1, { path: '/a\0' }),
      'with an empty :scheme': get(1, { scheme: '' }),
      'with a :scheme that is none': get(1, { scheme: 'ht tp' }),
      'with user information in :authority': get(1, { authority: 'user:secret@test' }),
      'with a space in :authority': get(1, { authority: 'te st' }),
      'with a path in :authority': get(1, { authority: 'test/path' }),
      'with neither :authority nor host': get(1, { authority: null }),
      'with two host fields': get(1, { authority: null }, ['host', 'test'], ['host', 'test']),
      'with an empty :authority': get(1, { authority: '' }),
    },
    hidden,
  ),
  'with :authority has it as host': [
    get(1, { ...describe, authority: 'there:81' }),
    described(1, {}, ['host', 'there:81']),
  ],
  'with host in place of :authority': [
    get(1, { ...describe, authority: null }, ['host', 'here']),
    described(1, {}, ['host', 'here']),
  ],
  'with both alike has one host': [
    get(1, { ...describe }, ['host', 'test']),
    described(1, {}, ['host', 'test']),
  ],
  'with a query': [
    get(1, { path: `${PATH.describe}?a=%20&b` }),
    described(1, { path: PATH.describe, queryString: 'a=%20&b' }),
  ],
  'OPTIONS with :path *': [get(1, { method: 'OPTIONS', path: '*' }), response(1)],
});

const methods = rows('RFC 9113 8.3.1', 'the method', {
  ...Object.fromEntries(
    ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'QUERY', 'x-own'].map(
      (method): [string, [Step, Expected]] => [
        method,
        [get(1, { method, path: PATH.describe }), described(1, { method })],
      ],
    ),
  ),
  'HEAD has a response without a body': [get(1, { method: 'HEAD', path: PATH.large }), response(1, 200, '')],
});

export const fieldRows: ConformanceRow[] = [
  ...names,
  ...values,
  ...connectionFields,
  ...cookies,
  ...pseudo,
  ...requestPseudo,
  ...methods,
];
