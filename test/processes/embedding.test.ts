/**
 * `createServer({ workers }).run()` in a program of one's own is a master like the command's.
 */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, setDefaultTimeout, test } from 'bun:test';
import { expectDepartures, expectNothingLost, startLoad } from '../support/load/expect-load.ts';
import { RunningMaster } from '../support/running-master.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

setDefaultTimeout(40_000);

const INDEX = new URL('../../src/index.ts', import.meta.url).pathname;
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

test('a program below a symbolic link is started again where the link leads by then', async () => {
  using directory = temporaryDirectory();
  const release = (name: string): void => {
    mkdirSync(directory.join(name));
    const app = `async (scope, receive, send) => {
      if (scope.type !== 'http') throw new Error('http only');
      await send({ type: 'http.response.start', status: 200 });
      await send({ type: 'http.response.body', body: '${name}' });
    }`;
    const call = `await createServer({ app, workers: 2, listen: ['127.0.0.1:0', process.argv[2]] }).run();`;
    writeFileSync(
      directory.join(`${name}/server.ts`),
      `import { createServer } from '${INDEX}';\nconst app = ${app};\n${call}\n`,
    );
  };
  release('first');
  release('second');
  symlinkSync('first', directory.join('current'));
  await using master = await RunningMaster.start({ program: directory.join('current/server.ts') });
  expect(await master.get('/')).toBe('first');
  rmSync(directory.join('current'));
  symlinkSync('second', directory.join('current'));
  await master.replaceMaster();
  expect(await master.exitCode()).toBe(0);
  expect(await master.get('/')).toBe('second');
});
