/**
 * The units, files and small apps in docs/deployment, tried as they stand but for addresses, paths and names.
 */
import { chmodSync, copyFileSync, existsSync, readFileSync } from 'node:fs';
import { expect, setDefaultTimeout, test } from 'bun:test';
import { certificate, certificateFile, keyFile } from '../support/certificates.ts';
import { DatagramReceiver } from '../support/datagram-receiver.ts';
import { needs, programPath } from '../support/program.ts';
import { RunningProgram, runProgram } from '../support/running-program.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/within.ts';
import { replaced, sample } from './samples.ts';

setDefaultTimeout(30_000);

const ROOT = new URL('../../', import.meta.url).pathname;
const COMMAND = `${process.execPath} ${ROOT}bin/tsagi-server`;
const IS_ROOT = process.getuid?.() === 0;
/** For what only root can do; others are spared it. */
const needsRoot = (...programs: string[]) =>
  IS_ROOT
    ? needs(...programs)
    : (name: string, body: () => Promise<void>) => test.skip(`${name} (needs root)`, body);

const APP = `export const app = async (scope, receive, send) => {
  if (scope.type !== 'http') throw new Error('http only');
  await send({ type: 'http.response.start', status: 200 });
  await send({ type: 'http.response.body', body: 'the app' });
};`;

function server(
  args: readonly string[],
  options?: ConstructorParameters<typeof RunningProgram>[1],
): RunningProgram {
  return new RunningProgram([...COMMAND.split(' '), ...args], options);
}

async function writeUnits(directory: TemporaryDirectory): Promise<string[]> {
  const service = replaced(sample('deployment/systemd.md', '/etc/systemd/system/tsagi.service'), {
    '/usr/local/bin/tsagi-server': COMMAND,
    'User=tsagi': 'User=daemon',
  });
  const files = {
    'tsagi.service': service,
    'tsagi.socket': sample('deployment/systemd.md', '/etc/systemd/system/tsagi.socket'),
  };
  for (const [name, text] of Object.entries(files)) await Bun.write(directory.join(name), text);
  return Object.keys(files).map(directory.join);
}

needs('systemd-analyze')('systemd has nothing to say against the units', async () => {
  using directory = temporaryDirectory();
  const units = await writeUnits(directory);
  const { exitCode, output } = await runProgram([programPath('systemd-analyze'), 'verify', ...units]);
  const ours = output.split('\n').filter((line) => line.includes('tsagi'));
  expect([exitCode, ours]).toEqual([0, []]);
});

