/**
 * What one client has not been told yet: the ids of jobs that have changed, each once. However slow the client, this holds no
 * more than there are jobs; it is told how a job is when its turn comes, and not each step on the way there.
 */
import type { JobQueue } from './queue.ts';

export class Changes {
  readonly #ids = new Set<string>();
  readonly #forget: () => void;
  #hasEnded = false;
  #wake: () => void = () => undefined;

  /** Of all jobs, or of one. */
  constructor(queue: JobQueue, only?: string) {
    this.#forget = queue.onChange((id) => {
      if (only !== undefined && id !== only) return;
      this.#ids.add(id);
      this.#wake();
    });
  }

  /** The id of a job that has changed, as soon as there is one; `undefined` after `end`. One call at a time. */
  async next(): Promise<string | undefined> {
    while (!this.#hasEnded) {
      for (const id of this.#ids) {
        this.#ids.delete(id);
        return id;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    return undefined;
  }

  end(): void {
    this.#hasEnded = true;
    this.#forget();
    this.#wake();
  }
}
