/**
 * Close frames (RFC 6455 sections 5.5.1, 7.1.5, 7.1.6 and 7.4, and the registry of codes that 7.4.2 founded). A code is a
 * value of two bytes and is judged when both are there; a reason is judged byte by byte, as text is.
 */
import {
  accepted,
  type AcceptTable,
  binary,
  binaryFrame,
  clientFrame,
  close,
  closeFrame,
  type FrameRow,
  hex,
  letters,
  pingFrame,
  refused,
  tableOf,
  text,
  textFrame,
} from './frame-row.ts';

const SENDABLE = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4998,
  4999,
];
/** Never sent (1005, 1006, 1015), reserved without a meaning (1004), not registered, or outside of all ranges. */
const NOT_SENDABLE = [
  0, 1, 255, 256, 999, 1004, 1005, 1006, 1015, 1016, 1099, 1100, 1999, 2000, 2998, 2999, 5000, 5001, 10_000,
  32_768, 65_535,
];
const HEAD = 6;
const CODE = 2;

const REASONS: Record<string, string> = {
  'of one byte': 'x',
  'of 122 bytes': letters(122),
  'of 123 bytes': letters(123),
  'of 123 bytes of three each': '€'.repeat(41),
  'of 122 bytes and a character of two': `${letters(121)}é`,
  'of characters of every length': 'aé€😀',
  'with a byte order mark': '\ufeffa',
  'with NUL': 'a\0b',
  'with line ends': 'a\r\nb',
  'of noncharacters': '\ufffe\uffff\ufdd0',
  'of the last code point': '\u{10ffff}',
};

/** What stands behind a close frame is not read, be it what it may. */
const BEHIND: Record<string, Uint8Array> = {
  'a message': textFrame('too late'),
  'another close frame': closeFrame(1001, 'again'),
  'a ping': pingFrame('too late'),
  'a reserved opcode': clientFrame({ opcode: 3 }),
  'an unmasked frame': clientFrame({ opcode: 1, payload: 'a', mask: false }),
  'half a frame': textFrame('too late').subarray(0, 9),
  'bytes that are no frame': hex('ff ff ff ff ff ff'),
};

const withReason: AcceptTable = tableOf(SENDABLE, (code) => [
  `${code} with a reason`,
  [closeFrame(code, 'because'), close(code, 'because')],
]);

const inOrder: FrameRow[] = [
  ...accepted('code', 'RFC 6455 7.4', {
    none: [closeFrame(), close(1005)],
    ...tableOf(SENDABLE, (code) => [`${code} alone`, [closeFrame(code), close(code)]]),
    ...withReason,
  }),
  ...accepted(
    'reason',
    'RFC 6455 7.1.6',
    tableOf(Object.entries(REASONS), ([claim, reason]) => [
      claim,
      [closeFrame(1000, reason), close(1000, reason)],
    ]),
  ),
  ...accepted(
    'behind the close frame',
    'RFC 6455 5.5.1',
    tableOf(Object.entries(BEHIND), ([claim, bytes]) => [
      claim,
      [[closeFrame(1000, 'bye'), bytes], close(1000, 'bye')],
    ]),
  ),
  ...accepted('close', 'RFC 6455 7.1', {
    'behind a text': [[textFrame('a'), closeFrame(1000)], text('a'), close(1000)],
    'behind a binary and a text': [
      [binaryFrame('a'), textFrame('b'), closeFrame()],
      binary('a'),
      text('b'),
      close(1005),
    ],
    'with a mask of ones': [
      clientFrame({ opcode: 8, payload: hex('03 e8 6f 6b'), mask: [255, 255, 255, 255] }),
      close(1000, 'ok'),
    ],
  }),
];

/** With how many bytes of it are enough to know that it is not UTF-8. */
const NOT_UTF8: Record<string, readonly [bytes: string, proof: number]> = {
  'a stray continuation byte': ['80', 1],
  'a byte that is never used': ['ff 61', 1],
  'an overlong form': ['61 c0 af', 2],
  'an overlong form of three bytes': ['e0 80 af', 2],
  'an overlong form of four bytes': ['f0 80 80 af', 2],
  'a surrogate': ['61 62 ed a0 80 63', 4],
  'above U+10FFFF': ['f4 90 80 80', 2],
  'a character broken off by a letter': ['e2 82 61 62', 3],
  'invalid at its last byte': [`${'61'.repeat(122)} ff`, 123],
  'invalid behind a long valid part': [`${'c3 a9 '.repeat(50)} 61 ff 61`, 102],
  'cut inside a character of two bytes': ['61 c3', 2],
  'cut inside a character of three bytes': ['61 e2 82', 3],
  'cut inside a character of four bytes': ['f0 9f 98', 3],
  'cut after 122 bytes and a half character': [`${'61'.repeat(122)} c3`, 123],
};

const outOfOrder: FrameRow[] = [
  ...refused('close_code', 'code', 'RFC 6455 7.4', {
    ...tableOf(NOT_SENDABLE, (code) => [`${code} alone`, [closeFrame(code), HEAD + CODE]]),
    ...tableOf(NOT_SENDABLE, (code) => [`${code} with a reason`, [closeFrame(code, 'because'), HEAD + CODE]]),
    '1005 behind a message': [[textFrame('a'), closeFrame(1005)], HEAD + CODE, text('a')],
    '999 with a reason that is not UTF-8': [closeFrame(999, hex('ff')), HEAD + CODE],
    '1006 inside a message': [[textFrame('a', false), closeFrame(1006)], HEAD + CODE],
  }),
  ...refused('close_length', 'code', 'RFC 6455 5.5.1', {
    'of one byte': [clientFrame({ opcode: 8, payload: hex('03') }), 2],
    'of one byte, behind a message': [
      [textFrame('a'), clientFrame({ opcode: 8, payload: hex('03') })],
      2,
      text('a'),
    ],
    'of one byte, which has not come': [clientFrame({ opcode: 8, announcedLength: 1 }), 2],
  }),
  ...refused('control_too_long', 'reason', 'RFC 6455 5.5', {
    'of 124 bytes': [closeFrame(1000, letters(124)), 2],
    'of 1000 bytes': [closeFrame(1000, letters(1000)), 2],
  }),
  ...refused(
    'invalid_close_reason',
    'reason',
    'RFC 6455 8.1',
    tableOf(Object.entries(NOT_UTF8), ([claim, [bytes, proof]]) => [
      claim,
      [closeFrame(1000, hex(bytes)), HEAD + CODE + proof],
    ]),
  ),
];

export const closeRows: FrameRow[] = [...inOrder, ...outOfOrder];
