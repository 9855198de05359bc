/**
 * HAProxy with a given configuration, as a process of its own in a directory that is removed in the end.
 */
import { programPath } from './program.ts';
import { RunningProgram } from './running-program.ts';
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts';

export class Haproxy implements AsyncDisposable {
  readonly #program: RunningProgram;
  readonly #directory: TemporaryDirectory;

  private constructor(program: RunningProgram, directory: TemporaryDirectory) {
    this.#program = program;
    this.#directory = directory;
  }

  /** Resolves when HAProxy accepts. */
  static async start(configuration: string): Promise<Haproxy> {
    const directory = temporaryDirectory();
    const file = directory.join('haproxy.cfg');
    await Bun.write(file, configuration);
    // With a master it says when it is ready.
    const program = new RunningProgram([programPath('haproxy'), '-W', '-db', '-f', file]);
    const haproxy = new Haproxy(program, directory);
    try {
      await program.said(/Loading success/);
    } catch (error) {
      await haproxy[Symbol.asyncDispose]();
      throw error;
    }
    return haproxy;
  }

  /** What it says of its servers' health, and of its configuration. */
  get output(): string {
    return this.#program.output;
  }

  said(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return this.#program.said(pattern, from);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    this.#directory[Symbol.dispose]();
  }
}
