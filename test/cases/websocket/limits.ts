/**
 * Frames and messages at, below and above what a server accepts (RFC 6455 section 10.4). Both limits count payload, and
 * both are inclusive. What is too big is refused on the word of its head, with the byte of the length
 * that leaves no value within the limit.
 */
import {
  accepted,
  binary,
  binaryFrame,
  clientFrame,
  closeFrame,
  close,
  continuation,
  fragments,
  type FrameRow,
  letters,
  ping,
  pingFrame,
  refused,
  tableOf,
  text,
  textFrame,
  unfinished,
} from './frame-row.ts';

const RFC = 'RFC 6455 10.4';
const usual = { rfc: RFC, options: { maxWsFrameSize: 1000, maxWsMessageSize: 1500 } };
const tight = { rfc: RFC, options: { maxWsFrameSize: 10, maxWsMessageSize: 15 } };
/** A message is as large as a frame at most. */
const messageFirst = { rfc: RFC, options: { maxWsFrameSize: 2000, maxWsMessageSize: 1500 } };
const equal = { rfc: RFC, options: { maxWsFrameSize: 125, maxWsMessageSize: 125 } };
const in16Bits = { rfc: RFC, options: { maxWsFrameSize: 65_535, maxWsMessageSize: 100_000 } };
const in64Bits = { rfc: RFC, options: { maxWsFrameSize: 65_536, maxWsMessageSize: 100_000 } };

const announced = (length: number | bigint, opcode = 1, fin = true): Uint8Array =>
  clientFrame({ opcode, fin, announcedLength: length });
const whole = (size: number) => [textFrame(letters(size)), text(letters(size))] as const;

const within: FrameRow[] = [
  ...accepted('frame limit 1000', usual, {
    ...tableOf([0, 125, 126, 998, 999, 1000], (size) => [`${size} bytes`, whole(size)]),
    'binary of 1000 bytes': [binaryFrame(new Uint8Array(1000)), binary(new Uint8Array(1000))],
    'a close frame behind 1000 bytes': [
      [binaryFrame(new Uint8Array(1000)), closeFrame()],
      binary(new Uint8Array(1000)),
      close(1005),
    ],
  }),
  ...unfinished('frame limit 1000', usual, { 'only the head of 1000 bytes': [announced(1000)] }),
  ...accepted('message limit 1500', usual, {
    ...tableOf([499, 500], (size) => [
      `1000 and ${size} bytes`,
      [fragments(1, ['x'.repeat(1000), 'y'.repeat(size)]), text('x'.repeat(1000) + 'y'.repeat(size))],
    ]),
    '1500 bytes in fifteen fragments': [
      fragments(
        2,
        Array.from({ length: 15 }, () => letters(100)),
      ),
      binary(letters(100).repeat(15)),
    ],
    '1500 bytes and an empty fragment': [
      fragments(1, [letters(750), letters(750), '']),
      text(letters(750).repeat(2)),
    ],
    'two messages of 1500 bytes': [
      [...fragments(1, [letters(1000), letters(500)]), ...fragments(1, [letters(1000), letters(500)])],
      text(letters(1000) + letters(500)),
      text(letters(1000) + letters(500)),
    ],
    'pings between do not count': [
      [textFrame(letters(1000), false), pingFrame(letters(125)), continuation(letters(500))],
      ping(letters(125)),
      text(letters(1000) + letters(500)),
    ],
    'bytes count, not characters': [fragments(1, ['€'.repeat(300), '€'.repeat(200)]), text('€'.repeat(500))],
  }),
  ...accepted('frame limit 10', tight, {
    'a ping of 125 bytes': [pingFrame(letters(125)), ping(letters(125))],
    'a close frame of 125 bytes': [closeFrame(1000, letters(123)), close(1000, letters(123))],
    '10 bytes': whole(10),
    '10 and 5 bytes': [fragments(1, [letters(10), letters(5)]), text(letters(10) + letters(5))],
  }),
  ...accepted('message limit 1500 and frame limit 2000', messageFirst, { '1500 bytes': whole(1500) }),
  ...accepted('both limits 125', equal, {
    '125 bytes': whole(125),
    '60 and 65 bytes': [fragments(2, [letters(60), letters(65)]), binary(letters(60) + letters(65))],
  }),
  ...accepted('frame limit 65535', in16Bits, { '65535 bytes': whole(65_535) }),
  ...accepted('frame limit 65536', in64Bits, { '65536 bytes': whole(65_536) }),
];

/** A length, and how many bytes of its frame prove that it is above 1000. */
const ABSURD: readonly (readonly [length: bigint, proof: number])[] = [
  [65_536n, 8],
  [2n ** 20n, 8],
  [2n ** 24n, 7],
  [2n ** 31n, 7],
  [2n ** 32n, 6],
  [2n ** 53n, 4],
  [2n ** 53n + 1n, 4],
  [2n ** 62n, 3],
  [2n ** 63n - 1n, 3],
];

