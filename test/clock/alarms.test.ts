/**
 * Any number of alarms on one timer: when they ring, and what they cost, on a clock that the test turns.
 */
import { describe, expect, test } from 'bun:test';
import { type Alarm, Alarms } from '../../src/clock/alarms.ts';
import type { Clock, Timer } from '../../src/clock/clock.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Random } from '../support/random.ts';

class Bell implements Alarm {
  alarmIndex = -1;
  alarmAt = 0;
  readonly name: string;
  readonly #onRing: (bell: Bell) => void;

  constructor(name: string, onRing: (bell: Bell) => void) {
    this.name = name;
    this.#onRing = onRing;
  }

  ring(): void {
    this.#onRing(this);
  }
}

interface Tower {
  readonly clock: FakeClock;
  readonly alarms: Alarms;
  /** One entry per ring, `name@milliseconds`. */
  readonly rings: string[];
  bell(name: string, onRing?: (bell: Bell) => void): Bell;
}

function tower(): Tower {
  const clock = new FakeClock();
  const rings: string[] = [];
  return {
    clock,
    alarms: new Alarms(clock),
    rings,
    bell: (name, onRing) =>
      new Bell(name, (bell) => {
        rings.push(`${name}@${clock.now()}`);
        onRing?.(bell);
      }),
  };
}

describe('an alarm', () => {
  test('rings once, when its time has come', () => {
    const { clock, alarms, rings, bell } = tower();
    alarms.set(bell('a'), 100);
    clock.advance(98);
    expect([rings, alarms.size]).toEqual([[], 1]);
    clock.advance(10_000);
    expect([rings, alarms.size, clock.timers]).toEqual([['a@100'], 0, 0]);
  });

  test('that is set again rings at the new time only, whether sooner or later', () => {
    const { clock, alarms, rings, bell } = tower();
    const [later, sooner] = [bell('later'), bell('sooner')];
    for (const one of [later, sooner]) alarms.set(one, 100);
    alarms.set(later, 300);
    alarms.set(sooner, 50);
    expect(alarms.size).toBe(2);
    clock.advance(1000);
    expect(rings).toEqual(['sooner@50', 'later@300']);
  });

  test('that is cancelled does not ring, and to cancel it twice or unset does nothing', () => {
    const { clock, alarms, rings, bell } = tower();
    const [one, other] = [bell('one'), bell('other')];
    alarms.cancel(one);
    alarms.set(one, 100);
    alarms.set(other, 200);
    alarms.cancel(one);
    alarms.cancel(one);
    expect([one.alarmIndex, alarms.size]).toEqual([-1, 1]);
    clock.advance(1000);
    expect(rings).toEqual(['other@200']);
  });

  test('can be set again while it rings, and rings a millisecond later at the earliest', () => {
    const { clock, alarms, rings, bell } = tower();
    let left = 3;
    const again = bell('again', (it) => {
      if (--left > 0) alarms.set(it, 0);
    });
    alarms.set(again, 10);
    clock.advance(10);
    expect(rings).toEqual(['again@10']);
    clock.advance(100);
    expect([rings.length, alarms.size]).toEqual([3, 0]);
  });

  test('that is cancelled by one that rings at the same moment stays silent', () => {
    const { clock, alarms, rings, bell } = tower();
    const second = bell('second');
    alarms.set(
      bell('first', () => alarms.cancel(second)),
      10,
    );
    alarms.set(second, 10);
    clock.advance(100);
    expect([rings, alarms.size]).toEqual([['first@10'], 0]);
  });

  test('rings late, but in order, when the process was busy at its time', () => {
    const { clock, alarms, rings, bell } = tower();
    for (const delay of [300, 100, 200, 60_000]) alarms.set(bell(`after ${delay}`), delay);
    clock.block(5000);
    expect(rings).toEqual(['after 100@5000', 'after 200@5000', 'after 300@5000']);
    clock.advance(60_000);
    expect(rings.at(-1)).toBe('after 60000@60000');
  });
});

describe('the timer', () => {
  test('is one for all, and none for none', () => {
    const { clock, alarms, bell } = tower();
    expect(clock.timers).toBe(0);
    const bells = Array.from({ length: 100 }, (_, index) => bell(String(index)));
    for (const [index, one] of bells.entries()) alarms.set(one, 1000 - index);
    expect([clock.timers, alarms.size]).toEqual([1, 100]);
    for (const one of bells) alarms.cancel(one);
    expect([clock.timers, alarms.size]).toEqual([0, 0]);
  });

  test('is not set anew for alarms that are put off again and again', () => {
    const made: number[] = [];
    const clock = new FakeClock();
    const counting = {
      now: () => clock.now(),
      wallTime: () => clock.wallTime(),
      every: (interval: number, callback: () => void) => clock.every(interval, callback),
      after(delay: number, callback: () => void): Timer {
        made.push(delay);
        return clock.after(delay, callback);
      },
    };
    const alarms = new Alarms(counting);
    const bell = new Bell('often', () => undefined);
    for (let i = 0; i < 1000; i++) {
      alarms.set(bell, 20_000);
      clock.advance(1);
    }
    expect(made).toEqual([20_000]);
  });

  test('is never set farther ahead than a timer of the system can be', () => {
    // Beyond 2^31-1 milliseconds such a timer fires at once instead.
    const delays: number[] = [];
    const seen: (() => void)[] = [];
    let now = 0;
    const clock: Clock = {
      now: () => now,
      wallTime: () => now,
      every: () => ({ cancel: () => undefined }),
      after(delay, callback) {
        delays.push(delay);
        seen.push(callback);
        return { cancel: () => undefined };
      },
    };
    const alarms = new Alarms(clock);
    const rings: number[] = [];
    alarms.set(new Bell('in 60 days', () => void rings.push(now)), 60 * 86_400_000);
    while (rings.length === 0 && delays.length < 10) {
      now += delays.at(-1)!;
      seen.at(-1)!();
    }
    expect(rings).toEqual([60 * 86_400_000]);
    expect(Math.max(...delays)).toBeLessThanOrEqual(2 ** 31 - 1);
  });
});

test('whatever is set, put off and cancelled in whatever order, each rings at its time (random, against a list)', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const { clock, alarms } = tower();
    /** Name and time of what is set. */
    const expected = new Map<Bell, number>();
    const wrong: string[] = [];
    let lastRing = 0;
    const bells = Array.from(
      { length: 30 },
      (_, index) =>
        new Bell(String(index), (bell) => {
          const at = expected.get(bell);
          if (at !== clock.now()) wrong.push(`${bell.name} rang at ${clock.now()}, due at ${at}`);
          const earliest = Math.min(...expected.values());
          if (at !== earliest || clock.now() < lastRing) wrong.push(`${bell.name} rang out of order`);
          lastRing = clock.now();
          expected.delete(bell);
        }),
    );
    for (let step = 0; step < 400; step++) {
      const bell = random.pick(bells);
      const what = random.below(10);
      if (what < 6) {
        const delay = 1 + random.below(500);
        alarms.set(bell, delay);
        expected.set(bell, clock.now() + delay);
      } else if (what < 8) {
        alarms.cancel(bell);
        expected.delete(bell);
      } else clock.advance(random.below(200));
      if (alarms.size !== expected.size) wrong.push(`size ${alarms.size}, not ${expected.size}`);
      if (bell.alarmIndex >= 0 !== expected.has(bell)) wrong.push(`${bell.name} misplaced`);
    }
    clock.advance(1000);
    expect([seed, wrong, alarms.size, clock.timers]).toEqual([seed, [], 0, 0]);
  }
});
