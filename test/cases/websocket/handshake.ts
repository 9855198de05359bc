/**
 * Opening handshakes (RFC 6455 sections 4.1, 4.2 and 9.1, RFC 8441 section 5) and what becomes of each. A row is a good handshake
 * with some parts changed: a field that is named has just the values listed, in that order, and none without any.
 */

export interface HandshakeInput {
  method: string;
  httpVersion: '1.1' | '2';
  headers: [name: string, value: string][];
  hasBody: boolean;
}

export interface AcceptedHandshake {
  acceptKey: string | undefined;
  subprotocols: string[];
  extensions: { name: string; parameters: [name: string, value: string | undefined][] }[];
}

export interface RefusedHandshake {
  status: 400 | 405 | 426;
  code: string;
  /** Fields of the answer besides the usual ones. */
  headers: [name: string, value: string][];
}

export interface HandshakeRow {
  name: string;
  rfc: string;
  input: HandshakeInput;
  accepted?: AcceptedHandshake;
  refused?: RefusedHandshake;
}

interface Changes {
  method?: string;
  httpVersion?: '1.1' | '2';
  hasBody?: boolean;
  fields?: Record<string, string[]>;
}

// The example of RFC 6455 1.3.
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

const UPGRADE: Record<string, string[]> = {
  host: ['server.example.com'],
  upgrade: ['websocket'],
  connection: ['Upgrade'],
  'sec-websocket-key': [KEY],
  'sec-websocket-version': ['13'],
};
const EXTENDED_CONNECT: Record<string, string[]> = {
  host: ['server.example.com'],
  'sec-websocket-version': ['13'],
};

function handshake({ method, httpVersion = '1.1', hasBody = false, fields }: Changes): HandshakeInput {
  const base = httpVersion === '2' ? EXTENDED_CONNECT : UPGRADE;
  const headers = Object.entries({ ...base, ...fields }).flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return { method: method ?? (httpVersion === '2' ? 'CONNECT' : 'GET'), httpVersion, headers, hasBody };
}

type AcceptTable = Record<string, readonly [changes: Changes, expected?: Partial<AcceptedHandshake>]>;

function accepted(about: string, rfc: string, table: AcceptTable): HandshakeRow[] {
  return Object.entries(table).map(([claim, [changes, expected]]) => ({
    name: `${about}: ${claim}`,
    rfc,
    input: handshake(changes),
    accepted: {
      acceptKey: changes.httpVersion === '2' ? undefined : ACCEPT,
      subprotocols: [],
      extensions: [],
      ...expected,
    },
  }));
}

type RefuseTable = Record<string, Changes>;

function refused(about: string, rfc: string, fault: RefusedHandshake, table: RefuseTable): HandshakeRow[] {
  return Object.entries(table).map(([claim, changes]) => ({
    name: `${about}: ${claim}`,
    rfc,
    input: handshake(changes),
    refused: fault,
  }));
}

/** A table of values of one field, each standing alone or, as a list, in several fields. */
function values(field: string, table: Record<string, string | string[]>): RefuseTable {
  return Object.fromEntries(
    Object.entries(table).map(([claim, value]) => [
      claim,
      { fields: { [field]: typeof value === 'string' ? [value] : value } },
    ]),
  );
}

const subprotocols = (...list: string[]): Changes => ({ fields: { 'sec-websocket-protocol': list } });
const extensions = (...list: string[]): Changes => ({ fields: { 'sec-websocket-extensions': list } });

