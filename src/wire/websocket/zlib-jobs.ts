/**
 * Compression off the event loop: at most so many jobs of the process at once, the others wait in the order in
 * which they came. Each job holds its input, its output and some hundreds of KiB of zlib's state, so the bound is one
 * on memory too.
 */

/** As many as libuv has threads for such work; more would only wait there instead of here. */
const MOST_AT_ONCE = 4;

export class ZlibJobs {
  readonly #mostAtOnce: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(mostAtOnce: number) {
    this.#mostAtOnce = mostAtOnce;
  }

  async run<Result>(job: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#mostAtOnce) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await job();
    } finally {
      // Whoever waits gets the place of the one that leaves.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

/** Those of this process. */
export const zlibJobs = new ZlibJobs(MOST_AT_ONCE);
