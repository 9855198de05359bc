/**
 * What a request costs grows with its fields and its body in a straight line: the second half of the fields costs what
 * the first half cost, and a byte of a large body what a byte of a small one did.
 */
import { RawClient } from '../../support/raw-client.ts';
import type { Finding, Part } from '../part.ts';
import { Subject } from '../subject.ts';

const FIELD_COUNTS = [10, 40, 70, 100] as const;
const REQUESTS = 4000;
const BODY_SIZES = [2 ** 18, 2 ** 20, 2 ** 22, 2 ** 24] as const;
/** In all, for every size. */
const BODY_BYTES = 2 ** 27;
const ROUNDS = 3;
/** Of what ought to be even; readings of short runs differ by a fifth by themselves. */
const MOST_RATIO = 1.4;

export const costGrowth: Part = {
  name: 'growth',
  title: 'CPU time by number of fields and size of body',
  async run({ cores }) {
    await using subject = await Subject.start(cores, '--max-body-size 0 --max-header-count 200');
    return [...(await fieldFindings(subject)), ...(await bodyFindings(subject))];
  },
};

async function fieldFindings(subject: Subject): Promise<Finding[]> {
  const costs = await least(FIELD_COUNTS, (count) => costOfFields(subject, count));
  const perRequest = costs.map((cost) => (cost / REQUESTS) * 1e6);
  const [first = 0, second = 0, third = 0, fourth = 0] = perRequest;
  const ratio = (fourth - third) / (second - first);
  return [
    {
      what: `CPU of a request with ${FIELD_COUNTS.join(', ')} fields`,
      figure: `${perRequest.map((cost) => cost.toFixed(1)).join(', ')} µs`,
    },
    {
      what: 'the last 30 fields ÷ the first 30',
      figure: ratio.toFixed(2),
      bar: `≤ ${MOST_RATIO}, even: 1`,
      holds: ratio <= MOST_RATIO,
    },
  ];
}

async function bodyFindings(subject: Subject): Promise<Finding[]> {
  const costs = await least(BODY_SIZES, (size) => costOfBodies(subject, size));
  const perMebibyte = costs.map((cost) => (cost / (BODY_BYTES / 2 ** 20)) * 1e6);
  const ratio = perMebibyte.at(-1)! / perMebibyte[0]!;
  const sizes = BODY_SIZES.map((size) => `${size / 2 ** 20}`).join(', ');
  return [
    {
      what: `CPU of a MiB in bodies of ${sizes} MiB`,
      figure: `${perMebibyte.map((cost) => cost.toFixed(0)).join(', ')} µs`,
    },
    {
      what: 'of the largest ÷ of the smallest',
      figure: ratio.toFixed(2),
      bar: `≤ ${MOST_RATIO}, even: 1`,
      holds: ratio <= MOST_RATIO,
    },
  ];
}

/** The least cost of a few rounds for each: what else the machine does can only add. The first round warms up. */
async function least<T>(cases: readonly T[], costOf: (it: T) => Promise<number>): Promise<number[]> {
  const costs = cases.map(() => Infinity);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, it] of cases.entries()) {
      const cost = await costOf(it);
      if (round > 0) costs[index] = Math.min(costs[index]!, cost);
    }
  }
  return costs;
}

/** No two heads are alike, as repeated ones would be recognized. */
async function costOfFields(subject: Subject, count: number): Promise<number> {
  const client = await RawClient.connect(subject.address);
  const cost = await subject.cpuOf(async () => {
    for (let request = 0; request < REQUESTS; request++) {
      const headers = Array.from(
        { length: count - 1 },
        (_, index) => [`x-field-${index}`, `value ${request} of ${index}`] as const,
      );
      await client.request({ headers });
    }
  });
  client.close();
  return cost;
}

async function costOfBodies(subject: Subject, size: number): Promise<number> {
  const client = await RawClient.connect(subject.address);
  const body = new Uint8Array(size);
  const cost = await subject.cpuOf(async () => {
    for (let left = BODY_BYTES; left > 0; left -= size) {
      const response = await client.request({ method: 'POST', target: '/upload', body });
      if (response.body.toString() !== String(size))
        throw new Error(`${size} bytes became ${response.body.toString()}`);
    }
  });
  client.close();
  return cost;
}
