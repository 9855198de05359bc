/**
 * The invariant: whatever arrives, the frame guard gives a verdict, never an exception; it gives the same however the bytes are cut; it
 * keeps next to nothing of them; and what it passes on is a sequence of frames. Inputs are conversations, mutated. TSAGI_FUZZ_INPUTS
 * says how many, TSAGI_FUZZ_SEED which; a failure prints the input.
 */
import { Buffer } from 'node:buffer';
import { expect, test } from 'bun:test';

import { FrameGuard, type GuardLimits } from '../../src/wire/h2/frame-guard.ts';
import {
  answer,
  continuation,
  data,
  frame,
  goAway,
  headers,
  LIMITS,
  ping,
  PREFACE,
  priority,
  request,
  rstStream,
  settings,
  settingsAck,
  type Step,
  upload,
  windowUpdate,
} from '../cases/h2/row.ts';
import { Random } from '../support/random.ts';
import { OPENING, play, type Played } from '../wire/h2/play.ts';

const INPUTS = Number(process.env['TSAGI_FUZZ_INPUTS'] ?? 20_000);
const SEED = Number(process.env['TSAGI_FUZZ_SEED'] ?? 1);
const MOST_HELD = 9 + 192;

const SETS: Partial<GuardLimits>[] = [
  {},
  { maxConcurrentStreams: 2 },
  { rstBurst: 3, rstRate: 1 },
  { initialWindowSize: 100, maxHeaderListSize: 4096 },
];

const SIZES = [0, 1, 5, 100, 9000, 16_384];
const INCREMENTS = [0, 1, 100, 65_535, 0x7fff_ffff, 0xffff_ffff];
const SETTINGS = [1, 2, 3, 4, 4, 4, 5, 6, 8, 0x99];
const VALUES = [0, 1, 1, 2, 100, 16_384, 65_535, 100_000, 0x7fff_ffff, 0x8000_0000];

const streamId = (random: Random): number => (random.oneIn(12) ? random.below(12) : 2 * random.below(6) + 1);

/** Frames that a client may well send, now and then on the wrong stream. */
const CLIENT: ((random: Random) => Buffer)[] = [
  (random) => request(streamId(random)),
  (random) => upload(streamId(random)),
  (random) => upload(streamId(random)),
  (random) => headers(streamId(random), random.pick([0, 1, 5, 5, 12, 37])),
  (random) => continuation(streamId(random), random.pick([0, 4, 4])),
  (random) => data(streamId(random), random.pick(SIZES), random.pick([0, 0, 1, 8])),
  (random) => data(streamId(random), random.pick(SIZES), random.pick([0, 0, 1, 8])),
  (random) => rstStream(streamId(random), random.below(14)),
  (random) => windowUpdate(random.oneIn(3) ? 0 : streamId(random), random.pick(INCREMENTS)),
  (random) => priority(streamId(random), streamId(random)),
  (random) => settings([random.pick(SETTINGS), random.pick(VALUES)]),
  () => settingsAck(),
  (random) => ping(random.below(2)),
  () => goAway(),
  (random) => frame(random.below(256), random.below(256), streamId(random), random.below(20)),
];

const SERVER: ((random: Random) => { server: Buffer })[] = [
  (random) => answer(streamId(random)),
  (random) => ({ server: data(streamId(random), random.below(20_000), random.below(2)) }),
  (random) => ({ server: rstStream(streamId(random), random.below(14)) }),
  (random) => ({ server: windowUpdate(random.oneIn(2) ? 0 : streamId(random), 1 + random.below(100_000)) }),
  (random) => ({ server: settings([4, random.pick([0, 100, 65_535, 1_000_000])]) }),
];

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const MUTATIONS: Mutation[] = [
  function flipBit(bytes, random) {
    const changed = Buffer.from(bytes);
    const at = random.below(bytes.length);
    changed[at] = changed[at]! ^ (1 << random.below(8));
    return changed;
  },
  function setByte(bytes, random) {
    const changed = Buffer.from(bytes);
    changed[random.below(bytes.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
    return changed;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length));
  },
  function extend(bytes, random) {
    return Buffer.concat([bytes, Buffer.alloc(1 + random.below(20), random.below(256))]);
  },
];

