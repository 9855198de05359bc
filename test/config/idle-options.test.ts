import { expect, test } from 'bun:test';
import { describeIdleOptions } from '../../src/config/idle-options.ts';
import { parseOptions, type ServerOptions } from '../../src/config/settings.ts';

const idle = (options: ServerOptions) => describeIdleOptions(options, parseOptions(options));

const FOR_WORKERS = { maxRequests: 1000, maxWorkerMemory: 1_000_000, heartbeatTimeout: 10 };

test('what is for workers does nothing in a single process, and each such option is told of', () => {
  const lines = [
    'option maxRequests does nothing where one process serves: it is for 2 or more workers',
    'option maxWorkerMemory does nothing where one process serves: it is for 2 or more workers',
    'option heartbeatTimeout does nothing where one process serves: it is for 2 or more workers',
  ];
  expect(idle(FOR_WORKERS)).toEqual(lines);
  expect(idle({ ...FOR_WORKERS, workers: 1 })).toEqual(lines);
  expect(idle({ ...FOR_WORKERS, workers: 0 })).toEqual(lines);
});

test('with workers, without such options, and with those that are off, there is nothing to tell', () => {
  expect(idle({ ...FOR_WORKERS, workers: 2 })).toEqual([]);
  expect(idle({})).toEqual([]);
  expect(idle({ maxRequests: 0, maxWorkerMemory: 0, heartbeatTimeout: 0, reusePort: true })).toEqual([]);
});

test('the names are those of the source', () => {
  const options = { maxRequests: 5 };
  expect(describeIdleOptions(options, parseOptions(options), (name) => `<${name}>`)).toEqual([
    '<maxRequests> does nothing where one process serves: it is for 2 or more workers',
  ]);
});
