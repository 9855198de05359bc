import { expect, test } from 'bun:test';
import { nextTurn } from '../../src/clock/turns.ts';

/** The turns of the event loop, counted from the first on, in which each of `count` waits ended. */
async function turnsOf(count: number): Promise<number[]> {
  const ended: number[] = [];
  let turn = 0;
  let isCounting = true;
  const countTurn = (): void => {
    turn++;
    if (isCounting) setImmediate(countTurn);
  };
  setImmediate(countTurn);
  await Promise.all(
    Array.from({ length: count }, (_, index) => nextTurn().then(() => (ended[index] = turn))),
  );
  isCounting = false;
  return ended;
}

test('a loop that waits for nothing but turns lets others run', async () => {
  const others = new AbortController();
  setTimeout(() => others.abort(), 1);
  while (!others.signal.aborted) await nextTurn();
});

test('those who wait go on in order, a few in each turn', async () => {
  const turns = await turnsOf(100);
  expect(turns).toEqual(turns.toSorted((a, b) => a - b));
  const perTurn = Object.values(Object.groupBy(turns, String)).map((members) => members!.length);
  expect(Math.max(...perTurn)).toBeLessThan(20);
  expect(perTurn.length).toBeGreaterThan(5);
});

test('who waits again goes to the end of the queue', async () => {
  const order: string[] = [];
  const others = Array.from({ length: 20 }, (_, index) => nextTurn().then(() => order.push(`${index}`)));
  const again = nextTurn()
    .then(() => nextTurn())
    .then(() => order.push('again'));
  await Promise.all([...others, again]);
  expect(order.at(-1)).toBe('again');
});
