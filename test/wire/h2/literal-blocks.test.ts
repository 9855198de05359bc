/**
 * Which header blocks of the server are replaced for a peer with a small table, and which stay; what the peer makes of them is in
 * test/behaviour/h2-header-table.test.ts.
 */
import { Buffer } from 'node:buffer';
import { expect, test } from 'bun:test';

import { FrameGuard } from '../../../src/wire/h2/frame-guard.ts';
import {
  CODE,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  LIMITS,
  PREFACE,
  request,
  rstStream,
  settings,
  settingsAck,
} from '../../cases/h2/row.ts';

const HEADERS = 1;
const CONTINUATION = 9;
const SMALLER = settings([1, 4095]);
/** What node:http2 would have said. */
const STAND_IN = frame(HEADERS, END_HEADERS, 1, Buffer.from('88', 'hex'));
/** The table has size 0, `:status: 200`. */
const STATUS = '200803323030';

function guardFor(...chunks: Buffer[]): FrameGuard {
  const guard = new FrameGuard(LIMITS);
  guard.inbound(Buffer.concat([PREFACE, ...chunks]), 0);
  return guard;
}

function literal(flags: number, hex: string): Buffer {
  return frame(HEADERS, flags, 1, Buffer.from(hex, 'hex'));
}

test('a peer with a table of the usual size, or a larger one, has no literals', () => {
  for (const size of [4096, 65_536]) expect(guardFor(settings([1, size])).literals).toBeUndefined();
  for (const size of [0, 1, 4095]) expect(guardFor(settings([1, size])).literals).toBeDefined();
});

test('every block begins with the size update, and what is around it stays', () => {
  const literals = guardFor(SMALLER, request(1)).literals!;
  expect(literals.replace(1, 0, { ':status': 200, a: ['b', 'c'] })).toEqual({ ':status': 200 });
  expect(literals.replace(1, 1, { d: 'e' })).not.toEqual({});
  const content = data(1, 0, 3);
  const trailers = frame(HEADERS, END_HEADERS | END_STREAM, 1, Buffer.from('c0', 'hex'));
  expect(
    literals.translate(Buffer.concat([settingsAck(), STAND_IN, content, trailers, data(1, 0, 1)])),
  ).toEqual(
    Buffer.concat([
      settingsAck(),
      literal(END_HEADERS, `${STATUS}00016101620001610163`),
      content,
      literal(END_HEADERS | END_STREAM, '200001640165'),
      data(1, 0, 1),
    ]),
  );
});

test('a block that was encoded before the table shrank goes ahead of the one that was not, and keeps its continuations', () => {
  const guard = guardFor(settings(), request(1));
  guard.outbound(settingsAck(), 0);
  guard.inbound(SMALLER, 0);
  const { literals } = guard;
  literals!.replace(1, 1, { ':status': 200 });
  const before = Buffer.concat([
    frame(HEADERS, 0, 1, Buffer.from('48', 'hex')),
    frame(CONTINUATION, END_HEADERS, 1, Buffer.from('03313030', 'hex')),
  ]);
  expect(literals!.translate(before)).toEqual(before);
  expect(literals!.translate(STAND_IN)).toEqual(literal(END_HEADERS, STATUS));
});

test('behind the acknowledgement nothing is sent that may refer to the table: the stream of such a block is no more', () => {
  const guard = guardFor(settings(), request(1), SMALLER, rstStream(1, CODE.cancel));
  const { literals } = guard;
  literals!.replace(1, 0, { ':status': 200 });
  const long = Buffer.concat([frame(HEADERS, 0, 1, 5), frame(CONTINUATION, END_HEADERS, 1, 5)]);
  // Two SETTINGS: it is the second acknowledgement that counts.
  expect(literals!.translate(Buffer.concat([settingsAck(), long]))).toEqual(
    Buffer.concat([settingsAck(), long]),
  );
  expect(literals!.translate(Buffer.concat([settingsAck(), long]))).toEqual(settingsAck());
  expect(literals!.translate(long)).toHaveLength(0);
});

test('a block larger than the frames that every peer takes goes on in CONTINUATION', () => {
  const literals = guardFor(SMALLER, request(1)).literals!;
  literals.replace(1, 0, { x: 'y'.repeat(16_384) });
  // The update; a literal; its name; 16384 as a length: 127, and 16257 in groups of 7 bits.
  const block = Buffer.concat([
    Buffer.from('20000178', 'hex'),
    Buffer.from([127, 0x81, 127]),
    Buffer.alloc(16_384, 'y'),
  ]);
  expect(literals.translate(frame(HEADERS, END_HEADERS | END_STREAM, 1, 1))).toEqual(
    Buffer.concat([
      frame(HEADERS, END_STREAM, 1, block.subarray(0, 16_384)),
      frame(CONTINUATION, END_HEADERS, 1, block.subarray(16_384)),
    ]),
  );
});
