/**
 * USR2: a new master on the same sockets. The old one leaves when the new one serves, and stays when it does not.
 */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { expect, setDefaultTimeout, test } from 'bun:test';
import { RawClient } from '../support/raw-client.ts';
import { RunningMaster } from '../support/running-master.ts';
import { ChangingApp } from './changing-app.ts';

setDefaultTimeout(40_000);

test('USR2 changes every process, and the code, but no address', async () => {
  using app = new ChangingApp('one');
  await using master = await RunningMaster.start({ app: app.path });
  const old = new Set([master.pid, ...master.workers.values()]);
  const { ino } = statSync(master.unixPath);
  app.write('two');
  const pid = await master.replaceMaster();
  expect(old.has(pid)).toBe(false);
  expect(await master.exitCode()).toBe(0);
  expect(statSync(master.unixPath).ino).toBe(ino);
  for (let asked = 0; asked < 10; asked += 1) {
    for (const address of [master.tcp, master.unix]) {
      const [greeting, version, worker] = (await master.get('/', address)).split(' ');
      expect([greeting, version, old.has(Number(worker))]).toEqual(['hello', 'two', false]);
    }
  }
  expect(master.processes().filter((one) => old.has(one))).toEqual([]);
  expect(master.processes()).toHaveLength(3);
});

test('the socket file is there through USR2, and gone after TERM to the new master', async () => {
  await using master = await RunningMaster.start();
  await master.replaceMaster();
  await master.exitCode();
  await master.replaceMaster();
  expect(existsSync(master.unixPath)).toBe(true);
  expect(await master.get('/who', master.unix)).toMatch(/^\d+ \d$/);
  await master.tell('SIGTERM', /SIGTERM: shutting down\n/);
  await master.gone();
  expect(master.processes()).toEqual([]);
  expect(existsSync(master.unixPath)).toBe(false);
});

test('the old master finishes what it has in hand while the new one serves', async () => {
  await using master = await RunningMaster.start();
  const client = await RawClient.connect(master.tcp);
  void client.send('GET /two-parts?ms=1500 HTTP/1.1\r\nhost: a\r\n\r\n');
  await client.received('first');
  await master.replaceMaster();
  expect(await master.get('/who')).toMatch(/^\d+ \d$/);
  const { body, isComplete } = await client.response();
  expect([body.toString(), isComplete]).toEqual(['first second', true]);
  client.close();
  expect(await master.exitCode()).toBe(0);
});

test('signals to the old master while it leaves are no matter of the new one', async () => {
  await using master = await RunningMaster.start();
  const client = await RawClient.connect(master.tcp);
  void client.send('GET /two-parts?ms=1000 HTTP/1.1\r\nhost: a\r\n\r\n');
  await client.received('first');
  const old = master.pid;
  const successor = await master.replaceMaster();
  const from = master.now;
  for (const signal of ['SIGUSR2', 'SIGHUP', 'SIGTTIN', 'SIGTERM'] as const) master.kill(signal, old);
  const { body, isComplete } = await client.response();
  expect([body.toString(), isComplete]).toEqual(['first second', true]);
  client.close();
  expect(await master.exitCode()).toBe(0);
  expect(master.output.slice(from)).not.toMatch(/starting|is ready|restarting/);
  const serving = master.workers;
  await master.tell('SIGTTIN', /SIGTTIN: 3 workers\n/);
  expect(master.processes().sort()).toEqual([successor, ...master.workers.values()].sort());
  expect(master.workers.get(1)).toBe(serving.get(1)!);
});

test('HUP, TTIN and TERM reach the new master', async () => {
  await using master = await RunningMaster.start();
  await master.replaceMaster();
  await master.tell('SIGHUP', /SIGHUP: all workers have been replaced\n/);
  await master.tell('SIGTTIN', /SIGTTIN: 3 workers\n/);
  await master.replaceMaster();
  await master.tell('SIGTERM', /SIGTERM: shutting down\n/);
  await master.gone();
  expect(master.processes()).toEqual([]);
});

test('USR2 with a broken app keeps the old master, and says why', async () => {
  using app = new ChangingApp('one');
  await using master = await RunningMaster.start({ app: app.path });
  const { pid, workers } = master;
  app.break();
  const from = master.now;
  await master.tell('SIGUSR2', /SIGUSR2: this master goes on, the new one failed to start: [^]*?\n/);
  expect(master.output.slice(from)).toContain('this app is broken');
  for (const address of [master.tcp, master.unix])
    expect(await master.get('/', address)).toMatch(/^hello one \d+$/);
  expect(master.processes().sort()).toEqual([pid, ...workers.values()].sort());
  expect(existsSync(master.unixPath)).toBe(true);
  app.write('two');
  await master.replaceMaster();
  expect(await master.exitCode()).toBe(0);
  expect(await master.get('/')).toMatch(/^hello two \d+$/);
});

