/**
 * All jobs that are known: those that wait, in order, those that run, and the last that have ended. Tells its listeners
 * which job has changed.
 */
import { Job, type JobPlan, type JobView } from './jobs/job.ts';

const MAX_WAITING = 100;
/** Of jobs that have ended. */
const MAX_KEPT = 50;

/** Called with a job's id after each change, also after it has been forgotten. */
export type ChangeListener = (id: string) => void;

export class JobQueue {
  readonly #jobs = new Map<string, Job>();
  readonly #waiting: Job[] = [];
  readonly #listeners = new Set<ChangeListener>();
  #lastId = 0;

  /** The jobs, newest first. */
  list(): JobView[] {
    return [...this.#jobs.values()].map((job) => job.view).reverse();
  }

  get(id: string): JobView | undefined {
    return this.#jobs.get(id)?.view;
  }

  /** Puts a job at the end of the queue; `undefined` when the queue is full. */
  add(plan: JobPlan): JobView | undefined {
    if (this.#waiting.length >= MAX_WAITING) return undefined;
    this.#lastId += 1;
    const job = new Job(String(this.#lastId), plan, (changed) => this.#changed(changed));
    this.#jobs.set(job.id, job);
    this.#waiting.push(job);
    // The job may start at once.
    this.#tell(job.id);
    return job.view;
  }

  /** Cancels a job that waits or runs, and tells whether there was one. */
  cancel(id: string): boolean {
    const job = this.#jobs.get(id);
    if (job === undefined || job.hasEnded) return false;
    const place = this.#waiting.indexOf(job);
    if (place >= 0) this.#waiting.splice(place, 1);
    job.cancel();
    return true;
  }

  /** The job whose turn it is, for the worker. */
  take(): Job | undefined {
    return this.#waiting.shift();
  }

  /** Returns a function that ends it. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(job: Job): void {
    if (job.hasEnded) this.#forgetOldest();
    this.#tell(job.id);
  }

  #forgetOldest(): void {
    const ended = [...this.#jobs.values()].filter((job) => job.hasEnded);
    if (ended.length <= MAX_KEPT) return;
    const oldest = ended[0]!;
    this.#jobs.delete(oldest.id);
    this.#tell(oldest.id);
  }

  #tell(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }
}
