/**
 * Runs the real command in a child process, and waits for what it says instead of for time to pass.
 */
const COMMAND = new URL('../../bin/tsagi-server', import.meta.url).pathname;

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class RunningCommand implements AsyncDisposable {
  readonly #child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>;
  readonly stdout: Promise<string>;
  readonly #stderrDone: Promise<void>;
  #stderr = '';
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[], { cwd, env = {} }: CommandOptions = {}) {
    this.#child = Bun.spawn([process.execPath, COMMAND, ...args], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      env: { ...withoutOptions(process.env), ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.stdout = new Response(this.#child.stdout).text();
    this.#stderrDone = this.#readStderr();
  }

  get pid(): number {
    return this.#child.pid;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The match of `pattern` in stderr, as soon as it is there. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stderr);
      if (match) return match;
      const isMore = await Promise.race([
        new Promise<boolean>((resolve) => this.#waiting.add(() => resolve(true))),
        this.#stderrDone.then(() => false),
      ]);
      if (!isMore && !pattern.test(this.#stderr))
        throw new Error(`it ended without ${pattern}:\n${this.#stderr}`);
    }
  }

  /** The address of the first TCP listener. */
  async url(): Promise<string> {
    return (await this.said(/listening on (http:\S+)/))[1]!;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code, once everything it said has been read. */
  async exitCode(): Promise<number> {
    await this.#stderrDone;
    return await this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#child.exited;
  }

  async #readStderr(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stderr) {
      this.#stderr += decoder.decode(chunk, { stream: true });
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
    }
  }
}

/** What the tests themselves are started with is not for the command. */
function withoutOptions(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TSAGI_')));
}

export interface FinishedCommand {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** For commands that end by themselves. */
export async function runToEnd(args: readonly string[], options?: CommandOptions): Promise<FinishedCommand> {
  await using command = new RunningCommand(args, options);
  const exitCode = await command.exitCode();
  return { exitCode, stdout: await command.stdout, stderr: command.stderr };
}
