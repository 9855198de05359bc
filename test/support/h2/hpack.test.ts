/**
 * The tests' own HPACK against the examples of RFC 7541 Appendix C, byte for byte both ways, and against what the RFC
 * says must be refused.
 */
import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'bun:test';
import { STATIC_TABLE, type Field } from './hpack-tables.ts';
import {
  HpackDecoder,
  HpackEncoder,
  indexed,
  integer,
  literal,
  plainBlock,
  stringLiteral,
  tableSize,
} from './hpack.ts';
import { END_OF_STRING, huffmanBits, huffmanDecode, huffmanEncode, packBits } from './huffman.ts';

const DATE = 'Mon, 21 Oct 2013 20:13:21 GMT';
const LATER = 'Mon, 21 Oct 2013 20:13:22 GMT';
const COOKIE = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';

const REQUESTS: readonly Field[][] = [
  [':method GET', ':scheme http', ':path /', ':authority www.example.com'],
  [':method GET', ':scheme http', ':path /', ':authority www.example.com', 'cache-control no-cache'],
  [
    ':method GET',
    ':scheme https',
    ':path /index.html',
    ':authority www.example.com',
    'custom-key custom-value',
  ],
].map((lines) => lines.map(toField));

const RESPONSES: readonly Field[][] = [
  [':status 302', 'cache-control private', `date ${DATE}`, 'location https://www.example.com'],
  [':status 307', 'cache-control private', `date ${DATE}`, 'location https://www.example.com'],
  [
    ':status 200',
    'cache-control private',
    `date ${LATER}`,
    'location https://www.example.com',
    'content-encoding gzip',
    `set-cookie ${COOKIE}`,
  ],
].map((lines) => lines.map(toField));

function toField(line: string): Field {
  const space = line.indexOf(' ');
  return [line.slice(0, space), line.slice(space + 1)];
}

/** Each with the blocks of one connection, and what the dynamic table holds behind each. */
const EXAMPLES = [
  {
    name: 'C.3 requests without Huffman coding',
    isHuffman: false,
    tableSize: 4096,
    lists: REQUESTS,
    blocks: [
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ],
    sizes: [57, 110, 164],
  },
  {
    name: 'C.4 requests with Huffman coding',
    isHuffman: true,
    tableSize: 4096,
    lists: REQUESTS,
    blocks: [
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      '828684be5886a8eb10649cbf',
      '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
    ],
    sizes: [57, 110, 164],
  },
  {
    name: 'C.5 responses without Huffman coding, with eviction',
    isHuffman: false,
    tableSize: 256,
    lists: RESPONSES,
    blocks: [
      '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e176874' +
        '7470733a2f2f7777772e6578616d706c652e636f6d',
      '4803333037c1c0bf',
      '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d415344' +
        '4a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
    ],
    sizes: [222, 222, 215],
  },
  {
    name: 'C.6 responses with Huffman coding, with eviction',
    isHuffman: true,
    tableSize: 256,
    lists: RESPONSES,
    blocks: [
      '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9' +
        'ae82ae43d3',
      '4883640effc1c0bf',
      '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b39' +
        '60d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    ],
    sizes: [222, 222, 215],
  },
];

describe('RFC 7541 Appendix C', () => {
  test('C.1 integers', () => {
    expect(integer(10, 5).toString('hex')).toBe('0a');
    expect(integer(1337, 5).toString('hex')).toBe('1f9a0a');
    expect(integer(42, 8).toString('hex')).toBe('2a');
  });

  test('C.2 single fields', () => {
    const custom = literal('custom-key', 'custom-header', { form: 'incremental' });
    expect(custom.toString('hex')).toBe('400a637573746f6d2d6b65790d637573746f6d2d686561646572');
    expect(literal(4, '/sample/path').toString('hex')).toBe('040c2f73616d706c652f70617468');
    const secret = literal('password', 'secret', { form: 'never' });
    expect(secret.toString('hex')).toBe('100870617373776f726406736563726574');
    expect(indexed(2).toString('hex')).toBe('82');
    const decoder = new HpackDecoder();
    expect(decoder.decode(Buffer.concat([custom, literal(4, '/sample/path'), secret, indexed(2)]))).toEqual([
      ['custom-key', 'custom-header'],
      [':path', '/sample/path'],
      ['password', 'secret'],
      [':method', 'GET'],
    ]);
    expect(decoder.table.entries).toEqual([['custom-key', 'custom-header']]);
    expect(decoder.table.size).toBe(55);
  });

  for (const { name, isHuffman, tableSize, lists, blocks, sizes } of EXAMPLES) {
    test(name, () => {
      const encoder = new HpackEncoder({ isHuffman });
      const decoder = new HpackDecoder(tableSize);
      encoder.table.resize(tableSize);
      lists.forEach((list, at) => {
        expect(encoder.encode(list).toString('hex')).toBe(blocks[at]!);
        expect(decoder.decode(Buffer.from(blocks[at]!, 'hex'))).toEqual(list);
        expect(decoder.table.size).toBe(sizes[at]!);
        expect(encoder.table.entries).toEqual(decoder.table.entries);
      });
    });
  }
});

describe('the static table', () => {
  test('has 61 entries, some of them known by their index', () => {
    expect(STATIC_TABLE.length).toBe(61);
    expect([14, 16, 28, 38, 61].map((index) => STATIC_TABLE[index - 1]!.join(' '))).toEqual([
      ':status 500',
      'accept-encoding gzip, deflate',
      'content-length ',
      'host ',
      'www-authenticate ',
    ]);
  });
});

describe('Huffman strings', () => {
  test('every byte comes back', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(huffmanDecode(huffmanEncode(all))).toEqual(all);
  });

  test('wrong padding and EOS are refused (section 5.2)', () => {
    expect(huffmanDecode(packBits(huffmanBits(Buffer.from('a')), '0'))).toContain('not the beginning of EOS');
    expect(huffmanDecode(Buffer.concat([huffmanEncode(Buffer.from('a')), Buffer.of(0xff)]))).toContain(
      'longer',
    );
    expect(huffmanDecode(packBits(huffmanBits([END_OF_STRING])))).toContain('EOS');
  });
});

