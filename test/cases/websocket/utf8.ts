/**
 * Text (RFC 6455 section 8.1) by the rules of RFC 3629 and of Unicode's table 3-7 of well-formed byte sequences: every
 * kind of sequence at the borders of its range, and every way to be wrong, each found with the byte behind which no
 * well-formed sequence can go on, wherever frames cut it.
 */
import {
  accepted,
  binary,
  binaryFrame,
  clientFrame,
  fragments,
  type FrameRow,
  hex,
  letters,
  ping,
  pingFrame,
  refused,
  tableOf,
  text,
  textFrame,
  continuation,
} from './frame-row.ts';

const RFC = 'RFC 6455 8.1';
const HEAD = 6;

/** Borders of the ranges, code points that are no characters and yet may be encoded, and what software trips over. */
const CODE_POINTS: readonly (readonly [name: string, codePoint: number])[] = [
  ['the first of one byte, NUL', 0x0],
  ['the last of one byte', 0x7f],
  ['the first of two bytes, a control character', 0x80],
  ['the last of two bytes', 0x7ff],
  ['the first of three bytes', 0x800],
  ['the last of three bytes under e0', 0xfff],
  ['the first of three bytes under e1', 0x1000],
  ['the last below the surrogates', 0xd7ff],
  ['the first above the surrogates', 0xe000],
  ['the last for private use', 0xf8ff],
  ['the first noncharacter of a row', 0xfdd0],
  ['the last noncharacter of a row', 0xfdef],
  ['the byte order mark', 0xfeff],
  ['the replacement character', 0xfffd],
  ['the byte order mark swapped, a noncharacter', 0xfffe],
  ['the last of three bytes, a noncharacter', 0xffff],
  ['the first of four bytes', 0x10000],
  ['a noncharacter of plane 1', 0x1fffe],
  ['the last of four bytes under f0', 0x3ffff],
  ['the first of four bytes under f1', 0x40000],
  ['the last of four bytes under f3', 0xfffff],
  ['the first of four bytes under f4', 0x100000],
  ['the last but one of all, a noncharacter', 0x10fffe],
  ['the last of all, a noncharacter', 0x10ffff],
  ['the line separator', 0x2028],
  ['a soft hyphen', 0xad],
];

const TEXTS: Record<string, string> = {
  'a byte order mark in front': '\ufeffabc',
  'two byte order marks, and one in the middle': '\ufeff\ufeffa\ufeffb',
  'combining marks, not composed': 'e\u0301o\u0308\u0323',
  'an emoji of several characters': '👩\u200d👩\u200d👧\u200d👦',
  'scripts of both directions': 'abc\u200f אבג دهو 123',
  'replacement characters of the sender': 'a\ufffd\ufffdb',
  'every length in turn': 'aé€😀'.repeat(40),
  'ASCII and then one other character': `${letters(300)}é`,
  'one other character and then ASCII': `é${letters(300)}`,
};

const CUT = ['é', '€', '😀'];

const valid: FrameRow[] = [
  ...accepted(
    'code point',
    RFC,
    tableOf(CODE_POINTS, ([name, codePoint]) => {
      const character = String.fromCodePoint(codePoint);
      return [name, [textFrame(character), text(character)]];
    }),
  ),
  ...accepted(
    'code point in fragments of one byte',
    RFC,
    tableOf(
      CODE_POINTS.filter(([, codePoint]) => codePoint > 0x7f),
      ([name, codePoint]) => {
        const character = String.fromCodePoint(codePoint);
        return [name, [fragments(1, piecesOf(Buffer.from(`a${character}b`))), text(`a${character}b`)]];
      },
    ),
  ),
  ...accepted(
    'text',
    RFC,
    tableOf(Object.entries(TEXTS), ([claim, value]) => [claim, [textFrame(value), text(value)]]),
  ),
  ...accepted('character cut by a frame', RFC, {
    ...tableOf(
      CUT.flatMap((character) =>
        [...Buffer.from(character).keys()].slice(1).map((at) => ({ character, at })),
      ),
      ({ character, at }) => {
        const bytes = Buffer.from(character);
        const frames = fragments(1, [bytes.subarray(0, at), bytes.subarray(at)]);
        return [`of ${bytes.length} bytes, behind byte ${at}`, [frames, text(character)]];
      },
    ),
    'twice, with a ping and an empty frame between': [
      [
        textFrame(hex('f0'), false),
        pingFrame('p'),
        continuation('', false),
        continuation(hex('9f 98'), false),
        continuation(hex('80')),
      ],
      ping('p'),
      text('😀'),
    ],
    'each in a row of them': [
      fragments(1, [hex('c3'), hex('a9 e2'), hex('82 ac f0 9f'), hex('98 80')]),
      text('é€😀'),
    ],
  }),
];

