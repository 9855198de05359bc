/**
 * The real command with workers: a master and everything it has started, found by a mark in their environment, so that none can hide
 * by losing its parent. It is driven by signals and followed by what it says. Disposing of it kills what is left.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Target } from './load/load-plan.ts';
import { RawClient, type Address } from './raw-client.ts';
import { RunningProgram } from './running-program.ts';
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts';
import { within } from './within.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const COMMAND = [process.execPath, `${ROOT}bin/tsagi-server`];
const APP = `${ROOT}test/processes/app.ts`;
const MARK = 'MARK_OF_TEST';

/** Far longer than anything here takes; it only bounds how long a failing test hangs. */
const PATIENCE = 25_000;
/** The kernel chooses a worker for a connection by its addresses: with two workers, each by half. */
const MOST_ATTEMPTS = 200;

export interface MasterOptions {
  /** How the command is called, where that is not from its sources. */
  readonly command?: readonly string[];
  /** `configured` leaves it to a config file. */
  readonly workers?: number | 'configured';
  readonly app?: string;
  /** An expression in the place of the app. */
  readonly inline?: string;
  /** A program of one's own in the place of the command; its one argument is the path of the unix socket. */
  readonly program?: string;
  /** Flags, and arguments for the app. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly isGroup?: boolean;
  /** False where something else than `args` says where to listen. */
  readonly listens?: boolean;
}

export class RunningMaster implements AsyncDisposable {
  readonly #program: RunningProgram;
  readonly #mark: string;
  readonly #directory: TemporaryDirectory;
  /** The master that signals go to. */
  #pid: number;

  /** Does not wait for anything. It listens on a free port and on a unix socket. */
  constructor({ command = COMMAND, program, env = {}, ...options }: MasterOptions = {}) {
    this.#mark = randomUUID();
    this.#directory = temporaryDirectory();
    const { cwd = ROOT, isGroup = false } = options;
    const call =
      program === undefined
        ? [...command, ...argumentsOf(options, this.unixPath)]
        : [process.execPath, program, this.unixPath];
    this.#program = new RunningProgram(call, { cwd, isGroup, env: { ...env, [MARK]: this.#mark } });
    this.#pid = this.#program.pid;
  }

  /** Resolves when it serves at every address. */
  static async start(options?: MasterOptions): Promise<RunningMaster> {
    const master = new RunningMaster(options);
    try {
      await master.said(/listening on unix:\S+\n/);
    } catch (error) {
      await master[Symbol.asyncDispose]();
      throw error;
    }
    return master;
  }

  get unixPath(): string {
    return this.#directory.join('socket');
  }

  get pid(): number {
    return this.#pid;
  }

  get output(): string {
    return this.#program.output;
  }

  /** How much it has said up to now, for `said` to look at what comes later. */
  get now(): number {
    return this.#program.output.length;
  }

  /** The exit code of the first master. */
  exitCode(): Promise<number> {
    return this.#within(this.#program.exited, 'the end of the master');
  }

  said(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return this.#within(this.#program.said(pattern, from), String(pattern));
  }

  /** Resolves when the workers with these processes have left; until then they may still take connections. */
  async left(pids: Iterable<number>): Promise<void> {
    for (const pid of pids) await this.said(new RegExp(`worker \\d+ \\(pid ${pid}\\) has left\n`));
  }

  /** How often `pattern`, which has the flag g, is in what it has said. */
  timesSaid(pattern: RegExp): number {
    return this.output.match(pattern)?.length ?? 0;
  }

  /** Without `pid`, to the master. */
  kill(signal: NodeJS.Signals, pid = this.#pid): void {
    process.kill(pid, signal);
  }

  /** Sends a signal to the master, and waits until it says so. */
  async tell(signal: NodeJS.Signals, answer: RegExp): Promise<RegExpExecArray> {
    const from = this.now;
    this.kill(signal);
    return await this.said(answer, from);
  }

  /** Hot restart; from then on the new master is meant. */
  async replaceMaster(): Promise<number> {
    const [, pid] = await this.tell('SIGUSR2', /SIGUSR2: the new master \(pid (\d+)\) is ready; leaving\n/);
    this.#pid = Number(pid);
    return this.#pid;
  }

  /** The processes of workers that have said that they are ready and have not gone, by number. */
  get workers(): ReadonlyMap<number, number> {
    const workers = new Map<number, number>();
    for (const [, number, pid, what] of this.output.matchAll(/worker (\d+) \(pid (\d+)\) (.*)/g)) {
      if (what === 'is ready') workers.set(Number(number), Number(pid));
      else if (
        /^(has left|was killed|exited|died|ended)/.test(what!) &&
        workers.get(Number(number)) === Number(pid)
      )
        workers.delete(Number(number));
    }
    return workers;
  }

  /** Every process that is still there, the master included. */
  processes(): number[] {
    const mark = `${MARK}=${this.#mark}`;
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
        } catch {
          return false;
        }
      })
      .map(Number);
  }

  /** Resolves when nobody is left. */
  async gone(): Promise<void> {
    await this.#within(this.#program.silent, 'the end of everybody');
  }

  get targets(): readonly Target[] {
    const { host, port } = this.tcp;
    return [{ hostname: host, port }, { unix: this.unixPath }];
  }

  get tcp(): { readonly host: string; readonly port: number } {
    const [, host, port] = /listening on https?:\/\/([^:\s]+):(\d+)\n/.exec(this.output)!;
    return { host: host!, port: Number(port) };
  }

  get unix(): { readonly path: string } {
    return { path: this.unixPath };
  }

  /** The body of a GET on a connection of its own; anything but 200 is an error. */
  async get(path: string, address: Address = this.tcp): Promise<string> {
    const client = await RawClient.connect(address);
    try {
      const { status, body } = await client.request({ target: path, headers: [['connection', 'close']] });
      if (status !== 200) throw new Error(`${path} was answered with ${status}: ${body.toString()}`);
      return body.toString();
    } finally {
      client.close();
    }
  }

  /** A connection that the worker with this number has accepted. */
  async clientOf(number: number): Promise<RawClient> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const client = await RawClient.connect(this.tcp);
      const { body } = await client.request({ target: '/who' });
      if (body.toString().endsWith(` ${number}`)) return client;
      client.close();
    }
    throw new Error(`worker ${number} has accepted none of ${MOST_ATTEMPTS} connections\n${this.output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let left = this.processes(); left.length > 0; left = this.processes()) {
      for (const pid of left) killIfThere(pid);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#program.exited;
    this.#directory[Symbol.dispose]();
  }

  async #within<T>(promise: Promise<T>, what: string): Promise<T> {
    try {
      return await within(promise, what, PATIENCE);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.output}`, { cause: error });
    }
  }
}

function argumentsOf(options: MasterOptions, unixPath: string): string[] {
  const { workers = 2, app = APP, inline, args = [], listens = true } = options;
  return [
    ...(inline === undefined ? [app] : ['-e', inline]),
    ...(workers === 'configured' ? [] : ['-w', String(workers)]),
    ...(listens ? ['--listen', '127.0.0.1:0', '--listen', unixPath] : []),
    ...args,
  ];
}

/** Between the look and the signal it may have ended. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
}
