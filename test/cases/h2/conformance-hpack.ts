/** Conformance rows: field blocks (RFC 7541). */
import { Buffer } from 'node:buffer';
import { CODE, headersFrame } from '../../support/h2/frames.ts';
import {
  type Field,
  indexed,
  integer,
  literal,
  plainBlock,
  stringLiteral,
  tableSize,
} from '../../support/h2/hpack.ts';
import { END_OF_STRING, huffmanBits, packBits } from '../../support/h2/huffman.ts';
import {
  alike,
  connectionError,
  type ConformanceRow,
  described,
  type Expected,
  PATH,
  request,
  rows,
  type Step,
} from './conformance-row.ts';

const DESCRIBE = plainBlock(request({ path: PATH.describe }));
const broken = connectionError(CODE.compressionError);
const kept = (name: string, value: string): Buffer => literal(name, value, { form: 'incremental' });

/** A request with more in its block behind its pseudo-header fields. */
function block(stream: number, ...parts: Buffer[]): Buffer {
  return headersFrame(stream, Buffer.concat([DESCRIBE, ...parts]), { endStream: true });
}

/** The same, with something in front. */
function behind(first: Buffer, ...parts: Buffer[]): Buffer {
  return headersFrame(1, Buffer.concat([first, DESCRIBE, ...parts]), { endStream: true });
}

/** What the application sees of a request on stream 1. */
const sees = (...fields: Field[]): Expected => described(1, {}, ...fields);
const sees3 = (...fields: Field[]): Expected => described(3, {}, ...fields);
/** A string literal of raw Huffman bits. */
const huffman = (content: Buffer): Buffer => Buffer.concat([integer(content.length, 7, 0x80), content]);
/** A literal field named `x-a` whose value is these bytes. */
const valued = (value: Buffer): Buffer => Buffer.concat([Buffer.of(0), stringLiteral('x-a'), value]);

const tables = rows('RFC 7541 2.3.3', 'an index', {
  ...alike(broken, {
    'right behind the static table, the dynamic one empty': block(1, indexed(62)),
    'far behind both tables': block(1, indexed(5000)),
    'one behind the dynamic table': [block(1, kept('x-a', '1'), indexed(63))],
    'of a name, behind both tables': block(1, literal(62, 'x')),
    'of a name to be indexed, behind both tables': block(1, literal(70, 'x', { form: 'incremental' })),
    'of a name never to be indexed, behind both tables': block(1, literal(70, 'x', { form: 'never' })),
  }),
  'of the newest entry is 62': [
    block(1, kept('x-a', '1'), kept('x-b', '2'), indexed(62)),
    sees(['x-b', '2'], ['x-b', '2']),
  ],
  'of the entry before is 63': [
    block(1, kept('x-a', '1'), kept('x-b', '2'), indexed(63)),
    sees(['x-a', '1'], ['x-a', '1']),
  ],
  'of a name in the dynamic table': [
    block(1, kept('x-a', '1'), literal(62, '2')),
    sees(['x-a', '1'], ['x-a', '2']),
  ],
  'of an entry without a value in the static table': [block(1, indexed(19)), sees(['accept', ''])],
  'of the last entry in the static table': [block(1, indexed(61)), sees(['www-authenticate', ''])],
  'may mean the same field twice (2.3.2)': [
    block(1, kept('x-a', '1'), kept('x-a', '1'), indexed(63)),
    sees(['x-a', '1'], ['x-a', '1'], ['x-a', '1']),
  ],
});

/** 4096 bytes hold one of these and no second. */
const half = 'x'.repeat(2500);
const eviction = rows('RFC 7541 4.4', 'the dynamic table', {
  'drops its oldest entry for a new one': [
    [block(1, kept('x-a', half), kept('x-b', half)), block(3, indexed(62))],
    sees3(['x-b', half]),
  ],
  'has forgotten what it dropped': [
    [block(1, kept('x-a', half), kept('x-b', half)), block(3, indexed(63))],
    broken,
  ],
  'is emptied by an entry larger than itself': [
    [block(1, kept('x-a', '1'), kept('x-b', 'y'.repeat(4096))), block(3, indexed(62))],
    broken,
  ],
  'is not changed by literals without indexing (6.2.2)': [
    [block(1, literal('x-a', '1')), block(3, indexed(62))],
    broken,
  ],
  'is not changed by literals never indexed (6.2.3)': [
    [block(1, literal('x-a', '1', { form: 'never' })), block(3, indexed(62))],
    broken,
  ],
  'takes an entry of exactly its size (4.1)': [
    [block(1, kept('x-a', 'z'.repeat(4096 - 32 - 3))), block(3, indexed(62))],
    sees3(['x-a', 'z'.repeat(4096 - 32 - 3)]),
  ],
  'refuses an entry that is one byte larger (4.1)': [
    [block(1, kept('x-a', 'z'.repeat(4096 - 32 - 2))), block(3, indexed(62))],
    broken,
  ],
});

