/**
 * HUP: a rolling restart. What is on disk now is served afterwards, or, if it cannot be, what was served before.
 */
import { copyFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { expect, setDefaultTimeout, test } from 'bun:test';
import { certificate, certificateFile, keyFile } from '../support/certificates.ts';
import { RunningMaster } from '../support/running-master.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ChangingApp } from './changing-app.ts';

setDefaultTimeout(40_000);
const FAILING_STARTUP = `
export const app = async (scope, receive, send) => {
  await receive();
  if (scope.type === 'lifespan') await send({ type: 'lifespan.startup.failed', message: 'no database' });
};
`;
const REPLACED = /SIGHUP: all workers have been replaced\n/;

test('HUP serves what is on disk now: the app and what it imports', async () => {
  using app = new ChangingApp('one');
  await using master = await RunningMaster.start({ app: app.path });
  expect(await master.get('/')).toMatch(/^hello one \d+$/);
  app.write('two', 'welcome');
  expect(await master.get('/')).toMatch(/^hello one \d+$/);
  const before = master.workers;
  await master.tell('SIGHUP', REPLACED);
  await master.left(before.values());
  const pids = new Set(master.workers.values());
  for (let asked = 0; asked < 20; asked += 1) {
    const [greeting, version, pid] = (await master.get('/')).split(' ');
    expect([greeting, version]).toEqual(['welcome', 'two']);
    expect(pids.has(Number(pid))).toBe(true);
  }
});

test('each replacement is ready before its predecessor is told to leave', async () => {
  await using master = await RunningMaster.start();
  const before = master.workers;
  const from = master.now;
  await master.tell('SIGHUP', REPLACED);
  for (const [number, pid] of before) {
    await master.said(new RegExp(`worker ${number} \\(pid ${pid}\\) has left\n`), from);
    const since = master.output.slice(from);
    const ready = since.search(new RegExp(`worker ${number} \\(pid \\d+\\) is ready\n`));
    expect(ready).toBeGreaterThanOrEqual(0);
    expect(ready).toBeLessThan(since.search(new RegExp(`worker ${number} \\(pid ${pid}\\) has left\n`)));
  }
  expect(master.processes().sort()).toEqual([master.pid, ...master.workers.values()].sort());
});

for (const [what, text, reason] of [
  ['throws', `throw new Error('this app is broken');`, /this app is broken/],
  ['is no TypeScript', 'export const = ;', /app\.ts/],
  ['fails its startup', FAILING_STARTUP, /no database/],
] as const) {
  test(`HUP with new code that ${what} keeps the old workers, and says why`, async () => {
    using app = new ChangingApp('one');
    await using master = await RunningMaster.start({ app: app.path });
    const before = master.workers;
    app.break(text);
    const from = master.now;
    await master.tell('SIGHUP', /SIGHUP: the old workers stay: .*\n/);
    expect(master.output.slice(from)).toMatch(reason);
    expect(master.workers).toEqual(before);
    for (let asked = 0; asked < 10; asked += 1) expect(await master.get('/')).toMatch(/^hello one \d+$/);
    expect(master.processes()).toHaveLength(3);
    app.write('two');
    await master.tell('SIGHUP', REPLACED);
    await master.left(before.values());
    expect(await master.get('/')).toMatch(/^hello two \d+$/);
  });
}

test('a worker that dies in the middle of a HUP is replaced all the same', async () => {
  await using master = await RunningMaster.start();
  const before = Array.from(master.workers.values());
  const from = master.now;
  await master.tell('SIGHUP', /worker 1 \(pid \d+\) is ready\n/);
  master.kill('SIGKILL', before[1]);
  await master.said(REPLACED, from);
  await master.said(/worker 2 \(pid \d+\) is ready\n/, from);
  expect(Array.from(master.workers.keys()).sort()).toEqual([1, 2]);
  expect(Array.from(master.workers.values()).filter((pid) => before.includes(pid))).toEqual([]);
  await master.left([before[0]!]);
  expect(master.processes()).toHaveLength(3);
});

test('several HUPs at once end with new workers, and none too many', async () => {
  using app = new ChangingApp('one');
  await using master = await RunningMaster.start({ app: app.path });
  await master.tell('SIGHUP', /SIGHUP: restarting the workers/);
  app.write('two');
  master.kill('SIGHUP');
  await master.said(/(SIGHUP: all workers have been replaced\n[^]*){2}/);
  const serving = new Set([master.pid, ...master.workers.values()]);
  await master.left(master.processes().filter((pid) => !serving.has(pid)));
  expect(await master.get('/')).toMatch(/^hello two \d+$/);
  expect(master.workers.size).toBe(2);
});

test('HUP reads the certificates anew', async () => {
  using directory = temporaryDirectory();
  const install = (name: 'server' | 'renewed'): void => {
    copyFileSync(certificateFile(name), directory.join('cert.pem'));
    copyFileSync(keyFile(name), directory.join('key.pem'));
  };
  install('server');
  const tls = ['--ssl-cert', directory.join('cert.pem'), '--ssl-key', directory.join('key.pem')];
  await using master = await RunningMaster.start({ args: tls });
  expect(await presentedCertificate(master)).toBe(certificate('server'));
  install('renewed');
  const before = master.workers;
  await master.tell('SIGHUP', REPLACED);
  await master.left(before.values());
  for (let asked = 0; asked < 8; asked += 1) {
    expect(await presentedCertificate(master)).toBe(certificate('renewed'));
  }
});

/** As PEM, in the form that OpenSSL writes. */
function presentedCertificate({ tcp }: RunningMaster): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...tcp, ca: certificate('ca'), servername: 'localhost' }, () => {
      const raw = socket.getPeerCertificate().raw.toString('base64');
      socket.destroy();
      const lines = raw.match(/.{1,64}/g)!.join('\n');
      resolve(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`);
    });
    socket.once('error', reject);
  });
}
