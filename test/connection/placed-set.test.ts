import { expect, test } from 'bun:test';
import { type Placed, PlacedSet } from '../../src/connection/placed-set.ts';

class Member implements Placed {
  place = -1;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

function filled(...names: string[]): { set: PlacedSet<Member>; members: Member[] } {
  const set = new PlacedSet<Member>();
  const members = names.map((name) => new Member(name));
  for (const member of members) set.add(member);
  return { set, members };
}

const namesIn = (set: PlacedSet<Member>): string =>
  set
    .members()
    .map(({ name }) => name)
    .toSorted()
    .join('');

test('members that leave in any order leave the others', () => {
  for (const leaving of ['abcd', 'dcba', 'bdac', 'cadb']) {
    const { set, members } = filled('a', 'b', 'c', 'd');
    let left = 'abcd';
    for (const name of leaving) {
      set.delete(members.find((member) => member.name === name)!);
      left = left.replace(name, '');
      expect(namesIn(set)).toBe(left);
      expect(set.size).toBe(left.length);
    }
  }
});

test('a member is in it once, however often it is added, and may come back', () => {
  const { set, members } = filled('a', 'b');
  set.add(members[0]!);
  expect(namesIn(set)).toBe('ab');
  set.delete(members[0]!);
  set.delete(members[0]!);
  expect(namesIn(set)).toBe('b');
  set.add(members[0]!);
  expect(namesIn(set)).toBe('ab');
});

test('members may leave while somebody goes through them', () => {
  const { set } = filled('a', 'b', 'c');
  const seen: string[] = [];
  for (const member of set.members()) {
    seen.push(member.name);
    set.delete(member);
  }
  expect(seen.toSorted()).toEqual(['a', 'b', 'c']);
  expect(set.size).toBe(0);
});

test('one that is looked for is found, or none', () => {
  const { set, members } = filled('a', 'b');
  expect(set.find(({ name }) => name === 'b')).toBe(members[1]);
  expect(set.find(({ name }) => name === 'x')).toBeUndefined();
});
