/**
 * The server under measurement: the real command in production mode, on a core of its own where there are two. What it
 * costs is read from /proc, what its application knows by a request.
 */
import { readdirSync } from 'node:fs';
import { cpuSeconds, ownBytes, readCpu } from '../bench/process-costs.ts';
import type { Cores } from '../bench/machine.ts';
import { RunningCommand } from '../cli/spawn-command.ts';
import { RawClient, type Address } from '../support/raw-client.ts';
import type { AppState } from './app-state.ts';

const APP = `${import.meta.dir}/app.ts:app`;
/** How often memory is looked at once garbage has been collected, and how long in between. */
const LOOKS = 4;
const LOOK_INTERVAL = 250;
/** Milliseconds that a server gets to close what its clients have left. */
const PATIENCE = 15_000;
const POLL_INTERVAL = 50;

export class Subject implements AsyncDisposable {
  readonly #command: RunningCommand;
  readonly url: string;
  readonly address: Address;

  private constructor(command: RunningCommand, url: string) {
    this.#command = command;
    this.url = url;
    this.address = { host: '127.0.0.1', port: Number(new URL(url).port) };
  }

  static async start(cores: Cores | undefined, options = ''): Promise<Subject> {
    const given = options.split(' ').filter((word) => word !== '');
    const command = new RunningCommand([APP, '--port', '0', '--env', 'production', ...given]);
    const subject = new Subject(command, await command.url());
    if (cores !== undefined) Bun.spawnSync(['taskset', '-acp', String(cores.server), String(command.pid)]);
    await subject.state();
    return subject;
  }

  /** Lines that the server has logged at this level. */
  logged(level: 'error' | 'warn'): string[] {
    return this.#command.stderr.split('\n').filter((line) => line.split(' ')[1] === level);
  }

  async state(query = ''): Promise<AppState> {
    const client = await RawClient.connect(this.address);
    const response = await client.request({ target: `/state${query}`, headers: [['connection', 'close']] });
    client.close();
    return JSON.parse(response.body.toString());
  }

  /** Bytes of its own memory, with no garbage in it. */
  async idleBytes(): Promise<number> {
    let least = Infinity;
    for (let look = 0; look < LOOKS; look++) {
      await this.state('?collect');
      await Bun.sleep(LOOK_INTERVAL);
      least = Math.min(least, this.bytes);
    }
    return least;
  }

  get bytes(): number {
    return ownBytes(this.#command.pid);
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.#command.pid}/fd`).length;
  }

  /** How many descriptors are open once no more than `expected` are, or else at the end of all patience. */
  async descriptorsBack(expected: number): Promise<number> {
    for (const end = performance.now() + PATIENCE; performance.now() < end; await Bun.sleep(POLL_INTERVAL)) {
      if (this.descriptors <= expected) break;
    }
    return this.descriptors;
  }

  /** Seconds of CPU, all threads, that the server spends on `work`. */
  async cpuOf(work: () => Promise<unknown>): Promise<number> {
    const before = readCpu(this.#command.pid);
    await work();
    return cpuSeconds(before, readCpu(this.#command.pid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#command[Symbol.asyncDispose]();
  }
}
