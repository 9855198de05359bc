/**
 * A load driver in a process of its own, so that it shares no event loop with the test: started, watched, told to stop, and asked
 * what became of every request.
 */
import type { LoadMessage, LoadPlan, LoadSummary } from './load-plan.ts';

const DRIVER = new URL('./driver.ts', import.meta.url).pathname;

export class RunningLoad implements AsyncDisposable {
  readonly #child: Bun.Subprocess<'pipe', 'pipe', 'inherit'>;
  readonly #attached = Promise.withResolvers<void>();
  readonly #summary = Promise.withResolvers<LoadSummary>();
  #waiting: (() => void)[] = [];
  answered = 0;
  failed = 0;

  private constructor(plan: LoadPlan) {
    this.#child = Bun.spawn([process.execPath, DRIVER, JSON.stringify(plan)], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    });
    this.#summary.promise.catch(() => undefined);
    void this.#read();
  }

  /** Resolves when every client that stays is attached; then the requests begin. */
  static async start(plan: LoadPlan): Promise<RunningLoad> {
    const load = new RunningLoad(plan);
    await load.#attached.promise;
    return load;
  }

  /** Resolves when so many requests have been answered. */
  async reached(answered: number): Promise<void> {
    while (this.answered < answered) {
      const more = new Promise<void>((resolve) => this.#waiting.push(resolve));
      await Promise.race([more, this.#summary.promise]);
      if (this.#child.exitCode !== null) throw new Error(`the load ended after ${this.answered} answers`);
    }
  }

  /** Resolves when so many answers have come from now on. */
  async goesOn(answers: number): Promise<void> {
    await this.reached(this.answered + answers);
  }

  /** Lets the requests of the plan be sent where that is not so yet, and ends. */
  async stop(): Promise<LoadSummary> {
    void this.#child.stdin.end();
    return await this.#summary.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#child.exited;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of this.#child.stdout) {
      const lines = (text + decoder.decode(chunk, { stream: true })).split('\n');
      text = lines.pop()!;
      for (const line of lines) this.#take(JSON.parse(line) as LoadMessage);
    }
    const error = new Error(`the load ended without a summary, after ${this.answered} answers`);
    this.#attached.reject(error);
    this.#summary.reject(error);
  }

  #take(message: LoadMessage): void {
    if (message.type === 'attached') this.#attached.resolve();
    if (message.type === 'progress') ({ answered: this.answered, failed: this.failed } = message);
    if (message.type === 'summary') {
      this.answered = message.summary.answered;
      this.failed = message.summary.failed;
      this.#summary.resolve(message.summary);
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
