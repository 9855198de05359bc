/**
 * Runs the jobs of a queue, a few at a time, in the order in which they came.
 */
import type { Job } from './jobs/job.ts';
import type { JobQueue } from './queue.ts';

export const MAX_RUNNING = 3;

export class Worker {
  readonly #queue: JobQueue;
  readonly #running = new Map<Job, Promise<void>>();
  #hasStopped = false;

  constructor(queue: JobQueue) {
    this.#queue = queue;
    queue.onChange(() => this.#fill());
  }

  /** Cancels what runs, and resolves when all of it has ended. What waits is not started any more. */
  async stop(): Promise<void> {
    this.#hasStopped = true;
    for (const job of this.#running.keys()) job.cancel();
    await Promise.all(this.#running.values());
  }

  /** Starts jobs as long as there is room. */
  #fill(): void {
    while (!this.#hasStopped && this.#running.size < MAX_RUNNING) {
      const job = this.#queue.take();
      if (job === undefined) return;
      this.#running.set(job, this.#run(job));
    }
  }

  async #run(job: Job): Promise<void> {
    // A job's start is a change too, and must not come back to #fill before this one is counted.
    await Promise.resolve();
    await job.run();
    this.#running.delete(job);
    this.#fill();
  }
}
