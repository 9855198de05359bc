/**
 * What workers are to their operator: numbered processes that were all told the same, with a state each of their own.
 */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { expect, setDefaultTimeout, test } from 'bun:test';
import { header, type RawClient } from '../support/raw-client.ts';
import { RunningMaster } from '../support/running-master.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/within.ts';

setDefaultTimeout(40_000);

async function onEachWorker(
  master: RunningMaster,
  look: (client: RawClient, number: number) => Promise<void>,
): Promise<void> {
  for (const number of [1, 2]) {
    const client = await master.clientOf(number);
    await look(client, number);
    client.close();
  }
}

test('the master says who is there: itself, each worker, each address, once', async () => {
  await using master = await RunningMaster.start();
  const lines = master.output
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\S+ /, ''));
  const [one, two] = [master.workers.get(1), master.workers.get(2)];
  expect(lines.filter((line) => /worker \d+ \(pid/.test(line)).sort()).toEqual([
    `info worker 1 (pid ${one}) is ready`,
    `info worker 2 (pid ${two}) is ready`,
  ]);
  expect(lines.filter((line) => line.includes('tsagi-server'))).toEqual([
    expect.stringMatching(
      new RegExp(`^info tsagi-server \\S+ on Bun \\S+, production mode, pid ${master.pid}$`),
    ),
  ]);
  expect(lines.filter((line) => line.includes('listening on'))).toEqual([
    `info listening on http://127.0.0.1:${master.tcp.port}`,
    `info listening on unix:${master.unixPath}`,
  ]);
});

test('what a worker logs carries its number', async () => {
  await using master = await RunningMaster.start();
  await onEachWorker(master, async (client, number) => {
    const from = master.now;
    expect((await client.request({ target: '/throw' })).status).toBe(500);
    const [line] = await master.said(/.*thrown on request.*\n/, from);
    expect(line).toContain(`worker ${number}`);
  });
});

test('each worker has a state of its own', async () => {
  await using master = await RunningMaster.start();
  const counts: string[] = [];
  await onEachWorker(master, async (client) => {
    for (let asked = 0; asked < 3; asked += 1) {
      const { body } = await client.request({ target: '/count' });
      counts.push(body.toString().split(' ')[0]!);
    }
  });
  expect(counts).toEqual(['1', '2', '3', '1', '2', '3']);
});

test('options of every kind reach every worker', async () => {
  await using master = await RunningMaster.start({
    args: [
      ['--header', 'x-one: 1', '--header', 'x-two: 2', '--no-server-header', '--no-date-header'],
      ['--max-body-size', '10', '--max-request-line', '100', '--max-header-count', '5'],
      ['--env', 'none', 'label=from the command line'],
    ].flat(),
    env: { TSAGI_MAX_HEADER_SIZE: '512' },
  });
  await onEachWorker(master, async (client) => {
    const answer = await client.request({ target: '/label' });
    expect(answer.body.toString()).toBe('from the command line');
    const names = ['x-one', 'x-two', 'server', 'date'];
    expect(names.map((name) => header(answer, name))).toEqual(['1', '2', undefined, undefined]);
    const mode = await client.request({ target: '/env?name=TSAGI_ENV' });
    expect(mode.body.toString()).toBe('none');
  });
  const refusals = [
    [413, { method: 'POST', body: 'eleven byte' }],
    [414, { target: `/${'a'.repeat(100)}` }],
    [431, { headers: Array.from({ length: 6 }, (_, at) => [`x-${at}`, 'a'] as const) }],
    [431, { headers: [['x-long', 'a'.repeat(512)] as const] }],
  ] as const;
  for (const [status, request] of refusals) {
    await onEachWorker(master, async (client) => {
      expect((await client.request(request)).status).toBe(status);
    });
  }
});

test('modules, directories and inline code reach every worker', async () => {
  using directory = temporaryDirectory();
  await Bun.write(directory.join('mark.ts'), `process.env['MARKED_BY_MODULE'] = 'yes';\n`);
  await using master = new RunningMaster({
    inline: '(await import("./test/processes/app.ts")).createApp({})',
    args: ['-I', directory.path, '-M', 'mark'],
  });
  await master.said(/listening on unix:\S+\n/);
  await onEachWorker(master, async (client) => {
    const { body } = await client.request({ target: '/env?name=MARKED_BY_MODULE' });
    expect(body.toString()).toBe('yes');
  });
});

test('how a worker comes to be one is not to be seen in its environment, nor can it be pretended', async () => {
  await using master = await RunningMaster.start({ env: { TSAGI_WORKER: '7', TSAGI_PREDECESSOR: '{}' } });
  await onEachWorker(master, async (client) => {
    for (const name of ['TSAGI_WORKER', 'TSAGI_PREDECESSOR']) {
      const { body } = await client.request({ target: `/env?name=${name}` });
      expect(body.toString()).toBe('undefined');
    }
  });
});

