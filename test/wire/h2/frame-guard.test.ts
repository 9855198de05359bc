/** What of the guard no vector shows: how it treats buffers, and its answers after a fault. */
import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'bun:test';

import { FrameGuard, type GuardLimits } from '../../../src/wire/h2/frame-guard.ts';
import { H2_FAULTS } from '../../../src/wire/h2/errors.ts';
import { pingFrame } from '../../../src/wire/h2/frames.ts';
import {
  CODE,
  data,
  goAway,
  headers,
  LIMITS,
  ping,
  PREFACE,
  priority,
  request,
  rstStream,
  settings,
  upload,
  windowUpdate,
} from '../../cases/h2/row.ts';

function openGuard(limits: Partial<GuardLimits> = {}): FrameGuard {
  const guard = new FrameGuard({ ...LIMITS, ...limits });
  guard.inbound(Buffer.concat([PREFACE, settings()]), 0);
  return guard;
}

describe('a PING of the server', () => {
  const ours = pingFrame(0x3132_3334_3536_3738n);

  test('is out until its payload comes back with ACK, in pieces of any size', () => {
    for (const size of [1, 5, 13, 17]) {
      const guard = openGuard();
      expect(guard.awaitsPing).toBe(false);
      guard.outbound(ours.subarray(0, 12), 0);
      guard.outbound(ours.subarray(12), 0);
      expect(guard.awaitsPing).toBe(true);
      const answer = ping(1);
      for (let at = 0; at < answer.length; at += size) {
        expect(guard.awaitsPing).toBe(true);
        expect(guard.inbound(Buffer.from(answer.subarray(at, at + size)), 0)).toEqual({
          passed: [],
          replies: [],
          fault: undefined,
        });
      }
      expect(guard.awaitsPing).toBe(false);
    }
  });

  test('is not answered by a PING with the same payload, nor by an ACK with another', () => {
    const guard = openGuard();
    guard.outbound(pingFrame(1n), 0);
    expect(guard.inbound(ping(1), 0).passed).toEqual([]);
    expect(guard.inbound(pingFrame(1n), 0).passed).toHaveLength(1);
    expect(guard.awaitsPing).toBe(true);
  });

  test('is not asked for by answers to those of the peer', () => {
    const guard = openGuard();
    guard.outbound(ping(1), 0);
    expect(guard.awaitsPing).toBe(false);
  });
});

describe('buffers', () => {
  test('a chunk that passes whole is passed as it is', () => {
    const chunk = Buffer.concat([upload(1), data(1, 100), data(1, 100), request(3)]);
    const { passed, replies } = openGuard().inbound(chunk, 0);
    expect(passed).toHaveLength(1);
    expect(passed[0]).toBe(chunk);
    expect(replies).toEqual([]);
  });

  test('neighbouring frames are passed as one piece of the chunk', () => {
    const chunk = Buffer.concat([upload(1), data(1, 100), priority(1, 3), data(1, 50), request(3)]);
    const { passed } = openGuard().inbound(chunk, 0);
    expect(passed.map(({ length }) => length)).toEqual([upload(1).length + 109, 59 + request(3).length]);
    expect(passed.every(({ buffer }) => buffer === chunk.buffer)).toBe(true);
  });

  test('of a long frame what is here is passed at once', () => {
    const guard = openGuard();
    const frame = Buffer.concat([upload(1), data(1, 10_000)]);
    expect(guard.inbound(frame.subarray(0, 100), 0).passed[0]).toHaveLength(100);
    expect(guard.heldBytes).toBe(0);
    expect(guard.inbound(frame.subarray(100), 0).passed[0]).toHaveLength(frame.length - 100);
  });

  test('the beginning of a frame is kept by copy, since a chunk may not outlive the call', () => {
    const guard = openGuard();
    const chunk = request(1);
    const [first, second] = [Buffer.from(chunk.subarray(0, 5)), Buffer.from(chunk.subarray(5))];
    expect(guard.inbound(first, 0).passed).toEqual([]);
    expect(guard.heldBytes).toBe(5);
    first.fill(0);
    expect(Buffer.concat(guard.inbound(second, 0).passed).equals(chunk)).toBe(true);
    expect(guard.heldBytes).toBe(0);
  });

  test('SETTINGS are kept until they are whole, and no longer than they may be', () => {
    const guard = openGuard();
    const long = settings(...Array.from({ length: 32 }, () => [0x99, 1] as const));
    expect(guard.inbound(Buffer.from(long.subarray(0, -1)), 0).passed).toEqual([]);
    expect(guard.heldBytes).toBe(long.length - 1);
    expect(Buffer.concat(guard.inbound(Buffer.from(long.subarray(-1)), 0).passed).equals(long)).toBe(true);
  });
});

