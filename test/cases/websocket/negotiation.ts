/**
 * Values of `sec-websocket-extensions`: what the grammar makes of them (RFC 6455 section 9.1), and what a server that never takes
 * over a context answers to those that offer permessage-deflate (RFC 7692 section 7.1).
 */

export type Offers = { name: string; parameters: [name: string, value: string | undefined][] }[];

export interface GrammarRow {
  name: string;
  rfc: string;
  input: string;
  /** Undefined: malformed. */
  expect: Offers | undefined;
}

export interface NegotiationRow {
  name: string;
  rfc: string;
  input: string;
  /** Undefined: declined, so the response has no such field and messages travel as they are. */
  expect: { response: string; serverMaxWindowBits: number } | undefined;
}

type Parameters = Record<string, string | undefined>;

/** One offer; parameters in the order written. */
function offer(name: string, parameters: Parameters = {}): Offers[number] {
  return { name, parameters: Object.entries(parameters) };
}

function parsed(
  about: string,
  rfc: string,
  table: Record<string, readonly [string, ...Offers]>,
): GrammarRow[] {
  return Object.entries(table).map(([claim, [input, ...expect]]) => ({
    name: `${about}: ${claim}`,
    rfc,
    input,
    expect,
  }));
}

function malformed(about: string, rfc: string, table: Record<string, string>): GrammarRow[] {
  return Object.entries(table).map(([claim, input]) => ({
    name: `${about}: ${claim}`,
    rfc,
    input,
    expect: undefined,
  }));
}

const RESPONSE = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';

function agreed(
  about: string,
  rfc: string,
  table: Record<string, string | [string, number]>,
): NegotiationRow[] {
  return Object.entries(table).map(([claim, entry]) => {
    const [input, bits] = typeof entry === 'string' ? [entry, undefined] : entry;
    return {
      name: `${about}: ${claim}`,
      rfc,
      input,
      expect: {
        response: bits === undefined ? RESPONSE : `${RESPONSE}; server_max_window_bits=${bits}`,
        serverMaxWindowBits: bits ?? 15,
      },
    };
  });
}

function declined(about: string, rfc: string, table: Record<string, string>): NegotiationRow[] {
  return Object.entries(table).map(([claim, input]) => ({
    name: `${about}: ${claim}`,
    rfc,
    input,
    expect: undefined,
  }));
}