const acceptRows = [
  ...accepted('handshake', 'RFC 6455 4.2.1', {
    'nothing but what must be there': [{}],
    'an Origin': [{ fields: { origin: ['http://example.com'] } }],
    'fields that mean nothing to it': [
      { fields: { cookie: ['a=b'], 'x-y': ['z'], 'sec-fetch-mode': ['websocket'] } },
    ],
    'fields of the server side of a handshake': [{ fields: { 'sec-websocket-accept': [ACCEPT] } }],
  }),
  ...accepted('key', 'RFC 6455 4.2.2', {
    'sixteen bytes of zero': [
      { fields: { 'sec-websocket-key': ['AAAAAAAAAAAAAAAAAAAAAA=='] } },
      { acceptKey: 'ICX+Yqv66kxgM0FcWaLWlFLwTAI=' },
    ],
    'sixteen bytes of ff, with slashes': [
      { fields: { 'sec-websocket-key': ['/////////////////////w=='] } },
      { acceptKey: 'XXpj4jYzLM2yUE0C7TIgMwTQh2g=' },
    ],
    'plus signs': [
      { fields: { 'sec-websocket-key': ['+++++++++++++++++++++w=='] } },
      { acceptKey: 'ixakkuXOmA6rnL940yFjkr2/Yxs=' },
    ],
  }),
  ...accepted('subprotocols', 'RFC 6455 11.3.4', {
    one: [subprotocols('chat'), { subprotocols: ['chat'] }],
    'several keep their order': [
      subprotocols('superchat, chat, a'),
      { subprotocols: ['superchat', 'chat', 'a'] },
    ],
    'no white space': [subprotocols('a,b'), { subprotocols: ['a', 'b'] }],
    'tabs and blanks around the commas': [subprotocols('a \t,\t b'), { subprotocols: ['a', 'b'] }],
    'case is kept': [subprotocols('Chat.V2, MQTT'), { subprotocols: ['Chat.V2', 'MQTT'] }],
    'names that differ in case are different': [
      subprotocols('chat, Chat'),
      { subprotocols: ['chat', 'Chat'] },
    ],
    'every character of a token': [
      subprotocols("!#$%&'*+-.^_`|~09azAZ"),
      { subprotocols: ["!#$%&'*+-.^_`|~09azAZ"] },
    ],
    'two fields are one list': [subprotocols('a, b', 'c'), { subprotocols: ['a', 'b', 'c'] }],
    'empty members count for nothing': [subprotocols(', a,, b ,'), { subprotocols: ['a', 'b'] }],
    'an empty field beside another': [subprotocols('', 'a'), { subprotocols: ['a'] }],
    'a name that objects have by themselves': [
      subprotocols('__proto__, constructor'),
      { subprotocols: ['__proto__', 'constructor'] },
    ],
  }),
  ...accepted('extensions', 'RFC 6455 9.1', {
    one: [extensions('foo'), { extensions: [{ name: 'foo', parameters: [] }] }],
    'what a browser sends': [
      extensions('permessage-deflate; client_max_window_bits'),
      { extensions: [{ name: 'permessage-deflate', parameters: [['client_max_window_bits', undefined]] }] },
    ],
    'two fields are one list': [
      extensions('foo; a=1', 'bar'),
      {
        extensions: [
          { name: 'foo', parameters: [['a', '1']] },
          { name: 'bar', parameters: [] },
        ],
      },
    ],
    'an empty field beside another': [
      extensions('', 'foo'),
      { extensions: [{ name: 'foo', parameters: [] }] },
    ],
  }),
  ...accepted('extended CONNECT', 'RFC 8441 5', {
    'has no key': [{ httpVersion: '2' }],
    'a key on it means nothing': [{ httpVersion: '2', fields: { 'sec-websocket-key': ['x'] } }],
    'its stream goes on': [{ httpVersion: '2', hasBody: true }],
    subprotocols: [{ httpVersion: '2', ...subprotocols('a, b') }, { subprotocols: ['a', 'b'] }],
    extensions: [
      { httpVersion: '2', ...extensions('foo') },
      { extensions: [{ name: 'foo', parameters: [] }] },
    ],
  }),
];

const badMethod: RefusedHandshake = { status: 405, code: 'websocket_method', headers: [['allow', 'GET']] };
const badBody: RefusedHandshake = { status: 400, code: 'websocket_body', headers: [] };
const badKey: RefusedHandshake = { status: 400, code: 'websocket_key', headers: [] };
const badVersion: RefusedHandshake = {
  status: 426,
  code: 'websocket_version',
  headers: [
    ['sec-websocket-version', '13'],
    ['upgrade', 'websocket'],
  ],
};
const badStreamVersion: RefusedHandshake = {
  status: 400,
  code: 'websocket_version',
  headers: [['sec-websocket-version', '13']],
};
const repeatedVersion: RefusedHandshake = { status: 400, code: 'websocket_version_repeated', headers: [] };
const badSubprotocols: RefusedHandshake = { status: 400, code: 'websocket_subprotocols', headers: [] };
const badExtensions: RefusedHandshake = { status: 400, code: 'websocket_extensions', headers: [] };

