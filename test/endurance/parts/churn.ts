/**
 * 10 000 connections in bursts, opened and left in every way there is. Afterwards none is counted any more, which shows in
 * that exactly as many as the limit are let in; every descriptor is back, and nothing has been logged as an error.
 */
import { formatCount } from '../../bench/report.ts';
import { RawClient } from '../../support/raw-client.ts';
import { inBatches } from '../load/batch.ts';
import { pass, WAYS_TO_LEAVE } from '../load/passing-client.ts';
import { mebibytes, type Part } from '../part.ts';
import { Subject } from '../subject.ts';

const WAYS = Object.values(WAYS_TO_LEAVE);
/** In each of the rounds; the first leaves code compiled and buffers grown, the next must leave nothing. */
const ROUNDS = 3;
const CONNECTIONS = 5000;
const BURST = 250;
/** The limit that counts; the bursts stay below it. */
const MAX_CONNECTIONS = 500;
const EXTRA = 5;
/** From the first round to the last: about a hundred bytes for each connection that has gone. */
const MOST_GROWTH = 2 ** 20;

export const churn: Part = {
  name: 'churn',
  title: `${formatCount(ROUNDS * CONNECTIONS)} connections in bursts of ${BURST}, left in ${WAYS.length} ways`,
  async run({ cores, progress }) {
    await using subject = await Subject.start(cores, `--max-connections ${MAX_CONNECTIONS}`);
    const descriptors = subject.descriptors;
    const memory = [await subject.idleBytes()];
    const faults: string[] = [];
    let brokenOff = 0;
    for (let round = 0; round < ROUNDS; round++) {
      faults.push(...(await burst(subject, CONNECTIONS)));
      await subject.descriptorsBack(descriptors);
      brokenOff += (await subject.state()).brokenOff.length;
      memory.push(await subject.idleBytes());
    }
    for (const fault of new Set(faults)) progress(`churn: ${fault}`);
    const left = await subject.descriptorsBack(descriptors);
    const admitted = await countAdmitted(subject);
    const { streams } = await subject.state();
    const growth = memory.at(-1)! - memory[1]!;
    const errors = subject.logged('error');
    for (const line of errors.slice(0, 5)) progress(line);
    return [
      {
        what: 'clients that did not get what they were due',
        figure: String(faults.length),
        bar: 'none',
        holds: faults.length === 0,
      },
      { what: 'requests that the application saw broken off', figure: String(brokenOff) },
      { what: 'streams left in the application', figure: String(streams), bar: '0', holds: streams === 0 },
      {
        what: `connections admitted afterwards, limit ${MAX_CONNECTIONS}`,
        figure: String(admitted),
        bar: 'as many',
        holds: admitted === MAX_CONNECTIONS,
      },
      {
        what: 'descriptors before → after',
        figure: `${descriptors} → ${left}`,
        bar: 'back',
        holds: left <= descriptors,
      },
      { what: 'own memory before, after each round', figure: memory.map(mebibytes).join(', ') },
      {
        what: 'growth from the first round to the last',
        figure: mebibytes(growth),
        bar: `≤ ${mebibytes(MOST_GROWTH)}`,
        holds: growth <= MOST_GROWTH,
      },
      {
        what: 'lines at level error',
        figure: String(errors.length),
        bar: 'none',
        holds: errors.length === 0,
      },
    ];
  },
};

/** All ways in turns; what went otherwise than it should, in words. */
async function burst(subject: Subject, count: number): Promise<string[]> {
  const faults = await inBatches(count, BURST, async (index) => {
    const way = index % WAYS.length;
    try {
      await pass(subject.address, WAYS[way]!);
      return undefined;
    } catch (error) {
      return `${Object.keys(WAYS_TO_LEAVE)[way]}: ${String(error)}`;
    }
  });
  return faults.filter((fault) => fault !== undefined);
}

/** How many of some more connections than the limit get an answer other than 503. */
async function countAdmitted(subject: Subject): Promise<number> {
  const clients: RawClient[] = [];
  let admitted = 0;
  for (let i = 0; i < MAX_CONNECTIONS + EXTRA; i++) {
    const client = await RawClient.connect(subject.address);
    clients.push(client);
    if ((await client.request()).status === 200) admitted++;
  }
  for (const client of clients) client.close();
  await subject.descriptorsBack(subject.descriptors - clients.length);
  return admitted;
}
