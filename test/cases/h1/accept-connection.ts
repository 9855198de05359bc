/** What follows a request: whether its connection stays, pipelined requests, Expect, and input that is not finished. */

import { accepted, request } from './row.ts';
import type { AcceptRow, ExpectedRequest, Field, H1Limits } from './row.ts';

/** A GET with these field lines behind the Host. */
function get(version: '1.0' | '1.1', keepAlive: boolean, ...fields: Field[]): [string, ExpectedRequest] {
  const headers: Field[] = [['host', 'a'], ...fields];
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return [`GET / HTTP/${version}\r\n${lines}\r\n`, request({ version, headers, keepAlive })];
}

const stays = (...values: string[]) => get('1.1', true, ...values.map(connection));
const closes = (...values: string[]) => get('1.1', false, ...values.map(connection));
const staysOn10 = (...values: string[]) => get('1.0', true, ...values.map(connection));
const closesOn10 = (...values: string[]) => get('1.0', false, ...values.map(connection));

function connection(value: string): Field {
  return ['connection', value];
}

const onHttp11 = accepted('persistence on HTTP/1.1', 'RFC 9112 9.3', {
  'it stays without a Connection field': stays(),
  'it stays with keep-alive': stays('keep-alive'),
  'it stays with an unknown option': stays('foo'),
  'it stays with an empty Connection field': stays(''),
  'it stays with upgrade': stays('Upgrade'),
  'it stays with an option that only begins with close': stays('closed'),
  'it stays with an option that only ends with close': stays('no-close'),
  'it closes with close': closes('close'),
  'it closes with close in mixed case': closes('ClOsE'),
  'it closes with close at the end of a list': closes('keep-alive, close'),
  'it closes with close at the start of a list': closes('close, keep-alive'),
  'it closes with close in the middle of a list without spaces': closes('foo,close,bar'),
  'it closes with close between tabs': closes('foo,\tclose\t,bar'),
  'it closes with close between empty elements': closes(', ,close,,'),
  'it closes with close in a second field': closes('keep-alive', 'close'),
  'it closes with close in a first field': closes('close', 'keep-alive'),
  'the name Connection in upper case': [
    'GET / HTTP/1.1\r\nhost: a\r\nCONNECTION: close\r\n\r\n',
    request({ headers: [['host', 'a'], connection('close')], keepAlive: false }),
  ],
  'a Keep-Alive field says nothing': get('1.1', true, ['keep-alive', 'timeout=0, close']),
  'a Proxy-Connection field says nothing': get('1.1', true, ['proxy-connection', 'close']),
});

const onHttp10 = accepted('persistence on HTTP/1.0', 'RFC 9112 9.3', {
  'it closes without a Connection field': closesOn10(),
  'it closes with close': closesOn10('close'),
  'it closes with an unknown option': closesOn10('foo'),
  'it stays with keep-alive': staysOn10('keep-alive'),
  'it stays with keep-alive in mixed case': staysOn10('Keep-Alive'),
  'it stays with keep-alive in a list': staysOn10('foo, keep-alive'),
  'it stays with keep-alive in a second field': staysOn10('foo', 'keep-alive'),
  'close wins over keep-alive': closesOn10('keep-alive, close'),
  'close in another field wins over keep-alive': closesOn10('close', 'keep-alive'),
});

const [plain, plainRequest] = stays();
const [closing, closingRequest] = closes('close');

