/**
 * Pings, the wait for their pongs, and the bound on silence, against a session that says what it can hear.
 */
import { describe, expect, test } from 'bun:test';
import {
  type KeepaliveSettings,
  type KeptAlive,
  WebSocketKeepalive,
} from '../../src/session/websocket-keepalive.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { fakeAlarms } from '../support/websocket-session.ts';

/** Milliseconds for the second look before a verdict. */
const LOOK = 50;

class FakePeer implements KeptAlive {
  canHearPongs = true;
  /** One entry per ping and for the end, `ping 1@1000`. */
  readonly seen: string[] = [];
  /** Answers every ping at once. */
  onPing: ((payload: string) => void) | undefined;
  onExpired: (() => void) | undefined;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  ping(payload: string): void {
    this.seen.push(`ping ${payload}@${this.#clock.now()}`);
    this.onPing?.(payload);
  }

  expired(reason: string): void {
    this.seen.push(`${reason}@${this.#clock.now()}`);
    this.onExpired?.();
  }
}

function open(settings: Partial<KeepaliveSettings>) {
  const { clock, alarms } = fakeAlarms();
  const peer = new FakePeer(clock);
  const keepalive = new WebSocketKeepalive(peer, alarms, {
    wsPingInterval: 0,
    wsPingTimeout: 0,
    wsIdleTimeout: 0,
    ...settings,
  });
  peer.onExpired = () => keepalive.stop();
  return { clock, alarms, peer, keepalive };
}

/** One that answers. */
function openAnswering(settings: Partial<KeepaliveSettings>) {
  const all = open(settings);
  all.peer.onPing = (payload) => all.keepalive.pong(payload);
  return all;
}

describe('pings', () => {
  test('leave at the interval for as long as they are answered', () => {
    const { clock, peer } = openAnswering({ wsPingInterval: 20, wsPingTimeout: 20 });
    clock.advance(100_000);
    expect(peer.seen).toEqual([1, 2, 3, 4, 5].map((number) => `ping ${number}@${number * 20_000}`));
  });

  test('are not sent where the interval is 0, and nothing is set up for them', () => {
    const { clock, peer, alarms } = open({ wsPingInterval: 0, wsPingTimeout: 5 });
    expect([alarms.size, clock.timers]).toEqual([0, 0]);
    clock.advance(100_000);
    expect(peer.seen).toEqual([]);
  });

  test('need no answer where the timeout is 0', () => {
    const { clock, peer } = open({ wsPingInterval: 1, wsPingTimeout: 0 });
    clock.advance(5000);
    expect(peer.seen).toHaveLength(5);
  });

  test('end with the session, and leave nothing behind', () => {
    const { clock, peer, keepalive, alarms } = open({
      wsPingInterval: 1,
      wsPingTimeout: 1,
      wsIdleTimeout: 9,
    });
    keepalive.stop();
    expect([alarms.size, clock.timers]).toEqual([0, 0]);
    clock.advance(60_000);
    expect(peer.seen).toEqual([]);
  });
});

describe('a keepalive that the application sends', () => {
  test('takes the place of the settings, and the last one wins', () => {
    const { clock, peer, keepalive } = openAnswering({ wsPingInterval: 1, wsPingTimeout: 1 });
    keepalive.set(5, 1);
    clock.advance(3000);
    keepalive.set(10, 1);
    clock.advance(20_000);
    expect(peer.seen).toEqual(['ping 1@13000', 'ping 2@23000']);
  });

  test('of 0 turns pings off, and forgets a pong that is awaited', () => {
    const { clock, peer, keepalive, alarms } = open({ wsPingInterval: 1, wsPingTimeout: 3 });
    clock.advance(1500);
    keepalive.set(0, 3);
    clock.advance(60_000);
    expect([peer.seen, alarms.size]).toEqual([['ping 1@1000'], 0]);
  });

  test('turns pings on where they were off', () => {
    const { clock, peer, keepalive } = open({});
    keepalive.set(0.5, 0.25);
    clock.advance(60_000);
    expect(peer.seen).toEqual(['ping 1@500', `keepalive_timeout@${750 + LOOK}`]);
  });

  test('does not mistake the pong to an older ping for a sign that its own is answered', () => {
    const { clock, peer, keepalive } = open({ wsPingInterval: 1, wsPingTimeout: 10 });
    clock.advance(1500);
    keepalive.set(5, 1);
    clock.advance(5500);
    keepalive.pong('1');
    clock.advance(60_000);
    expect(peer.seen).toEqual(['ping 1@1000', 'ping 2@6500', `keepalive_timeout@${7500 + LOOK}`]);
  });
});

