/**
 * How much is let in, as numbers. What clients see of it is in the behaviour tests.
 */
import { describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { Admission, type Verdict } from '../../src/server/admission.ts';

const admission = (settings: Partial<ConstructorParameters<typeof Admission>[0]> = {}, descriptors = 1024) =>
  new Admission({ maxConnections: 1000, limitConcurrency: 0, ...settings }, descriptors);

describe('effectiveMaxConnections', () => {
  const rows: [number, number, number][] = [
    [1000, 4096, 1000],
    [1000, 1024, 924],
    [0, 1024, 924],
    [0, Infinity, Infinity],
    [1_000_000, Infinity, 1_000_000],
    [50, 100, 1],
    [0, 10, 1],
  ];
  for (const [maxConnections, descriptors, expected] of rows) {
    test(`is ${expected} for maxConnections ${maxConnections} and ${descriptors} descriptors`, () => {
      expect(admission({ maxConnections }, descriptors).effectiveMaxConnections).toBe(expected);
    });
  }
});

test('connections over the limit are turned away, and dropped beyond 64 of those', () => {
  const ten = admission({ maxConnections: 10 });
  const verdicts: Record<Verdict, number[]> = { admit: [], turnAway: [], drop: [] };
  for (let open = 0; open < 100; open++) verdicts[ten.judgeConnection(open)].push(open);
  expect([verdicts.admit.length, verdicts.turnAway.length]).toEqual([10, 64]);
  expect([verdicts.turnAway[0], verdicts.drop[0], verdicts.drop.at(-1)]).toEqual([10, 74, 99]);
});

test('requests in hand are counted against limitConcurrency, and 0 is no limit', () => {
  const limited = admission({ limitConcurrency: 2 });
  const admitted = [0, 1, 2, 3, 1].map((count) => {
    limited.requestsInHand = count;
    return limited.admitsRequest();
  });
  expect(admitted).toEqual([true, true, false, false, true]);
  const unlimited = admission({ limitConcurrency: 0 });
  unlimited.requestsInHand = 1_000_000;
  expect(unlimited.admitsRequest()).toBe(true);
});

test('the last eight descriptors say that hardly any are left', () => {
  const few = admission({}, 256);
  expect([247, 248, 255, undefined].map((fd) => few.isLastDescriptor(fd))).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect(admission({}, Infinity).isLastDescriptor(1_000_000)).toBe(false);
});

test('whether descriptors are to be had is tried, and leaves none open', () => {
  const open = (): number => readdirSync('/dev/fd').length;
  const before = open();
  expect([admission().hasDescriptors(), admission().hasDescriptors(20)]).toEqual([true, true]);
  expect(open()).toBe(before);
});
