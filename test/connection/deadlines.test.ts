/**
 * The table of deadlines, row by row, with a clock that the test turns.
 */
import { describe, expect, test } from 'bun:test';
import {
  Deadlines,
  type DeadlineName,
  type DeadlineSettings,
  type Phase,
  type Watched,
} from '../../src/connection/deadlines.ts';
import { FakeClock } from '../support/fake-clock.ts';

const OFF: DeadlineSettings = {
  timeout: 0,
  handshakeTimeout: 0,
  headerTimeout: 0,
  bodyTimeout: 0,
  requestTimeout: 0,
  writeTimeout: 0,
};

/** A connection that notes facts and does nothing else; it stays watched when it expires unless it is told to leave. */
class FakeConnection implements Watched {
  watchIndex = -1;
  phase: Phase = 'idle';
  phaseSince = 0;
  lastReceived = 0;
  lastSent = 0;
  awaitsBodySince: number | undefined = undefined;
  hasBacklog = false;
  readonly expired: DeadlineName[] = [];
  onExpire: (() => void) | undefined;
  readonly #deadlines: Deadlines;

  constructor(deadlines: Deadlines, facts: Partial<Pick<FakeConnection, 'phase' | 'hasBacklog'>> = {}) {
    this.#deadlines = deadlines;
    deadlines.watch(this);
    this.enter(facts.phase ?? 'idle');
    this.hasBacklog = facts.hasBacklog ?? false;
    this.lastReceived = deadlines.now;
    this.lastSent = deadlines.now;
  }

  get watched(): Watched {
    return this;
  }

  enter(phase: Phase): void {
    this.phase = phase;
    this.phaseSince = this.#deadlines.now;
  }

  expire(deadline: DeadlineName): void {
    this.expired.push(deadline);
    this.phase = 'closed';
    this.onExpire?.();
  }
}

function open(settings: Partial<DeadlineSettings>): { clock: FakeClock; deadlines: Deadlines } {
  const clock = new FakeClock();
  return { clock, deadlines: new Deadlines({ ...OFF, ...settings }, clock) };
}

/** How many milliseconds pass, in steps of 10, until the connection expires; undefined when a minute is not enough. */
function timeToExpiry(clock: FakeClock, connection: FakeConnection): number | undefined {
  const start = clock.now();
  while (clock.now() - start < 60_000) {
    clock.advance(10);
    if (connection.expired.length > 0) return clock.now() - start;
  }
  return undefined;
}

/** Within a quarter above the limit: never early, and not much too late. */
function expectAbout(measured: number | undefined, limit: number): void {
  expect(measured).toBeGreaterThanOrEqual(limit);
  expect(measured).toBeLessThanOrEqual(limit * 1.25 + 1000);
}

interface Row {
  readonly name: DeadlineName;
  readonly phase: Phase;
  readonly settings: Partial<DeadlineSettings>;
  readonly limit: number;
  readonly prepare?: (connection: FakeConnection, now: number) => void;
}

const backlog = (connection: FakeConnection): void => void (connection.hasBacklog = true);

const ROWS: readonly Row[] = [
  { name: 'idle', phase: 'idle', settings: { timeout: 4 }, limit: 4000 },
  { name: 'head', phase: 'head', settings: { headerTimeout: 2 }, limit: 2000 },
  {
    name: 'body',
    phase: 'request',
    settings: { bodyTimeout: 3 },
    limit: 3000,
    prepare: (connection, now) => void (connection.awaitsBodySince = now),
  },
  { name: 'stall', phase: 'request', settings: { requestTimeout: 5 }, limit: 5000 },
  { name: 'drain', phase: 'draining', settings: {}, limit: 5000 },
  { name: 'linger', phase: 'lingering', settings: {}, limit: 10_000 },
  ...(['idle', 'head', 'request', 'draining', 'closing'] as const).map((phase): Row => ({
    name: 'write',
    phase,
    settings: { writeTimeout: 1 },
    limit: 1000,
    prepare: backlog,
  })),
];

