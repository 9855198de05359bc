/** Plays steps to a guard, in pieces of any size, and gathers what comes of them. */
import { Buffer } from 'node:buffer';

import { FrameGuard, type GuardLimits } from '../../../src/wire/h2/frame-guard.ts';
import { LIMITS, PREFACE, settings, settingsAck, type Step } from '../../cases/h2/row.ts';

export interface Played {
  /** In hexadecimal. */
  passed: string;
  replies: string;
  fault: string | undefined;
  errorCode: number | undefined;
  lastStreamId: number;
  mostHeld: number;
}

/** What stands before the steps of most rows; the SETTINGS of the client cost one of its budget. */
export const OPENING: readonly Step[] = [
  PREFACE,
  { server: Buffer.concat([settings(), settingsAck()]) },
  settings(),
  settingsAck(),
];

export function play(
  steps: readonly Step[],
  limits: Partial<GuardLimits> = {},
  cut: (bytes: Buffer) => Iterable<Buffer> = (bytes) => [bytes],
): Played {
  const guard = new FrameGuard({ ...LIMITS, ...limits });
  const passed: Buffer[] = [];
  const replies: Buffer[] = [];
  let fault;
  let mostHeld = 0;
  let now = 1_000_000;
  for (const step of joined(steps)) {
    if ('milliseconds' in step) now += step.milliseconds;
    else if ('server' in step) {
      for (const piece of cut(step.server)) fault ??= guard.outbound(Buffer.from(piece), now)?.fault;
    } else {
      for (const piece of cut(step)) {
        const verdict = guard.inbound(Buffer.from(piece), now);
        passed.push(...verdict.passed);
        replies.push(...verdict.replies);
        fault ??= verdict.fault;
        mostHeld = Math.max(mostHeld, guard.heldBytes);
      }
    }
  }
  return {
    passed: Buffer.concat(passed).toString('hex'),
    replies: Buffer.concat(replies).toString('hex'),
    fault: fault?.code,
    errorCode: fault?.errorCode,
    lastStreamId: guard.lastStreamId,
    mostHeld,
  };
}

/** Bytes of the client with nothing in between arrive together. */
function joined(steps: readonly Step[]): Step[] {
  const groups: Step[] = [];
  let run: Buffer[] = [];
  const end = (): void => {
    if (run.length > 0) groups.push(Buffer.concat(run));
    run = [];
  };
  for (const step of steps) {
    if (Buffer.isBuffer(step)) run.push(step);
    else {
      end();
      groups.push(step);
    }
  }
  end();
  return groups;
}

export function* inPiecesOf(size: number, bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
