/**
 * Frames under permessage-deflate (RFC 7692 sections 6, 7.2 and 8): where RSV1 may stand, messages compressed in every way that
 * a client may choose, and what cannot be inflated, or not within the limit, or not to text. A fault of a payload is
 * proved by the end of its message, which is when it is inflated. No context is kept between messages.
 */
import { constants, deflateRawSync, type ZlibOptions } from 'node:zlib';
import { payloadRows } from './deflate-payloads.ts';
import {
  accepted,
  binary,
  binaryFrame,
  clientFrame,
  close,
  closeFrame,
  continuation,
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
  unfinished,
} from './frame-row.ts';

const agreed = { allowsCompression: true };
const framing = { rfc: 'RFC 7692 6.1', options: agreed };
const sending = { rfc: 'RFC 7692 7.2.1', options: agreed };
const receiving = { rfc: 'RFC 7692 7.2.2', options: agreed };
const limited = { rfc: 'RFC 7692 8', options: { ...agreed, maxWsFrameSize: 1000, maxWsMessageSize: 2000 } };

/** The examples of RFC 7692 7.2.3: one block of fixed codes, and an empty message. */
const HELLO = hex('f2 48 cd c9 c9 07 00');
const EMPTY = hex('00');

const compressed = (payload: Uint8Array | string, opcode: 1 | 2 = 1, fin = true): Uint8Array =>
  clientFrame({ opcode, payload, fin, rsv1: true });

/** A compressed message, each piece of its payload in a frame of its own. */
function inFragments(pieces: readonly Uint8Array[], opcode: 1 | 2 = 1): Uint8Array[] {
  return pieces.map((payload, index) =>
    clientFrame({
      opcode: index === 0 ? opcode : 0,
      payload,
      fin: index === pieces.length - 1,
      rsv1: index === 0,
    }),
  );
}

/** The payload that a client with zlib would send. */
function deflate(message: Uint8Array | string, options: ZlibOptions = {}): Uint8Array {
  return deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH, ...options }).subarray(0, -4);
}

const cut = (bytes: Uint8Array, at: number): Uint8Array[] => [bytes.subarray(0, at), bytes.subarray(at)];
const each = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));

const inOrder: FrameRow[] = [
  ...accepted('RSV1', framing, {
    'on a text': [compressed(HELLO), text('Hello')],
    'on a binary': [compressed(HELLO, 2), binary('Hello')],
    'on a text without a byte': [compressed(EMPTY), text('')],
    'on a binary without a byte': [compressed(EMPTY, 2), binary('')],
    'on a frame without a payload': [compressed(''), text('')],
    'on neither of two messages': [[textFrame('a'), binaryFrame('b')], text('a'), binary('b')],
    'on the second of three messages': [
      [textFrame('a'), compressed(HELLO), textFrame('b')],
      text('a'),
      text('Hello'),
      text('b'),
    ],
    'on the first and the last of three': [
      [compressed(HELLO, 2), binaryFrame('b'), compressed(HELLO)],
      binary('Hello'),
      binary('b'),
      text('Hello'),
    ],
    'on none of the fragments of a message': [[textFrame('He', false), continuation('llo')], text('Hello')],
    'absent, where the payload looks compressed': [binaryFrame(HELLO), binary(HELLO)],
  }),
  ...accepted('control frames', framing, {
    'are not compressed': [[pingFrame(HELLO), pongFrame(HELLO)], ping(HELLO), pong(HELLO)],
    'stand between compressed messages': [
      [compressed(HELLO), pingFrame('p'), compressed(HELLO, 2)],
      text('Hello'),
      ping('p'),
      binary('Hello'),
    ],
    'stand between fragments of a compressed message': [
      [...inFragments(cut(HELLO, 3)).slice(0, 1), pingFrame('p'), continuation(HELLO.subarray(3))],
      ping('p'),
      text('Hello'),
    ],
    'close behind a compressed message': [
      [compressed(HELLO), closeFrame(1000, 'bye')],
      text('Hello'),
      close(1000, 'bye'),
    ],
    'close inside a compressed message': [
      [compressed(HELLO.subarray(0, 3), 1, false), closeFrame(1000)],
      close(1000),
    ],
  }),
  ...accepted('fragments', framing, {
    ...tableOf([0, 1, 2, 3, 4, 5, 6, 7], (at) => [
      `cut behind byte ${at}`,
      [inFragments(cut(HELLO, at)), text('Hello')],
    ]),
    'one for each byte': [inFragments(each(HELLO), 2), binary('Hello')],
    'three, all empty': [inFragments([hex(''), hex(''), hex('')]), text('')],
    'with empty ones between': [
      inFragments([hex(''), HELLO.subarray(0, 2), hex(''), HELLO.subarray(2), hex('')]),
      text('Hello'),
    ],
    'of an empty message': [inFragments([EMPTY, hex('')]), text('')],
    'of two messages, one behind the other': [
      [...inFragments(cut(HELLO, 2)), ...inFragments(cut(HELLO, 5), 2)],
      text('Hello'),
      binary('Hello'),
    ],
    'compressed, and then some that are not': [
      [...inFragments(cut(HELLO, 4)), textFrame('a', false), continuation('b')],
      text('Hello'),
      text('ab'),
    ],
  }),
  ...unfinished('fragments', framing, {
    'cut inside the payload': [compressed(HELLO).subarray(0, 9)],
  }),
  ...accepted('fragments', framing, { 'that are not all there': [compressed(HELLO, 1, false)] }),
];

