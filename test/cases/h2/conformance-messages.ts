/** Conformance rows: requests as sequences of frames, CONNECT and limits (RFC 9113 sections 8 and 10.5.1, RFC 8441). */
import { CODE, dataFrame, headersFrame, TYPE } from '../../support/h2/frames.ts';
import { type Field, indexed, literal, plainBlock } from '../../support/h2/hpack.ts';
import {
  alike,
  anyError,
  type ConformanceRow,
  end,
  type Expected,
  frames,
  get,
  ignored,
  malformed,
  message,
  open,
  PATH,
  post,
  refused,
  request,
  response,
  rows,
  type Step,
  streamError,
} from './conformance-row.ts';

const { protocolError, streamClosed, enhanceYourCalm } = CODE;
const hidden = { isHidden: true } as const;
const trailers = (...fields: Field[]): Buffer => message(1, fields, { endStream: true });
const describe = { path: PATH.describe };
/** No application may see the request, and the client is told by RST_STREAM. */
const hiddenMalformed = (table: Record<string, Step | readonly Step[]>) => alike(malformed, table, hidden);
const framing = rows('RFC 9113 8.1', 'a request', {
  'of HEADERS alone': [get(1), response(1, 200, '')],
  'of HEADERS and DATA': [[post(1), end(1, 'hello')], response(1, 200, 'hello')],
  'of HEADERS and many DATA': [
    [post(1), ...Array.from('abcdefghij', (letter) => dataFrame(1, letter)), end(1)],
    response(1, 200, 'abcdefghij'),
  ],
  'with trailers behind DATA': [
    [post(1), dataFrame(1, 'hello'), trailers(['x-sum', '1'])],
    response(1, 200, 'hello'),
  ],
  'with trailers behind HEADERS': [[post(1), trailers(['x-sum', '1'])], response(1, 200, '')],
  'with HEADERS in its middle that do not end it': [
    [post(1), dataFrame(1, 'a'), message(1, [['x-a', 'b']]), end(1, 'b')],
    malformed,
  ],
  'with HEADERS in its middle that nothing follows': [[post(1), message(1, [['x-a', 'b']])], malformed],
  'with DATA behind its trailers': [
    [open(1), trailers(['x-a', 'b']), dataFrame(1, 'x')],
    streamError(1, streamClosed),
  ],
  'with a second request on the stream': [[open(1), get(1)], malformed],
  'interleaved with another': [
    [post(1), post(3), dataFrame(3, 'c'), dataFrame(1, 'a'), end(3, 'd'), end(1, 'b'), { answered: 3 }],
    response(1, 200, 'ab'),
  ],
  'that the application answers before its end': [[post(1, describe), dataFrame(1, 'x')], response(1)],
});

const interim = rows('RFC 9113 8.1', 'an interim response', {
  'comes for expect: 100-continue when the body is read': [
    post(1, {}, ['expect', '100-continue']),
    frames({ type: TYPE.headers, stream: 1, flags: 0x4 }),
    { isLast: true },
  ],
});

const contentLength = rows('RFC 9113 8.1.1', 'content-length', {
  'as long as DATA': [
    [post(1, {}, ['content-length', '5']), dataFrame(1, 'he'), end(1, 'llo')],
    response(1, 200, 'hello'),
  ],
  'as long as DATA without its padding': [
    [post(1, {}, ['content-length', '5']), dataFrame(1, 'hello', { padding: 30, endStream: true })],
    response(1, 200, 'hello'),
  ],
  'as long as DATA, with trailers': [
    [post(1, {}, ['content-length', '5']), dataFrame(1, 'hello'), trailers(['x-a', 'b'])],
    response(1, 200, 'hello'),
  ],
  'of 0 without DATA': [get(1, { method: 'POST' }, ['content-length', '0']), response(1)],
  'of 0 with empty DATA': [[post(1, {}, ['content-length', '0']), end(1)], response(1)],
  ...alike(malformed, {
    'above the one DATA frame': [post(1, {}, ['content-length', '5']), end(1, 'test')],
    'below the one DATA frame': [post(1, {}, ['content-length', '1']), end(1, 'test')],
    'above the sum of DATA': [post(1, {}, ['content-length', '9']), dataFrame(1, 'test'), end(1, 'test')],
    'below the sum of DATA': [post(1, {}, ['content-length', '7']), dataFrame(1, 'test'), end(1, 'test')],
    'of 0 with DATA': [post(1, {}, ['content-length', '0']), end(1, 'x')],
    'below DATA that does not end yet': [post(1, {}, ['content-length', '1']), dataFrame(1, 'test')],
    'above DATA, with trailers': [
      post(1, {}, ['content-length', '9']),
      dataFrame(1, 'test'),
      trailers(['x-a', 'b']),
    ],
  }),
  ...hiddenMalformed({
    'above a request without DATA': get(1, { method: 'POST' }, ['content-length', '1']),
  }),
  ...alike(
    refused(1, 400),
    {
      'that is no number': [post(1, {}, ['content-length', 'five']), end(1, 'hello')],
      'that is negative': [post(1, {}, ['content-length', '-5']), end(1, 'hello')],
      'with a sign': [post(1, {}, ['content-length', '+5']), end(1, 'hello')],
      'in hexadecimal': [post(1, {}, ['content-length', '0x5']), end(1, 'hello')],
      'that is empty': [post(1, {}, ['content-length', '']), end(1, 'hello')],
      'beyond any number': [post(1, {}, ['content-length', '9'.repeat(30)]), end(1, 'hello')],
      'twice, not alike': [post(1, {}, ['content-length', '5'], ['content-length', '6']), end(1, 'hello')],
    },
    hidden,
  ),
});