interface Wrong {
  /** Hexadecimal. */
  readonly bytes: string;
  /** How many of them prove it. */
  readonly proof: number;
}

const wrong = (bytes: string, proof: number): Wrong => ({ bytes, proof });

const MALFORMED: Record<string, Wrong> = {
  'a stray continuation byte, the lowest': wrong('80', 1),
  'a stray continuation byte, the highest': wrong('bf', 1),
  'two stray continuation bytes': wrong('80 bf', 1),
  'a continuation byte too many behind two': wrong('c3 a9 a9', 3),
  'a continuation byte too many behind three': wrong('e2 82 ac ac', 4),
  'a continuation byte too many behind four': wrong('f0 9f 98 80 80', 5),
  'NUL in two bytes': wrong('c0 80', 1),
  'a solidus in two bytes': wrong('c0 af', 1),
  'the highest overlong form of two bytes': wrong('c1 bf', 1),
  'NUL in three bytes': wrong('e0 80 80', 2),
  'a solidus in three bytes': wrong('e0 80 af', 2),
  'the highest overlong form of three bytes': wrong('e0 9f bf', 2),
  'NUL in four bytes': wrong('f0 80 80 80', 2),
  'a solidus in four bytes': wrong('f0 80 80 af', 2),
  'the highest overlong form of four bytes': wrong('f0 8f bf bf', 2),
  'NUL in five bytes': wrong('f8 80 80 80 80', 1),
  'the highest of five bytes': wrong('fb bf bf bf bf', 1),
  'NUL in six bytes': wrong('fc 80 80 80 80 80', 1),
  'the highest of six bytes': wrong('fd bf bf bf bf bf', 1),
  'the byte fe': wrong('fe', 1),
  'the byte ff': wrong('ff', 1),
  'a byte order mark of UTF-16': wrong('fe ff 00 61', 1),
  'the first high surrogate': wrong('ed a0 80', 2),
  'the last high surrogate': wrong('ed af bf', 2),
  'the first low surrogate': wrong('ed b0 80', 2),
  'the last low surrogate': wrong('ed bf bf', 2),
  'a pair of surrogates': wrong('ed a0 bd ed b8 80', 2),
  'a pair of surrogates the wrong way round': wrong('ed b8 80 ed a0 bd', 2),
  'the first above U+10FFFF': wrong('f4 90 80 80', 2),
  'the highest under f4': wrong('f4 bf bf bf', 2),
  'the first under f5': wrong('f5 80 80 80', 1),
  'the highest of four bytes': wrong('f7 bf bf bf', 1),
  'two bytes, broken off by a letter': wrong('c3 61', 2),
  'three bytes, broken off behind one': wrong('e2 61', 2),
  'three bytes, broken off behind two': wrong('e2 82 61', 3),
  'four bytes, broken off behind one': wrong('f0 61', 2),
  'four bytes, broken off behind two': wrong('f0 9f 61', 3),
  'four bytes, broken off behind three': wrong('f0 9f 98 61', 4),
  'two bytes, broken off by a lead byte': wrong('c3 c3 a9', 2),
  'three bytes, broken off by a lead byte': wrong('e2 82 e2 82 ac', 3),
  'four bytes, broken off by NUL': wrong('f0 9f 98 00', 4),
  'Latin-1': wrong('67 72 f6 df 65', 3),
};

const CUT_SHORT: Record<string, string> = {
  'in a character of two bytes': 'c3',
  'behind one byte of three': 'e2',
  'behind two bytes of three': 'e2 82',
  'behind one byte of four': 'f0',
  'behind two bytes of four': 'f0 9f',
  'behind three bytes of four': 'f0 9f 98',
  'behind a character and a half': 'e2 82 ac e2 82',
};