describe('a connection expires', () => {
  for (const { name, phase, settings, limit, prepare } of ROWS) {
    test(`by ${name} while ${phase}, after ${limit} ms and not before`, () => {
      const { clock, deadlines } = open(settings);
      const connection = new FakeConnection(deadlines, { phase });
      prepare?.(connection, deadlines.now);
      expectAbout(timeToExpiry(clock, connection), limit);
      expect(connection.expired).toEqual([name]);
    });
  }

  for (const { name, phase, settings } of ROWS.filter(({ settings }) => Object.keys(settings).length > 0)) {
    test(`never by ${name} while ${phase} when that is 0`, () => {
      const zero = Object.fromEntries(Object.keys(settings).map((key) => [key, 0]));
      const others = { ...OFF, ...zero };
      const { clock, deadlines } = open(others);
      const connection = new FakeConnection(deadlines, { phase: phase === 'draining' ? 'closing' : phase });
      ROWS.find((row) => row.name === name)?.prepare?.(connection, deadlines.now);
      expect(timeToExpiry(clock, connection)).toBeUndefined();
    });
  }

  test('once, by the first row that is over', () => {
    const { clock, deadlines } = open({ requestTimeout: 1, writeTimeout: 1, bodyTimeout: 1 });
    const connection = new FakeConnection(deadlines, { phase: 'request', hasBacklog: true });
    clock.advance(30_000);
    expect(connection.expired).toHaveLength(1);
  });
});

describe('a connection does not expire', () => {
  test('while idle by the deadlines of requests, nor during a request by that of idle ones', () => {
    const idle = open({ headerTimeout: 1, bodyTimeout: 1, requestTimeout: 1, writeTimeout: 1 });
    expect(timeToExpiry(idle.clock, new FakeConnection(idle.deadlines))).toBeUndefined();
    const busy = open({ timeout: 1, headerTimeout: 1 });
    const connection = new FakeConnection(busy.deadlines, { phase: 'request' });
    expect(timeToExpiry(busy.clock, connection)).toBeUndefined();
  });

  test('for a body that the application does not wait for', () => {
    const { clock, deadlines } = open({ bodyTimeout: 1 });
    const connection = new FakeConnection(deadlines, { phase: 'request' });
    expect(timeToExpiry(clock, connection)).toBeUndefined();
  });

  test('as long as something moves: body bytes, bytes either way, queued bytes that leave', () => {
    const moving: [Partial<DeadlineSettings>, (connection: FakeConnection, now: number) => void][] = [
      [{ bodyTimeout: 1 }, (it, now) => void ((it.awaitsBodySince ??= now), (it.lastReceived = now))],
      [{ requestTimeout: 1 }, (it, now) => void (it.lastReceived = now)],
      [{ requestTimeout: 1 }, (it, now) => void (it.lastSent = now)],
      [{ writeTimeout: 1 }, (it, now) => void ((it.hasBacklog = true), (it.lastSent = now))],
    ];
    for (const [settings, move] of moving) {
      const { clock, deadlines } = open(settings);
      const connection = new FakeConnection(deadlines, { phase: 'request' });
      for (let i = 0; i < 40; i++) {
        move(connection, deadlines.now);
        clock.advance(500);
      }
      expect(connection.expired).toEqual([]);
      expectAbout(timeToExpiry(clock, connection), 500);
    }
  });

  test('by bytes that trickle into a head: that deadline counts from the first byte', () => {
    const { clock, deadlines } = open({ headerTimeout: 2 });
    const connection = new FakeConnection(deadlines, { phase: 'head' });
    for (let i = 0; i < 10 && connection.expired.length === 0; i++) {
      connection.lastReceived = deadlines.now;
      clock.advance(500);
    }
    expect(connection.expired).toEqual(['head']);
  });

  test('for a wait that began a moment ago, however long the request has been', () => {
    const { clock, deadlines } = open({ bodyTimeout: 2 });
    const connection = new FakeConnection(deadlines, { phase: 'request' });
    clock.advance(20_000);
    connection.awaitsBodySince = deadlines.now;
    expectAbout(timeToExpiry(clock, connection), 2000);
  });
});

describe('an event loop that was blocked', () => {
  test('does not time out clients whose bytes wait unread', () => {
    const { clock, deadlines } = open({ timeout: 5, requestTimeout: 5 });
    const idle = new FakeConnection(deadlines);
    const busy = new FakeConnection(deadlines, { phase: 'request' });
    for (let i = 0; i < 5; i++) {
      clock.block(60_000);
      // Whatever the client sent in the meantime is read now.
      for (const connection of [idle, busy]) connection.lastReceived = deadlines.now;
      idle.enter('idle');
    }
    expect([...idle.expired, ...busy.expired]).toEqual([]);
  });

  test('counts for no more than two sweeps', () => {
    const { clock, deadlines } = open({ timeout: 8 });
    const connection = new FakeConnection(deadlines);
    clock.advance(4000);
    clock.block(3_600_000);
    expect(connection.expired).toEqual([]);
    const left = timeToExpiry(clock, connection);
    expect(left).toBeGreaterThanOrEqual(3000);
    expectAbout(left, 4000);
  });
});

