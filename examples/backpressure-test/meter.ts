/**
 * What happens to the buffer of one connection, in numbers, and the numbers of the last connections.
 */
import type { RequestScope, TransportState } from 'tsagi-server';

/** One connection, as /report has it. Sizes are bytes. */
export interface StreamReport {
  /** What the client gave in the query as `name`. */
  readonly name: string;
  readonly bufferedAmount: number;
  /** The largest that `bufferedAmount` has been right behind a `send`. */
  readonly mostBuffered: number;
  readonly highWaterMark: number;
  readonly chunksSent: number;
  /** How often the buffer rose past the high-water mark, and fell below the low-water mark after that. */
  readonly highWaters: number;
  readonly drains: number;
  /** Why it ended; null while it goes on. */
  readonly end: string | null;
}

const MAX_METERS = 100;

const meters: Meter[] = [];

/** The last connections, oldest first. */
export function reportAll(): StreamReport[] {
  return meters.map((meter) => meter.report());
}

export class Meter {
  readonly #name: string;
  readonly #transport: TransportState;
  #chunksSent = 0;
  #mostBuffered = 0;
  #highWaters = 0;
  #drains = 0;
  #end: string | undefined;

  constructor(scope: RequestScope) {
    this.#name = new URLSearchParams(scope.queryString).get('name') ?? scope.path;
    this.#transport = scope['tsagi.transport'];
    this.#transport.onHighWater(() => (this.#highWaters += 1));
    this.#transport.onDrain(() => (this.#drains += 1));
    meters.push(this);
    if (meters.length > MAX_METERS) meters.shift();
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** To be called right behind a `send`, when the buffer is fullest. */
  chunkSent(): void {
    this.#chunksSent += 1;
    this.#mostBuffered = Math.max(this.#mostBuffered, this.#transport.bufferedAmount);
  }

  end(reason: string): void {
    this.#end = reason;
  }

  report(): StreamReport {
    return {
      name: this.#name,
      bufferedAmount: this.#transport.bufferedAmount,
      mostBuffered: this.#mostBuffered,
      highWaterMark: this.#transport.highWaterMark,
      chunksSent: this.#chunksSent,
      highWaters: this.#highWaters,
      drains: this.#drains,
      end: this.#end ?? null,
    };
  }
}
