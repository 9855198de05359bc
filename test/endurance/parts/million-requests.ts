/**
 * One million requests over kept-alive connections, in slices: what the server's memory has grown by, whether it goes
 * on growing, and whether every descriptor is back. Memory is looked at between slices, idle and without garbage.
 */
import { formatCount } from '../../bench/report.ts';
import { runWrk } from '../load/wrk.ts';
import { mebibytes, type Finding, type Part } from '../part.ts';
import { Subject } from '../subject.ts';

const TOTAL = 1_000_000;
/** At least. */
const SLICES = 5;
const SLICE = TOTAL / SLICES;
const CONNECTIONS = 50;
/**
 * Seconds of load before the first look at memory, because code is loaded and compiled once; also tells how long a slice
 * takes, since wrk counts time and not requests.
 */
const WARM_UP_SECONDS = 2;
/** Of a slice; a machine that needs longer gets more slices, up to twice as many. */
const MOST_SECONDS = 10;
/** The reference server's own figure. */
const BYTES_PER_REQUEST = 6.5;

export const millionRequests: Part = {
  name: 'requests',
  title: `One million requests over ${CONNECTIONS} kept-alive connections at a time`,
  async run({ cores, progress }) {
    await using subject = await Subject.start(cores);
    const { url } = subject;
    const load = (seconds: number): ReturnType<typeof runWrk> =>
      runWrk({ url, connections: CONNECTIONS, seconds }, cores);
    const cold = await subject.idleBytes();
    const descriptors = subject.descriptors;
    const { requests: warmUp } = await load(WARM_UP_SECONDS);
    let rate = warmUp / WARM_UP_SECONDS;
    const memory = [await subject.idleBytes()];
    let requests = 0;
    let errors = 0;
    for (let slice = 1; slice <= SLICES || (requests < TOTAL && slice <= 2 * SLICES); slice++) {
      const seconds = Math.min(MOST_SECONDS, Math.ceil(SLICE / rate));
      const counts = await load(seconds);
      rate = counts.requests / seconds;
      errors += counts.errors;
      requests += (await subject.state()).greetings;
      memory.push(await subject.idleBytes());
      progress(`requests: slice ${slice}: ${mebibytes(memory.at(-1)! - memory.at(-2)!)}`);
    }
    const left = await subject.descriptorsBack(descriptors);
    return [
      {
        what: 'requests answered',
        figure: formatCount(requests),
        bar: '≥ 1 000 000',
        holds: requests >= TOTAL,
      },
      { what: 'errors', figure: String(errors), bar: 'none', holds: errors === 0 },
      ...memoryFindings(cold, memory, { warmUp, requests }),
      {
        what: 'descriptors before → after',
        figure: `${descriptors} → ${left}`,
        bar: 'back',
        holds: left <= descriptors,
      },
    ];
  },
};

function memoryFindings(
  cold: number,
  memory: readonly number[],
  { warmUp, requests }: { readonly warmUp: number; readonly requests: number },
): Finding[] {
  const warm = memory[0]!;
  const last = memory.at(-1)!;
  const growth = memory.slice(1).map((bytes, index) => bytes - memory[index]!);
  const perRequest = (last - warm) / requests;
  // Both ends smoothed over two slices: a single look may find a page more or less.
  const early = growth[0]! + growth[1]!;
  const late = growth.at(-1)! + growth.at(-2)!;
  return [
    {
      what: `own memory: started, after ${formatCount(warmUp)} requests, at the end`,
      figure: [cold, warm, last].map(mebibytes).join(', '),
    },
    {
      what: 'growth per request',
      figure: `${perRequest.toFixed(2)} bytes`,
      bar: `≤ ${BYTES_PER_REQUEST}`,
      holds: perRequest <= BYTES_PER_REQUEST,
    },
    {
      what: 'growth per request since the very start',
      figure: `${((last - cold) / (requests + warmUp)).toFixed(2)} bytes`,
    },
    {
      what: 'growth of each slice',
      figure: growth.map(mebibytes).join(', '),
      bar: 'last two ≤ first two, or ≤ 0.5 MiB',
      holds: late <= Math.max(early, 2 ** 19),
    },
  ];
}
