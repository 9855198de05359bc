import { describe, expect, test } from 'bun:test';

import { H2_FAULTS } from '../../../src/wire/h2/errors.ts';
import {
  BUDGETS,
  FloodLimits,
  type FloodKind,
  mostBlockBytes,
  mostContinuations,
} from '../../../src/wire/h2/flood-limits.ts';

/** How many can be drawn before the fault, up to a bound. */
function drawable(floods: FloodLimits, kind: FloodKind, now: number): number {
  for (let count = 0; count < 1_000_000; count++) {
    if (floods.draw(kind, now) !== undefined) return count;
  }
  return Infinity;
}

describe('budgets', () => {
  for (const [kind, { burst, perSecond, fault }] of Object.entries(BUDGETS)) {
    test(`${kind}: the burst, then the rate, never more than the burst`, () => {
      const floods = new FloodLimits(10, 1);
      expect(drawable(floods, kind as FloodKind, 5000)).toBe(burst);
      expect(floods.draw(kind as FloodKind, 5000)).toBe(fault);
      expect(drawable(floods, kind as FloodKind, 6000)).toBe(perSecond);
      expect(drawable(floods, kind as FloodKind, 100_000_000)).toBe(burst);
    });
  }

  test('resets have the budget of the options', () => {
    const floods = new FloodLimits(7, 2);
    expect(drawable(floods, 'reset', 0)).toBe(7);
    expect(drawable(floods, 'reset', 3000)).toBe(6);
    expect(floods.draw('reset', 3000)).toBe(H2_FAULTS.resetFlood);
  });

  test('a rate below one frame per second adds up', () => {
    const floods = new FloodLimits(1, 0.5);
    expect(drawable(floods, 'reset', 1000)).toBe(1);
    expect(drawable(floods, 'reset', 2000)).toBe(0);
    expect(drawable(floods, 'reset', 3000)).toBe(1);
  });

  test('useful traffic earns frames, beyond the burst and up to a bound', () => {
    const floods = new FloodLimits(10, 1);
    for (let index = 0; index < 500; index++) floods.noteRequest();
    expect(drawable(floods, 'ping', 0)).toBe(1500);
    floods.noteReceivedData(4096 * 100);
    expect(drawable(floods, 'ping', 0)).toBe(100);
    floods.noteSentData(2 ** 40, true);
    expect(drawable(floods, 'ping', 0)).toBe(100_000);
  });

  test('what has been earned does not fade with time', () => {
    const floods = new FloodLimits(10, 1);
    for (let index = 0; index < 500; index++) floods.noteRequest();
    expect(floods.draw('ping', 0)).toBeUndefined();
    expect(drawable(floods, 'ping', 60_000)).toBe(1499);
  });

  test('requests do not earn resets', () => {
    const floods = new FloodLimits(10, 1);
    for (let index = 0; index < 500; index++) floods.noteRequest();
    floods.noteReceivedData(2 ** 30);
    expect(drawable(floods, 'reset', 0)).toBe(10);
  });

  test('DATA of the server earns WINDOW_UPDATE, but not where it was cut short by a window', () => {
    const floods = new FloodLimits(10, 1);
    for (let index = 0; index < 50; index++) floods.noteSentData(0, true);
    expect(drawable(floods, 'windowUpdate', 0)).toBe(1000);
    for (let index = 0; index < 50; index++) floods.noteSentData(0, false);
    expect(drawable(floods, 'windowUpdate', 0)).toBe(500);
  });

  test('each kind has a budget of its own', () => {
    const floods = new FloodLimits(10, 1);
    drawable(floods, 'ping', 0);
    expect(drawable(floods, 'unknown', 0)).toBe(BUDGETS.unknown.burst);
  });
});

test('a header block may have as many frames as its list may need', () => {
  expect(mostContinuations(0)).toBe(8);
  expect(mostContinuations(65_536)).toBe(24);
  expect(mostBlockBytes(4096)).toBe(24_576);
  // Less than what node:http2 takes at most, which is 64 KiB or the size of the list.
  expect(mostBlockBytes(65_536)).toBe(65_520);
  expect(mostBlockBytes(262_144)).toBe(262_128);
});
