import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { renderHelp } from '../../src/cli/help.ts';
import { RunningCommand, runToEnd } from './spawn-command.ts';

const ANSWER = `
  if (scope.type !== 'http') throw new Error('http only');
  await send({ type: 'http.response.start', status: 200, headers: [['content-type', 'text/plain']] });
  await send({ type: 'http.response.body', body: `;

const app = (body: string) => `async (scope, receive, send) => {${ANSWER}${body} });\n}`;

const FILES: Record<string, string> = {
  'app.ts': `export default ${app("'hello from app.ts'")};`,
  'mode.ts': `const atImport = process.env.TSAGI_ENV;\nexport default ${app('atImport')};`,
  'factory.ts': `export const createApp = (args) => ${app('JSON.stringify(args)')};`,
  'throws.ts': "throw new Error('no database');",
  'hanging.ts':
    "export default async (scope) => {\n  if (scope.type !== 'http') throw new Error('http only');\n  console.error('in hand');\n  await new Promise(() => {});\n};",
  'timer.ts': `setInterval(() => {}, 1000);\nexport default ${app("'ok'")};`,
  'failing-startup.ts':
    "export default async (scope, receive, send) => {\n  if (scope.type !== 'lifespan') throw new Error('lifespan only');\n  await receive();\n  await send({ type: 'lifespan.startup.failed', message: 'no licence' });\n};",
  'server.ts':
    'export default class {\n  constructor(options) { this.options = options; }\n  run() { console.error(JSON.stringify(this.options), typeof this.options.app); }\n}',
};

let cwd: string;

beforeAll(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'tsagi-cli-')));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
});

afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const start = (...args: string[]) => new RunningCommand(['-p', '0', ...args], { cwd });

describe('questions and wrong usage', () => {
  test('--help prints the help to stdout and exits 0', async () => {
    expect(await runToEnd(['--help'])).toEqual({ exitCode: 0, stdout: renderHelp(), stderr: '' });
  });

  test('--version prints the version to stdout and exits 0', async () => {
    const stdout = `tsagi-server ${manifest.version}\n`;
    expect(await runToEnd(['--version'])).toEqual({ exitCode: 0, stdout, stderr: '' });
  });

  const wrong: [string[], string][] = [
    [['--prot', '80'], 'unknown option --prot; the nearest known one is --port'],
    [['--port'], '--port needs a value'],
    [
      ['--timeout', 'soon'],
      '--timeout must be a number of seconds, or a time such as 500ms, 30s, 5m, not "soon"',
    ],
    [['--socket', '/a', '--port', '1'], '--port and --socket exclude each other: give one of them'],
    [['--access-log-format', '%Z'], '--access-log-format: unknown access log atom "%Z"'],
  ];
  for (const [args, message] of wrong) {
    test(`${args.join(' ')} exits 2 with one line on stderr`, async () => {
      const { exitCode, stdout, stderr } = await runToEnd(args, { cwd });
      expect(stderr).toStartWith(`tsagi-server: ${message}`);
      expect([exitCode, stdout, stderr.split('\n').length]).toEqual([2, '', 2]);
    });
  }

  test('a wrong TSAGI_ENV exits 2', async () => {
    const { exitCode, stderr } = await runToEnd([], { cwd, env: { TSAGI_ENV: 'prod' } });
    expect([exitCode, stderr]).toEqual([
      2,
      'tsagi-server: the environment variable TSAGI_ENV must be one of development, production, none, not "prod"\n',
    ]);
  });
});