export const grammarRows: GrammarRow[] = [
  ...parsed('extension', 'RFC 6455 9.1', {
    'a name alone': ['foo', offer('foo')],
    'a name of one character': ['x', offer('x')],
    'every character of a token': ["!#$%&'*+-.^_`|~09azAZ", offer("!#$%&'*+-.^_`|~09azAZ")],
    'case is kept': ['Foo; Bar=Baz', offer('Foo', { Bar: 'Baz' })],
    'a parameter without a value': ['foo; bar', offer('foo', { bar: undefined })],
    'a parameter with a value': ['foo; bar=baz', offer('foo', { bar: 'baz' })],
    'several parameters keep their order': [
      'foo; c; a=1; b=2',
      offer('foo', { c: undefined, a: '1', b: '2' }),
    ],
    'a parameter twice is kept twice': [
      'foo; a=1; a=2',
      {
        name: 'foo',
        parameters: [
          ['a', '1'],
          ['a', '2'],
        ],
      },
    ],
    'parameters that objects have by themselves': [
      'foo; __proto__=1; constructor',
      {
        name: 'foo',
        parameters: [
          ['__proto__', '1'],
          ['constructor', undefined],
        ],
      },
    ],
  }),
  ...parsed('extension list', 'RFC 6455 9.1', {
    'the example of the RFC': ['foo, bar; baz=2', offer('foo'), offer('bar', { baz: '2' })],
    'the other example': [
      'deflate-stream, mux; max-channels=4; flow-control, deflate-stream',
      offer('deflate-stream'),
      offer('mux', { 'max-channels': '4', 'flow-control': undefined }),
      offer('deflate-stream'),
    ],
    'a name twice': ['foo; a, foo; b', offer('foo', { a: undefined }), offer('foo', { b: undefined })],
    'no white space': ['foo;a=1,bar;b', offer('foo', { a: '1' }), offer('bar', { b: undefined })],
  }),
  ...parsed('white space', 'RFC 2616 2.1', {
    'around everything': [' foo ; a = 1 , bar ', offer('foo', { a: '1' }), offer('bar')],
    tabs: ['\tfoo\t;\ta\t=\t1\t,\tbar\t', offer('foo', { a: '1' }), offer('bar')],
    'much of it': [`foo${' '.repeat(500)};${'\t'.repeat(500)}a`, offer('foo', { a: undefined })],
    'around a quoted value': ['foo; a = "1" ; b', offer('foo', { a: '1', b: undefined })],
  }),
  ...parsed('empty member', 'RFC 9110 5.6.1.2', {
    first: [', foo', offer('foo')],
    last: ['foo,', offer('foo')],
    between: ['foo,,bar', offer('foo'), offer('bar')],
    'several, with white space': [',\t, foo , ,, bar, ,', offer('foo'), offer('bar')],
  }),
  ...parsed('quoted value', 'RFC 6455 9.1', {
    'a token in quotes': ['foo; a="bar"', offer('foo', { a: 'bar' })],
    'is the same as without': [
      'foo; a="10", bar; b=10',
      offer('foo', { a: '10' }),
      offer('bar', { b: '10' }),
    ],
    'an escaped character': ['foo; a="b\\ar"', offer('foo', { a: 'bar' })],
    'every character escaped': ['foo; a="\\b\\a\\r"', offer('foo', { a: 'bar' })],
  }),
  ...malformed('list', 'RFC 9110 5.6.1.2', {
    empty: '',
    'white space alone': ' \t ',
    'a comma alone': ',',
    'commas and white space alone': ' , ,\t,',
  }),
  ...malformed('extension', 'RFC 6455 9.1', {
    'a semicolon before the name': ';foo',
    'a semicolon behind it': 'foo;',
    'a semicolon behind its parameters': 'foo; a;',
    'a semicolon before a comma': 'foo;, bar',
    'two semicolons': 'foo;; a',
    'two names': 'foo bar',
    'two parameter names': 'foo; a b',
    'two values': 'foo; a=1 2',
    'two equals signs': 'foo; a==1',
    'a value of the name': 'foo=1',
    'a parameter without a name': 'foo; =1',
    'a parameter without a value behind its equals sign': 'foo; a=',
    'no value before the next parameter': 'foo; a=; b',
    'no value before the next extension': 'foo; a=, bar',
    'a name in quotes': '"foo"',
    'a parameter name in quotes': 'foo; "a"=1',
    'a slash in a name': 'x/y',
    'a colon in a parameter name': 'foo; a:b',
    parentheses: 'foo; a=(1)',
    braces: 'foo; a={1}',
    'an at sign': 'foo; a=b@c',
    'a control character': 'foo\x01',
    'a byte above 7f': 'caf\xe9',
    'a character above ff': 'foo\u0100',
    'a line feed for white space': 'foo;\na',
    'a bad one behind a good one': 'foo, bar, b az',
  }),
  ...malformed('quoted value', 'RFC 6455 9.1', {
    empty: 'foo; a=""',
    open: 'foo; a="bar',
    'a quote alone': 'foo; a="',
    'open behind a backslash': 'foo; a="bar\\',
    'its end is escaped': 'foo; a="bar\\"',
    'a blank within': 'foo; a="b r"',
    'a blank at its beginning': 'foo; a=" bar"',
    'a blank at its end': 'foo; a="bar "',
    'an escaped blank': 'foo; a="b\\ r"',
    'a comma within': 'foo; a="b,r"',
    'a semicolon within': 'foo; a="b;r"',
    'an escaped quote within': 'foo; a="b\\"r"',
    'an escaped backslash within': 'foo; a="b\\\\r"',
    'a byte above 7f within': 'foo; a="caf\xe9"',
    'a token behind it': 'foo; a="b"r',
    'a token before it': 'foo; a=b"r"',
    'another behind it': 'foo; a="b""r"',
    'single quotes do not quote': "foo; a='b r'",
  }),
];

