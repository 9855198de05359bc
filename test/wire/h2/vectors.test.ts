/** Every vector of test/cases/h2, fed whole, byte by byte, in other pieces, and cut anywhere. */
import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'bun:test';

import { H2_FAULTS } from '../../../src/wire/h2/errors.ts';
import { guardRows } from '../../cases/h2/guard-rows.ts';
import { inPiecesOf, OPENING, play } from './play.ts';
import { type GuardRow, PREFACE, settings, settingsAck } from '../../cases/h2/row.ts';

/** Longer inputs are not cut at each of their bytes. */
const WORTH_CUTTING = 400;
/** Even longer ones are not fed in small pieces. */
const WORTH_MINCING = 100_000;
/** Everything that is kept of a frame: its header, and 32 settings. */
const MOST_HELD = 9 + 192;

const CODES = {
  PROTOCOL_ERROR: 1,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
};

/** What RFC 9113 section 7 calls for, by the name of the fault; PROTOCOL_ERROR is the rest. */
function errorCodeOf(fault: string): number {
  if (/flood|too_many$|block_too_long/.test(fault)) return CODES.ENHANCE_YOUR_CALM;
  if (fault === 'field_block') return CODES.COMPRESSION_ERROR;
  if (/window/.test(fault)) return CODES.FLOW_CONTROL_ERROR;
  if (/^frame_too|length$/.test(fault)) return CODES.FRAME_SIZE_ERROR;
  return fault === 'stream_ended' ? CODES.STREAM_CLOSED : CODES.PROTOCOL_ERROR;
}

function expectedOf({ isRaw, passed, replies = [], fault }: GuardRow): object {
  const opening = isRaw === true ? [] : [PREFACE, settings(), settingsAck()];
  const code = fault === undefined ? undefined : H2_FAULTS[fault].code;
  return {
    passed: Buffer.concat([...opening, ...passed]).toString('hex'),
    replies: Buffer.concat([...replies]).toString('hex'),
    fault: code,
    errorCode: code === undefined ? undefined : errorCodeOf(code),
  };
}

for (const row of guardRows) {
  describe(`${row.name} (RFC 9113 ${row.rfc})`, () => {
    const steps = row.isRaw === true ? row.steps : [...OPENING, ...row.steps];
    const expected = expectedOf(row);

    test('whole', () => {
      expect(play(steps, row.limits)).toMatchObject(expected);
    });

    const length = row.steps.reduce((sum, step) => sum + (Buffer.isBuffer(step) ? step.length : 0), 0);
    for (const size of length > WORTH_MINCING ? [100, 1000] : [1, 2, 7, 10, 1000]) {
      test(size === 1 ? 'byte by byte' : `in pieces of ${size}`, () => {
        const played = play(steps, row.limits, (bytes) => inPiecesOf(size, bytes));
        expect(played).toMatchObject(expected);
        expect(played.mostHeld).toBeLessThanOrEqual(MOST_HELD);
      });
    }

    if (length > WORTH_CUTTING) return;
    test('in two pieces, wherever it is cut', () => {
      for (let at = 1; at < length; at++) {
        const played = play(steps, row.limits, (bytes) => [bytes.subarray(0, at), bytes.subarray(at)]);
        expect({ at, ...played }).toMatchObject({ at, ...expected });
      }
    });
  });
}

test('there are vectors, and each has a name of its own', () => {
  expect(guardRows.length).toBeGreaterThan(170);
  expect(new Set(guardRows.map(({ name }) => name)).size).toBe(guardRows.length);
});

test('every connection error is the outcome of some vector', () => {
  const seen = new Set(guardRows.map(({ fault }) => fault));
  const unseen = Object.entries(H2_FAULTS).filter(
    ([name, { scope }]) => scope === 'connection' && !seen.has(name as keyof typeof H2_FAULTS),
  );
  expect(unseen.map(([name]) => name)).toEqual([]);
});