/** Bytes that do not compress and do not repeat. */
function noise(size: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

/** Repeats what stands 200 bytes back, and further and further, up to what only the largest window reaches. */
const FAR = Buffer.concat(
  [200, 400, 900, 1800, 3500, 7500, 15_000, 31_000].flatMap((size) => [noise(size), noise(size)]),
);
const SOME = `${letters(3000)}${'x'.repeat(2000)}${letters(3000)}`;

const WAYS: Record<string, ZlibOptions> = {
  'stored blocks': { level: 0 },
  'the fastest level': { level: 1 },
  'the best level': { level: 9 },
  'fixed codes alone': { strategy: constants.Z_FIXED },
  'Huffman codes alone': { strategy: constants.Z_HUFFMAN_ONLY },
  'run lengths alone': { strategy: constants.Z_RLE },
  'small blocks': { memLevel: 1 },
  'a full flush at the end': { finishFlush: constants.Z_FULL_FLUSH },
};

const NOISE = noise(5000);

const inflated: FrameRow[] = [
  ...accepted(
    'compressed with',
    sending,
    tableOf(Object.entries(WAYS), ([claim, options]) => [
      claim,
      [compressed(deflate(SOME, options)), text(SOME)],
    ]),
  ),
  ...accepted(
    'compressed with',
    { rfc: 'RFC 7692 7.1.2.2', options: agreed },
    tableOf([9, 10, 11, 12, 13, 14, 15], (windowBits) => [
      `a window of ${windowBits} bits`,
      [compressed(deflate(FAR, { windowBits }), 2), binary(FAR)],
    ]),
  ),
  ...accepted('compressed', receiving, {
    'what does not compress': [compressed(deflate(NOISE), 2), binary(NOISE)],
    'a hundred KiB of one byte': [compressed(deflate('a'.repeat(102_400))), text('a'.repeat(102_400))],
    'a character of each length': [compressed(deflate('aé€😀')), text('aé€😀')],
    'a byte order mark': [compressed(deflate('\ufeffa')), text('\ufeffa')],
    'characters cut by fragments and by the compression': [
      inFragments(each(deflate('€😀'.repeat(5), { level: 0 }))),
      text('€😀'.repeat(5)),
    ],
    'binary that is not UTF-8': [compressed(deflate(hex('ff c0 80')), 2), binary(hex('ff c0 80'))],
    'twice the same, each by itself': [
      [compressed(deflate(SOME)), compressed(deflate(SOME))],
      text(SOME),
      text(SOME),
    ],
    'much, and then little, in this order': [
      [compressed(deflate('a'.repeat(300_000))), textFrame('b'), compressed(HELLO), pingFrame('p')],
      text('a'.repeat(300_000)),
      text('b'),
      text('Hello'),
      ping('p'),
    ],
    'blocks of all three types': [
      compressed(
        Buffer.concat([hex('00 02 00 fd ff 61 62'), deflate('cd'), hex('00 00 ff ff'), deflate(SOME)]),
      ),
      text(`abcd${SOME}`),
    ],
  }),
  // The same payloads as the inflater by itself gets, in a frame each.
  ...payloadRows.flatMap(({ name, rfc, payload, message }) => {
    const common = { rfc, options: agreed };
    const bytes = message === undefined ? undefined : Buffer.from(message, 'latin1');
    if (bytes === undefined) {
      return refused('invalid_deflate', 'binary', common, {
        [name]: [compressed(hex(payload), 2), 'its end'],
      });
    }
    return accepted('binary', common, { [name]: [compressed(hex(payload), 2), binary(bytes)] });
  }),
];

/** Reserved bits that no extension has taken, with and without the one that has been. */
const NOT_TAKEN = [
  ['RSV2', { rsv2: true }],
  ['RSV3', { rsv3: true }],
  ['RSV2 and RSV3', { rsv2: true, rsv3: true }],
  ['RSV1 and RSV2', { rsv1: true, rsv2: true }],
  ['RSV1 and RSV3', { rsv1: true, rsv3: true }],
  ['all three', { rsv1: true, rsv2: true, rsv3: true }],
] as const;
const DATA = [
  ['text', 1],
  ['binary', 2],
] as const;
const CONTROL = [
  ['close', 8],
  ['ping', 9],
  ['pong', 10],
] as const;
const BEGUN = compressed(HELLO.subarray(0, 3), 1, false);

const misplaced: FrameRow[] = [
  ...refused('reserved_bits', 'RSV1', framing, {
    'on the last continuation of a compressed message': [
      [BEGUN, clientFrame({ opcode: 0, payload: HELLO.subarray(3), rsv1: true })],
      1,
    ],
    'on another continuation of a compressed message': [
      [BEGUN, clientFrame({ opcode: 0, payload: HELLO.subarray(3), rsv1: true, fin: false })],
      1,
    ],
    'on a continuation alone': [
      [textFrame('a', false), clientFrame({ opcode: 0, payload: HELLO, rsv1: true })],
      1,
    ],
    'on an empty continuation': [[BEGUN, clientFrame({ opcode: 0, rsv1: true })], 1],
    ...tableOf(CONTROL, ([name, opcode]) => [`on a ${name}`, [clientFrame({ opcode, rsv1: true }), 1]]),
    ...tableOf(CONTROL, ([name, opcode]) => [
      `on a ${name} inside a compressed message`,
      [[BEGUN, clientFrame({ opcode, payload: '\x03\x7a', rsv1: true })], 1],
    ]),
    'on a ping behind a compressed message': [
      [compressed(HELLO), clientFrame({ opcode: 9, payload: HELLO, rsv1: true })],
      1,
      text('Hello'),
    ],
  }),
  ...refused(
    'reserved_bits',
    'a bit without a meaning',
    framing,
    tableOf(
      NOT_TAKEN.flatMap(([bits, rsv]) =>
        [...DATA, ...CONTROL].map(([name, opcode]) => ({ bits, rsv, name, opcode })),
      ),
      ({ bits, rsv, name, opcode }) => [
        `${bits} on ${name}`,
        [clientFrame({ opcode, payload: HELLO, ...rsv }), 1],
      ],
    ),
  ),
  ...refused('stray_continuation', 'compressed', framing, {
    'and a continuation behind it': [[compressed(HELLO), continuation('a')], 1, text('Hello')],
  }),
  ...refused('interleaved_message', 'compressed', framing, {
    'inside a compressed message': [[BEGUN, compressed(HELLO)], 1],
    'inside a message that is not': [[textFrame('a', false), compressed(HELLO)], 1],
  }),
  ...refused('unmasked_frame', 'compressed', framing, {
    'without a mask': [clientFrame({ opcode: 1, payload: HELLO, rsv1: true, mask: false }), 2],
  }),
  ...refused('invalid_utf8', 'text beside compressed messages', framing, {
    'that is not UTF-8': [[compressed(HELLO), textFrame(hex('61 ff'))], 8, text('Hello')],
  }),
];

const NOT_TEXT: Record<string, string> = {
  'a byte that is never used': 'ff',
  'an overlong form': '61 c0 af',
  'a surrogate': 'ed a0 80',
  'above U+10FFFF': 'f4 90 80 80',
  'a character that is cut off': '61 e2 82',
};

/** Zeroes that inflate to this many. */
const zeroes = (size: number): Uint8Array => deflate(new Uint8Array(size));

const beyond: FrameRow[] = [
  ...refused(
    'invalid_utf8',
    'inflates to',
    { rfc: 'RFC 6455 8.1', options: agreed },
    {
      ...tableOf(Object.entries(NOT_TEXT), ([claim, bytes]) => [
        claim,
        [compressed(deflate(hex(bytes))), 'its end'],
      ]),
      'a surrogate, in fragments': [inFragments(each(deflate(hex('ed a0 80')))), 'its end'],
      'an overlong form behind 100 KiB': [
        compressed(deflate(Buffer.concat([Buffer.alloc(102_400, 'a'), hex('c0 80')]))),
        'its end',
      ],
      'a stray byte, behind a good message': [
        [compressed(HELLO), compressed(deflate(hex('80')))],
        'its end',
        text('Hello'),
      ],
    },
  ),
  ...refused('invalid_deflate', 'not inflated', receiving, {
    'a match that reaches into the message before': [
      [compressed(HELLO), compressed(hex('f2 00 11 00 00'))],
      'its end',
      text('Hello'),
    ],
    'bad data in a text': [compressed(hex('07')), 'its end'],
    'bad data in the last fragment': [inFragments([HELLO.subarray(0, 5), hex('ff ff ff')]), 'its end'],
    'bad data in the first fragment': [inFragments([hex('ff ff ff'), hex('')]), 'its end'],
    'a payload that ends early, in fragments': [inFragments(cut(HELLO.subarray(0, 4), 2)), 'its end'],
    'bad data behind 100 KiB': [
      compressed(Buffer.concat([deflate('a'.repeat(102_400)), hex('06')]), 2),
      'its end',
    ],
    'text that was not compressed': [compressed('Hello'), 'its end'],
  }),
  ...accepted('limit', limited, {
    '2000 bytes of 2000, from few': [compressed(zeroes(2000), 2), binary(new Uint8Array(2000))],
    '1999 bytes of 2000, from few': [compressed(deflate('a'.repeat(1999))), text('a'.repeat(1999))],
    '2000 bytes of 2000, from fragments': [inFragments(each(zeroes(2000)), 2), binary(new Uint8Array(2000))],
    '1500 and 500 bytes of 2000, the first in a final block': [
      compressed(Buffer.concat([deflateRawSync(new Uint8Array(1500)), zeroes(500)]), 2),
      binary(new Uint8Array(2000)),
    ],
    'two messages of 2000 bytes': [
      [compressed(zeroes(2000), 2), compressed(zeroes(2000), 2)],
      binary(new Uint8Array(2000)),
      binary(new Uint8Array(2000)),
    ],
  }),
  ...refused('message_too_big', 'limit', limited, {
    '2001 bytes of 2000': [compressed(zeroes(2001), 2), 'its end'],
    '2001 bytes of 2000, as text': [compressed(deflate('a'.repeat(2001))), 'its end'],
    '2001 bytes of 2000, from fragments': [inFragments(each(zeroes(2001)), 2), 'its end'],
    '2000 bytes of 2000 in a final block, and one more': [
      compressed(Buffer.concat([deflateRawSync(new Uint8Array(2000)), zeroes(1)]), 2),
      'its end',
    ],
    '1500 and 501 bytes of 2000, the first in a final block': [
      compressed(Buffer.concat([deflateRawSync(new Uint8Array(1500)), zeroes(501)]), 2),
      'its end',
    ],
    'a bomb of 900 KiB': [compressed(zeroes(900 * 1024), 2), 'its end'],
    'a bomb in many blocks': [
      compressed(
        Buffer.concat(Array.from({ length: 40 }, () => Buffer.concat([zeroes(1000), hex('00 00 ff ff')]))),
        2,
      ),
      'its end',
    ],
    'a bomb behind a good message': [
      [compressed(HELLO), compressed(zeroes(100_000), 2)],
      'its end',
      text('Hello'),
    ],
    'more than 2000 bytes before they are inflated': [
      [
        compressed(Buffer.alloc(1000, 1), 2, false),
        continuation(Buffer.alloc(1000, 1), false),
        clientFrame({ opcode: 0, announcedLength: 1 }),
      ],
      2,
    ],
  }),
  ...refused('frame_too_big', 'limit', limited, {
    '1001 bytes before they are inflated': [clientFrame({ opcode: 1, rsv1: true, announcedLength: 1001 }), 4],
  }),
];

export const compressionRows: FrameRow[] = [...inOrder, ...inflated, ...misplaced, ...beyond];
