/**
 * What tests expect of a load: the plan that covers every way to ask, and the judgement of its summary.
 */
import { expect } from 'bun:test';
import type { RunningMaster } from '../running-master.ts';
import type { Failure, LoadPlan, LoadSummary } from './load-plan.ts';
import { RunningLoad } from './running-load.ts';

export const REQUESTS = 20_000;

/** Requests at once at each address in lanes of one. */
const LANES = { 'h1-new': 3, 'h1-kept': 3, h2: 1 } as const;
/** And in a lane of HTTP/2. */
const STREAMS = 4;

/** Over TCP and a unix socket at once: new and kept connections, HTTP/2, and clients that stay. */
export function startLoad(master: RunningMaster, options: Partial<LoadPlan> = {}): Promise<RunningLoad> {
  return RunningLoad.start({
    targets: master.targets,
    lanes: LANES,
    streams: STREAMS,
    guests: ['sse', 'h2-sse', 'websocket'],
    requests: REQUESTS,
    ...options,
  });
}

/** Every request was answered, and every client that stays was sent away in order. */
export function expectNothingLost(summary: LoadSummary, requests = REQUESTS): void {
  const { sent, answered, failed, failures } = summary;
  expect({ failed, failures }).toEqual({ failed: 0, failures: [] });
  expect(sent).toBeGreaterThanOrEqual(requests);
  expect(answered).toBe(sent);
  expect(waysToAnswer(summary)).toEqual(
    ['h1-kept tcp', 'h1-kept unix', 'h1-new tcp', 'h1-new unix', 'h2 tcp', 'h2 unix'].sort(),
  );
  expect(disorderlyDepartures(summary)).toEqual([]);
}

/** Every kind of client that stays has been sent away at least once. */
export function expectDepartures({ departures }: LoadSummary): void {
  const kinds = new Set(departures.map(({ kind, via }) => `${kind} ${via}`));
  expect(Array.from(kinds).sort()).toEqual(
    ['h2-sse tcp', 'h2-sse unix', 'sse tcp', 'sse unix', 'websocket tcp', 'websocket unix'].sort(),
  );
}

/**
 * Where processes are killed, what they had in hand is lost and nothing else: a lane, which sends its next request when it
 * has the answer to the one before, loses at most one of each kill, one of HTTP/2 as many as it has streams; a connection
 * is reset or closed, never refused; and where a client knows which process it speaks to, that is one that was killed.
 */
export function expectOnlyInHandLost(summary: LoadSummary, killed: readonly number[]): void {
  const { sent, answered, failed, failures } = summary;
  const beyond = failures.filter(
    ({ cause, pid }) =>
      !['reset', 'closed before an answer', 'closed within an answer'].includes(cause) ||
      (pid !== undefined && !killed.includes(pid)),
  );
  expect(beyond).toEqual([]);
  for (const [lane, lost] of lossesByLane(failures)) {
    const most = killed.length * (lane.startsWith('h2 ') ? STREAMS : 1);
    expect(lost, `requests that ${lane} has lost`).toBeLessThanOrEqual(most);
  }
  expect(answered + failed).toBe(sent);
  const wrong = disorderlyDepartures(summary).filter(
    ({ how, pid }) => !/^(reset|closed)/.test(how) || (pid !== undefined && !killed.includes(pid)),
  );
  expect(wrong).toEqual([]);
}

function waysToAnswer({ answers }: LoadSummary): string[] {
  return Object.keys(answers).sort();
}

function disorderlyDepartures({ departures }: LoadSummary): LoadSummary['departures'] {
  return departures.filter(({ kind, how }) => how !== (kind === 'websocket' ? 'close 1001' : 'whole'));
}

function lossesByLane(failures: readonly Failure[]): Map<string, number> {
  const losses = new Map<string, number>();
  for (const { kind, via, lane, request } of failures) {
    // Number 0: a client that stays, between two visits.
    if (request === 0) continue;
    const name = `${kind} ${via} ${lane}`;
    losses.set(name, (losses.get(name) ?? 0) + 1);
  }
  return losses;
}
