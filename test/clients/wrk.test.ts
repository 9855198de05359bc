import { describe, expect } from 'bun:test';
import { needs, programPath } from '../support/program.ts';
import { runProgram, startServer } from '../support/running-program.ts';

async function load(url: string, ...args: string[]): Promise<string> {
  const { exitCode, output } = await runProgram([programPath('wrk'), '-t1', '-d1s', ...args, url]);
  expect(exitCode).toBe(0);
  return output;
}

function expectNoFailure(report: string): void {
  expect(report).not.toContain('Socket errors');
  expect(report).not.toContain('Non-2xx');
  expect(Number(/(\d+) requests in/.exec(report)?.[1])).toBeGreaterThan(100);
}

describe('wrk', () => {
  needs('wrk')('has no failing request over 64 connections', async () => {
    await using server = startServer('examples/01-hello-http/app.ts');
    expectNoFailure(await load(await server.url(), '-c64'));
  });

  needs('wrk')('has no failing request with a connection for each', async () => {
    await using server = startServer('examples/01-hello-http/app.ts');
    expectNoFailure(await load(await server.url(), '-c8', '-H', 'connection: close'));
  });

  needs('wrk')('has no failing request while large responses go to several at once', async () => {
    await using server = startServer('test/clients/app.ts');
    expectNoFailure(await load(`${await server.url()}/download/300000`, '-c16'));
  });
});
