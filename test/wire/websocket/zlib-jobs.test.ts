/** Jobs run up to the bound, the others wait in order, and one that fails frees its place like any other. */

import { expect, test } from 'bun:test';

import { ZlibJobs } from '../../../src/wire/websocket/zlib-jobs.ts';

/** Jobs that end when the test says so. */
function openJobs(jobs: ZlibJobs, count: number) {
  const started: number[] = [];
  const gates = Array.from({ length: count }, () => Promise.withResolvers<number>());
  const results = gates.map((gate, index) =>
    jobs.run(() => {
      started.push(index);
      return gate.promise;
    }),
  );
  return { started, gates, results };
}

test('no more than the bound run at once, the others in the order in which they came', async () => {
  const { started, gates, results } = openJobs(new ZlibJobs(2), 5);
  expect(started).toEqual([0, 1]);
  gates[1]!.resolve(10);
  expect(await results[1]!).toBe(10);
  expect(started).toEqual([0, 1, 2]);
  gates[0]!.resolve(20);
  gates[2]!.resolve(30);
  expect(await Promise.all([results[0]!, results[2]!])).toEqual([20, 30]);
  expect(started).toEqual([0, 1, 2, 3, 4]);
});

test('a job that fails frees its place, whether it throws or rejects', async () => {
  const jobs = new ZlibJobs(1);
  const thrown = jobs.run(() => {
    throw new Error('thrown');
  });
  const { started, gates, results } = openJobs(jobs, 2);
  expect(thrown).rejects.toThrow('thrown');
  gates[0]!.reject(new Error('rejected'));
  expect(results[0]!).rejects.toThrow('rejected');
  gates[1]!.resolve(1);
  expect(await results[1]!).toBe(1);
  expect(started).toEqual([0, 1]);
});

test('places are free again once everything has ended', async () => {
  const jobs = new ZlibJobs(2);
  const first = openJobs(jobs, 4);
  for (const gate of first.gates) gate.resolve(0);
  await Promise.all(first.results);
  expect(openJobs(jobs, 3).started).toEqual([0, 1]);
});