test("the unit's command tells systemd what it does: start, reload, hot restart, stop", async () => {
  using directory = temporaryDirectory();
  await Bun.write(directory.join('app.ts'), APP);
  using manager = new DatagramReceiver(directory.join('notify'));
  const unit = sample('deployment/systemd.md', '/etc/systemd/system/tsagi.service');
  const [, args] = /^ExecStart=\S+ (.*)$/m.exec(unit)!;
  const [, watchdog] = /^WatchdogSec=(\d+)$/m.exec(unit)!;
  const env = {
    NOTIFY_SOCKET: directory.join('notify'),
    WATCHDOG_USEC: `${watchdog}000000`,
    TSAGI_PORT: '0',
  };
  await using program = server(args!.split(' '), { cwd: directory.path, env });
  await program.said(/listening on /);
  await heard(manager, /^READY=1\nSTATUS=2 workers at http:\/\/127.0.0.1:\d+$/);
  await heard(manager, 'WATCHDOG=1');

  program.kill('SIGHUP');
  await program.said(/all workers have been replaced\n/);
  await heard(manager, /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
  await heard(manager, 'READY=1');

  program.kill('SIGUSR2');
  const [, pid] = await program.said(/the new master \(pid (\d+)\) is ready; leaving\n/);
  await heard(manager, `MAINPID=${pid}\nWATCHDOG=1`);
  process.kill(Number(pid), 'SIGTERM');
  await program.silent;
  await heard(manager, 'STOPPING=1');
});

/** Who says it is another process than the one whose log was waited for, or says it a moment later. */
async function heard(manager: DatagramReceiver, wanted: string | RegExp): Promise<void> {
  const isWanted = (text: string | undefined): boolean =>
    text !== undefined && (typeof wanted === 'string' ? text === wanted : wanted.test(text));
  await until(() => isWanted(manager.take()), String(wanted));
}

test('a single process says too when it has read its certificates anew, for Type=notify-reload', async () => {
  using directory = temporaryDirectory();
  await Bun.write(directory.join('app.ts'), APP);
  using manager = new DatagramReceiver(directory.join('notify'));
  const tls = ['--ssl-cert', certificateFile('server'), '--ssl-key', keyFile('server')];
  const env = { NOTIFY_SOCKET: directory.join('notify') };
  await using program = server([directory.join('app.ts'), '--port', '0', ...tls], { env });
  await heard(manager, `READY=1\nSTATUS=serving at ${(await program.said(/listening on (\S+)\n/))[1]}`);
  program.kill('SIGHUP');
  await program.said(/the certificates have been read anew\n/);
  await heard(manager, /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
  await heard(manager, 'READY=1');
});

/** `unshare` and, as process 1 of a pid namespace, the server. */
async function startAsProcessOne(
  directory: TemporaryDirectory,
  ...args: string[]
): Promise<[RunningProgram, number]> {
  await Bun.write(directory.join('app.ts'), APP);
  const unshare = [programPath('unshare'), '--pid', '--fork', '--mount-proc', '--kill-child'];
  const program = new RunningProgram([
    ...unshare,
    ...COMMAND.split(' '),
    directory.join('app.ts'),
    '--port',
    '0',
    ...args,
  ]);
  await program.said(/pid 1\n/);
  await program.said(/listening on /);
  return [program, Number(readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8'))];
}

for (const workers of ['1', '2']) {
  needsRoot('unshare')(`as process 1 it heeds TERM, and refuses USR2, with ${workers} workers`, async () => {
    using directory = temporaryDirectory();
    const [program, one] = await startAsProcessOne(directory, '--workers', workers);
    await using _ = program;
    process.kill(one, 'SIGUSR2');
    await program.said(/SIGUSR2 does nothing in /);
    expect(await (await fetch(await program.url())).text()).toBe('the app');
    process.kill(one, 'SIGTERM');
    expect((await program.end()).exitCode).toBe(0);
  });
}

test('the health check of the image says by its exit code whether the server answers', async () => {
  using directory = temporaryDirectory();
  await Bun.write(directory.join('app.ts'), APP);
  await using program = server([directory.join('app.ts'), '--port', '0']);
  const { host } = new URL(await program.url());
  const text = replaced(sample('deployment/containers.md', 'healthcheck.ts'), { '127.0.0.1:8080': host });
  await Bun.write(directory.join('healthcheck.ts'), text);
  const dockerfile = sample('deployment/containers.md', 'Dockerfile');
  const check = JSON.parse(/^HEALTHCHECK .* CMD (\[.*\])$/m.exec(dockerfile)![1]!) as string[];
  const command = [...COMMAND.split(' '), ...check.slice(1)];
  expect(await runProgram(command, { cwd: directory.path })).toEqual({ exitCode: 0, output: '' });
  program.kill('SIGTERM');
  await program.end();
  expect(await runProgram(command, { cwd: directory.path })).toEqual({ exitCode: 1, output: '' });
});

/** The samples of a server without a proxy, in a directory where the user of `--user` may write. */
async function writeSite(directory: TemporaryDirectory, workers: number): Promise<void> {
  chmodSync(directory.path, 0o777);
  copyFileSync(certificateFile('server'), directory.join('cert.pem'));
  copyFileSync(keyFile('server'), directory.join('key.pem'));
  await Bun.write(directory.join('app.ts'), APP);
  const config = replaced(sample('deployment/direct.md', 'tsagi.config.ts'), {
    '0.0.0.0:443': '127.0.0.1:0',
    '0.0.0.0:80': '127.0.0.1:0',
    '/etc/letsencrypt/live/app.example/fullchain.pem': directory.join('cert.pem'),
    '/etc/letsencrypt/live/app.example/privkey.pem': directory.join('key.pem'),
    "  user: 'tsagi',\n": IS_ROOT ? "  user: 'nobody',\n" : '',
    'workers: 2': `workers: ${workers}`,
    '/run/tsagi': directory.path,
    '/var/log/tsagi': directory.path,
  });
  await Bun.write(directory.join('tsagi.config.ts'), config);
  const site = replaced(sample('deployment/direct.md', 'site.ts'), {
    '/var/lib/acme': `${directory.path}/acme`,
  });
  await Bun.write(directory.join('site.ts'), site);
  await Bun.write(directory.join('acme/.well-known/acme-challenge/token'), 'the challenge');
}

interface Site extends AsyncDisposable {
  readonly pid: number;
  readonly https: string;
  readonly http: string;
}

/** It goes to the background, and says before where it listens. */
async function startSite(directory: TemporaryDirectory): Promise<Site> {
  const { exitCode, output } = await runProgram(COMMAND.split(' '), { cwd: directory.path });
  expect([exitCode, output]).toEqual([0, expect.stringContaining('listening on https://')]);
  const pid = Number(readFileSync(directory.join('tsagi.pid'), 'utf8'));
  const address = (scheme: string) => new RegExp(`listening on (${scheme}://\\S+)`).exec(output)![1]!;
  return {
    pid,
    https: address('https'),
    http: address('http'),
    async [Symbol.asyncDispose]() {
      process.kill(pid, 'SIGTERM');
      // The last thing that it does.
      await until(() => !existsSync(directory.join('tsagi.pid')), 'the end of the site');
    },
  };
}

/** Requests are logged a moment after their clients have the answer. */
async function logged(log: string, text: string): Promise<void> {
  await until(() => existsSync(log) && readFileSync(log, 'utf8').includes(text), `${text} in the log`);
}

const trusting = { tls: { ca: certificate('ca') } };

/** The serial numbers of the certificates that it shows now. */
async function serialOf(url: string): Promise<string> {
  const { host } = new URL(url);
  const shown = await runProgram([programPath('openssl'), 's_client', '-connect', host]);
  const pem = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(shown.output)![0];
  return new (await import('node:crypto')).X509Certificate(pem).serialNumber;
}

for (const workers of [1, 2]) {
  needs('openssl')(
    `the site on 443 and 80: redirect, challenge, renewed certificate, workers: ${workers}`,
    async () => {
      using directory = temporaryDirectory();
      await writeSite(directory, workers);
      await using site = await startSite(directory);
      const plain = (path: string) => fetch(site.http + path, { redirect: 'manual' });
      const redirect = await plain('/a%20b?c=1');
      expect([redirect.status, redirect.headers.get('location')]).toEqual([
        308,
        'https://app.example/a%20b?c=1',
      ]);
      expect(await (await plain('/.well-known/acme-challenge/token')).text()).toBe('the challenge');
      expect(await (await fetch(site.https, trusting)).text()).toBe('the app');

      const before = await serialOf(site.https);
      copyFileSync(certificateFile('renewed'), directory.join('cert.pem'));
      copyFileSync(keyFile('renewed'), directory.join('key.pem'));
      // As the document says: a single process is no longer root when it reads them again.
      if (workers === 1) for (const name of ['cert.pem', 'key.pem']) chmodSync(directory.join(name), 0o644);
      const hook = sample('deployment/direct.md', '/etc/letsencrypt/renewal-hooks/deploy/tsagi');
      await Bun.write(directory.join('hook'), replaced(hook, { '/run/tsagi': directory.path }));
      expect(await runProgram(['sh', directory.join('hook')])).toEqual({ exitCode: 0, output: '' });
      while ((await serialOf(site.https)) === before);
      expect(await (await fetch(site.https, trusting)).text()).toBe('the app');
    },
  );

  needsRoot('logrotate')(`logrotate gives the requests another file, workers: ${workers}`, async () => {
    using directory = temporaryDirectory();
    await writeSite(directory, workers);
    await Bun.spawn(['chown', 'nobody:nogroup', directory.path]).exited;
    chmodSync(directory.path, 0o755);
    const text = replaced(sample('deployment/direct.md', '/etc/logrotate.d/tsagi'), {
      '/var/log/tsagi': directory.path,
      '/run/tsagi': directory.path,
      'su tsagi tsagi': 'su nobody nogroup',
    });
    await Bun.write(directory.join('rotate.conf'), text);
    chmodSync(directory.join('rotate.conf'), 0o644);
    await using site = await startSite(directory);
    const log = directory.join('access.log');
    await plainRequest(site, '/before');
    await logged(log, '"GET /before"');
    const flags = ['-f', '-s', directory.join('state'), directory.join('rotate.conf')];
    expect(await runProgram([programPath('logrotate'), ...flags])).toEqual({ exitCode: 0, output: '' });
    // The signal is on its way: until it is heeded lines go to the old file.
    while (!existsSync(log)) await plainRequest(site, '/between');
    await plainRequest(site, '/after');
    await logged(log, '"GET /after"');
    expect(readFileSync(`${log}.1`, 'utf8')).toContain('GET /before"');
    expect(readFileSync(log, 'utf8')).not.toContain('/before');
  });
}

async function plainRequest({ http }: Site, path: string): Promise<void> {
  await (await fetch(http + path, { redirect: 'manual' })).text();
}
