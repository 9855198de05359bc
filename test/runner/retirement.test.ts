import { describe, expect, test } from 'bun:test';
import { requestLimit, watchMemory } from '../../src/runner/retirement.ts';
import { FakeClock } from '../support/fake-clock.ts';

const MIB = 1024 ** 2;

describe('the limit of requests', () => {
  test('lies within a tenth of what was asked for', () => {
    const counts = [0, 0.5, 0.999].map(
      (random) =>
        requestLimit(
          1000,
          () => {},
          () => random,
        )?.count,
    );
    expect(counts).toEqual([900, 1000, 1100]);
  });

  test('is one request at least', () => {
    expect(
      requestLimit(
        1,
        () => {},
        () => 0,
      )?.count,
    ).toBe(1);
  });

  test('says when it is reached how many there were', () => {
    const reasons: string[] = [];
    requestLimit(
      200,
      (reason) => reasons.push(reason),
      () => 0.5,
    )?.reached();
    expect(reasons).toEqual(['has taken 200 requests (maxRequests)']);
  });

  test('0 is none', () => {
    expect(requestLimit(0, () => {})).toBeUndefined();
  });
});

describe('the limit of memory', () => {
  test('is looked at every 30 s, and asked for again as long as it is passed', () => {
    const clock = new FakeClock();
    const reasons: string[] = [];
    let used = 100 * MIB;
    watchMemory({ limit: 100 * MIB, clock, used: () => used, retire: (reason) => reasons.push(reason) });
    clock.advance(60_000);
    expect(reasons).toEqual([]);
    used = 101 * MIB;
    clock.advance(29_999);
    expect(reasons).toEqual([]);
    clock.advance(30_001);
    expect(reasons).toEqual([
      'uses 101 MiB of memory, more than 100 MiB (maxWorkerMemory)',
      'uses 101 MiB of memory, more than 100 MiB (maxWorkerMemory)',
    ]);
  });

  test('is the memory of this process', () => {
    const clock = new FakeClock();
    const reasons: string[] = [];
    watchMemory({ limit: 1, clock, retire: (reason) => reasons.push(reason) });
    clock.advance(30_000);
    expect(reasons).toHaveLength(1);
  });

  test('0 is none', () => {
    const clock = new FakeClock();
    watchMemory({ limit: 0, clock, retire: () => {} });
    expect(clock.timers).toBe(0);
  });
});
