/**
 * Single frames: the mask, the reserved bits, the opcodes and the length in its three forms (RFC 6455 sections 5.1, 5.2
 * and 5.6, examples of 5.7). A fault of the first byte is proved by it, one of the second by that, and one of
 * a length by the byte that leaves no acceptable value.
 */
import {
  accepted,
  binary,
  binaryFrame,
  clientFrame,
  close,
  continuation,
  type FrameRow,
  hex,
  letters,
  ping,
  pong,
  refused,
  tableOf,
  text,
  textFrame,
  unfinished,
} from './frame-row.ts';

const OPCODES = [
  ['a continuation', 0],
  ['text', 1],
  ['binary', 2],
  ['close', 8],
  ['ping', 9],
  ['pong', 10],
] as const;

/** What must stand before a frame of this opcode for it to be in order. */
const leadTo = (opcode: number): Uint8Array[] => (opcode === 0 ? [textFrame('a', false)] : []);

const KEYS: Record<string, number[]> = {
  'of zeroes': [0, 0, 0, 0],
  'of ones': [255, 255, 255, 255],
  'whose first byte alone is set': [0x80, 0, 0, 0],
  'whose second byte alone is set': [0, 0x80, 0, 0],
  'whose third byte alone is set': [0, 0, 0x80, 0],
  'whose last byte alone is set': [0, 0, 0, 0x80],
  'of four different bytes': [0x12, 0x34, 0x56, 0x78],
  'that makes the payload look like a frame': [0x81 ^ 0x4d, 0x05 ^ 0x61, 0x88 ^ 0x73, 0x00 ^ 0x6b],
};

const masking: FrameRow[] = [
  ...accepted('key', 'RFC 6455 5.3', {
    ...tableOf(Object.entries(KEYS), ([claim, mask]) => [
      claim,
      [clientFrame({ opcode: 1, payload: 'Masked größe €', mask }), text('Masked größe €')] as const,
    ]),
    'of its own in each frame of a message': [
      [
        clientFrame({ opcode: 1, payload: 'abcde', fin: false, mask: [1, 2, 3, 4] }),
        clientFrame({ opcode: 0, payload: 'fghij', fin: false, mask: [5, 6, 7, 8] }),
        clientFrame({ opcode: 0, payload: 'klmno', mask: [250, 200, 150, 100] }),
      ],
      text('abcdefghijklmno'),
    ],
    'the same in two messages': [[textFrame('abc'), textFrame('abc')], text('abc'), text('abc')],
    'of ones on a frame without a payload': [
      clientFrame({ opcode: 2, mask: [255, 255, 255, 255] }),
      binary(''),
    ],
    'on a ping': [clientFrame({ opcode: 9, payload: 'abcde', mask: [9, 8, 7, 6] }), ping('abcde')],
  }),
  ...accepted(
    'masked payload',
    'RFC 6455 5.3',
    tableOf([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 63, 64], (size) => [
      `${size} bytes`,
      [
        clientFrame({ opcode: 1, payload: letters(size), mask: [0xa1, 0xb2, 0xc3, 0xd4] }),
        text(letters(size)),
      ],
    ]),
  ),
  ...refused(
    'unmasked_frame',
    'unmasked',
    'RFC 6455 5.1',
    tableOf(
      OPCODES.flatMap(([name, opcode]) => ['', '\x03\xe8'].map((payload) => ({ name, opcode, payload }))),
      ({ name, opcode, payload }) => [
        `${name} ${payload === '' ? 'without' : 'with'} a payload`,
        [
          [...leadTo(opcode), clientFrame({ opcode, payload: Buffer.from(payload, 'latin1'), mask: false })],
          2,
        ],
      ],
    ),
  ),
  ...refused('unmasked_frame', 'unmasked', 'RFC 6455 5.1', {
    'behind a masked message': [
      [textFrame('a'), clientFrame({ opcode: 1, payload: 'b', mask: false })],
      2,
      text('a'),
    ],
    'text of 126 bytes': [clientFrame({ opcode: 1, payload: letters(126), mask: false }), 2],
    'binary of 65536 bytes': [clientFrame({ opcode: 2, payload: letters(65_536), mask: false }), 2],
  }),
];

