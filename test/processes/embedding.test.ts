/**
 * `createServer({ workers }).run()` in a program of one's own is a master like the command's.
 */
import { expect, setDefaultTimeout, test } from 'bun:test';
import { expectDepartures, expectNothingLost, startLoad } from '../support/load/expect-load.ts';
import { RunningMaster } from '../support/running-master.ts';

setDefaultTimeout(40_000);

const PROGRAM = new URL('embedding-program.ts', import.meta.url).pathname;

test('HUP, TTIN, TTOU and USR2 under load lose nothing, and TERM ends every process where run() was called', async () => {
  await using master = await RunningMaster.start({ program: PROGRAM });
  const { pid } = master;
  await using load = await startLoad(master, { requests: 3000 });
  await load.goesOn(300);
  await master.tell('SIGHUP', /SIGHUP: all workers have been replaced\n/);
  await load.goesOn(300);
  await master.tell('SIGTTIN', /SIGTTIN: 3 workers\n/);
  await master.tell('SIGTTOU', /SIGTTOU: 2 workers\n/);
  await load.goesOn(300);
  const successor = await master.replaceMaster();
  const summary = await load.stop();
  expectNothingLost(summary, 3000);
  expectDepartures(summary);
  expect(await master.get('/label')).toBe('embedded');
  const left = [successor, ...master.workers.values()];
  expect(await master.exitCode()).toBe(0);
  await master.tell('SIGTERM', /SIGTERM: shutting down\n/);
  await master.gone();
  expect(master.processes()).toEqual([]);
  for (const one of [pid, ...left]) expect(master.output).toContain(`process ${one} has come to its end\n`);
});

test('a worker that is killed is replaced', async () => {
  await using master = await RunningMaster.start({ program: PROGRAM });
  const from = master.now;
  master.kill('SIGKILL', master.workers.get(2));
  await master.said(/worker 2 \(pid \d+\) is ready\n/, from);
  expect(master.workers.size).toBe(2);
  master.kill('SIGTERM');
  expect(await master.exitCode()).toBe(0);
});