describe('what the carrier asks', () => {
  test('the last stream is the highest that was used, refused ones included', () => {
    const guard = openGuard({ maxConcurrentStreams: 1 });
    expect(guard.lastStreamId).toBe(0);
    guard.inbound(Buffer.concat([request(3), request(7)]), 0);
    expect(guard.lastStreamId).toBe(7);
  });

  test('the last stream is never higher than GOAWAY has said', () => {
    const guard = openGuard();
    guard.inbound(upload(1), 0);
    guard.outbound(goAway(1), 0);
    guard.inbound(request(5), 0);
    expect(guard.lastStreamId).toBe(1);
  });

  test('a header block is under way from HEADERS to the last CONTINUATION', () => {
    const guard = openGuard();
    expect(guard.isInsideHeaderBlock).toBe(false);
    guard.inbound(headers(1, 1), 0);
    expect(guard.isInsideHeaderBlock).toBe(true);
    guard.inbound(Buffer.from('000000090400000001', 'hex'), 0);
    expect(guard.isInsideHeaderBlock).toBe(false);
  });
});

describe('windows that are opened byte by byte', () => {
  // node:http2 takes one increment after the other, and so sends as many frames.
  test.each([
    ['of a stream', 1, [windowUpdate(0, 100_000)]],
    ['of the connection', 0, [windowUpdate(1, 100_000)]],
  ])('%s: increments that come in one chunk do not pay for each other', (_name, id, before) => {
    const guard = openGuard();
    guard.inbound(Buffer.concat([request(1), ...before]), 0);
    guard.outbound(data(1, 65_535), 0);
    let rounds = 0;
    for (; rounds < 1000; rounds++) {
      const { fault } = guard.inbound(
        Buffer.concat(Array.from({ length: 10 }, () => windowUpdate(id, 1))),
        0,
      );
      if (fault !== undefined) break;
      for (let index = 0; index < 10; index++) guard.outbound(data(1, 1), 0);
    }
    // The burst, 10 for the request, and 64 for each KiB.
    expect(rounds).toBe(544);
    expect(guard.inbound(ping(), 0).fault).toBe(H2_FAULTS.windowUpdateFlood);
  });
});

describe('after a fault', () => {
  test('nothing is read, and the fault stays', () => {
    const guard = openGuard();
    expect(guard.inbound(Buffer.concat([ping(), data(1, 1), ping()]), 0)).toMatchObject({
      passed: [ping()],
      fault: H2_FAULTS.idleStream,
    });
    expect(guard.inbound(request(1), 0)).toEqual({ passed: [], replies: [], fault: H2_FAULTS.idleStream });
    expect(guard.outbound(rstStream(1, 1), 0)).toBeUndefined();
  });

  test('what the server sends can be the fault of the peer: resets that answer malformed requests', () => {
    const guard = openGuard({ rstBurst: 1, rstRate: 0 });
    guard.inbound(Buffer.concat([request(1), request(3)]), 0);
    expect(guard.outbound(rstStream(1, CODE.protocol), 0)).toBeUndefined();
    expect(guard.outbound(rstStream(3, CODE.protocol), 0)).toEqual({
      passed: [],
      replies: [],
      fault: H2_FAULTS.resetFlood,
    });
    expect(guard.inbound(ping(), 0).fault).toBe(H2_FAULTS.resetFlood);
  });

  test('a reset that follows a reset of the guard is not counted again', () => {
    const guard = openGuard({ rstBurst: 1, rstRate: 0 });
    const { replies } = guard.inbound(Buffer.concat([request(1), windowUpdate(1, 0)]), 0);
    expect(replies).toEqual([rstStream(1, CODE.protocol)]);
    expect(guard.outbound(rstStream(1, CODE.protocol), 0)).toBeUndefined();
  });
});

test('a fault of a stream can be made one of the connection', () => {
  const { code, errorCode, message } = H2_FAULTS.halfClosed;
  expect(H2_FAULTS.halfClosed.forConnection()).toMatchObject({
    code,
    errorCode,
    message,
    scope: 'connection',
  });
});

test('what the peer is told is short ASCII', () => {
  for (const { message } of Object.values(H2_FAULTS)) expect(message).toMatch(/^[ -~]{10,100}$/);
  const codes = Object.values(H2_FAULTS).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
});
