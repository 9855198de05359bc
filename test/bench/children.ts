/**
 * Every process that the bench run starts, and its scratch directory, belong to one `Children`, so that one call ends
 * them all, however the run ends.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Subprocess } from 'bun';
import type { Cores } from './machine.ts';

export type PipedChild = Subprocess<'pipe', 'pipe', 'inherit'>;
export type ServerChild = Subprocess<'ignore', number, number>;

export class Children {
  readonly directory = mkdtempSync(join(tmpdir(), 'tsagi-bench-'));
  /** Undefined: nothing is pinned. */
  readonly cores: Cores | undefined;
  readonly #running = new Set<Subprocess>();

  constructor(cores: Cores | undefined) {
    this.cores = cores;
  }

  /** Starts a server on the server's core; both of its outputs go to `logFd`. */
  startServer(command: readonly string[], env: Record<string, string>, logFd: number): ServerChild {
    const child = Bun.spawn(this.#pin('server', command), {
      cwd: this.directory,
      env: { ...process.env, ...env },
      stdin: 'ignore',
      stdout: logFd,
      stderr: logFd,
    });
    return this.#adopt(child);
  }

  /** Starts a load generator on the other core, its input and output held here. */
  startLoad(command: readonly string[]): PipedChild {
    const options = { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' } as const;
    return this.#adopt(Bun.spawn(this.#pin('load', command), options));
  }

  async stop(child: Subprocess): Promise<void> {
    child.kill('SIGKILL');
    await child.exited;
  }

  /** Ends everything at once and synchronously: it also runs from signal and exit handlers. */
  end(): void {
    for (const child of this.#running) child.kill('SIGKILL');
    this.#running.clear();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #adopt<Child extends Subprocess>(child: Child): Child {
    this.#running.add(child);
    void child.exited.then(() => this.#running.delete(child));
    return child;
  }

  /** taskset replaces itself by the command, so the process id is the command's own. */
  #pin(role: keyof Cores, command: readonly string[]): string[] {
    return this.cores === undefined ? [...command] : ['taskset', '-c', String(this.cores[role]), ...command];
  }
}
