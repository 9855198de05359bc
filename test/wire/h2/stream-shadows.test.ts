import { describe, expect, test } from 'bun:test';

import { StreamShadows } from '../../../src/wire/h2/stream-shadows.ts';

/** Opens and closes the next `count` streams. */
function pass(streams: StreamShadows, count: number, closing: 'ended' | 'resetByServer'): void {
  for (let index = 0; index < count; index++) {
    const { id } = streams.open(streams.highest + 2, 65_535);
    streams.close(id, closing);
  }
}

function streamsAfter(closing: 'ended' | 'resetByPeer' | 'resetByServer'): StreamShadows {
  const streams = new StreamShadows();
  streams.open(1, 65_535);
  streams.close(1, closing);
  return streams;
}

describe('closed streams', () => {
  test('those that the server has reset are remembered over 255 others of that kind, and over any number of another', () => {
    const streams = streamsAfter('resetByServer');
    pass(streams, 1000, 'ended');
    pass(streams, 255, 'resetByServer');
    expect(streams.stateOfOther(1)).toBe('resetByServer');
    pass(streams, 1, 'resetByServer');
    expect(streams.stateOfOther(1)).toBe('forgotten');
  });

  for (const closing of ['ended', 'resetByPeer'] as const) {
    test(`the last 64 that were ${closing} are remembered`, () => {
      const streams = streamsAfter(closing);
      for (let id = 3; id <= 127; id += 2) streams.close(id, closing);
      expect(streams.stateOfOther(1)).toBe(closing);
      streams.close(129, closing);
      expect(streams.stateOfOther(1)).toBe('forgotten');
    });
  }

  test('the last reset counts', () => {
    const streams = streamsAfter('resetByPeer');
    streams.close(1, 'resetByServer');
    expect(streams.stateOfOther(1)).toBe('resetByServer');
  });
});

describe('other streams', () => {
  test('are idle above the highest, and forgotten below', () => {
    const streams = new StreamShadows();
    streams.open(5, 65_535);
    expect([3, 5, 7].map((id) => streams.get(id)?.id ?? streams.stateOfOther(id))).toEqual([
      'forgotten',
      5,
      'idle',
    ]);
  });

  test('are idle if they are even', () => {
    const streams = new StreamShadows();
    streams.open(5, 65_535);
    expect(streams.stateOfOther(2)).toBe('idle');
  });
});
