/**
 * Where options come from: flags, the environment and the config file, and what `--check` says of them.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { certificateFile } from '../support/certificates.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';
import { RunningCommand, runToEnd } from './spawn-command.ts';

const APP = `export default async (scope, receive, send) => {
  if (scope.type !== 'http') throw new Error('http only');
  await send({ type: 'http.response.start', status: 200 });
  await send({ type: 'http.response.body', body: scope.rootPath });
};`;

// A server that says what it was given, instead of serving.
const REPORTER = `export default class {
  constructor({ app, ...options }) { this.options = options; }
  run() { console.log(JSON.stringify(this.options)); }
}`;

let directory: TemporaryDirectory;

beforeAll(() => {
  directory = temporaryDirectory();
  writeFileSync(directory.join('app.ts'), APP);
  writeFileSync(directory.join('reporter.ts'), REPORTER);
  writeFileSync(directory.join('throws.ts'), "throw new Error('no database');");
});

afterAll(() => directory[Symbol.dispose]());

beforeEach(() => config(''));

function config(text: string, name = 'tsagi.config.ts'): void {
  writeFileSync(directory.join(name), `export default {${text}};`);
}

const runHere = (args: readonly string[], env: Record<string, string> = {}) =>
  runToEnd(args, { cwd: directory.path, env });

/** The options that a server gets. */
async function optionsFrom(args: readonly string[], env: Record<string, string> = {}): Promise<unknown> {
  const { stdout, stderr } = await runHere(['-s', './reporter.ts', ...args], env);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe('sources', () => {
  test('options come from flags, then from the environment, then from the config file', async () => {
    config("port: 3, timeout: 3, headerTimeout: 3, socketMode: '0600'");
    const env = { TSAGI_PORT: '2', TSAGI_TIMEOUT: '2s' };
    expect(await optionsFrom(['--port', '1'], env)).toEqual({
      port: 1,
      timeout: 2,
      headerTimeout: 3,
      socketMode: '0600',
    });
  });

  test('what becomes of the process is not for a server that somebody else has made', async () => {
    const { stderr, exitCode } = await runHere(['-s', './reporter.ts', '--pid', 'server.pid']);
    expect(stderr).toBe('tsagi-server: --pid is for the built-in server: leave out --server, or this\n');
    expect(exitCode).toBe(2);
  });

  test('the config file is found by name, by --config, and by TSAGI_CONFIG', async () => {
    config('port: 1');
    mkdirSync(directory.join('etc'), { recursive: true });
    config('port: 2', 'etc/a.ts');
    config('port: 3', 'etc/b.ts');
    expect(await optionsFrom([])).toEqual({ port: 1 });
    expect(await optionsFrom([], { TSAGI_CONFIG: 'etc/a.ts' })).toEqual({ port: 2 });
    expect(await optionsFrom(['--config', 'etc/b.ts'], { TSAGI_CONFIG: 'etc/a.ts' })).toEqual({ port: 3 });
  });

  test('the app, the address and the path below which it is mounted come from a config file', async () => {
    mkdirSync(directory.join('served'), { recursive: true });
    writeFileSync(directory.join('served/own.ts'), APP);
    config("app: 'served/own.ts', port: 0, rootPath: '/mounted'");
    await using command = new RunningCommand([], { cwd: directory.path });
    expect(await (await fetch(await command.url())).text()).toBe('/mounted');
  });

  test('an app that is named on the command line is taken instead', async () => {
    config("app: 'throws.ts', port: 0");
    await using command = new RunningCommand(['app.ts'], { cwd: directory.path });
    expect((await fetch(await command.url())).status).toBe(200);
  });

  test('the mode comes from the config file, and settles the defaults', async () => {
    config("env: 'development', port: 0");
    await using command = new RunningCommand([], { cwd: directory.path });
    await (await fetch(await command.url())).text();
    expect(command.stderr).toContain('development mode');
    await command.said(/"GET \/"|"GET \/ /);
  });
});

describe('errors name the source, exit code 2', () => {
  const wrong: [string, string[], Record<string, string>, string][] = [
    ['', ['-p', 'x'], {}, '--port must be a port number from 0 to 65535, not "x"'],
    [
      '',
      [],
      { TSAGI_PORT: 'x' },
      'the environment variable TSAGI_PORT must be a port number from 0 to 65535, not "x"',
    ],
    ["port: 'x'", [], {}, 'port in tsagi.config.ts must be a port number from 0 to 65535, not "x"'],
    ["port: 'x'", ['-p', '1'], {}, 'port in tsagi.config.ts must be a port number from 0 to 65535, not "x"'],
    ['prot: 1', [], {}, 'unknown option prot in tsagi.config.ts; the nearest known one is port'],
    ["accessLogFormat: '%Z'", [], {}, 'accessLogFormat in tsagi.config.ts: unknown access log atom "%Z"'],
    ['', ['--config', 'absent.ts'], {}, '--config must be the name of a file that is there, not "absent.ts"'],
  ];
  test.each(wrong)('config %j, arguments %j, environment %j', async (text, args, env, message) => {
    config(text);
    const { exitCode, stdout, stderr } = await runHere(args, env);
    expect(stderr).toStartWith(`tsagi-server: ${message}`);
    expect([exitCode, stdout, stderr.split('\n').length]).toEqual([2, '', 2]);
  });
});

test('a config file that fails exits 1, with its place and no frame of the command', async () => {
  writeFileSync(directory.join('fails.ts'), "export default () => {\n  throw new Error('no vault');\n};");
  const { exitCode, stderr } = await runHere(['--config', 'fails.ts']);
  expect(exitCode).toBe(1);
  expect(stderr).toStartWith('tsagi-server: cannot load fails.ts: Error: no vault\n  fails.ts\n');
  expect(stderr).toEndWith('(fails.ts:2:13)\n');
});

describe('warnings', () => {
  test('a variable of no option, and options for workers where there are none', async () => {
    config('maxRequests: 10');
    const { exitCode, stderr } = await runHere(['--check'], { TSAGI_PROT: '1' });
    expect(exitCode).toBe(0);
    expect(stderr.split('\n').map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'warn the environment variable TSAGI_PROT is no option of this server; the nearest one is TSAGI_PORT',
      'warn maxRequests in tsagi.config.ts does nothing where one process serves: it is for 2 or more workers',
      '',
    ]);
  });

  test('are told of by --check also where the start goes to the background', async () => {
    const { stderr } = await runHere(['--check', '-D', '--max-requests', '10']);
    expect(stderr).toContain('warn --max-requests does nothing');
  });

  test('are left out with -q', async () => {
    expect((await runHere(['--check', '-q', '--max-requests', '10'])).stderr).toBe('');
  });
});

describe('--check', () => {
  test('says what would be served, exits 0, and binds nothing', async () => {
    using other = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
    expect(await runHere(['--check', '-p', String(other.port), '-w', '2', 'app.ts'])).toEqual({
      exitCode: 0,
      stdout: `tsagi-server: app.ts can be served with tsagi.config.ts: production mode, 127.0.0.1:${other.port}, 2 workers\n`,
      stderr: '',
    });
  });

  test('an app or a certificate that cannot be loaded exits 1, with the error of a start', async () => {
    const failing = await runHere(['--check', 'throws.ts']);
    expect([failing.exitCode, failing.stdout]).toEqual([1, '']);
    expect(failing.stderr).toStartWith('tsagi-server: cannot load throws.ts: Error: no database\n');
    const args = ['--ssl-cert', certificateFile('server'), '--ssl-key', '/nowhere.pem'];
    expect(await runHere(['--check', ...args])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'tsagi-server: keyFile (--ssl-key) /nowhere.pem cannot be read: there is no such file\n',
    });
  });

  test.if(process.getuid?.() === 0)('the app is loaded as the user who would serve it', async () => {
    chmodSync(directory.path, 0o755);
    writeFileSync(directory.join('uid.ts'), 'console.error(process.getuid());\nexport default () => {};');
    const { exitCode, stderr } = await runHere(['--check', '--user', '4711', '--group', '4711', 'uid.ts']);
    expect([exitCode, stderr]).toEqual([0, '4711\n']);
  });

  test('an option that cannot be used exits 2', async () => {
    expect((await runHere(['--check', '--timeout', 'soon'])).exitCode).toBe(2);
  });
});