describe('from the beginning of a drain on', () => {
  test('who is idle or in a handshake has a second in all, counted from when it was last heard of', () => {
    for (const phase of ['idle', 'handshake'] as const) {
      for (const seconds of [0, 60]) {
        const { clock, deadlines } = open({ timeout: seconds, handshakeTimeout: seconds });
        const [old, recent] = [new FakeConnection(deadlines, { phase }), new FakeConnection(deadlines)];
        clock.advance(2000);
        recent.enter(phase);
        clock.advance(300);
        deadlines.drain();
        expect([old.expired.length, recent.expired.length]).toEqual([1, 0]);
        const left = timeToExpiry(clock, recent);
        expect(left).toBeWithin(700, 1200);
      }
    }
  });

  test('who becomes idle later has a second from then', () => {
    const { clock, deadlines } = open({ timeout: 60 });
    const connection = new FakeConnection(deadlines, { phase: 'request' });
    deadlines.drain();
    clock.advance(5000);
    expect(connection.expired).toEqual([]);
    connection.enter('idle');
    expect(timeToExpiry(clock, connection)).toBeWithin(1000, 1300);
  });

  test('a shorter timeout stays as it is, and so does what is in hand', () => {
    const { clock, deadlines } = open({ timeout: 0.4, headerTimeout: 20 });
    const [idle, head] = [new FakeConnection(deadlines), new FakeConnection(deadlines, { phase: 'head' })];
    deadlines.drain();
    expect(timeToExpiry(clock, idle)).toBeWithin(300, 600);
    clock.advance(18_000);
    expect(head.expired).toEqual([]);
    expectAbout(timeToExpiry(clock, head), 1000);
  });

  test('takes no timer while nothing is watched', () => {
    const { clock, deadlines } = open({ timeout: 60 });
    deadlines.drain();
    expect(clock.timers).toBe(0);
    expect(timeToExpiry(clock, new FakeConnection(deadlines))).toBeWithin(1000, 1300);
  });
});

describe('watching', () => {
  test('takes one timer while there is something to watch, and none else', () => {
    const { clock, deadlines } = open({ timeout: 5 });
    expect(clock.timers).toBe(0);
    const connections = [new FakeConnection(deadlines), new FakeConnection(deadlines)];
    expect([clock.timers, deadlines.size, deadlines.members()]).toEqual([1, 2, connections]);
    for (const connection of connections) deadlines.unwatch(connection);
    expect([clock.timers, deadlines.size]).toEqual([0, 0]);
  });

  test('does not count the time in which nothing was watched', () => {
    const { clock, deadlines } = open({ timeout: 5 });
    deadlines.unwatch(new FakeConnection(deadlines));
    clock.advance(3_600_000);
    expectAbout(timeToExpiry(clock, new FakeConnection(deadlines)), 5000);
  });

  test('goes on for the others when one leaves, or another comes, while it expires', () => {
    const { clock, deadlines } = open({ timeout: 1 });
    const first = new FakeConnection(deadlines);
    const second = new FakeConnection(deadlines);
    let third: FakeConnection | undefined;
    first.onExpire = () => {
      deadlines.unwatch(first);
      third = new FakeConnection(deadlines);
    };
    clock.advance(1400);
    expect([first.expired, second.expired, third?.expired]).toEqual([['idle'], ['idle'], []]);
    clock.advance(1400);
    expect(third?.expired).toEqual(['idle']);
  });

  test('asks before each look whether the application has begun to wait', () => {
    const { clock, deadlines } = open({ bodyTimeout: 2 });
    const connection = new FakeConnection(deadlines, { phase: 'request' });
    const noting = Object.assign(connection, {
      noteWait: (now: number) => void (connection.awaitsBodySince ??= now),
    });
    expectAbout(timeToExpiry(clock, noting), 2000);
    expect(noting.expired).toEqual(['body']);
  });

  test('is fine enough for deadlines of a fraction of a second', () => {
    const { clock, deadlines } = open({ headerTimeout: 0.1 });
    const measured = timeToExpiry(clock, new FakeConnection(deadlines, { phase: 'head' }));
    expect(measured).toBeGreaterThanOrEqual(100);
    expect(measured).toBeLessThanOrEqual(150);
  });
});
