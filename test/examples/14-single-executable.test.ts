import { copyFileSync, readFileSync, renameSync } from 'node:fs';
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { buildExample, NO_SEARCH_PATH } from '../support/executable.ts';
import { RunningProgram } from '../support/running-program.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';
import { within } from '../support/within.ts';

setDefaultTimeout(40_000);
const PATIENCE = 20_000;
const NAME = '14-single-executable';

interface Who {
  readonly version: string;
  readonly worker: number;
  readonly pid: number;
}

let directory: TemporaryDirectory;
let first: string;

beforeAll(async () => {
  directory = temporaryDirectory();
  first = directory.join('one');
  await buildExample(NAME, first);
});

afterAll(() => directory[Symbol.dispose]());

/** A running executable, and the masters that take its place. */
class Running implements AsyncDisposable {
  readonly #program: RunningProgram;
  readonly #directory: TemporaryDirectory;
  #pid: number;

  constructor(file: string, env: Readonly<Record<string, string>> = {}) {
    this.#directory = temporaryDirectory();
    this.#program = new RunningProgram([file], {
      cwd: this.#directory.path,
      env: { ...NO_SEARCH_PATH, SOCKET: this.#socket, ...env },
    });
    this.#pid = this.#program.pid;
  }

  get #socket(): string {
    return this.#directory.join('socket');
  }

  get output(): string {
    return this.#program.output;
  }

  /** The processes of all workers that it has had. */
  get workers(): string[] {
    return [...this.output.matchAll(/worker \d \(pid (\d+)\) is ready\n/g)].map((match) => match[1]!);
  }

  async serves(): Promise<this> {
    await this.said(/listening on unix:\S+\n/);
    return this;
  }

  async said(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return await within(this.#program.said(pattern, from), String(pattern), PATIENCE);
  }

  async tell(signal: NodeJS.Signals, answer: RegExp): Promise<RegExpExecArray> {
    const from = this.output.length;
    process.kill(this.#pid, signal);
    return await this.said(answer, from);
  }

  async replaceMaster(): Promise<void> {
    const [, pid] = await this.tell('SIGUSR2', /SIGUSR2: the new master \(pid (\d+)\) is ready; leaving\n/);
    this.#pid = Number(pid);
    await within(this.#program.exited, 'the end of the old master', PATIENCE);
  }

  /** Resolves when every process of it has gone. */
  async end(): Promise<void> {
    process.kill(this.#pid, 'SIGTERM');
    await within(this.#program.silent, 'the end of everybody', PATIENCE);
  }

  get exited(): Promise<number> {
    return this.#program.exited;
  }

  async get(path: string): Promise<Response> {
    return await fetch(`http://one${path}`, { unix: this.#socket });
  }

  async who(): Promise<Who> {
    return (await (await this.get('/who')).json()) as Who;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Workers end with their master.
    for (const pid of [this.#pid, this.#program.pid]) if (isThere(pid)) process.kill(pid, 'SIGKILL');
    await this.#program.silent;
    this.#directory[Symbol.dispose]();
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test(`${NAME} serves itself with workers, without Bun and without its sources`, async () => {
  await using one = await new Running(first).serves();
  const { version, worker, pid } = await one.who();
  expect(version).toBe('1.0');
  expect([1, 2]).toContain(worker);
  expect(one.output).toContain(`worker ${worker} (pid ${pid}) is ready\n`);
  for (const [path, file] of [
    ['/', 'index.html'],
    ['/style.css', 'style.css'],
  ] as const) {
    const source = new URL(`../../examples/${NAME}/public/${file}`, import.meta.url);
    expect(await (await one.get(path)).text()).toBe(readFileSync(source, 'utf8'));
  }
  expect((await one.get('/nowhere')).status).toBe(404);
  await one.end();
  expect(await one.exited).toBe(0);
});

test(`${NAME} goes on as the version that is on disk, after HUP and after USR2`, async () => {
  const file = directory.join('replaced');
  const next = directory.join('next');
  copyFileSync(first, file);
  await using one = await new Running(file).serves();
  for (const [version, replace] of [
    ['2.0', () => one.tell('SIGHUP', /SIGHUP: all workers have been replaced\n/)],
    ['3.0', () => one.replaceMaster()],
    ['4.0', () => one.tell('SIGHUP', /SIGHUP: all workers have been replaced\n/)],
  ] as const) {
    await buildExample(NAME, next, { '"1.0"': `"${version}"` });
    const before = one.workers;
    renameSync(next, file);
    await replace();
    for (const pid of before) await one.said(new RegExp(`worker \\d \\(pid ${pid}\\) has left\\n`));
    expect((await one.who()).version).toBe(version);
  }
  await one.end();
});

test(`${NAME} gets one worker more by TTIN and one fewer by TTOU`, async () => {
  await using one = await new Running(first).serves();
  await one.tell('SIGTTIN', /worker 3 \(pid \d+\) is ready\n/);
  await one.tell('SIGTTOU', /worker 3 \(pid \d+\) has left\n/);
  await one.end();
});

test(`${NAME} says in one line why it cannot start`, async () => {
  await using one = await new Running(first).serves();
  await using other = new Running(first, { SOCKET: /unix:(\S+)\n/.exec(one.output)![1]! });
  expect(await other.exited).toBe(1);
  expect(other.output).toMatch(/^[^\n]*listen[^\n]*\n$/);
});

test(`${NAME} runs from its sources as well`, async () => {
  const entry = new URL(`../../examples/${NAME}/server.ts`, import.meta.url).pathname;
  await using server = new RunningProgram([process.execPath, entry], { env: { PORT: '0', WORKERS: '1' } });
  const url = await server.url();
  expect(await (await fetch(`${url}/who`)).json()).toEqual({
    version: 'from its sources',
    worker: 'the only process',
    pid: server.pid,
  });
  expect(await (await fetch(url)).text()).toContain('<h1>One executable</h1>');
});
