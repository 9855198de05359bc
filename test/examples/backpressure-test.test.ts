import { expect, test } from 'bun:test';
import { RunningProgram, startServer } from '../support/running-program.ts';

const CLIENTS = new URL('../../examples/backpressure-test/clients.ts', import.meta.url).pathname;

/** The rows of the tables at the ends of the two parts, by their first cell. */
function summaryOf(output: string): Map<string, string[]> {
  const rows = output.matchAll(/^ {2}((?:http|ws|sse)(?:\/careless| unread| 4 MiB\/s)) +(.*)$/gm);
  return new Map([...rows].map(([, name, cells]) => [name!, cells!.trim().split(/ {2,}/)]));
}

test('backpressure-test finds every buffer within its bound, for slow clients of all kinds', async () => {
  await using server = startServer('examples/backpressure-test/app.ts');
  await using clients = new RunningProgram([process.execPath, CLIENTS, await server.url(), '1']);
  const { exitCode, output } = await clients.end();
  const summary = summaryOf(output);
  expect([...summary.keys()]).toEqual([
    'http unread',
    'http 4 MiB/s',
    'ws unread',
    'ws 4 MiB/s',
    'sse unread',
    'sse 4 MiB/s',
    'http/careless',
    'ws/careless',
    'sse/careless',
  ]);
  for (const [name, [, most, bound, kept, highWaters, , end]] of summary) {
    expect(Number(most)).toBeGreaterThan(65_536);
    expect(Number(most)).toBeLessThanOrEqual(Number(bound));
    expect(kept).toBe('yes');
    expect(Number(highWaters)).toBeGreaterThan(0);
    if (name.includes('careless')) expect(end).toEndWith('queue_overflow');
    else expect(end).toBe('open');
  }
  expect(exitCode).toBe(0);
});