const pipelined = accepted('pipelined', 'RFC 9112 9.3.2', {
  'two GETs': [plain + plain, plainRequest, plainRequest],
  'five GETs': [plain.repeat(5), plainRequest, plainRequest, plainRequest, plainRequest, plainRequest],
  'requests of different targets keep their order': [
    'GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: b\r\n\r\nHEAD /3 HTTP/1.1\r\nhost: c\r\n\r\n',
    request({ target: '/1' }),
    request({ target: '/2', headers: [['host', 'b']] }),
    request({ method: 'HEAD', target: '/3', headers: [['host', 'c']] }),
  ],
  'a GET behind a body by Content-Length': [
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello${plain}`,
    request({
      method: 'POST',
      headers: [
        ['host', 'a'],
        ['content-length', '5'],
      ],
      body: 'hello',
    }),
    plainRequest,
  ],
  'a GET behind a chunked body': [
    `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${plain}`,
    request({
      method: 'POST',
      headers: [
        ['host', 'a'],
        ['transfer-encoding', 'chunked'],
      ],
      body: 'hello',
    }),
    plainRequest,
  ],
  'a GET behind trailers': [
    `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n\r\n${plain}`,
    request({
      method: 'POST',
      headers: [
        ['host', 'a'],
        ['transfer-encoding', 'chunked'],
      ],
      trailers: [['x', 'y']],
    }),
    plainRequest,
  ],
  'a POST behind a GET': [
    `${plain}POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi`,
    plainRequest,
    request({
      method: 'POST',
      headers: [
        ['host', 'a'],
        ['content-length', '2'],
      ],
      body: 'hi',
    }),
  ],
  'a GET behind the body of a GET': [
    `GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi${plain}`,
    request({
      headers: [
        ['host', 'a'],
        ['content-length', '2'],
      ],
      body: 'hi',
    }),
    plainRequest,
  ],
  'HTTP/1.0 with keep-alive before HTTP/1.1': [
    `GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n${plain}`,
    request({ version: '1.0', headers: [connection('keep-alive')] }),
    plainRequest,
  ],
  'a trailer that names a framing field does not touch the next request': [
    `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 9\r\n\r\n${plain}`,
    request({
      method: 'POST',
      headers: [
        ['host', 'a'],
        ['transfer-encoding', 'chunked'],
      ],
      trailers: [['content-length', '9']],
    }),
    plainRequest,
  ],
});

const afterClose = accepted('bytes behind a request that closes', 'RFC 9112 9.6', {
  'another request is ignored': [closing + plain, closingRequest],
  'an empty line is ignored': [`${closing}\r\n`, closingRequest],
  'what is no request is ignored': [`${closing}\x16\x03\x01 \r\n\r\n`, closingRequest],
  'more bytes than any limit are ignored': [closing + 'x'.repeat(40000), closingRequest],
  'another request behind HTTP/1.0 is ignored': [
    `GET / HTTP/1.0\r\n\r\n${plain}`,
    request({ version: '1.0', headers: [], keepAlive: false }),
  ],
  'what is behind a body by Content-Length is ignored': [
    'POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi there',
    request({
      method: 'POST',
      headers: [['host', 'a'], connection('close'), ['content-length', '2']],
      body: 'hi',
      keepAlive: false,
    }),
  ],
  'what is behind a chunked body is ignored': [
    'POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n\x00',
    request({
      method: 'POST',
      headers: [['host', 'a'], connection('close'), ['transfer-encoding', 'chunked']],
      body: 'hi',
      keepAlive: false,
    }),
  ],
  'a request that closes behind one that stays': [plain + closing + plain, plainRequest, closingRequest],
});

const waits = (value: string): [string, ExpectedRequest] => {
  const [input, expected] = get('1.1', true, ['expect', value]);
  return [input, { ...expected, expectsContinue: true }];
};

const expectation = accepted('Expect', 'RFC 9110 10.1.1', {
  '100-continue without a body': waits('100-continue'),
  '100-continue in mixed case': waits('100-Continue'),
  '100-continue with a body that is already there': [
    'PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nhi',
    request({
      method: 'PUT',
      headers: [
        ['host', 'a'],
        ['expect', '100-continue'],
        ['content-length', '2'],
      ],
      body: 'hi',
      expectsContinue: true,
    }),
  ],
  'on HTTP/1.0 it is ignored': get('1.0', false, ['expect', '100-continue']),
  'on HTTP/1.0 another expectation is ignored': get('1.0', false, ['expect', 'foo']),
});

const otherFields = accepted('fields without a meaning for the framing', 'RFC 9110 5.1', {
  'an Upgrade field': get('1.1', true, ['connection', 'upgrade'], ['upgrade', 'foo/1']),
  'a TE field': get('1.1', true, ['te', 'trailers']),
  'a Trailer field': get('1.1', true, ['trailer', 'x-sum']),
  'an HTTP2-Settings field': get(
    '1.1',
    true,
    ['connection', 'HTTP2-Settings'],
    ['http2-settings', 'AAMAAABk'],
  ),
  'a Proxy field': get('1.1', true, ['proxy', 'http://evil.example/']),
});

const lines = (limits: Partial<H1Limits>) => ({ rfc: 'RFC 9112 3', limits });

const limits = [
  ...accepted('request line at the limit', lines({ maxRequestLine: 20 }), {
    'it is accepted': ['GET /234567 HTTP/1.1\r\nhost: a\r\n\r\n', request({ target: '/234567' })],
    'empty lines before it do not count': [
      '\r\n\r\nGET /234567 HTTP/1.1\r\nhost: a\r\n\r\n',
      request({ target: '/234567' }),
    ],
  }),
  ...accepted('request line at the default limit', 'RFC 9112 3', {
    '8192 bytes are accepted': [
      `GET /${'t'.repeat(8178)} HTTP/1.1\r\nhost: a\r\n\r\n`,
      request({ target: `/${'t'.repeat(8178)}` }),
    ],
  }),
  ...accepted('field section at the limit', lines({ maxHeaderSize: 32 }), {
    'its lines and the blank line together': [
      'GET / HTTP/1.1\r\nhost: a\r\nx: 1234567890123456\r\n\r\n',
      request({
        headers: [
          ['host', 'a'],
          ['x', '1234567890123456'],
        ],
      }),
    ],
    'the limit is per request': [
      'GET / HTTP/1.1\r\nhost: a\r\nx: 1234567890123456\r\n\r\n'.repeat(2),
      request({
        headers: [
          ['host', 'a'],
          ['x', '1234567890123456'],
        ],
      }),
      request({
        headers: [
          ['host', 'a'],
          ['x', '1234567890123456'],
        ],
      }),
    ],
  }),
  ...accepted('body at the limit', lines({ maxBodySize: 2 }), {
    'the limit is per request': [
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi'.repeat(2),
      request({
        method: 'POST',
        headers: [
          ['host', 'a'],
          ['content-length', '2'],
        ],
        body: 'hi',
      }),
      request({
        method: 'POST',
        headers: [
          ['host', 'a'],
          ['content-length', '2'],
        ],
        body: 'hi',
      }),
    ],
  }),
];

const unfinished = [
  ...accepted(
    'not refused before it is finished',
    { rfc: 'RFC 9112 8', unfinished: true },
    {
      'a method': ['GE'],
      'a request line': ['GET / HTTP/1.1'],
      'a request line without its line feed': ['GET / HTTP/1.1\r'],
      'a request line of the default limit': [`GET /${'t'.repeat(8187)}`],
      'a field line': ['GET / HTTP/1.1\r\nhost: a'],
      'a head without its blank line': ['GET / HTTP/1.1\r\nhost: a\r\n'],
      'a head without its last line feed': ['GET / HTTP/1.1\r\nhost: a\r\n\r'],
      'a field section of the default limit': [`GET / HTTP/1.1\r\nhost: a\r\nx: ${'v'.repeat(16368)}`],
      'a body by Content-Length': ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhell'],
      'a chunk size': ['POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5'],
      'chunk data': ['POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r'],
      'chunks without the last': [
        'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n',
      ],
      'a last chunk without its blank line': [
        'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n',
      ],
      'trailers without their blank line': [
        'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n',
      ],
      'a second request': [`${plain}GET / HTTP/1.1\r\nho`, plainRequest],
    },
  ),
  ...accepted(
    'not refused without a body limit',
    { rfc: 'RFC 9110 8.6', unfinished: true, limits: { maxBodySize: 0 } },
    {
      'a Content-Length of 2^53-1': [
        'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9007199254740991\r\n\r\nhi',
      ],
      'a chunk of 2^53-1 bytes': [
        'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1fffffffffffff\r\nhi',
      ],
    },
  ),
];

export const acceptConnection: AcceptRow[] = [
  ...onHttp11,
  ...onHttp10,
  ...pipelined,
  ...afterClose,
  ...expectation,
  ...otherFields,
  ...limits,
  ...unfinished,
];
