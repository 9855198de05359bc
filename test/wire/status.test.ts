import { expect, test } from 'bun:test';
import { isContentless, reasonPhrase } from '../../src/wire/status.ts';

test('a registered status has its reason phrase, and no other has one', () => {
  expect([reasonPhrase(200), reasonPhrase(413), reasonPhrase(511)]).toEqual([
    'OK',
    'Content Too Large',
    'Network Authentication Required',
  ]);
  expect([reasonPhrase(299), reasonPhrase(999)]).toEqual(['', '']);
});

test('204, 205 and 304 are the final statuses without content (RFC 9110 6.4.1, 15.3.6)', () => {
  const contentless = Array.from({ length: 800 }, (_, index) => index + 200).filter(isContentless);
  expect(contentless).toEqual([204, 205, 304]);
});