const RSV = [1, 2, 3, 4, 5, 6, 7].map((bits) => ({
  name: [bits & 4 && 'RSV1', bits & 2 && 'RSV2', bits & 1 && 'RSV3'].filter(Boolean).join(' and '),
  rsv1: (bits & 4) !== 0,
  rsv2: (bits & 2) !== 0,
  rsv3: (bits & 1) !== 0,
}));

const reserved: FrameRow[] = [
  ...refused(
    'reserved_bits',
    'no extension agreed',
    'RFC 6455 5.2',
    tableOf(
      RSV.flatMap((bits) => OPCODES.map(([name, opcode]) => ({ bits, name, opcode }))),
      ({ bits: { name: bitNames, ...bits }, name, opcode }) => [
        `${bitNames} on ${name}`,
        [[...leadTo(opcode), clientFrame({ opcode, ...bits })], 1],
      ],
    ),
  ),
  ...refused('reserved_bits', 'no extension agreed', 'RFC 6455 5.2', {
    'RSV1 on a first fragment': [clientFrame({ opcode: 1, payload: 'a', fin: false, rsv1: true }), 1],
    'RSV2 behind a message': [[textFrame('a'), clientFrame({ opcode: 1, rsv2: true })], 1, text('a')],
    'RSV3 on a message that is not complete': [clientFrame({ opcode: 2, announcedLength: 9, rsv3: true }), 1],
  }),
  ...refused(
    'reserved_opcode',
    'opcode',
    'RFC 6455 5.2',
    tableOf(
      [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [true, false].map((fin) => ({ opcode, fin }))),
      ({ opcode, fin }) => [
        `${opcode} ${fin ? 'with' : 'without'} FIN`,
        [clientFrame({ opcode, payload: 'a', fin }), 1],
      ],
    ),
  ),
  ...refused('reserved_opcode', 'opcode', 'RFC 6455 5.2', {
    '3 inside a message': [[textFrame('a', false), clientFrame({ opcode: 3, payload: 'b' })], 1],
    '11 inside a message': [[textFrame('a', false), clientFrame({ opcode: 11 })], 1],
    '7 behind a message': [[textFrame('a'), clientFrame({ opcode: 7 })], 1, text('a')],
    '15 without a payload': [clientFrame({ opcode: 15 }), 1],
  }),
];

const AT_THE_BORDERS = [124, 125, 126, 127, 128, 255, 256, 257, 65_534, 65_535, 65_536, 65_537, 131_072];
const high = (size: number): Uint8Array => new Uint8Array(size).fill(0xfe);

const lengths: FrameRow[] = [
  ...accepted(
    'length',
    'RFC 6455 5.2',
    tableOf(
      AT_THE_BORDERS.flatMap((size) => [
        { size, type: 'text' },
        { size, type: 'binary' },
      ]),
      ({ size, type }) => [
        `${type} of ${size} bytes`,
        type === 'text'
          ? [textFrame(letters(size)), text(letters(size))]
          : [binaryFrame(high(size)), binary(high(size))],
      ],
    ),
  ),
  ...refused('length_not_minimal', 'length', 'RFC 6455 5.2', {
    ...tableOf([0, 1, 124, 125], (size) => [`${size} in 16 bits`, [textFrameOf(size, 16), 4]]),
    // The first six of the eight bytes are zero, so that whatever follows fits into 16 bits.
    ...tableOf([0, 1, 125, 126, 65_535], (size) => [`${size} in 64 bits`, [textFrameOf(size, 64), 8]]),
    '5 in 16 bits, of a continuation': [
      [textFrame('a', false), clientFrame({ opcode: 0, payload: 'hello', lengthForm: 16 })],
      4,
    ],
    '300 in 64 bits, of a first fragment': [
      clientFrame({ opcode: 2, payload: letters(300), lengthForm: 64, fin: false }),
      8,
    ],
    '5 in 16 bits, behind a message': [
      [textFrame('a'), clientFrame({ opcode: 2, payload: 'hello', lengthForm: 16 })],
      4,
      text('a'),
    ],
  }),
  ...refused('length_top_bit', 'length', 'RFC 6455 5.2', {
    ...tableOf([2n ** 63n, 2n ** 63n + 5n, 2n ** 64n - 1n], (length) => [
      `${length}`,
      [clientFrame({ opcode: 2, announcedLength: length, payload: 'hello' }), 3],
    ]),
    'its most significant bit on a continuation': [
      [binaryFrame('a', false), clientFrame({ opcode: 0, announcedLength: 2n ** 63n + 1n })],
      3,
    ],
  }),
];