test('TTIN adds a worker, TTOU takes one away, and the last one stays', async () => {
  await using master = await RunningMaster.start();
  await master.tell('SIGTTIN', /SIGTTIN: 3 workers\n/);
  (await master.clientOf(3)).close();
  expect(master.processes()).toHaveLength(4);
  for (const [left, line] of [
    [3, /SIGTTOU: 2 workers\n/],
    [2, /SIGTTOU: 1 worker\n/],
  ] as const) {
    const pid = master.workers.get(left)!;
    const from = master.now;
    await master.tell('SIGTTOU', line);
    await master.said(new RegExp(`worker ${left} \\(pid ${pid}\\) has left\n`), from);
  }
  await master.tell('SIGTTOU', /warn SIGTTOU: .*\n/);
  expect(Array.from(master.workers.keys())).toEqual([1]);
  for (let asked = 0; asked < 20; asked += 1) expect(await master.get('/who')).toMatch(/^\d+ 1$/);
  await master.tell('SIGTTIN', /SIGTTIN: 2 workers\n/);
  (await master.clientOf(2)).close();
});

test('--max-requests replaces a worker about when it says, with a successor that is ready before', async () => {
  await using master = await RunningMaster.start({ args: ['--max-requests', '20'] });
  const pid = master.workers.get(1)!;
  let taken = 0;
  const from = master.now;
  const retires = new RegExp(`worker 1 \\(pid ${pid}\\) .*maxRequests`);
  while (!retires.test(master.output)) {
    const [by] = (await master.get('/who')).split(' ');
    if (Number(by) === pid) taken += 1;
    expect(taken).toBeLessThan(2000);
  }
  const [, count] = await master.said(
    new RegExp(`worker 1 \\(pid ${pid}\\) has taken (\\d+) requests`),
    from,
  );
  expect(Number(count)).toBeGreaterThanOrEqual(18);
  expect(Number(count)).toBeLessThanOrEqual(22);
  expect(taken).toBeGreaterThanOrEqual(Number(count));
  await master.said(new RegExp(`worker 1 \\(pid ${pid}\\) has left\n`), from);
  const since = master.output.slice(from);
  expect(since.search(/worker 1 \(pid \d+\) is ready/)).toBeLessThan(
    since.search(new RegExp(`pid ${pid}\\) has left`)),
  );
});

test('USR1 reopens the access log in every worker', async () => {
  using directory = temporaryDirectory();
  const [log, moved] = [directory.join('access.log'), directory.join('access.log.1')];
  await using master = await RunningMaster.start({
    args: ['--access-log', log, '--access-log-format', '%U'],
  });
  await onEachWorker(master, async (client, number) => {
    await client.request({ target: `/before/${number}` });
  });
  await until(
    () => ['/before/1', '/before/2'].every((path) => readFileSync(log, 'utf8').includes(path)),
    'the log',
  );
  renameSync(log, moved);
  master.kill('SIGUSR1');
  await until(() => existsSync(log), 'a new log');
  const clients = [await master.clientOf(1), await master.clientOf(2)];
  const isIn = (path: string): boolean => readFileSync(log, 'utf8').includes(path);
  while (!isIn('/after/1') || !isIn('/after/2')) {
    for (const [at, client] of clients.entries()) await client.request({ target: `/after/${at + 1}` });
  }
  const size = readFileSync(moved).length;
  for (const client of clients) {
    await client.request({ target: '/last' });
    client.close();
  }
  await until(() => readFileSync(log, 'utf8').split('/last\n').length === 3, 'both last lines');
  expect(readFileSync(moved).length).toBe(size);
});

test.skipIf(availableParallelism() < 2)('-w auto starts one worker for each processor', async () => {
  await using master = new RunningMaster({ args: ['-w', 'auto'] });
  await master.said(/listening on unix:\S+\n/);
  expect(master.workers.size).toBe(availableParallelism());
});

for (const workers of [0, 1]) {
  test(`-w ${workers} is a single process, in which the signals of a master do nothing`, async () => {
    await using master = await RunningMaster.start({ workers });
    expect(master.processes()).toEqual([master.pid]);
    expect(await master.get('/who')).toBe(`${master.pid} single`);
    for (const signal of ['SIGHUP', 'SIGTTIN', 'SIGTTOU', 'SIGUSR2'] as const) {
      await master.tell(signal, new RegExp(`warn ${signal} .*\n`));
    }
    expect(await master.get('/who')).toBe(`${master.pid} single`);
    expect(master.processes()).toEqual([master.pid]);
  });
}
