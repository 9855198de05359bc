/**
 * 500 clients whose head trickles, 500 whose body stops and 500 who do not read, all at once, with ordinary traffic beside
 * them. The ordinary traffic sees no error and no long wait, the others are closed on their deadlines, and what they
 * took is given back: the same again adds nothing.
 */
import { RawClient } from '../../support/raw-client.ts';
import type { BrokenOff } from '../app-state.ts';
import { inBatches } from '../load/batch.ts';
import { type SlowEnd, type SlowKind, stayOn } from '../load/slow-client.ts';
import { runWrk, type WrkCounts } from '../load/wrk.ts';
import { mebibytes, type Finding, type Part, type Surroundings } from '../part.ts';
import { Subject } from '../subject.ts';

const EACH = 500;
const KINDS: readonly SlowKind[] = ['head', 'body', 'read'];
const AT_ONCE = 100;
/** Seconds. */
const DEADLINE = 3;
/** Deadlines are looked at every eighth of the shortest, and everybody here shares two cores. */
const MOST_LATE = 1.5;
const GIVEN_UP = 4 * DEADLINE;
const TRAFFIC_SECONDS = 9;
const TRAFFIC_CONNECTIONS = 20;
/** Milliseconds. */
const LONGEST_WAIT = 500;
const ROUNDS = 2;
/** What a second round may add: less than a KiB for each of its clients. */
const MOST_GROWTH = 2 ** 20;

interface Round {
  readonly traffic: WrkCounts;
  readonly ends: readonly SlowEnd[];
  readonly brokenOff: readonly BrokenOff[];
  readonly bytes: number;
  readonly peak: number;
}

export const slowClients: Part = {
  name: 'slow',
  title: `${EACH} slow heads, ${EACH} slow bodies and ${EACH} slow readers at once, every deadline ${DEADLINE} s`,
  async run(surroundings) {
    const timeouts = ['timeout', 'header-timeout', 'body-timeout', 'write-timeout'];
    const options = timeouts.map((name) => `--${name} ${DEADLINE}`).join(' ');
    await using subject = await Subject.start(surroundings.cores, `--max-connections 3000 ${options}`);
    const descriptors = subject.descriptors;
    const rounds: Round[] = [];
    const alone = await runWrk(
      { url: subject.url, connections: TRAFFIC_CONNECTIONS, seconds: 2 },
      surroundings.cores,
    );
    const before = await subject.idleBytes();
    for (let round = 1; round <= ROUNDS; round++) {
      rounds.push(await runRound(subject, surroundings));
      surroundings.progress(
        `slow: round ${round}: ${mebibytes(rounds.at(-1)!.bytes - before)} more than before`,
      );
    }
    const left = await subject.descriptorsBack(descriptors);
    return [
      ...trafficFindings(
        alone,
        rounds.map(({ traffic }) => traffic),
      ),
      ...KINDS.map((kind) => endFinding(kind, rounds)),
      ...memoryFindings(before, rounds),
      {
        what: 'descriptors before → after',
        figure: `${descriptors} → ${left}`,
        bar: 'back',
        holds: left <= descriptors,
      },
      {
        what: 'lines at level error',
        figure: String(subject.logged('error').length),
        bar: 'none',
        holds: subject.logged('error').length === 0,
      },
    ];
  },
};

async function runRound(subject: Subject, { cores }: Surroundings): Promise<Round> {
  const traffic = runWrk(
    { url: subject.url, connections: TRAFFIC_CONNECTIONS, seconds: TRAFFIC_SECONDS },
    cores,
  );
  const clients = await inBatches(EACH * KINDS.length, AT_ONCE, () => RawClient.connect(subject.address));
  const staying = clients.map((client, index) => stayOn(client, KINDS[index % KINDS.length]!, GIVEN_UP));
  await Bun.sleep(DEADLINE * 500);
  const peak = subject.bytes;
  const ends = await Promise.all(staying);
  const counts = await traffic;
  const { brokenOff } = await subject.state();
  return { traffic: counts, ends, brokenOff, bytes: await subject.idleBytes(), peak };
}

function trafficFindings(alone: WrkCounts, traffic: readonly WrkCounts[]): Finding[] {
  const errors = traffic.reduce((sum, counts) => sum + counts.errors, 0);
  const longest = Math.max(...traffic.map((counts) => counts.longest));
  const describe = ({ p50, p99, longest }: WrkCounts): string =>
    `${p50.toFixed(1)} / ${p99.toFixed(1)} / ${longest.toFixed(0)} ms`;
  return [
    { what: 'ordinary requests beside them', figure: traffic.map(({ requests }) => requests).join(', ') },
    { what: 'errors of these', figure: String(errors), bar: 'none', holds: errors === 0 },
    { what: 'waits alone, p50 / p99 / longest', figure: describe(alone) },
    {
      what: 'waits beside them, p50 / p99 / longest',
      figure: traffic.map(describe).join(', '),
      bar: `longest ≤ ${LONGEST_WAIT} ms`,
      holds: longest <= LONGEST_WAIT,
    },
  ];
}

/** Clients that read saw 408; of those that do not, the application knows when they were cut off. */
function endFinding(kind: SlowKind, rounds: readonly Round[]): Finding {
  const ends = rounds.flatMap((round) => round.ends.filter((end) => end.kind === kind));
  const cutOff = rounds.flatMap(({ brokenOff }) =>
    brokenOff.filter(({ path, reason }) => path === '/stream' && reason === 'write_timeout'),
  );
  const seconds = kind === 'read' ? cutOff.map((end) => end.seconds) : ends.map((end) => end.seconds);
  const expected = kind === 'read' ? cutOff.length : ends.filter(({ status }) => status === 408).length;
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)];
  return {
    what: kind === 'read' ? 'slow readers cut off' : `slow ${kind}s answered with 408`,
    figure: `${expected} of ${ends.length}, after ${least.toFixed(2)} to ${most.toFixed(2)} s`,
    bar: `all, ${DEADLINE} to ${DEADLINE + MOST_LATE} s`,
    holds: expected === EACH * ROUNDS && least >= DEADLINE && most <= DEADLINE + MOST_LATE,
  };
}

function memoryFindings(before: number, rounds: readonly Round[]): Finding[] {
  const growth = rounds.at(-1)!.bytes - rounds.at(-2)!.bytes;
  return [
    {
      what: `own memory: before, peak and after of each round`,
      figure: [before, ...rounds.flatMap(({ peak, bytes }) => [peak, bytes])].map(mebibytes).join(', '),
    },
    {
      what: 'growth from one round to the next',
      figure: mebibytes(growth),
      bar: `≤ ${mebibytes(MOST_GROWTH)}`,
      holds: growth <= MOST_GROWTH,
    },
  ];
}