const invalid: FrameRow[] = [
  ...refused(
    'invalid_utf8',
    'malformed',
    RFC,
    tableOf(Object.entries(MALFORMED), ([claim, { bytes, proof }]) => [
      claim,
      [textFrame(hex(bytes)), HEAD + proof],
    ]),
  ),
  ...refused(
    'invalid_utf8',
    'malformed behind other text, in a frame that is not complete',
    RFC,
    tableOf(Object.entries(MALFORMED), ([claim, { bytes, proof }]) => {
      const payload = Buffer.concat([Buffer.from('größe €'), hex(bytes)]);
      const frame = clientFrame({ opcode: 1, payload, announcedLength: 100 });
      return [claim, [frame, HEAD + payload.length - hex(bytes).length + proof]];
    }),
  ),
  ...refused(
    'invalid_utf8',
    'malformed in fragments of one byte, the message not complete',
    RFC,
    tableOf(Object.entries(MALFORMED), ([claim, { bytes, proof }]) => {
      const pieces = piecesOf(hex(bytes)).slice(0, proof);
      const frames = pieces.map((payload, index) =>
        clientFrame({ opcode: index === 0 ? 1 : 0, payload, fin: false }),
      );
      return [claim, [frames, 'its end']];
    }),
  ),
  ...refused('invalid_utf8', 'message ends', RFC, {
    ...tableOf(Object.entries(CUT_SHORT), ([claim, bytes]) => [claim, [textFrame(hex(bytes)), 'its end']]),
    ...tableOf(Object.entries(CUT_SHORT), ([claim, bytes]) => [
      `${claim}, in fragments of one byte`,
      [fragments(1, piecesOf(hex(bytes))), 'its end'],
    ]),
    ...tableOf(Object.entries(CUT_SHORT), ([claim, bytes]) => [
      `${claim}, with an empty frame`,
      [fragments(1, [hex(bytes), '']), HEAD],
    ]),
  }),
  ...refused('invalid_utf8', 'malformed', RFC, {
    'behind 1000 bytes of ASCII': [
      textFrame(Buffer.concat([Buffer.from(letters(1000)), hex('ff 61')])),
      8 + 1001,
    ],
    'behind 1000 bytes of others': [
      textFrame(Buffer.concat([Buffer.from('é'.repeat(500)), hex('ed a0 80')])),
      8 + 1002,
    ],
    'in the first byte of a long text': [
      textFrame(Buffer.concat([hex('80'), Buffer.from(letters(1000))])),
      8 + 1,
    ],
    'behind a good message': [[textFrame('é'), textFrame(hex('61 80'))], HEAD + 2, text('é')],
    'behind a good fragment and a ping': [
      [textFrame('é', false), pingFrame('p'), continuation(hex('61 80 61'))],
      HEAD + 2,
      ping('p'),
    ],
    'in a fragment that is not the last': [
      [textFrame('a', false), continuation(hex('62 c0 62'), false)],
      HEAD + 2,
    ],
    'across a ping': [
      [textFrame(hex('e2 82'), false), pingFrame('p'), continuation('a')],
      HEAD + 1,
      ping('p'),
    ],
    'across an empty fragment': [
      [textFrame(hex('f0 9f'), false), continuation('', false), continuation(hex('98 c0'), false)],
      HEAD + 2,
    ],
  }),
];

const notText: FrameRow[] = accepted('no text', 'RFC 6455 5.6', {
  ...tableOf(['80', 'c0 af', 'ed a0 80', 'f4 90 80 80', 'e2 82', 'ff'], (bytes) => [
    `binary of ${bytes}`,
    [binaryFrame(hex(bytes)), binary(hex(bytes))],
  ]),
  'binary in fragments that are no text': [
    fragments(2, [hex('e2 82'), hex('c0'), hex('ed a0 80')]),
    binary(hex('e2 82 c0 ed a0 80')),
  ],
  'binary that is no text, and then text': [
    [binaryFrame(hex('c3')), textFrame('é')],
    binary(hex('c3')),
    text('é'),
  ],
});

function piecesOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

export const utf8Rows: FrameRow[] = [...valid, ...invalid, ...notText];