describe('a pong that is missing', () => {
  test('ends the session once its time is over', () => {
    const { clock, peer } = open({ wsPingInterval: 20, wsPingTimeout: 5 });
    clock.advance(25_000 + LOOK - 1);
    expect(peer.seen).toEqual(['ping 1@20000']);
    clock.advance(60_000);
    expect(peer.seen).toEqual(['ping 1@20000', `keepalive_timeout@${25_000 + LOOK}`]);
  });

  test('is that of the oldest ping, where pings go on meanwhile', () => {
    const { clock, peer } = open({ wsPingInterval: 1, wsPingTimeout: 3 });
    clock.advance(60_000);
    expect(peer.seen).toEqual([
      'ping 1@1000',
      'ping 2@2000',
      'ping 3@3000',
      `keepalive_timeout@${4000 + LOOK}`,
    ]);
  });

  test('has a second look at the socket first, in which it may be found', () => {
    const { clock, peer, keepalive } = open({ wsPingInterval: 10, wsPingTimeout: 5 });
    // The process was busy: the alarm is late, and what the peer sent lies unread.
    clock.advance(14_000);
    clock.block(30_000);
    expect(peer.seen).toEqual(['ping 1@10000']);
    clock.advance(LOOK - 1);
    keepalive.pong('1');
    clock.advance(1);
    expect(peer.seen).toEqual(['ping 1@10000', `ping 2@${44_000 + LOOK}`]);
  });

  test('has a second look each time', () => {
    const { clock, peer, keepalive } = open({ wsPingInterval: 10, wsPingTimeout: 5 });
    for (let number = 1; number <= 3; number++) {
      while (peer.seen.length < number) clock.advance(10);
      clock.block(8000);
      keepalive.pong(String(number));
      clock.advance(LOOK);
    }
    expect(peer.seen.map((entry) => entry.split('@')[0])).toEqual(['ping 1', 'ping 2', 'ping 3']);
  });

  test('is answered for by the pong to a later ping (RFC 6455 5.5.3)', () => {
    const { clock, peer, keepalive } = open({ wsPingInterval: 1, wsPingTimeout: 3 });
    clock.advance(3500);
    keepalive.pong('3');
    clock.advance(2500);
    expect(peer.seen).toEqual([1, 2, 3, 4, 5, 6].map((number) => `ping ${number}@${number * 1000}`));
    clock.advance(60_000);
    // What is missing then is the one to the fourth, of 4000.
    expect(peer.seen.at(-1)).toBe(`keepalive_timeout@${7000 + LOOK}`);
  });

  test('is not answered for by the pong to an earlier one, but that is a sign of life', () => {
    const { clock, peer, keepalive } = open({ wsPingInterval: 1, wsPingTimeout: 3 });
    clock.advance(3500);
    keepalive.pong('1');
    clock.advance(60_000);
    expect(peer.seen.at(-1)).toBe(`keepalive_timeout@${6500 + LOOK}`);
  });

  for (const payload of ['', '0', '2', '-1', '1x', ' 1', '1.0', '1e0', 'Infinity', '9'.repeat(125)]) {
    test(`is not answered for by one of ${JSON.stringify(payload)}`, () => {
      const { clock, peer, keepalive } = open({ wsPingInterval: 20, wsPingTimeout: 5 });
      clock.advance(20_000);
      keepalive.pong(payload);
      clock.advance(60_000);
      expect(peer.seen.at(-1)).toBe(`keepalive_timeout@${25_000 + LOOK}`);
    });
  }

  test('is not answered for by one that came before its ping', () => {
    const { clock, peer, keepalive } = open({ wsPingInterval: 20, wsPingTimeout: 5 });
    keepalive.pong('1');
    clock.advance(60_000);
    expect(peer.seen.at(-1)).toBe(`keepalive_timeout@${25_000 + LOOK}`);
  });

  test('is not missed while it could not be heard, and gets its whole time once it can', () => {
    const { clock, peer } = open({ wsPingInterval: 100, wsPingTimeout: 5 });
    peer.canHearPongs = false;
    clock.advance(160_000);
    expect(peer.seen).toEqual(['ping 1@100000']);
    peer.canHearPongs = true;
    clock.advance(20_000);
    expect(peer.seen).toHaveLength(2);
    expect(peer.seen[1]).toStartWith('keepalive_timeout@');
  });
});

describe('silence', () => {
  test('ends the session after the idle timeout, however well pings are answered', () => {
    const { clock, peer } = openAnswering({ wsIdleTimeout: 30, wsPingInterval: 20, wsPingTimeout: 5 });
    clock.advance(60_000);
    expect(peer.seen).toEqual(['ping 1@20000', `idle_timeout@${30_000 + LOOK}`]);
  });

  test('is broken by a message either way', () => {
    const { clock, peer, keepalive } = open({ wsIdleTimeout: 10 });
    for (let i = 0; i < 20; i++) {
      clock.advance(9000);
      keepalive.noteMessage();
    }
    expect(peer.seen).toEqual([]);
    clock.advance(60_000);
    expect(peer.seen).toEqual([`idle_timeout@${190_000 + LOOK}`]);
  });

  test('has a second look too, in which a message may be found', () => {
    const { clock, peer, keepalive } = open({ wsIdleTimeout: 10 });
    clock.block(3_600_000);
    clock.advance(LOOK - 1);
    keepalive.noteMessage();
    clock.advance(9000);
    expect(peer.seen).toEqual([]);
  });

  test('goes on being measured when the application changes the pings', () => {
    const { clock, peer, keepalive } = open({ wsIdleTimeout: 10 });
    clock.advance(9000);
    keepalive.set(0, 0);
    clock.advance(9000);
    expect(peer.seen).toEqual([`idle_timeout@${10_000 + LOOK}`]);
  });
});
