/**
 * Clients that take small pieces as fast as the application sends them, so that no send ever has to wait for one: ordinary
 * traffic beside them sees no error and no long wait.
 */
import { runWrk } from '../load/wrk.ts';
import type { Part } from '../part.ts';
import { Subject } from '../subject.ts';

const GREEDY = 8;
const TRAFFIC = { connections: 20, seconds: 4 };
/** Milliseconds. */
const LONGEST_WAIT = 500;
/** Bytes of each, at the least: else they were no burden. */
const LEAST_TAKEN = 2 ** 17;

export const greedyClients: Part = {
  name: 'greedy',
  title: `${GREEDY} clients that take endless small pieces as fast as they come`,
  async run({ cores }) {
    await using subject = await Subject.start(cores);
    const descriptors = subject.descriptors;
    const leaving = new AbortController();
    const taken = Array.from({ length: GREEDY }, () => take(`${subject.url}/drip`, leaving.signal));
    await Bun.sleep(500);
    const { requests, errors, p50, p99, longest } = await runWrk({ url: subject.url, ...TRAFFIC }, cores);
    leaving.abort();
    const least = Math.min(...(await Promise.all(taken)));
    const left = await subject.descriptorsBack(descriptors);
    return [
      {
        what: 'least bytes that one of them took',
        figure: String(least),
        bar: `≥ ${LEAST_TAKEN}`,
        holds: least >= LEAST_TAKEN,
      },
      { what: 'ordinary requests beside them', figure: String(requests) },
      { what: 'errors of these', figure: String(errors), bar: 'none', holds: errors === 0 },
      {
        what: 'waits beside them, p50 / p99 / longest',
        figure: `${p50.toFixed(1)} / ${p99.toFixed(1)} / ${longest.toFixed(0)} ms`,
        bar: `longest ≤ ${LONGEST_WAIT} ms`,
        holds: longest <= LONGEST_WAIT,
      },
      {
        what: 'descriptors before → after',
        figure: `${descriptors} → ${left}`,
        bar: 'back',
        holds: left <= descriptors,
      },
    ];
  },
};

/** Reads on until told to leave; resolves with how many bytes there were. */
async function take(url: string, signal: AbortSignal): Promise<number> {
  let size = 0;
  try {
    const response = await fetch(url, { signal });
    for await (const chunk of response.body!) size += chunk.length;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return size;
}
