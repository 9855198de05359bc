/**
 * What the C library says of users and groups, next to the files that it reads. Other sources than files are trusted to come through the
 * same calls.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'bun:test';
import {
  findGroupByGid,
  findGroupByName,
  findUserByName,
  findUserByUid,
  parseId,
} from '../../src/os/users.ts';

describe('a user', () => {
  test('is found by name and by number as /etc/passwd has it', () => {
    const entries = lines('/etc/passwd').filter(([, , uid]) => uid !== undefined);
    expect(entries.length).toBeGreaterThan(0);
    for (const [name, , uid, gid, , home, shell] of entries) {
      const user = { name: name!, uid: Number(uid), gid: Number(gid), home: home!, shell: shell! };
      expect(findUserByName(name!)).toEqual(user);
      expect(findUserByUid(Number(uid))?.uid).toBe(Number(uid));
    }
  });

  test('that does not exist is not found', () => {
    expect(findUserByName('no-such-user-here')).toBeUndefined();
    expect(findUserByName('')).toBeUndefined();
    expect(findUserByUid(0x7fff_fff0)).toBeUndefined();
  });
});

describe('a group', () => {
  test('is found by name and by number as /etc/group has it', () => {
    const entries = lines('/etc/group').filter(([, , gid]) => gid !== undefined);
    expect(entries.length).toBeGreaterThan(0);
    for (const [name, , gid] of entries) {
      expect(findGroupByName(name!)).toEqual({ name: name!, gid: Number(gid) });
      expect(findGroupByGid(Number(gid))?.gid).toBe(Number(gid));
    }
  });

  test('that does not exist is not found', () => {
    expect(findGroupByName('no-such-group-here')).toBeUndefined();
    expect(findGroupByGid(0x7fff_fff0)).toBeUndefined();
  });
});

describe('a number for a user or group', () => {
  test.each([
    ['0', 0],
    ['65534', 65534],
    ['4294967294', 4294967294],
  ])('%s is one', (text, id) => {
    expect(parseId(text)).toBe(id);
  });

  // The largest number means "leave as it is" to the kernel.
  test.each(['4294967295', '-1', '', ' 1', '1.5', '0x10', '1e3', 'www-data'])('%p is none', (text) => {
    expect(parseId(text)).toBeUndefined();
  });
});

function lines(path: string): string[][] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
}