function textFrameOf(size: number, lengthForm: 16 | 64): Uint8Array {
  return clientFrame({ opcode: 1, payload: letters(size), lengthForm });
}

const dataFrames: FrameRow[] = [
  ...accepted('example', 'RFC 6455 5.7', {
    'a text': [hex('81 85 37 fa 21 3d 7f 9f 4d 51 58'), text('Hello')],
    'a pong': [hex('8a 85 37 fa 21 3d 7f 9f 4d 51 58'), pong('Hello')],
  }),
  ...accepted('data', 'RFC 6455 5.6', {
    'text without a byte': [textFrame(), text('')],
    'binary without a byte': [binaryFrame(), binary('')],
    'the same bytes as text and as binary': [[textFrame('é'), binaryFrame('é')], text('é'), binary('é')],
    'binary of every byte': [
      binaryFrame(Uint8Array.from({ length: 256 }, (_, index) => index)),
      binary(Uint8Array.from({ length: 256 }, (_, index) => index)),
    ],
    'binary that is not UTF-8': [binaryFrame(hex('ff c0 80 ed a0 80')), binary(hex('ff c0 80 ed a0 80'))],
    'text of nothing but NUL': [textFrame('\0\0\0'), text('\0\0\0')],
    'text with line ends': [textFrame('a\r\nb\n\rc'), text('a\r\nb\n\rc')],
    'binary that looks like a close frame': [
      binaryFrame(hex('88 80 00 00 00 00')),
      binary(hex('88 80 00 00 00 00')),
    ],
    'messages without a byte between others': [
      [textFrame('a'), textFrame(), binaryFrame(), textFrame('b')],
      text('a'),
      text(''),
      binary(''),
      text('b'),
    ],
    'thirty messages in a row': [
      Array.from({ length: 30 }, (_, index) => textFrame(`message ${index}`)),
      ...Array.from({ length: 30 }, (_, index) => text(`message ${index}`)),
    ],
    'and a close frame behind it': [[binaryFrame('a'), clientFrame({ opcode: 8 })], binary('a'), close(1005)],
  }),
  ...unfinished('cut', 'RFC 6455 5.2', {
    'behind the first byte': [textFrame('Hello').subarray(0, 1)],
    'behind the second byte': [textFrame('Hello').subarray(0, 2)],
    'inside the key': [textFrame('Hello').subarray(0, 4)],
    'behind the key': [textFrame('Hello').subarray(0, 6)],
    'inside the payload': [textFrame('Hello').subarray(0, 9)],
    'inside a length of 16 bits': [textFrame(letters(200)).subarray(0, 3)],
    'inside a length of 64 bits': [binaryFrame(high(65_536)).subarray(0, 8)],
    'behind a message': [[textFrame('a'), binaryFrame('b').subarray(0, 6)], text('a')],
    'inside a continuation': [[textFrame('a', false), continuation('bc').subarray(0, 7)]],
    'inside a ping': [clientFrame({ opcode: 9, payload: 'Hello' }).subarray(0, 10)],
    'inside a close frame': [clientFrame({ opcode: 8, payload: hex('03 e8 61 62') }).subarray(0, 9)],
  }),
];

export const framingRows: FrameRow[] = [...masking, ...reserved, ...lengths, ...dataFrames];