describe('the decoder refuses', () => {
  const REFUSED: Record<string, [block: Buffer, reason: string]> = {
    'index 0 (section 6.1)': [indexed(0), 'index 0'],
    'an index behind both tables (section 2.3.3)': [indexed(62), 'index 62'],
    'a name index behind both tables (section 2.3.3)': [literal(70, 'x'), 'index 70'],
    'a size update behind a field (section 4.2)': [
      Buffer.concat([indexed(2), tableSize(0)]),
      'behind a field',
    ],
    'a size update above the limit (section 6.3)': [tableSize(4097), 'above the limit'],
    'a string that is cut (section 5.2)': [Buffer.of(0, 5, 0x61), 'longer than the block'],
    'an integer without its end (section 5.1)': [Buffer.of(0xff, 0x80), 'cut short'],
    'an integer that is too large (section 5.1)': [Buffer.from('ffffffffffffff7f', 'hex'), 'too large'],
  };
  for (const [name, [block, reason]] of Object.entries(REFUSED)) {
    test(name, () => expect(() => new HpackDecoder().decode(block)).toThrow(reason));
  }

  test('a block without the size update that a lower limit asks for (section 4.2)', () => {
    const decoder = new HpackDecoder();
    decoder.limit(100);
    expect(() => decoder.decode(indexed(2))).toThrow('missing');
    expect(decoder.decode(Buffer.concat([tableSize(100), indexed(2)]))).toEqual([[':method', 'GET']]);
  });
});

describe('the encoder', () => {
  test('announces a smaller table, and drops what no longer fits (section 4.2)', () => {
    const encoder = new HpackEncoder();
    encoder.encode([['x-a', '1']]);
    encoder.limit(0);
    expect(encoder.encode([[':method', 'GET']]).toString('hex')).toBe('2082');
    expect(encoder.table.entries).toEqual([]);
  });

  test('integers may be longer than they need be (section 5.1)', () => {
    expect(integer(31, 5, 0, 2).toString('hex')).toBe('1f808000');
    expect(stringLiteral('a').toString('hex')).toBe('0161');
    expect(new HpackDecoder().decode(plainBlock([['x', 'y']]))).toEqual([['x', 'y']]);
  });
});
