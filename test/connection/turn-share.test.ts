/**
 * What one writer may send before it is the others' turn.
 */
import { expect, test } from 'bun:test';
import { TurnShare } from '../../src/connection/turn-share.ts';

/** How many writes of `size` bytes there are up to and with the one that uses the share up. */
function writesPerShare(share: TurnShare, size: number): number {
  let count = 1;
  while (!share.spend(size) && count < 100_000) count++;
  return count;
}

test('a share is used up by its bytes, and then another begins', () => {
  const share = new TurnShare();
  writesPerShare(share, 65_536);
  const counts = Array.from({ length: 5 }, () => writesPerShare(share, 65_536));
  // 512 KiB, with what each write costs beyond its bytes.
  expect(counts).toEqual([8, 8, 8, 8, 8]);
});

test('the first share is smaller, because any number of writers may begin in one turn', () => {
  const share = new TurnShare();
  expect(writesPerShare(share, 10_000)).toBeLessThan(writesPerShare(share, 10_000) / 3);
});

test('writes of no size use it up too', () => {
  const share = new TurnShare();
  const first = writesPerShare(share, 0);
  const second = writesPerShare(share, 0);
  expect([first, second]).toEqual([32, 128]);
});

test('one write that is larger than the share uses it up alone', () => {
  const share = new TurnShare();
  expect([share.spend(1_000_000), share.spend(1_000_000)]).toEqual([true, true]);
});

test('shares are apart from each other', () => {
  const [one, other] = [new TurnShare(), new TurnShare()];
  expect(one.spend(1_000_000)).toBe(true);
  expect(other.spend(1)).toBe(false);
});
