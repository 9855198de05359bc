/** Field blocks that are read without being decoded: what is counted, and how cheap it is to cut them anywhere. */
import { Buffer } from 'node:buffer';
import { expect, test } from 'bun:test';

import { FieldLines } from '../../../src/wire/h2/field-lines.ts';
import { indexed, literal, tableSize } from '../../support/h2/hpack.ts';
import { Random } from '../../support/random.ts';

function readWhole(block: Buffer): { stop: number; count: number; isWhole: boolean } {
  const lines = new FieldLines();
  lines.begin();
  const stop = lines.read(block, 0, block.length);
  return { stop, count: lines.count, isWhole: lines.isWhole };
}

const LINES: readonly Buffer[] = [
  indexed(2),
  indexed(61),
  indexed(500),
  literal('x-a', 'v'),
  literal('x-a', ''),
  literal(4, '/a/long/path?with=a&query'),
  literal(300, 'v'.repeat(300), { form: 'incremental' }),
  literal('x-'.repeat(100), 'v'.repeat(127), { form: 'never', isHuffman: true }),
  literal('x-b', 'v'.repeat(16_500)),
];

test('every form of a field line counts as one', () => {
  for (const line of LINES) expect(readWhole(line)).toEqual({ stop: line.length, count: 1, isWhole: true });
});

test('table size updates in front count as none', () => {
  const block = Buffer.concat([tableSize(0), tableSize(4096), indexed(2)]);
  expect(readWhole(block)).toEqual({ stop: block.length, count: 1, isWhole: true });
});

test('a block that breaks off within a line is not whole', () => {
  for (const line of LINES) {
    const block = Buffer.concat([indexed(2), line]);
    for (let end = 2; end < Math.min(block.length, 700); end++)
      expect({ end, ...readWhole(block.subarray(0, end)) }).toMatchObject({ end, stop: end, isWhole: false });
  }
});

test('blocks of random lines count the same in one piece and in any', () => {
  const random = new Random(7541);
  for (let round = 0; round < 300; round++) {
    const count = random.below(20);
    const block = Buffer.concat(Array.from({ length: count }, () => LINES[random.below(LINES.length)]!));
    const lines = new FieldLines();
    lines.begin();
    for (let at = 0; at < block.length;) {
      const end = Math.min(block.length, at + 1 + random.below(40));
      expect(lines.read(block, at, end)).toBe(end);
      at = end;
    }
    expect({ count: lines.count, isWhole: lines.isWhole }).toEqual({ count, isWhole: true });
  }
});

test('a new block begins with nothing left of the one before', () => {
  const lines = new FieldLines();
  for (const rest of ['00', '000361', '8200016105', 'ff80', '82ff']) {
    lines.begin();
    const broken = Buffer.from(rest, 'hex');
    lines.read(broken, 0, broken.length);
    expect(lines.isWhole).toBe(false);
    lines.begin();
    expect(lines.read(indexed(2), 0, 1)).toBe(1);
    expect({ count: lines.count, isWhole: lines.isWhole }).toEqual({ count: 1, isWhole: true });
  }
});
