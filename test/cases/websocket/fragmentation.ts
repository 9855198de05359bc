/**
 * Messages in several frames (RFC 6455 section 5.4): one message at a time, whose frames nothing but control frames may
 * come between. What is out of order is proved by the first byte of its frame.
 */
import {
  accepted,
  binary,
  binaryFrame,
  clientFrame,
  close,
  closeFrame,
  continuation,
  fragments,
  type FrameRow,
  type Heard,
  hex,
  letters,
  ping,
  pingFrame,
  pong,
  pongFrame,
  refused,
  tableOf,
  text,
  textFrame,
} from './frame-row.ts';

const CUTS: Record<string, readonly string[]> = {
  'two frames': ['Hel', 'lo'],
  'three frames': ['He', 'l', 'lo'],
  'a frame for each byte': [...'Hello, world'],
  'an empty frame first': ['', 'Hello'],
  'an empty frame last': ['Hello', ''],
  'an empty frame in the middle': ['Hel', '', 'lo'],
  'empty frames around each byte': ['', 'a', '', 'b', '', 'c', ''],
  'two empty frames': ['', ''],
  'ten empty frames': Array.from({ length: 10 }, () => ''),
  'frames at the borders of the length': [letters(125), letters(126), letters(127), letters(65_535), 'x'],
};

const MIDDLES: Record<string, readonly [frames: Uint8Array[], heard: Heard[]]> = {
  'a ping': [[pingFrame('now')], [ping('now')]],
  'a pong': [[pongFrame('now')], [pong('now')]],
  'an empty ping': [[pingFrame()], [ping()]],
  'the longest ping': [[pingFrame(letters(125))], [ping(letters(125))]],
  'pings and pongs': [
    [pingFrame('1'), pongFrame('2'), pingFrame('3'), pongFrame()],
    [ping('1'), pong('2'), ping('3'), pong()],
  ],
};

const inOrder: FrameRow[] = [
  ...accepted(
    'text in',
    'RFC 6455 5.4',
    tableOf(Object.entries(CUTS), ([claim, pieces]) => [
      claim,
      [fragments(1, pieces), text(pieces.join(''))],
    ]),
  ),
  ...accepted(
    'binary in',
    'RFC 6455 5.4',
    tableOf(Object.entries(CUTS), ([claim, pieces]) => [
      claim,
      [fragments(2, pieces), binary(pieces.join(''))],
    ]),
  ),
  ...accepted(
    'between fragments',
    'RFC 6455 5.4',
    tableOf(Object.entries(MIDDLES), ([claim, [frames, heard]]) => [
      claim,
      [[textFrame('Hel', false), ...frames, continuation('lo')], ...heard, text('Hello')],
    ]),
  ),
  ...accepted('between fragments', 'RFC 6455 5.4', {
    'a ping each time': [
      [textFrame('a', false), pingFrame('1'), continuation('b', false), pingFrame('2'), continuation('c')],
      ping('1'),
      ping('2'),
      text('abc'),
    ],
    'a ping, inside a character': [
      [textFrame(hex('e2 82'), false), pingFrame('€'), continuation(hex('ac'))],
      ping('€'),
      text('€'),
    ],
    'a ping that is not UTF-8': [
      [textFrame('a', false), pingFrame(hex('ff fe')), continuation('b')],
      ping(hex('ff fe')),
      text('ab'),
    ],
    'a close frame': [[textFrame('a', false), closeFrame(1000, 'enough')], close(1000, 'enough')],
    'a close frame, inside a character': [[textFrame(hex('e2 82'), false), closeFrame(1001)], close(1001)],
    'a close frame behind a ping': [
      [binaryFrame('a', false), pingFrame('last'), closeFrame()],
      ping('last'),
      close(1005),
    ],
  }),
  ...accepted('fragmented', 'RFC 6455 5.4', {
    'one message behind another': [
      [...fragments(1, ['a', 'b']), ...fragments(2, ['c', 'd']), ...fragments(1, ['', 'e'])],
      text('ab'),
      binary('cd'),
      text('e'),
    ],
    'then whole': [[...fragments(1, ['a', 'b']), textFrame('c')], text('ab'), text('c')],
    'behind whole': [[binaryFrame('a'), ...fragments(2, ['b', 'c'])], binary('a'), binary('bc')],
    'behind a ping': [[pingFrame('p'), ...fragments(1, ['a', 'b'])], ping('p'), text('ab')],
    'and then a ping': [[...fragments(1, ['a', 'b']), pingFrame('p')], text('ab'), ping('p')],
    'begun and not yet ended': [textFrame('a', false)],
    'begun, continued and not yet ended': [
      [binaryFrame('a', false), continuation('b', false), pingFrame()],
      ping(),
    ],
    'begun without a byte and not yet ended': [[textFrame('b'), textFrame('', false)], text('b')],
  }),
];

const outOfOrder: FrameRow[] = [
  ...refused('stray_continuation', 'nothing to continue', 'RFC 6455 5.4', {
    'first of all': [continuation('a'), 1],
    'first of all, without FIN': [continuation('a', false), 1],
    'first of all, without a payload': [continuation(), 1],
    'first of all, with neither': [continuation('', false), 1],
    'first of all, not complete': [clientFrame({ opcode: 0, announcedLength: 1000 }), 1],
    'behind a whole text': [[textFrame('a'), continuation('b')], 1, text('a')],
    'behind a whole binary': [[binaryFrame('a'), continuation('b', false)], 1, binary('a')],
    'behind an empty text': [[textFrame(), continuation()], 1, text('')],
    'behind a fragmented text': [[...fragments(1, ['a', 'b']), continuation('c')], 1, text('ab')],
    'behind a fragmented binary': [
      [...fragments(2, ['a', '', '']), continuation('c', false)],
      1,
      binary('a'),
    ],
    'behind a ping': [[pingFrame('p'), continuation('a')], 1, ping('p')],
    'behind a pong': [[pongFrame(), continuation('a')], 1, pong()],
    'behind a fragmented message and a ping': [
      [...fragments(1, ['a', 'b']), pingFrame(), continuation('c')],
      1,
      text('ab'),
      ping(),
    ],
  }),
  ...refused('interleaved_message', 'a message inside another', 'RFC 6455 5.4', {
    'text inside text': [[textFrame('a', false), textFrame('b')], 1],
    'text inside text, without FIN': [[textFrame('a', false), textFrame('b', false)], 1],
    'binary inside text': [[textFrame('a', false), binaryFrame('b')], 1],
    'text inside binary': [[binaryFrame('a', false), textFrame('b')], 1],
    'binary inside binary': [[binaryFrame('a', false), binaryFrame('b')], 1],
    'binary inside binary, without FIN': [[binaryFrame('a', false), binaryFrame('b', false)], 1],
    'an empty one inside an empty one': [[textFrame('', false), textFrame()], 1],
    'behind a continuation': [[textFrame('a', false), continuation('b', false), textFrame('c')], 1],
    'behind an empty continuation': [[textFrame('a', false), continuation('', false), binaryFrame('c')], 1],
    'behind a ping': [[textFrame('a', false), pingFrame('p'), textFrame('b')], 1, ping('p')],
    'behind a pong': [[binaryFrame('a', false), pongFrame('p'), textFrame('b')], 1, pong('p')],
    'inside the second message': [
      [...fragments(1, ['a', 'b']), textFrame('c', false), textFrame('d')],
      1,
      text('ab'),
    ],
  }),
];

export const fragmentationRows: FrameRow[] = [...inOrder, ...outOfOrder];