const refuseRows = [
  ...refused('method', 'RFC 6455 4.2.1', badMethod, {
    POST: { method: 'POST' },
    HEAD: { method: 'HEAD' },
    OPTIONS: { method: 'OPTIONS' },
    'CONNECT without HTTP/2': { method: 'CONNECT' },
    'get in lower case is another method': { method: 'get' },
    'judged before all else': { method: 'PUT', hasBody: true, fields: { 'sec-websocket-version': ['8'] } },
  }),
  ...refused('body', 'RFC 6455 4.2.1', badBody, {
    'a GET with one': { hasBody: true },
    'judged before the version': { hasBody: true, fields: { 'sec-websocket-version': ['8'] } },
  }),
  ...refused('version', 'RFC 6455 4.4', badVersion, {
    missing: { fields: { 'sec-websocket-version': [] } },
    'missing, and no key either': { fields: { 'sec-websocket-version': [], 'sec-websocket-key': [] } },
    ...values('sec-websocket-version', {
      empty: '',
      '8, of the last drafts': '8',
      '0': '0',
      '12': '12',
      '14': '14',
      '25': '25',
      '256': '256',
      'a leading zero': '013',
      'a sign': '+13',
      'a fraction': '13.0',
      hexadecimal: '0xd',
      'a list': '13, 8',
      'the same twice in a list': '13, 13',
      text: 'latest',
    }),
  }),
  ...refused(
    'version',
    'RFC 6455 4.2.1',
    repeatedVersion,
    values('sec-websocket-version', {
      'two fields': ['13', '8'],
      'the same in two fields': ['13', '13'],
      'an empty one first': ['', '13'],
    }),
  ),
  ...refused('version over HTTP/2', 'RFC 9113 8.2.2', badStreamVersion, {
    missing: { httpVersion: '2', fields: { 'sec-websocket-version': [] } },
    another: { httpVersion: '2', fields: { 'sec-websocket-version': ['8'] } },
  }),
  ...refused('key', 'RFC 6455 4.2.1', badKey, {
    missing: { fields: { 'sec-websocket-key': [] } },
    ...values('sec-websocket-key', {
      empty: '',
      twice: [KEY, KEY],
      'twice in a list': `${KEY}, ${KEY}`,
      'fifteen bytes': 'AAAAAAAAAAAAAAAAAAAA',
      'seventeen bytes': 'AAAAAAAAAAAAAAAAAAAAAAA=',
      'eighteen bytes': 'AAAAAAAAAAAAAAAAAAAAAAAA',
      'without its padding': 'dGhlIHNhbXBsZSBub25jZQ',
      'with half of its padding': 'dGhlIHNhbXBsZSBub25jZQ=',
      'with too much padding': 'dGhlIHNhbXBsZSBub25jZQ===',
      'of the URL alphabet': 'dGhlIHNhbXBsZSBub25j-_==',
      hexadecimal: '00112233445566778899aabbccddeeff',
      'a blank within': 'dGhlIHNhbXBs ZSBub25jZ==',
      'in quotes': `"${KEY}"`,
      'a byte above 7f': 'dGhlIHNhbXBsZSBub25j\xe9Q==',
      text: 'the sample nonce',
    }),
  }),
  ...refused(
    'subprotocols',
    'RFC 6455 4.1',
    badSubprotocols,
    values('sec-websocket-protocol', {
      empty: '',
      'nothing but commas': ', ,',
      'two empty fields': ['', ''],
      twice: 'chat, chat',
      'twice, with others between': 'a, b, a',
      'the same in two fields': ['chat', 'chat'],
      'a blank within': 'super chat',
      'in quotes': '"chat"',
      'a slash': 'chat/2',
      'a semicolon': 'chat;v=2',
      'an equals sign': 'v=2',
      'an at sign': 'a@b',
      brackets: 'a[0]',
      'a colon': 'urn:chat',
      'a byte above 7f': 'caf\xe9',
      'a bad one after a good one': 'chat, (x)',
    }),
  ),
  ...refused(
    'extensions',
    'RFC 6455 9.1',
    badExtensions,
    values('sec-websocket-extensions', {
      empty: '',
      'nothing but commas': ',,',
      'a parameter without a name': 'foo; =1',
      'a bad one after a good one': 'foo, b@r',
      'a good field and a bad one': ['foo', 'bar;'],
      'a quoted value that goes on in the next field': ['foo; a="x', 'y"'],
    }),
  ),
  ...refused('extended CONNECT', 'RFC 8441 5', badSubprotocols, {
    'subprotocols are judged all the same': { httpVersion: '2', ...subprotocols('a, a') },
  }),
  ...refused('extended CONNECT', 'RFC 8441 5', badExtensions, {
    'extensions are judged all the same': { httpVersion: '2', ...extensions('foo;') },
  }),
];

export const handshakeRows: HandshakeRow[] = [...acceptRows, ...refuseRows];