const frameTooBig: FrameRow[] = [
  ...refused('frame_too_big', 'frame limit 1000', usual, {
    '1001 bytes': [textFrame(letters(1001)), 4],
    'binary of 1001 bytes': [binaryFrame(new Uint8Array(1001)), 4],
    'only the head of 1001 bytes': [announced(1001), 4],
    'a first fragment of 1001 bytes': [announced(1001, 2, false), 4],
    'a continuation of 1001 bytes': [[textFrame('a', false), announced(1001, 0)], 4],
    '1024 bytes, known from half of the length': [announced(1024), 3],
    '65535 bytes': [announced(65_535), 3],
    '1001 bytes behind a message': [[textFrame('a'), announced(1001)], 4, text('a')],
    '1001 bytes behind a ping': [[pingFrame('p'), announced(1001)], 4, ping('p')],
    ...tableOf(ABSURD, ([length, proof]) => [`${length} bytes`, [announced(length), proof]]),
    ...tableOf(ABSURD, ([length, proof]) => [
      `${length} bytes, as a continuation`,
      [[binaryFrame('a', false), announced(length, 0, false)], proof],
    ]),
  }),
  ...refused('frame_too_big', 'frame limit 10', tight, {
    '11 bytes': [textFrame(letters(11)), 2],
    'only the head of 125 bytes': [announced(125), 2],
    '126 bytes': [announced(126), 4],
    '256 bytes': [announced(256), 3],
    'a continuation of 11 bytes': [[textFrame('', false), announced(11, 0)], 2],
  }),
  ...refused('frame_too_big', 'both limits 125', equal, { '126 bytes': [announced(126), 4] }),
  ...refused('frame_too_big', 'frame limit 65535', in16Bits, { '65536 bytes': [announced(65_536), 8] }),
  ...refused('frame_too_big', 'frame limit 65536', in64Bits, { '65537 bytes': [announced(65_537), 10] }),
];

const messageTooBig: FrameRow[] = [
  ...refused('message_too_big', 'message limit 1500', usual, {
    '1000 and 501 bytes': [fragments(1, [letters(1000), letters(501)]), 4],
    '1000 and 501 bytes, of which the head is there': [
      [binaryFrame(letters(1000), false), announced(501, 0)],
      4,
    ],
    '1500 bytes and one more': [fragments(2, [letters(1000), letters(500), 'x']), 2],
    '1500 bytes and one more, with more to come': [
      [textFrame(letters(1000), false), continuation(letters(500), false), announced(1, 0, false)],
      2,
    ],
    '1400 bytes and 101': [
      [textFrame(letters(1000), false), continuation(letters(400), false), announced(101, 0)],
      2,
    ],
    '1600 bytes in sixteen fragments': [
      fragments(
        2,
        Array.from({ length: 16 }, () => letters(100)),
      ),
      2,
    ],
    '1000 and 1000 bytes, known from half of the length': [
      [textFrame(letters(1000), false), announced(1000, 0)],
      3,
    ],
    '1501 bytes with a ping between': [
      [textFrame(letters(1000), false), pingFrame('p'), announced(501, 0)],
      4,
      ping('p'),
    ],
    'the second message': [
      [...fragments(1, ['a', 'b']), textFrame(letters(1000), false), announced(501, 0)],
      4,
      text('ab'),
    ],
    '1000 characters in 2000 bytes': [fragments(1, ['é'.repeat(500), 'é'.repeat(500)]), 3],
  }),
  ...refused('message_too_big', 'message limit 15', tight, {
    '10 and 6 bytes': [fragments(1, [letters(10), letters(6)]), 2],
    'one byte at a time': [fragments(1, [...'x'.repeat(16)]), 2],
  }),
  ...refused('message_too_big', 'message limit 1500 and frame limit 2000', messageFirst, {
    '1501 bytes in one frame': [textFrame(letters(1501)), 4],
    'only the head of 1501 bytes': [announced(1501, 2), 4],
    '65536 bytes': [announced(65_536), 8],
    '1000 and 501 bytes': [[textFrame(letters(1000), false), announced(501, 0)], 4],
  }),
  ...refused('message_too_big', 'both limits 125', equal, {
    '60 and 66 bytes': [fragments(1, [letters(60), letters(66)]), 2],
  }),
  ...refused('message_too_big', 'message limit 100000', in64Bits, {
    '65536 and 34465 bytes': [[binaryFrame(new Uint8Array(65_536), false), announced(34_465, 0)], 4],
  }),
];

const order: FrameRow[] = refused('reserved_bits', 'a fault before the length', usual, {
  'is the one that counts': [clientFrame({ opcode: 1, rsv2: true, announcedLength: 5000 }), 1],
});

export const limitRows: FrameRow[] = [...within, ...frameTooBig, ...messageTooBig, ...order];
