/**
 * The command as `npm run build` makes it, without a Bun beside it: what the command does from its sources it does from there.
 */
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { certificateFile, keyFile } from '../support/certificates.ts';
import { buildCommand, NO_SEARCH_PATH } from '../support/executable.ts';
import { H2Connection } from '../support/h2-stream-client.ts';
import { RawClient } from '../support/raw-client.ts';
import { RunningMaster, type MasterOptions } from '../support/running-master.ts';
import { runProgram, RunningProgram, type FinishedProgram } from '../support/running-program.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';
import { ChangingApp } from './changing-app.ts';

setDefaultTimeout(40_000);
const ROOT = new URL('../../', import.meta.url).pathname;
const REPLACED = /SIGHUP: all workers have been replaced\n/;

/** An app that answers with the value of an expression. */
const answering = (imports: string, expression: string): string => `
${imports}
export const app = async (scope, receive, send) => {
  if (scope.type !== 'http') throw new Error('unsupported scope: ' + scope.type);
  await send({ type: 'http.response.start', status: 200 });
  await send({ type: 'http.response.body', body: String(${expression}) });
};
`;

let directory: TemporaryDirectory;
let executable: string;

beforeAll(async () => {
  directory = temporaryDirectory();
  executable = directory.join('tsagi-server');
  await buildCommand(executable);
});

afterAll(() => directory[Symbol.dispose]());

async function start(options: MasterOptions = {}): Promise<RunningMaster> {
  const env = { ...NO_SEARCH_PATH, ...options.env };
  return await RunningMaster.start({ command: [executable], ...options, env });
}

async function run(args: readonly string[], cwd = directory.path): Promise<FinishedProgram> {
  return await runProgram([executable, ...args], { cwd, env: NO_SEARCH_PATH });
}

