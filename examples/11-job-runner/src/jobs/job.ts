/**
 * One piece of work and what is known of it. A job changes only through its methods, and says so to whoever made it.
 */

export type JobStatus = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** A job as clients see it. */
export interface JobView {
  readonly id: string;
  readonly type: string;
  readonly params: object;
  readonly status: JobStatus;
  /** From 0 to 1. */
  readonly progress: number;
  /** What it is doing. */
  readonly note: string;
  /** Once it is done. */
  readonly result?: unknown;
  /** Once it has failed. */
  readonly error?: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
}

/** What a running job is given: how to tell how far it is, and when to stop. */
export interface JobContext {
  /** From 0 to 1, and what it is doing. */
  report(progress: number, note: string): void;
  /** Aborted when the job is cancelled or the server stops. */
  readonly signal: AbortSignal;
}

/** The work itself, with its parameters. What it resolves with is the result; when it rejects, the job has failed. */
export type Work = (context: JobContext) => Promise<unknown>;

export interface JobPlan {
  readonly type: string;
  readonly params: object;
  readonly work: Work;
}

export class Job {
  readonly id: string;
  readonly #plan: JobPlan;
  readonly #onChange: (job: Job) => void;
  readonly #cancelling = new AbortController();
  #view: JobView;

  constructor(id: string, plan: JobPlan, onChange: (job: Job) => void) {
    this.id = id;
    this.#plan = plan;
    this.#onChange = onChange;
    this.#view = {
      id,
      type: plan.type,
      params: plan.params,
      status: 'queued',
      progress: 0,
      note: 'waiting for its turn',
      createdAt: new Date().toISOString(),
    };
  }

  /** The present state; a new object after each change. */
  get view(): JobView {
    return this.#view;
  }

  get hasEnded(): boolean {
    return this.#view.status !== 'queued' && this.#view.status !== 'running';
  }

  /** Does the work. Never rejects: a failure is a state. */
  async run(): Promise<void> {
    const { signal } = this.#cancelling;
    if (signal.aborted) return;
    this.#change({ status: 'running', note: 'started', startedAt: new Date().toISOString() });
    try {
      const result = await this.#plan.work({
        signal,
        report: (progress, note) => this.#report(progress, note),
      });
      this.#end({ status: 'done', progress: 1, note: 'done', result });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#end({ status: 'failed', note: 'failed', error: message });
    }
  }

  cancel(): void {
    this.#end({ status: 'cancelled', note: 'cancelled' });
    this.#cancelling.abort();
  }

  #report(progress: number, note: string): void {
    if (!this.hasEnded) this.#change({ progress, note });
  }

  /** The first end counts: work that was cancelled ends too, a little later. */
  #end(changes: Partial<JobView>): void {
    if (!this.hasEnded) this.#change({ ...changes, endedAt: new Date().toISOString() });
  }

  #change(changes: Partial<JobView>): void {
    this.#view = { ...this.#view, ...changes };
    this.#onChange(this);
  }
}