test('USR2 with a broken config file keeps the old master, and says why', async () => {
  using app = new ChangingApp('one');
  const config = app.join('tsagi.config.ts');
  writeFileSync(config, `export default { serverHeader: false };\n`);
  await using master = await RunningMaster.start({ app: app.path, args: ['--config', config] });
  const { pid, workers } = master;
  writeFileSync(config, `export default { maxBodySize: 'much' };\n`);
  const from = master.now;
  await master.tell('SIGUSR2', /SIGUSR2: this master goes on, the new one failed to start: [^]*?\n/);
  expect(master.output.slice(from)).toMatch(/maxBodySize .*tsagi\.config\.ts/);
  expect(await master.get('/')).toMatch(/^hello one \d+$/);
  expect(master.processes().sort()).toEqual([pid, ...workers.values()].sort());
  writeFileSync(config, `export default { headers: [['x-new', 'yes']] };\n`);
  await master.replaceMaster();
  expect(await master.exitCode()).toBe(0);
  const client = await RawClient.connect(master.tcp);
  expect((await client.request()).headers).toContainEqual(['x-new', 'yes']);
  client.close();
});

test('USR2 to a configuration with an address that is taken keeps the old master and all of its addresses', async () => {
  using app = new ChangingApp('one');
  const config = app.join('tsagi.config.ts');
  const path = app.join('socket');
  const write = (listen: readonly string[]): void =>
    writeFileSync(config, `export default { listen: ${JSON.stringify(listen)} };\n`);
  using taken = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } });
  write(['127.0.0.1:0', path]);
  await using master = new RunningMaster({ app: app.path, args: ['--config', config], listens: false });
  await master.said(/listening on unix:\S+\n/);
  write(['127.0.0.1:0', path, `127.0.0.1:${taken.port}`]);
  const from = master.now;
  await master.tell('SIGUSR2', /SIGUSR2: this master goes on, the new one failed to start: [^]*?\n/);
  expect(master.output.slice(from)).toContain(`127.0.0.1:${taken.port}`);
  for (const address of [master.tcp, { path }])
    expect(await master.get('/', address)).toMatch(/^hello one \d+$/);
  // What the first one has chosen is handed over, also where the new one was asked for any port.
  const { port } = master.tcp;
  write(['127.0.0.1:0', path]);
  await master.replaceMaster();
  expect(await master.exitCode()).toBe(0);
  for (const address of [{ host: '127.0.0.1', port }, { path }])
    expect(await master.get('/', address)).toMatch(/^hello one \d+$/);
});

test('a second USR2 while the new master starts does not start another', async () => {
  await using master = await RunningMaster.start();
  await master.tell('SIGUSR2', /SIGUSR2: starting a new master\n/);
  await master.tell('SIGUSR2', /SIGUSR2: a new master \(pid \d+\) is starting already\n/);
  await master.said(/SIGUSR2: the new master \(pid \d+\) is ready; leaving\n/);
  expect(await master.exitCode()).toBe(0);
  expect(master.processes()).toHaveLength(3);
});

test('USR2 to a configuration without workers serves on at every socket that there was, or leaves all as it is', async () => {
  using app = new ChangingApp('one');
  const config = app.join('tsagi.config.ts');
  const path = app.join('socket');
  const write = (workers: number): void =>
    writeFileSync(config, `export default { workers: ${workers}, listen: ['127.0.0.1:0', '${path}'] };\n`);
  write(3);
  await using master = new RunningMaster({
    app: app.path,
    args: ['--config', config],
    workers: 'configured',
    listens: false,
  });
  await master.said(/listening on unix:\S+\n/);
  write(1);
  app.break();
  await master.tell('SIGUSR2', /SIGUSR2: this master goes on, the new one failed to start: [^]*?\n/);
  expect(await master.get('/', { path })).toMatch(/^hello one \d+$/);
  app.write('two');
  await master.replaceMaster();
  expect(await master.exitCode()).toBe(0);
  // The kernel spreads them over the three sockets.
  const answers = await Promise.all(Array.from({ length: 30 }, () => master.get('/', master.tcp)));
  for (const answer of [...answers, await master.get('/', { path })])
    expect(answer).toMatch(/^hello two \d+$/);
  expect(master.processes()).toHaveLength(1);
  await master.tell('SIGTERM', /SIGTERM: shutting down\n/);
  await master.gone();
  expect(existsSync(path)).toBe(false);
});