/** The files of an app in a directory of its own; returns that of the app. */
function writeApp(name: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    const file = directory.join(`${name}/${path}`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return directory.join(`${name}/app.ts`);
}

const fileOf = (pid: number): string => readlinkSync(`/proc/${pid}/exe`);

describe('processes', () => {
  test('HUP, TTIN, TTOU, USR2 and TERM do what they do from the sources', async () => {
    using app = new ChangingApp('one');
    await using master = await start({ app: app.path });
    expect(await master.get('/')).toMatch(/^hello one \d+$/);
    app.write('two');
    let before = master.workers;
    await master.tell('SIGHUP', REPLACED);
    await master.left(before.values());
    expect(await master.get('/', master.unix)).toMatch(/^hello two \d+$/);
    await master.tell('SIGTTIN', /worker 3 \(pid \d+\) is ready\n/);
    await master.tell('SIGTTOU', /worker 3 \(pid \d+\) has left\n/);
    app.write('three');
    before = master.workers;
    await master.replaceMaster();
    await master.left(before.values());
    expect(await master.exitCode()).toBe(0);
    for (const address of [master.tcp, master.unix])
      expect(await master.get('/', address)).toMatch(/^hello three \d+$/);
    for (const pid of master.processes()) expect(fileOf(pid)).toBe(executable);
    await master.tell('SIGTERM', /SIGTERM: shutting down\n/);
    await master.gone();
    expect(master.processes()).toEqual([]);
  });

  test('a worker that is killed is replaced', async () => {
    await using master = await start();
    const [pid] = master.workers.values();
    const from = master.now;
    master.kill('SIGKILL', pid);
    await master.said(/worker \d \(pid \d+\) is ready\n/, from);
    expect(master.processes()).toHaveLength(3);
  });

  test('HUP and USR2 start the file that has taken the place of the one that runs', async () => {
    const file = directory.join('replaced');
    copyFileSync(executable, file);
    await using master = await start({ command: [file] });
    copyFileSync(executable, directory.join('next'));
    renameSync(directory.join('next'), file);
    expect(fileOf(master.pid)).toBe(`${file} (deleted)`);
    const before = master.workers;
    await master.tell('SIGHUP', REPLACED);
    await master.left(before.values());
    for (const pid of master.workers.values()) expect(fileOf(pid)).toBe(file);
    await master.replaceMaster();
    await master.exitCode();
    expect(master.processes().map(fileOf)).toEqual([file, file, file]);
  });

  test('USR2 goes where the symbolic link leads that it was called by', async () => {
    for (const release of ['one', 'two']) {
      mkdirSync(directory.join(`releases/${release}`), { recursive: true });
      copyFileSync(executable, directory.join(`releases/${release}/server`));
    }
    const link = directory.join('current');
    symlinkSync('releases/one', link);
    await using master = await start({ command: [`${link}/server`] });
    expect(fileOf(master.pid)).toBe(directory.join('releases/one/server'));
    rmSync(link);
    symlinkSync('releases/two', link);
    await master.replaceMaster();
    await master.exitCode();
    expect(new Set(master.processes().map(fileOf))).toEqual(new Set([directory.join('releases/two/server')]));
  });

  test('called by its name alone it is found again', async () => {
    await using master = await start({
      command: ['sh', '-c', `PATH=${directory.path}; exec tsagi-server "$@"`, 'sh'],
      env: { PATH: process.env['PATH']! },
    });
    await master.tell('SIGHUP', REPLACED);
    expect(await master.get('/who')).toMatch(/^\d+ \d$/);
  });

  test('options of Bun from BUN_OPTIONS are not taken for its own', async () => {
    await using master = await start({ env: { BUN_OPTIONS: '--smol' } });
    await master.replaceMaster();
    expect(await master.get('/env?name=BUN_OPTIONS')).toBe('--smol');
  });

  test('--daemonize returns when it serves, and TERM ends the daemon', async () => {
    const [socket, pidFile] = [directory.join('daemon.sock'), directory.join('daemon.pid')];
    const app = `${ROOT}test/processes/app.ts`;
    const { exitCode } = await run([app, '-D', '-w', '2', '--socket', socket, '--pid', pidFile]);
    expect(exitCode).toBe(0);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    const client = await RawClient.connect({ path: socket });
    expect((await client.request({ target: '/who' })).status).toBe(200);
    expect(fileOf(pid)).toBe(executable);
    process.kill(pid, 'SIGTERM');
    expect(await client.ended()).toBe('fin');
  });
});

describe('serving', () => {
  test('HTTP/1.1 and HTTP/2 over TLS, in workers', async () => {
    const args = ['--ssl-cert', certificateFile('server'), '--ssl-key', keyFile('server'), '--http2'];
    await using master = await start({ args });
    const { host, port } = master.tcp;
    const tls = { rejectUnauthorized: false };
    expect(await (await fetch(`https://${host}:${port}/label`, { tls })).text()).toBe('');
    const connection = await H2Connection.open({ host, port }, { tls: {} });
    expect((await connection.request({ path: '/who', scheme: 'https' })).status).toBe(200);
    connection.close();
  });

  test('an expression after -e, and a config file', async () => {
    const socket = directory.join('config.sock');
    const app = writeApp('config', {
      'tsagi.config.ts': `export default { workers: 2, socket: '${socket}' } satisfies object;`,
    });
    const text = `async (scope, receive, send) => {
      await send({ type: 'http.response.start', status: 200 });
      await send({ type: 'http.response.body', body: 'inline' });
    }`;
    await using program = new RunningProgram([executable, '-e', text], {
      cwd: dirname(app),
      env: NO_SEARCH_PATH,
    });
    await program.said(/listening on unix:/);
    expect(await (await fetch('http://a/', { unix: socket })).text()).toBe('inline');
    expect(program.output).toContain('starting 2 workers\n');
    program.kill('SIGTERM');
    expect((await program.end()).exitCode).toBe(0);
  });
});

describe('apps', () => {
  const PACKAGE = JSON.stringify({
    name: 'dependency',
    type: 'module',
    exports: { './text': './lib/text.js' },
  });

  for (const [what, files, answer] of [
    [
      'packages beside it',
      {
        'app.ts': answering(`import { text } from 'dependency/text';`, 'text'),
        'node_modules/dependency/package.json': PACKAGE,
        'node_modules/dependency/lib/text.js': `export const text = 'of a package';`,
      },
      'of a package',
    ],
    [
      'paths of its tsconfig.json',
      {
        'app.ts': answering(`import { text } from '@/text.ts';`, 'text'),
        'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { '@/*': ['./lib/*'] } } }),
        'lib/text.ts': `export const text: string = 'of a path';`,
      },
      'of a path',
    ],
    [
      'imports of its package.json',
      {
        'app.ts': answering(`import { text } from '#text';`, 'text'),
        'package.json': JSON.stringify({
          name: 'app',
          type: 'module',
          imports: { '#text': './lib/text.ts' },
        }),
        'lib/text.ts': `export const text: string = 'of a name';`,
      },
      'of a name',
    ],
    [
      'types of a package that is not installed',
      { 'app.ts': answering(`import type { App } from 'tsagi-server';`, `'typed' satisfies string`) },
      'typed',
    ],
    [
      'the server that runs it, without having it installed',
      { 'app.ts': answering(`import { OptionError } from 'tsagi-server';`, 'OptionError.name') },
      'OptionError',
    ],
    [
      'the server that runs it, and not the one that is installed beside it',
      {
        'app.ts': answering(`import { OptionError } from 'tsagi-server';`, 'OptionError.name'),
        'node_modules/tsagi-server/package.json': JSON.stringify({ name: 'tsagi-server', main: 'index.js' }),
        'node_modules/tsagi-server/index.js': `exports.OptionError = { name: 'another' };`,
      },
      'OptionError',
    ],
  ] as const) {
    test(`an app finds ${what}`, async () => {
      const app = writeApp(what.replaceAll(/\W/g, '-'), files);
      await using master = await start({ app });
      expect(await master.get('/')).toBe(answer);
    });
  }

  test('an app that does not load is shown with its own frames, and none of the server', async () => {
    const app = writeApp('broken', {
      'app.ts': `function fail() {\n  throw new Error('broken');\n}\nfail();\n`,
    });
    const { exitCode, output } = await run(['app.ts'], dirname(app));
    expect(exitCode).toBe(1);
    expect(output).toBe(
      [
        'tsagi-server: cannot load app.ts: Error: broken',
        '  app.ts',
        '  1 | function fail() {',
        `  2 |   throw new Error('broken');`,
        `${' '.repeat(18)}^`,
        '    at fail (app.ts:2:13)',
        '    at app.ts:4:1',
        '',
      ].join('\n'),
    );
  });

  test('an app that throws in lifespan or in a request is shown with its place', async () => {
    const app = writeApp('throwing', {
      'app.ts': `export const app = async () => {\n  throw new Error('no');\n};\n`,
    });
    const refused = await run(['app.ts', '--lifespan', 'on', '--port', '0'], dirname(app));
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toContain(`Error: no (${app}:2:`);
    await using master = await start({ app });
    const client = await RawClient.connect(master.tcp);
    expect((await client.request({ target: '/' })).status).toBe(500);
    client.close();
    const [, place] = await master.said(/error worker \d: GET \/: .*Error: no\n\s+at \S+ \((.*):2:\d+\)\n/);
    expect(place).toBe(app);
  });

  test('an option of the config file that is wrong is named', async () => {
    const app = writeApp('wrong-config', { 'tsagi.config.ts': 'export default { port: -1 };' });
    const { exitCode, output } = await run(['app.ts'], dirname(app));
    expect(exitCode).toBe(2);
    expect(output).toStartWith('tsagi-server: port in tsagi.config.ts must be');
  });
});

for (const flag of ['--help', '--version']) {
  test(`${flag} says the same as from the sources`, async () => {
    const fromSources = await runProgram([process.execPath, `${ROOT}bin/tsagi-server`, flag]);
    expect(await run([flag])).toEqual(fromSources);
  });
}