const connect = rows('RFC 9113 8.5', 'CONNECT', {
  ...hiddenMalformed({
    'with :scheme': get(1, { method: 'CONNECT', path: null }),
    'with :path': get(1, { method: 'CONNECT', scheme: null }),
    'with :scheme and :path': get(1, { method: 'CONNECT' }),
    'without :authority': get(1, { method: 'CONNECT', scheme: null, path: null, authority: null }),
  }),
  'to an authority is not done by this server': [
    post(1, { method: 'CONNECT', scheme: null, path: null, authority: 'test:443' }),
    refused(1, 400, 405, 501),
    hidden,
  ],
});

const websocket = { method: 'CONNECT', protocol: 'websocket', path: PATH.describe } as const;
const extendedConnect = rows('RFC 8441 4', 'extended CONNECT', {
  'to a WebSocket is accepted with 200': [
    post(1, websocket, ['sec-websocket-version', '13']),
    frames({ type: TYPE.headers, stream: 1, flags: 0x4 }),
    { isLast: true },
  ],
  'to a WebSocket in other letters is accepted with 200': [
    post(1, { ...websocket, protocol: 'WebSocket' }, ['sec-websocket-version', '13']),
    frames({ type: TYPE.headers, stream: 1, flags: 0x4 }),
    { isLast: true },
  ],
  ...hiddenMalformed({
    'without :path': post(1, { ...websocket, path: null }),
    'without :scheme': post(1, { ...websocket, scheme: null }),
    'with :protocol twice': message(1, [...request(websocket), [':protocol', 'websocket']]),
    ':protocol with GET': get(1, { protocol: 'websocket' }),
    ':protocol with POST': post(1, { method: 'POST', protocol: 'websocket' }),
  }),
  'without :authority and host': [post(1, { ...websocket, authority: null }), refused(1, 400), hidden],
  'to an unknown protocol': [post(1, { ...websocket, protocol: 'other' }), refused(1, 400, 404, 501), hidden],
  'where the server has not offered it': [
    post(1, websocket, ['sec-websocket-version', '13']),
    malformed,
    { server: { h2EnableConnectProtocol: false }, ...hidden },
  ],
});

/** A small block whose field list is large: one long field, and many times its index. */
function bomb(count: number): Buffer {
  const long = literal('x-long', 'x'.repeat(3000), { form: 'incremental' });
  const again = Array.from({ length: count }, () => indexed(62));
  return headersFrame(1, Buffer.concat([plainBlock(request()), long, ...again]), { endStream: true });
}

/** The limits are the server's own, and so is what it says beyond them. */
const tooLarge: Expected = {
  kind: 'refused',
  stream: 1,
  statuses: [431],
  codes: [protocolError, enhanceYourCalm],
};
const limits = rows('RFC 9113 10.5.1', 'a field list', {
  'above MAX_HEADER_LIST_SIZE': [bomb(40), tooLarge, hidden],
  'far above MAX_HEADER_LIST_SIZE': [
    bomb(10_000),
    { ...tooLarge, codes: [protocolError, enhanceYourCalm, CODE.compressionError] },
    hidden,
  ],
  'of more fields than the server takes': [
    get(1, {}, ...Array.from({ length: 150 }, (_, at): Field => [`x-${at}`, ''])),
    tooLarge,
    hidden,
  ],
  'with a longer :path than the server takes': [
    get(1, { path: `/${'a'.repeat(9000)}` }),
    { ...tooLarge, statuses: [414] },
    hidden,
  ],
  'of 60 fields': [
    get(1, {}, ...Array.from({ length: 60 }, (_, at): Field => [`x-${at}`, 'y'])),
    response(1),
  ],
});

const several = rows('RFC 9113 5.4.2', 'several requests', {
  'malformed, one after another, do not end the connection': [
    [
      get(1, { path: null }),
      get(3, { method: null }),
      get(5, {}, ['X-Upper', 'x']),
      { resetSeen: 1 },
      { resetSeen: 3 },
    ],
    streamError(5, protocolError),
  ],
  'of which one is reset while it is read': [
    [
      post(1),
      dataFrame(1, 'x'),
      post(3),
      dataFrame(3, 'a'),
      headersFrame(1, plainBlock([['x', 'y']])),
      end(3, 'b'),
    ],
    response(3, 200, 'ab'),
  ],
  'a hundred at once are all answered': [
    [
      ...Array.from({ length: 100 }, (_, at) => get(1 + at * 2)),
      ...Array.from({ length: 100 }, (_, at) => ({ answered: 1 + at * 2 })),
    ],
    ignored,
  ],
  'answered in part, then an error of the last': [
    [get(1), { answered: 1 }, post(3, { path: null })],
    anyError(3, protocolError),
  ],
});

export const messageRows: ConformanceRow[] = [
  ...framing,
  ...interim,
  ...contentLength,
  ...connect,
  ...extendedConnect,
  ...limits,
  ...several,
];
