/** Which status codes may stand in a close frame (RFC 6455 section 7.4). */
import { expect, test } from 'bun:test';
import { CLOSE, isSendableCloseCode } from '../../../src/wire/websocket/close-codes.ts';

test('of all 65536 codes exactly the registered and the free ones are sendable', () => {
  const ranges: [from: number, to: number][] = [];
  for (let code = 0; code <= 0xffff; code++) {
    if (!isSendableCloseCode(code)) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === code - 1) last[1] = code;
    else ranges.push([code, code]);
  }
  expect(ranges).toEqual([
    [1000, 1003],
    [1007, 1014],
    [3000, 4999],
  ]);
});

test('what is not a whole number is not a code', () => {
  expect([1000.5, Number.NaN, Infinity].map(isSendableCloseCode)).toEqual([false, false, false]);
});

test('every named code is sendable but the two that only report', () => {
  const unsendable = Object.values(CLOSE).filter((code) => !isSendableCloseCode(code));
  expect(unsendable).toEqual([CLOSE.noStatus, CLOSE.abnormal]);
});
