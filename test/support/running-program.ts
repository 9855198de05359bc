/**
 * Runs a program in a child process, and waits for what it says instead of for time to pass. What it writes to stdout and
 * to stderr is read as one text. Disposing of it ends it.
 */
const ROOT = new URL('../../', import.meta.url).pathname;

const COMMAND = `${ROOT}bin/tsagi-server`;

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Descriptors of this process that the program gets as 3, 4 and so on. */
  readonly descriptors?: readonly number[];
  /** In a process group of its own, so that a signal can be sent to the whole group, as a terminal does. */
  readonly isGroup?: boolean;
}

export interface FinishedProgram {
  readonly exitCode: number;
  readonly output: string;
}

export class RunningProgram implements AsyncDisposable {
  readonly #child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>;
  readonly #outputDone: Promise<unknown>;
  readonly #waiting = new Set<() => void>();
  #output = '';

  constructor(
    command: readonly string[],
    { cwd, env = {}, descriptors = [], isGroup = false }: ProgramOptions = {},
  ) {
    // Variables of the server would be options; those of the tests are none.
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('TSAGI_'));
    this.#child = Bun.spawn([...command], {
      stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
      env: { ...Object.fromEntries(inherited), ...env },
      detached: isGroup,
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#outputDone = Promise.all([this.#read(this.#child.stdout), this.#read(this.#child.stderr)]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get output(): string {
    return this.#output;
  }

  /** The exit code of the program itself; processes that it has started may go on. */
  get exited(): Promise<number> {
    return this.#child.exited;
  }

  /** Resolves when everybody has gone who writes to its output: the program, and what it has started. */
  get silent(): Promise<unknown> {
    return this.#outputDone;
  }

  /** The match of `pattern` in the output, as soon as it is there; `from` is a length that the output had before. */
  async said(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output.slice(from));
      if (match) return match;
      const more = new Promise<boolean>((resolve) => this.#waiting.add(() => resolve(true)));
      const hasMore = await Promise.race([more, this.#outputDone.then(() => false)]);
      if (!hasMore && !pattern.test(this.#output.slice(from))) {
        throw new Error(`it ended without saying ${pattern}:\n${this.#output}`);
      }
    }
  }

  /** The address that a server says it listens on. */
  async url(): Promise<string> {
    return (await this.said(/listening on (http:\S+)\n/))[1]!;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when it has ended by itself and everything it said has been read. */
  async end(): Promise<FinishedProgram> {
    await this.#outputDone;
    return { exitCode: await this.#child.exited, output: this.#output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#child.exited;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.#output += decoder.decode(chunk, { stream: true });
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
    }
  }
}

/**
 * The real command, with the path of an app below the project's root. It listens where the arguments say, by default on
 * a free port.
 */
export function startServer(app: string, args: readonly string[] = ['--port', '0']): RunningProgram {
  return new RunningProgram([process.execPath, COMMAND, app, ...args], { cwd: ROOT });
}

/** Runs a program that ends by itself. */
export async function runProgram(
  command: readonly string[],
  options?: ProgramOptions,
): Promise<FinishedProgram> {
  await using program = new RunningProgram(command, options);
  return await program.end();
}
