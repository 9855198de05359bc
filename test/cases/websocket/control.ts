/**
 * Pings, pongs and what all control frames have in common (RFC 6455 sections 5.5, 5.5.2 and 5.5.3): whole, and of
 * 125 bytes at most. A missing FIN is proved by the first byte, a length by the second.
 */
import {
  accepted,
  binary,
  binaryFrame,
  clientFrame,
  close,
  closeFrame,
  type FrameRow,
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

const KINDS = [
  ['close', 8],
  ['ping', 9],
  ['pong', 10],
] as const;
const SIZES = [0, 1, 2, 64, 124, 125];

const pings: FrameRow[] = [
  ...accepted(
    'ping',
    'RFC 6455 5.5.2',
    tableOf(SIZES, (size) => [`of ${size} bytes`, [pingFrame(letters(size)), ping(letters(size))]]),
  ),
  ...accepted(
    'pong',
    'RFC 6455 5.5.3',
    tableOf(SIZES, (size) => [
      `that answers nothing, of ${size} bytes`,
      [pongFrame(letters(size)), pong(letters(size))],
    ]),
  ),
  ...accepted('ping', 'RFC 6455 5.5.2', {
    'of bytes that are not UTF-8': [
      pingFrame(hex('00 ff fe fd c0 80 ed a0 80')),
      ping(hex('00 ff fe fd c0 80 ed a0 80')),
    ],
    'of bytes that look like a close frame': [pingFrame(hex('03 e8 62 79 65')), ping(hex('03 e8 62 79 65'))],
    'ten of them': [
      Array.from({ length: 10 }, (_, index) => pingFrame(`ping ${index}`)),
      ...Array.from({ length: 10 }, (_, index) => ping(`ping ${index}`)),
    ],
    'before, between and behind messages': [
      [pingFrame('1'), textFrame('a'), pingFrame('2'), binaryFrame('b'), pingFrame('3')],
      ping('1'),
      text('a'),
      ping('2'),
      binary('b'),
      ping('3'),
    ],
    'and then a close frame': [[pingFrame('1'), closeFrame(1000)], ping('1'), close(1000)],
  }),
  ...accepted('pong', 'RFC 6455 5.5.3', {
    'that answers nothing, and then a ping': [[pongFrame('1'), pingFrame('2')], pong('1'), ping('2')],
    'of bytes that are not UTF-8': [pongFrame(hex('ff c1')), pong(hex('ff c1'))],
    'between messages': [[textFrame('a'), pongFrame('1'), textFrame('b')], text('a'), pong('1'), text('b')],
  }),
];

const tooLong: FrameRow[] = refused('control_too_long', 'length', 'RFC 6455 5.5', {
  ...tableOf(
    KINDS.flatMap(([name, opcode]) => [126, 127, 65_535, 65_536].map((size) => ({ name, opcode, size }))),
    ({ name, opcode, size }) => [
      `${name} of ${size} bytes`,
      [clientFrame({ opcode, payload: `\x03\x7a${letters(size - 2)}` }), 2],
    ],
  ),
  // Whatever number would follow is either too much or not in its shortest form.
  ...tableOf(
    KINDS.flatMap(([name, opcode]) =>
      ([16, 64] as const).map((lengthForm) => ({ name, opcode, lengthForm })),
    ),
    ({ name, opcode, lengthForm }) => [
      `${name} of 5 bytes in ${lengthForm} bits`,
      [clientFrame({ opcode, payload: '\x03\x7aabc', lengthForm }), 2],
    ],
  ),
  'ping of 126 bytes behind one of 125': [
    [pingFrame(letters(125)), pingFrame(letters(126))],
    2,
    ping(letters(125)),
  ],
  'ping of 126 bytes inside a message': [[textFrame('a', false), pingFrame(letters(126))], 2],
  'ping of 126 bytes, of which none has come': [clientFrame({ opcode: 9, announcedLength: 126 }), 2],
  'pong without end': [clientFrame({ opcode: 10, announcedLength: 2n ** 62n }), 2],
});

const fragmented: FrameRow[] = refused('fragmented_control', 'without FIN', 'RFC 6455 5.5', {
  ...tableOf(
    KINDS.flatMap(([name, opcode]) => ['', '\x03\x7aabc'].map((payload) => ({ name, opcode, payload }))),
    ({ name, opcode, payload }) => [
      `${name} ${payload === '' ? 'without' : 'with'} a payload`,
      [clientFrame({ opcode, payload, fin: false }), 1],
    ],
  ),
  ...tableOf(KINDS, ([name, opcode]) => [
    `${name} inside a message`,
    [[textFrame('a', false), clientFrame({ opcode, fin: false })], 1],
  ]),
  'ping behind a message': [[textFrame('a'), clientFrame({ opcode: 9, fin: false })], 1, text('a')],
  'ping that is too long as well': [clientFrame({ opcode: 9, payload: letters(126), fin: false }), 1],
});

export const controlRows: FrameRow[] = [...pings, ...tooLong, ...fragmented];
