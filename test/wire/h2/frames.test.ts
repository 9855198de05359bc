import { describe, expect, test } from 'bun:test';

import { goAwayFrame, rstStreamFrame, windowUpdateFrame } from '../../../src/wire/h2/frames.ts';

describe('frames of the server', () => {
  test('RST_STREAM', () => {
    expect(rstStreamFrame(0x7fff_ffff, 11).toString('hex')).toBe('00000403007fffffff0000000b');
  });

  test('WINDOW_UPDATE', () => {
    expect(windowUpdateFrame(1, 0x7fff_ffff).toString('hex')).toBe('0000040800000000017fffffff');
  });

  test('GOAWAY', () => {
    expect(goAwayFrame(5, 1).toString('hex')).toBe('0000080700000000000000000500000001');
  });

  test('GOAWAY with debug data', () => {
    expect(goAwayFrame(5, 11, 'Calm').toString('hex')).toBe('00000c070000000000000000050000000b43616c6d');
  });
});