describe('serving', () => {
  test('the app in the current directory is served, and TERM ends it with 0', async () => {
    await using command = start();
    const response = await fetch(await command.url());
    expect(await response.text()).toBe('hello from app.ts');
    command.kill('SIGTERM');
    expect(await command.exitCode()).toBe(0);
  });

  test('the banner names versions, mode, pid and address', async () => {
    await using command = start('-E', 'production');
    const url = await command.url();
    expect(command.stderr).toContain(
      `tsagi-server ${manifest.version} on Bun ${Bun.version}, production mode, pid ${command.pid}`,
    );
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('an app of key=value arguments is made with them', async () => {
    await using command = start('factory.ts', 'root=/srv', 'n=1');
    expect(await (await fetch(await command.url())).json()).toEqual({ root: '/srv', n: '1' });
  });

  test('the resolved mode is in TSAGI_ENV when the app is imported', async () => {
    await using piped = start('mode.ts');
    expect(await (await fetch(await piped.url())).text()).toBe('production');
    await using chosen = start('mode.ts', '-E', 'none');
    expect(await (await fetch(await chosen.url())).text()).toBe('none');
  });

  test('code after -e is served', async () => {
    await using command = start('-e', app("'inline'"));
    expect(await (await fetch(await command.url())).text()).toBe('inline');
  });

  test('several listeners serve at once, unix sockets with their mode', async () => {
    const socket = join(cwd, 'several.sock');
    const args = ['--listen', '127.0.0.1:0', '--listen', socket, '--socket-mode', '0600'];
    await using command = new RunningCommand(args, { cwd });
    expect(await (await fetch(await command.url())).text()).toBe('hello from app.ts');
    await command.said(/listening on unix:.*several\.sock/);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(await (await fetch('http://localhost/', { unix: socket })).text()).toBe('hello from app.ts');
    command.kill('SIGINT');
    expect(await command.exitCode()).toBe(0);
    expect(statSync(socket, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('USR1 reopens the access log', async () => {
    const [log, moved] = [join(cwd, 'access.log'), join(cwd, 'access.log.1')];
    await using command = start('--access-log', log, '--access-log-format', '%m %U');
    const url = await command.url();
    await (await fetch(`${url}/before`)).text();
    renameSync(log, moved);
    command.kill('SIGUSR1');
    // The signal is handled before any request that arrives after it is answered by the same process.
    while (statSync(log, { throwIfNoEntry: false }) === undefined)
      await (await fetch(`${url}/between`)).text();
    await (await fetch(`${url}/after`)).text();
    command.kill('SIGTERM');
    expect(await command.exitCode()).toBe(0);
    expect(await Bun.file(moved).text()).toStartWith('GET /before\n');
    expect(await Bun.file(log).text()).toEndWith('GET /after\n');
  });

  test('a signal for a master gives a warning, and serving goes on', async () => {
    await using command = start();
    const url = await command.url();
    command.kill('SIGHUP');
    await command.said(/warn SIGHUP does nothing/);
    expect((await fetch(url)).status).toBe(200);
  });

  test('what the app left running does not hold the process', async () => {
    await using command = start('timer.ts');
    await command.url();
    command.kill('SIGTERM');
    expect(await command.exitCode()).toBe(0);
  });

  test('a second INT ends with 130 while a request is in hand', async () => {
    await using command = start('hanging.ts');
    const hanging = fetch(await command.url()).catch(() => {});
    await command.said(/in hand/);
    command.kill('SIGINT');
    await command.said(/SIGINT: shutting down/);
    command.kill('SIGINT');
    expect(await command.exitCode()).toBe(130);
    await hanging;
  });

  test('a class of -s is given the options and run', async () => {
    const { exitCode, stderr } = await runToEnd(['-s', './server.ts', '-p', '0', '--timeout', '5m'], { cwd });
    expect([exitCode, stderr]).toEqual([0, '{"port":0,"timeout":300} function\n']);
  });
});

describe('starts that fail exit 1', () => {
  test('a taken port, in one line that names the address', async () => {
    using other = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
    const { exitCode, stderr } = await runToEnd(['-p', String(other.port)], { cwd });
    expect(exitCode).toBe(1);
    expect(stderr).toStartWith(
      `tsagi-server: cannot listen on 127.0.0.1:${other.port}: the address is already in use`,
    );
    expect(stderr.split('\n')).toHaveLength(2);
  });

  test('an app file that throws, with its place', async () => {
    const { exitCode, stderr } = await runToEnd(['throws.ts'], { cwd });
    expect(exitCode).toBe(1);
    expect(stderr).toStartWith(
      'tsagi-server: cannot load throws.ts: Error: no database\n  throws.ts\n  1 | throw',
    );
    expect(stderr).toEndWith('    at throws.ts:1:11\n');
  });

  test('an app that is not there', async () => {
    const { exitCode, stderr } = await runToEnd(['absent.ts'], { cwd });
    expect(exitCode).toBe(1);
    expect(stderr).toStartWith('tsagi-server: cannot find the app absent.ts; looked for absent.ts');
  });

  test('an app that refuses to start', async () => {
    const { exitCode, stderr } = await runToEnd(['failing-startup.ts', '-p', '0'], { cwd });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('no licence');
  });
});
