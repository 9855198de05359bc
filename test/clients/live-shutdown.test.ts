import { describe, expect } from 'bun:test';
import { needs, programPath } from '../support/program.ts';
import { RunningProgram, startServer } from '../support/running-program.ts';
import { until } from '../support/within.ts';
import { scenarioCommand } from './play-scenario.ts';

const CLIENT = { runtime: 'node', file: './ws-client.mjs' } as const;
const COUNT = 50;

/** curl with that many streams at once; it ends with 0 if every one of them ended properly. */
function streams(url: string): RunningProgram {
  const all = ['-Z', '--parallel-immediate', '--parallel-max', String(COUNT)];
  const urls = Array.from({ length: COUNT }, () => `${url}/ticking`);
  const report = ['-w', '\nended with %{exitcode}\n', '--fail-early', '--no-progress-meter'];
  return new RunningProgram([
    programPath('curl'),
    '-sN',
    ...all,
    ...report,
    '-H',
    'accept: text/event-stream',
    ...urls,
  ]);
}

const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

describe('a server that is told to stop', () => {
  needs('node', 'curl')('ends 50 WebSockets and 50 event streams in order, and itself with 0', async () => {
    await using server = startServer('test/clients/live-app.ts');
    const url = await server.url();
    await using sockets = new RunningProgram(scenarioCommand(CLIENT, url, 'stay'));
    await using events = streams(url);
    await sockets.said(/all are open\n/);
    await until(() => count(events.output, /data: tick 1\n/g) === COUNT, 'all streams to be open');

    server.kill('SIGTERM');
    const start = performance.now();
    const { exitCode, output } = await server.end();
    expect(exitCode).toBe(0);
    // Far from the 30 s of the shutdown timeout, and from the 5 s for which an answer to a close frame is awaited.
    expect(performance.now() - start).toBeLessThan(4000);
    expect(count(output, /^\/echo ended with 1001 '/gm)).toBe(COUNT);
    expect(count(output, /^GET \/ticking ended: server_shutdown$/gm)).toBe(COUNT);

    const { output: seen } = await sockets.end();
    expect(seen).toEndWith('[["1001 the server is shutting down"]]\n');
    const curl = await events.end();
    expect(curl.exitCode).toBe(0);
    expect(count(curl.output, /^ended with 0$/gm)).toBe(COUNT);
  });
});
