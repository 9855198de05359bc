import { expect, test } from 'bun:test';
import { editDistance, nearestName } from '../../src/config/nearest-name.ts';

test('the distance counts insertions, deletions, replacements and swapped neighbours', () => {
  const pairs: [string, string, number][] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['port', 'port', 0],
    ['prot', 'port', 1],
    ['por', 'port', 1],
    ['portt', 'port', 1],
    ['part', 'port', 1],
    ['kitten', 'sitting', 3],
  ];
  for (const [a, b, distance] of pairs) expect([a, b, editDistance(a, b)]).toEqual([a, b, distance]);
});

test('a name that begins with the given one is nearest', () => {
  expect(nearestName('--max-c', ['--max-x', '--max-connections'])).toBe('--max-connections');
});

test('of equally near names the first is taken, and of none there is none', () => {
  expect(nearestName('b', ['a', 'c'])).toBe('a');
  expect(nearestName('b', [])).toBeUndefined();
});