const sizeUpdates = rows('RFC 7541 4.2, 6.3', 'a table size update', {
  ...alike(broken, {
    'behind a field': block(1, tableSize(0)),
    // node:http2 takes an update behind a field with incremental indexing (Bun 1.4.5).
    'between fields': block(1, kept('x-a', '1'), tableSize(100), kept('x-b', '2')),
    'above the limit': behind(tableSize(4097)),
    'far above the limit': behind(tableSize(0x7fff_ffff)),
    'to 0 empties the table': [
      block(1, kept('x-a', '1')),
      headersFrame(3, Buffer.concat([tableSize(0), DESCRIBE, indexed(62)]), { endStream: true }),
    ],
    'to less drops what no longer fits': [
      block(1, kept('x-a', '1'), kept('x-b', half)),
      headersFrame(3, Buffer.concat([tableSize(1000), DESCRIBE, indexed(62)]), { endStream: true }),
    ],
    'to 0, and no entry fits': behind(tableSize(0), kept('x-a', '1'), indexed(62)),
  }),
  'in front of a block': [
    behind(tableSize(100), kept('x-a', '1'), indexed(62)),
    sees(['x-a', '1'], ['x-a', '1']),
  ],
  'to the limit': [behind(tableSize(4096), kept('x-a', '1')), sees(['x-a', '1'])],
  'two in front of a block': [
    behind(Buffer.concat([tableSize(0), tableSize(4096)]), kept('x-a', '1'), indexed(62)),
    sees(['x-a', '1'], ['x-a', '1']),
  ],
  'two in front of a block empty the table': [
    [
      block(1, kept('x-a', '1')),
      headersFrame(3, Buffer.concat([tableSize(0), tableSize(4096), DESCRIBE, indexed(62)]), {
        endStream: true,
      }),
    ],
    broken,
  ],
});

const integers = rows('RFC 7541 5.1', 'an integer', {
  'longer than it need be': [
    headersFrame(
      1,
      Buffer.concat([
        DESCRIBE,
        integer(61, 7, 0x80),
        Buffer.of(0),
        stringLiteral('x-a'),
        integer(127, 7, 0, 2),
        Buffer.alloc(127, 'v'),
      ]),
      { endStream: true },
    ),
    sees(['x-a', 'v'.repeat(127)]),
  ],
  ...alike(broken, {
    'beyond 32 bits': block(1, Buffer.from('ffffffffffff7f', 'hex')),
    'without an end in the block': block(1, Buffer.from('ff808080', 'hex')),
    'of a string length beyond 32 bits': block(1, Buffer.from('00037f2d617fffffffffffff7f', 'hex')),
    'of hundreds of bytes': block(1, Buffer.concat([Buffer.of(0xff), Buffer.alloc(300, 0x80), Buffer.of(0)])),
  }),
});

const strings = rows('RFC 7541 5.2', 'a string', {
  ...alike(broken, {
    'longer than the block': block(
      1,
      Buffer.concat([Buffer.of(0), stringLiteral('x-a'), Buffer.of(20), Buffer.from('short')]),
    ),
    'whose name is longer than the block': block(1, Buffer.from('0020616263', 'hex')),
    // node:http2 takes the end of the block for an empty value (Bun 1.4.5).
    'without a value': block(1, Buffer.concat([Buffer.of(0), stringLiteral('x-a')])),
    'in Huffman code, with EOS': block(1, valued(huffman(packBits(huffmanBits([END_OF_STRING]))))),
    'in Huffman code, with EOS in its middle': block(
      1,
      valued(huffman(packBits(huffmanBits([97, END_OF_STRING, 98])))),
    ),
    'in Huffman code, padded with zeros': block(1, valued(huffman(packBits(huffmanBits([97]), '0')))),
    'in Huffman code, padded with more than 7 bits': block(
      1,
      valued(huffman(Buffer.concat([packBits(huffmanBits([97])), Buffer.of(0xff)]))),
    ),
    'in Huffman code, of nothing but padding': block(1, valued(huffman(Buffer.of(0xff)))),
    'of a name in Huffman code, padded with zeros': block(
      1,
      Buffer.concat([Buffer.of(0), huffman(packBits(huffmanBits([97]), '0')), stringLiteral('v')]),
    ),
  }),
  'in Huffman code': [
    block(1, literal('x-huffman', 'Hello, World! 0123', { isHuffman: true })),
    sees(['x-huffman', 'Hello, World! 0123']),
  ],
  'in Huffman code, of rare bytes': [
    block(1, literal('x-a', '\x80\xff<>\\^{}', { isHuffman: true })),
    sees(['x-a', '\x80\xff<>\\^{}']),
  ],
  'in Huffman code, empty': [block(1, valued(huffman(Buffer.alloc(0)))), sees(['x-a', ''])],
});

/** Every form of a literal with a new name and with an indexed one, plain and in Huffman code. */
const LITERALS: Record<string, [Step, Expected]> = Object.fromEntries(
  (['incremental', 'plain', 'never'] as const).flatMap((form) =>
    [false, true].flatMap((isHuffman): [string, [Step, Expected]][] => {
      const coded = isHuffman ? ', in Huffman code' : '';
      return [
        [
          `${form}, new name${coded}`,
          [block(1, literal('x-a', 'v', { form, isHuffman })), sees(['x-a', 'v'])],
        ],
        [
          `${form}, indexed name${coded}`,
          [block(1, literal(19, 'v/v', { form, isHuffman })), sees(['accept', 'v/v'])],
        ],
      ];
    }),
  ),
);

const fields = rows('RFC 7541 6.1', 'an indexed field', {
  'of index 0': [block(1, indexed(0)), broken],
  'makes a whole request': [
    headersFrame(1, Buffer.concat([indexed(2), indexed(6), literal(1, 'test'), literal(4, PATH.describe)]), {
      endStream: true,
    }),
    sees(['host', 'test']),
  ],
});

const forms = rows('RFC 7541 6.2', 'a literal field', {
  ...LITERALS,
  'with an empty value': [block(1, literal('x-a', '')), sees(['x-a', ''])],
  'kept across requests': [
    [block(1, kept('x-a', '1')), block(3, indexed(62), literal(62, '2'))],
    sees3(['x-a', '1'], ['x-a', '2']),
  ],
});

export const hpackRows: ConformanceRow[] = [
  ...tables,
  ...eviction,
  ...sizeUpdates,
  ...integers,
  ...strings,
  ...fields,
  ...forms,
];
