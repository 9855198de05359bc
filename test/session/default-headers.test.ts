/**
 * The fields that the server supplies, with a clock and a tick that the test turns.
 */
import { describe, expect, test } from 'bun:test';
import { DefaultHeaders, type DefaultHeaderSettings } from '../../src/session/default-headers.ts';
import { checkHeaders } from '../../src/session/response-headers.ts';
import { FakeClock } from '../support/fake-clock.ts';

const START = Date.UTC(2024, 1, 29, 23, 59, 58, 400);

function open(settings: Partial<DefaultHeaderSettings> = {}) {
  const clock = new FakeClock(START);
  const ticking = { now: 0 };
  const all = { serverHeader: true, dateHeader: true, headers: [], ...settings };
  const defaults = new DefaultHeaders(all, clock, ticking);
  return { clock, ticking, defaults };
}

const headers = (...list: [string, string][]) => checkHeaders('http.response.start', list);

describe('a response that brings none of them', () => {
  test('gets server and date (RFC 9110 6.6.1, 5.6.7)', () => {
    const { defaults } = open();
    expect(defaults.text(headers(['x', 'y']))).toBe(
      'server: tsagi-server\r\ndate: Thu, 29 Feb 2024 23:59:58 GMT\r\n',
    );
  });

  test('gets neither where they are turned off', () => {
    const { defaults } = open({ serverHeader: false, dateHeader: false });
    expect(defaults.text(headers())).toBe('');
  });

  test('gets the fields that the operator configured, in order and with repeats, before them', () => {
    const { defaults } = open({
      dateHeader: false,
      headers: [
        ['X-Frame', 'deny'],
        ['link', 'a'],
        ['link', 'b'],
      ],
    });
    expect(defaults.text(headers())).toBe('X-Frame: deny\r\nlink: a\r\nlink: b\r\nserver: tsagi-server\r\n');
  });
});

describe('a field that the response brings', () => {
  test('is not added, in whatever case it is written', () => {
    const { defaults } = open({ headers: [['X-Frame', 'deny']] });
    const text = defaults.text(headers(['DATE', 'mine'], ['x-frame', 'allow']));
    expect(text).toBe('server: tsagi-server\r\n');
    expect(defaults.text(headers(['Server', 'mine'], ['Date', 'mine']))).toBe('X-Frame: deny\r\n');
  });

  test('that the operator configured as server or date takes the place of the usual one', () => {
    const { defaults } = open({
      headers: [
        ['Server', 'mine'],
        ['Date', 'never'],
      ],
    });
    expect(defaults.text(headers())).toBe('Server: mine\r\nDate: never\r\n');
  });
});

describe('the date', () => {
  test('follows the clock once the tick has moved', () => {
    const { clock, ticking, defaults } = open({ serverHeader: false });
    const now = (): string => {
      ticking.now++;
      return defaults.text(headers());
    };
    expect(now()).toContain('23:59:58');
    clock.advance(500);
    expect(now()).toContain('23:59:58');
    clock.advance(200);
    expect(now()).toContain('23:59:59');
    clock.advance(1000);
    expect(now()).toBe('date: Fri, 01 Mar 2024 00:00:00 GMT\r\n');
  });

  test('is the same text within a second, so that heads made of it can be used again', () => {
    const { clock, ticking, defaults } = open();
    const first = defaults.text(headers());
    clock.advance(100);
    ticking.now++;
    expect(defaults.text(headers(['a', 'b']))).toBe(first);
  });

  test('is set before the first tick as well', () => {
    expect(open().defaults.text(headers())).toContain('date: Thu, 29 Feb 2024');
  });

  test('goes back with the wall clock, when somebody sets that', () => {
    const { clock, ticking, defaults } = open({ serverHeader: false });
    defaults.text(headers());
    clock.advance(-3_600_000);
    ticking.now++;
    expect(defaults.text(headers())).toContain('22:59:58');
  });
});