/** Mutations are rare, so that most conversations get far. */
function conversation(random: Random): Step[] {
  const steps: Step[] = [...OPENING];
  for (let count = 1 + random.below(30); count > 0; count--) {
    if (random.oneIn(5)) steps.push(random.pick(SERVER)(random));
    else {
      const bytes = random.pick(CLIENT)(random);
      steps.push(random.oneIn(25) ? random.pick(MUTATIONS)(bytes, random) : bytes);
    }
    if (random.oneIn(40)) steps.push({ milliseconds: random.below(5000) });
  }
  return steps;
}

test(`${INPUTS} conversations give verdicts, the same however they are cut`, () => {
  const random = new Random(SEED);
  const outcomes: Record<string, number> = {};
  for (let index = 0; index < INPUTS; index++) {
    const steps = conversation(random);
    const outcome = judge(steps, random.pick(SETS), random).fault ?? 'none';
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  // Inputs that never led to one of these would not have tried it.
  const faults = Object.keys(outcomes).filter((name) => name !== 'none');
  expect(outcomes['none']).toBeGreaterThan(INPUTS / 50);
  expect(faults.length).toBeGreaterThanOrEqual(INPUTS < 20_000 ? 12 : 18);
}, 600_000);

function judge(steps: readonly Step[], limits: Partial<GuardLimits>, random: Random): Played {
  const longest = random.pick([3, 20, 200, 5000]);
  try {
    const { mostHeld, ...whole } = play(steps, limits);
    const cut = play(steps, limits, (bytes) => cutAtRandom(bytes, longest, random));
    if (!Bun.deepEquals(whole, { ...cut, mostHeld: undefined }))
      throw new Error('cut otherwise, it is judged otherwise');
    if (Math.max(mostHeld, cut.mostHeld) > MOST_HELD) throw new Error(`keeps ${cut.mostHeld} bytes`);
    assertFrames(Buffer.from(whole.passed, 'hex'), PREFACE.length);
    assertFrames(Buffer.from(whole.replies, 'hex'), 0);
    return cut;
  } catch (cause) {
    const input = steps.map((step) =>
      Buffer.isBuffer(step)
        ? step.toString('hex')
        : 'server' in step
          ? { server: step.server.toString('hex') }
          : step,
    );
    throw new Error(`failed on ${JSON.stringify({ input, limits, longest })}`, { cause });
  }
}

function* cutAtRandom(bytes: Buffer, longest: number, random: Random): Generator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(longest);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** Whole frames, of which the last may be cut off; none that only the guard knows how to take. */
function assertFrames(bytes: Buffer, from: number): void {
  let at = from;
  while (at + 9 <= bytes.length) {
    const type = bytes[at + 3]!;
    if (type > 9 || type === 2 || type === 5) throw new Error(`a frame of type ${type} at ${at}`);
    at += 9 + bytes.readUIntBE(at, 3);
  }
}

const bytesOf = (steps: readonly Step[]): Buffer =>
  Buffer.concat(steps.filter((step) => Buffer.isBuffer(step)));

test('bytes without any sense end the connection', () => {
  const random = new Random(SEED);
  let refused = 0;
  for (let index = 0; index < 2000; index++) {
    const noise = Buffer.from(Array.from({ length: 300 }, () => random.below(256)));
    const guard = new FrameGuard(LIMITS);
    if (guard.inbound(Buffer.concat([PREFACE, settings(), noise]), 0).fault !== undefined) refused++;
    expect(guard.heldBytes).toBeLessThanOrEqual(MOST_HELD);
  }
  // One in a thousand begins with a length that may be.
  expect(refused).toBeGreaterThan(1990);
});

/** Requests that are answered, for as long as one likes: nothing about them may stay. */
test('a guard that has seen 200 000 streams keeps what one keeps that has seen 1000', () => {
  const guard = new FrameGuard(LIMITS);
  guard.inbound(bytesOf(OPENING), 0);
  const seen = (from: number, to: number): number => {
    for (let index = from; index < to; index++) {
      const id = 2 * index + 1;
      const verdict = guard.inbound(index % 3 === 0 ? upload(id) : request(id), index);
      if (verdict.fault !== undefined) throw new Error(verdict.fault.code);
      guard.outbound(index % 3 === 0 ? rstStream(id, 8) : answer(id).server, index);
    }
    Bun.gc(true);
    return process.memoryUsage().heapUsed;
  };
  seen(0, 1000);
  const before = seen(1000, 20_000);
  const after = seen(20_000, 200_000);
  expect(after - before).toBeLessThan(1_000_000);
});
