/**
 * What waits for the end of a turn of the event loop.
 */
import { expect, test } from 'bun:test';
import { atTurnEnd, type TurnMember } from '../../src/connection/turn-end.ts';
import { afterMicrotasks } from '../support/settled.ts';

/** Writes its name down when its turn has ended. */
function member(name: string, seen: string[], then?: () => void): TurnMember {
  return {
    turnEnded() {
      seen.push(name);
      then?.();
    },
  };
}

test('members are told at the end of the turn, in order, after the promises of that turn', async () => {
  const seen: string[] = [];
  atTurnEnd(member('first', seen));
  atTurnEnd(member('second', seen));
  seen.push('now');
  await Promise.resolve();
  seen.push('promise');
  await afterMicrotasks();
  expect(seen).toEqual(['now', 'promise', 'first', 'second']);
});

test('nobody is told twice, and the next turn has members of its own', async () => {
  const seen: string[] = [];
  atTurnEnd(member('one', seen));
  await afterMicrotasks();
  atTurnEnd(member('two', seen));
  await afterMicrotasks();
  await afterMicrotasks();
  expect(seen).toEqual(['one', 'two']);
});

test('who comes while others are told waits for the next turn', async () => {
  const seen: string[] = [];
  atTurnEnd(member('outer', seen, () => atTurnEnd(member('inner', seen))));
  await afterMicrotasks();
  const after = [...seen];
  await afterMicrotasks();
  expect([after, seen]).toEqual([['outer'], ['outer', 'inner']]);
});

test('a turn with many members is cut into pieces: early ones do not wait for late ones', async () => {
  const seen: string[] = [];
  for (let i = 0; i < 100; i++) atTurnEnd(member(String(i), seen));
  expect(seen.length).toBeGreaterThanOrEqual(64);
  await afterMicrotasks();
  expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => String(index)));
});

test('a turn that takes long is cut into pieces: what waits leaves when more come', async () => {
  const seen: string[] = [];
  const early = ['a', 'b', 'c', 'd'];
  for (const name of early) atTurnEnd(member(name, seen));
  const start = performance.now();
  while (performance.now() - start < 3);
  atTurnEnd(member('late', seen));
  expect(seen).toEqual(early);
  await afterMicrotasks();
  expect(seen).toEqual([...early, 'late']);
});