export const negotiationRows: NegotiationRow[] = [
  ...agreed('offer', 'RFC 7692 7.1', {
    'without parameters': 'permessage-deflate',
    twice: 'permessage-deflate, permessage-deflate',
    'behind an extension that nobody knows': 'x-webkit-deflate-frame, permessage-deflate',
    'between others with parameters': 'mux; max-channels=4, permessage-deflate, foo; a="b"',
  }),
  ...agreed('context takeover', 'RFC 7692 7.1.1', {
    'the server shall not': 'permessage-deflate; server_no_context_takeover',
    'the client will not': 'permessage-deflate; client_no_context_takeover',
    'neither will': 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    'neither will, the other way round':
      'permessage-deflate;client_no_context_takeover;server_no_context_takeover',
  }),
  ...agreed('window of the client', 'RFC 7692 7.1.2.2', {
    any: 'permessage-deflate; client_max_window_bits',
    '8 bits': 'permessage-deflate; client_max_window_bits=8',
    '9 bits': 'permessage-deflate; client_max_window_bits=9',
    '10 bits': 'permessage-deflate; client_max_window_bits=10',
    '15 bits': 'permessage-deflate; client_max_window_bits=15',
    '12 bits in quotes': 'permessage-deflate; client_max_window_bits="12"',
  }),
  ...agreed('window of the server', 'RFC 7692 7.1.2.1', {
    '8 bits': ['permessage-deflate; server_max_window_bits=8', 8],
    '9 bits': ['permessage-deflate; server_max_window_bits=9', 9],
    '10 bits': ['permessage-deflate; server_max_window_bits=10', 10],
    '11 bits': ['permessage-deflate; server_max_window_bits=11', 11],
    '12 bits': ['permessage-deflate; server_max_window_bits=12', 12],
    '13 bits': ['permessage-deflate; server_max_window_bits=13', 13],
    '14 bits': ['permessage-deflate; server_max_window_bits=14', 14],
    '15 bits': ['permessage-deflate; server_max_window_bits=15', 15],
    '10 bits in quotes': ['permessage-deflate; server_max_window_bits="10"', 10],
    '10 bits in quotes and escaped': ['permessage-deflate; server_max_window_bits="\\1\\0"', 10],
    'with all else': [
      'permessage-deflate; client_max_window_bits=9; server_no_context_takeover; server_max_window_bits=9; client_no_context_takeover',
      9,
    ],
  }),
  ...agreed('preference', 'RFC 7692 5', {
    'the first of two': ['permessage-deflate; server_max_window_bits=10, permessage-deflate', 10],
    'the first of two, the other way round':
      'permessage-deflate, permessage-deflate; server_max_window_bits=10',
    'the first with a window': [
      'permessage-deflate; server_max_window_bits=12, permessage-deflate; server_max_window_bits=9',
      12,
    ],
    'past one with an unknown parameter': [
      'permessage-deflate; x, permessage-deflate; server_max_window_bits=9',
      9,
    ],
    'past one with a bad value': 'permessage-deflate; server_max_window_bits=16, permessage-deflate',
    'past one with a repeated parameter':
      'permessage-deflate; client_max_window_bits; client_max_window_bits=9, permessage-deflate',
    'past several': [
      'permessage-deflate; a, foo, permessage-deflate; b, permessage-deflate; server_max_window_bits=8',
      8,
    ],
    'an offer that cannot be met may follow': 'permessage-deflate, permessage-deflate; x',
  }),
  ...declined('extension', 'RFC 7692 7', {
    another: 'foo',
    others: 'foo, bar; server_max_window_bits=10',
    'another spelling': 'Permessage-Deflate',
    'its parameter for a name': 'server_no_context_takeover',
    'the one that came before it': 'x-webkit-deflate-frame',
    'more behind the name': 'permessage-deflate2',
    'less than the name': 'permessage',
    'another algorithm': 'permessage-bzip2',
  }),
  ...declined('parameter', 'RFC 7692 7.1', {
    unknown: 'permessage-deflate; x',
    'unknown, with a value': 'permessage-deflate; x=1',
    'unknown, behind known ones': 'permessage-deflate; server_no_context_takeover; x',
    'another spelling': 'permessage-deflate; Server_No_Context_Takeover',
    'with hyphens': 'permessage-deflate; server-no-context-takeover',
    'one that objects have by themselves': 'permessage-deflate; constructor',
    'one that every object has': 'permessage-deflate; __proto__=1',
  }),
  ...declined('repeated parameter', 'RFC 7692 7.1', {
    server_no_context_takeover: 'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    client_no_context_takeover: 'permessage-deflate; client_no_context_takeover; client_no_context_takeover',
    server_max_window_bits: 'permessage-deflate; server_max_window_bits=10; server_max_window_bits=10',
    client_max_window_bits: 'permessage-deflate; client_max_window_bits; client_max_window_bits',
    'client_max_window_bits, once with a value':
      'permessage-deflate; client_max_window_bits=10; client_max_window_bits',
    'with another between':
      'permessage-deflate; server_max_window_bits=10; client_max_window_bits; server_max_window_bits=11',
  }),
  ...declined('context takeover', 'RFC 7692 7.1.1', {
    'a value of server_no_context_takeover': 'permessage-deflate; server_no_context_takeover=1',
    'a value of client_no_context_takeover': 'permessage-deflate; client_no_context_takeover=true',
    'a value in quotes': 'permessage-deflate; server_no_context_takeover="10"',
  }),
  ...declined('window of the server', 'RFC 7692 7.1.2.1', {
    'no value': 'permessage-deflate; server_max_window_bits',
    '7 bits': 'permessage-deflate; server_max_window_bits=7',
    '16 bits': 'permessage-deflate; server_max_window_bits=16',
    '0 bits': 'permessage-deflate; server_max_window_bits=0',
    '1 bit': 'permessage-deflate; server_max_window_bits=1',
    '100 bits': 'permessage-deflate; server_max_window_bits=100',
    'a leading zero before 8': 'permessage-deflate; server_max_window_bits=08',
    'a leading zero before 10': 'permessage-deflate; server_max_window_bits=010',
    'a plus sign': 'permessage-deflate; server_max_window_bits=+10',
    'a minus sign': 'permessage-deflate; server_max_window_bits=-10',
    'a fraction': 'permessage-deflate; server_max_window_bits=10.0',
    hexadecimal: 'permessage-deflate; server_max_window_bits=0xa',
    'an exponent': 'permessage-deflate; server_max_window_bits=1e1',
    'a word': 'permessage-deflate; server_max_window_bits=ten',
  }),
  ...declined('window of the client', 'RFC 7692 7.1.2.2', {
    '7 bits': 'permessage-deflate; client_max_window_bits=7',
    '16 bits': 'permessage-deflate; client_max_window_bits=16',
    '0 bits': 'permessage-deflate; client_max_window_bits=0',
    'a leading zero': 'permessage-deflate; client_max_window_bits=09',
    'a sign': 'permessage-deflate; client_max_window_bits=+9',
    'a word': 'permessage-deflate; client_max_window_bits=max',
    'and a good one of the server':
      'permessage-deflate; server_max_window_bits=10; client_max_window_bits=20',
  }),
];
