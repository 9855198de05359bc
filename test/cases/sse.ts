/** Events and comments, each with the bytes that they are on the wire. Sections are those of WHATWG HTML. */
import type { EventFields } from '../../src/wire/sse.ts';
import type { ParsedEvent } from '../support/event-stream-parser.ts';

export interface SseRow {
  readonly name: string;
  readonly section: string;
  readonly input: EventFields | { readonly comment: string };
  /** As a byte string. */
  readonly expected: string;
  /** What a client makes of it, less what it always makes; undefined where it dispatches nothing. */
  readonly parsed: Partial<ParsedEvent> | undefined;
}

type Row = [
  name: string,
  section: string,
  fields: EventFields,
  expected: string,
  parsed: Partial<ParsedEvent>,
];

const events: Row[] = [
  ['data', '9.2.5', { data: 'x' }, 'data: x\n\n', { data: 'x' }],
  ['no data', '9.2.6', { data: '' }, 'data: \n\n', { data: '' }],
  ['one space', '9.2.6', { data: ' ' }, 'data:  \n\n', { data: ' ' }],
  ['a space in front', '9.2.6', { data: ' x' }, 'data:  x\n\n', { data: ' x' }],
  ['a space behind', '9.2.6', { data: 'x ' }, 'data: x \n\n', { data: 'x ' }],
  ['a tab in front', '9.2.6', { data: '\tx' }, 'data: \tx\n\n', { data: '\tx' }],
  ['a colon in front', '9.2.6', { data: ': x' }, 'data: : x\n\n', { data: ': x' }],
  ['what looks like a field', '9.2.6', { data: 'id: 5' }, 'data: id: 5\n\n', { data: 'id: 5' }],
  ['two lines, LF', '9.2.5', { data: 'a\nb' }, 'data: a\ndata: b\n\n', { data: 'a\nb' }],
  ['two lines, CR', '9.2.5', { data: 'a\rb' }, 'data: a\ndata: b\n\n', { data: 'a\nb' }],
  ['two lines, CRLF', '9.2.5', { data: 'a\r\nb' }, 'data: a\ndata: b\n\n', { data: 'a\nb' }],
  [
    'LF and CR, which are two',
    '9.2.5',
    { data: 'a\n\rb' },
    'data: a\ndata: \ndata: b\n\n',
    { data: 'a\n\nb' },
  ],
  ['CR, CR and LF', '9.2.5', { data: 'a\r\r\nb' }, 'data: a\ndata: \ndata: b\n\n', { data: 'a\n\nb' }],
  ['CRLF twice', '9.2.5', { data: 'a\r\n\r\nb' }, 'data: a\ndata: \ndata: b\n\n', { data: 'a\n\nb' }],
  [
    'an empty line in between',
    '9.2.6',
    { data: 'a\n\nb' },
    'data: a\ndata: \ndata: b\n\n',
    { data: 'a\n\nb' },
  ],
  ['LF behind', '9.2.6', { data: 'a\n' }, 'data: a\ndata: \n\n', { data: 'a\n' }],
  ['LF in front', '9.2.6', { data: '\na' }, 'data: \ndata: a\n\n', { data: '\na' }],
  ['LF alone', '9.2.6', { data: '\n' }, 'data: \ndata: \n\n', { data: '\n' }],
  ['CR alone', '9.2.6', { data: '\r' }, 'data: \ndata: \n\n', { data: '\n' }],
  ['CRLF alone', '9.2.6', { data: '\r\n' }, 'data: \ndata: \n\n', { data: '\n' }],
  [
    'an event within the data',
    '9.2.6',
    { data: 'a\n\ndata: b\n\n' },
    'data: a\ndata: \ndata: data: b\ndata: \ndata: \n\n',
    { data: 'a\n\ndata: b\n\n' },
  ],
  ['an id within the data', '9.2.6', { data: 'a\rid: 1' }, 'data: a\ndata: id: 1\n\n', { data: 'a\nid: 1' }],
  ['a NUL', '9.2.5', { data: 'a\0b' }, 'data: a\0b\n\n', { data: 'a\0b' }],
  [
    'control characters',
    '9.2.5',
    { data: '\x01\x0b\x0c\x1b\x7f' },
    'data: \x01\x0b\x0c\x1b\x7f\n\n',
    { data: '\x01\x0b\x0c\x1b\x7f' },
  ],
  ['two bytes a character', '9.2.5', { data: '\u00e9' }, 'data: \xc3\xa9\n\n', { data: '\u00e9' }],
  ['three bytes a character', '9.2.5', { data: '\u20ac' }, 'data: \xe2\x82\xac\n\n', { data: '\u20ac' }],
  [
    'four bytes a character',
    '9.2.5',
    { data: '\u{1f600}' },
    'data: \xf0\x9f\x98\x80\n\n',
    { data: '\u{1f600}' },
  ],
  ['half a character', '9.2.5', { data: 'a\ud83d' }, 'data: a\xef\xbf\xbd\n\n', { data: 'a\ufffd' }],
  ['the other half', '9.2.5', { data: '\ude00a' }, 'data: \xef\xbf\xbda\n\n', { data: '\ufffda' }],
  ['a byte order mark', '9.2.5', { data: '\ufeffx' }, 'data: \xef\xbb\xbfx\n\n', { data: '\ufeffx' }],
  [
    'separators that end no line',
    '9.2.5',
    { data: 'a\u0085b\u2028c\u2029d\x0be' },
    'data: a\xc2\x85b\xe2\x80\xa8c\xe2\x80\xa9d\x0be\n\n',
    { data: 'a\u0085b\u2028c\u2029d\x0be' },
  ],
  [
    'lines that are not ASCII',
    '9.2.5',
    { data: '\u00e4\n\u00f6' },
    'data: \xc3\xa4\ndata: \xc3\xb6\n\n',
    { data: '\u00e4\n\u00f6' },
  ],
  ['a type', '9.2.6', { data: 'x', event: 'tick' }, 'event: tick\ndata: x\n\n', { type: 'tick', data: 'x' }],
  [
    'an empty type',
    '9.2.6',
    { data: 'x', event: '' },
    'event: \ndata: x\n\n',
    { type: 'message', data: 'x' },
  ],
  [
    'a type with spaces',
    '9.2.6',
    { data: 'x', event: ' a b ' },
    'event:  a b \ndata: x\n\n',
    { type: ' a b ', data: 'x' },
  ],
  [
    'a type with a colon',
    '9.2.6',
    { data: 'x', event: 'a:b' },
    'event: a:b\ndata: x\n\n',
    { type: 'a:b', data: 'x' },
  ],
  [
    'a type that is not ASCII',
    '9.2.6',
    { data: 'x', event: '\u00fc' },
    'event: \xc3\xbc\ndata: x\n\n',
    { type: '\u00fc', data: 'x' },
  ],
  ['an id', '9.2.6', { data: 'x', id: '7' }, 'id: 7\ndata: x\n\n', { data: 'x', lastEventId: '7' }],
  [
    'an empty id, which resets',
    '9.2.6',
    { data: 'x', id: '' },
    'id: \ndata: x\n\n',
    { data: 'x', lastEventId: '' },
  ],
  [
    'an id that is not ASCII',
    '9.2.6',
    { data: 'x', id: '\u20ac' },
    'id: \xe2\x82\xac\ndata: x\n\n',
    { data: 'x', lastEventId: '\u20ac' },
  ],
  ['a retry', '9.2.6', { data: 'x', retry: 3000 }, 'retry: 3000\ndata: x\n\n', { data: 'x' }],
  ['a retry of 0', '9.2.6', { data: 'x', retry: 0 }, 'retry: 0\ndata: x\n\n', { data: 'x' }],
  [
    'the largest retry, in digits',
    '9.2.6',
    { data: 'x', retry: 9_007_199_254_740_991 },
    'retry: 9007199254740991\ndata: x\n\n',
    { data: 'x' },
  ],
  [
    'all fields',
    '9.2.6',
    { data: 'a\nb', event: 'e', id: 'i', retry: 1 },
    'event: e\nid: i\nretry: 1\ndata: a\ndata: b\n\n',
    { type: 'e', data: 'a\nb', lastEventId: 'i' },
  ],
];

const comments: [name: string, comment: string, expected: string][] = [
  ['a comment', 'still here', ': still here\n\n'],
  ['an empty comment', '', ':\n\n'],
  ['a comment of lines', 'a\nb\rc\r\nd', ': a\n: b\n: c\n: d\n\n'],
  ['a comment with empty lines', '\na\n\n', ':\n: a\n:\n:\n\n'],
  ['a comment that would be an event', 'a\n\ndata: b\n\n', ': a\n:\n: data: b\n:\n:\n\n'],
  ['a comment with a colon in front', ': a', ': : a\n\n'],
  ['a comment that is not ASCII', '\u00e9\n\u20ac', ': \xc3\xa9\n: \xe2\x82\xac\n\n'],
];

export const sseRows: readonly SseRow[] = [
  ...events.map(([name, section, input, expected, parsed]) => ({ name, section, input, expected, parsed })),
  ...comments.map(([name, comment, expected]) => ({
    name,
    section: '9.2.5',
    input: { comment },
    expected,
    parsed: undefined,
  })),
];
