/**
 * The last messages, numbered, and readers that follow them, each at its own speed. There is one copy of each message and no
 * queue per reader: a reader is a place in the log, so one that is slow costs nothing and holds nobody.
 */

export interface Message {
  /** Counts from 1. */
  readonly number: number;
  readonly text: string;
}

export class MessageLog {
  readonly #limit: number;
  readonly #kept: Message[] = [];
  readonly #waiting = new Set<() => void>();
  #last = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The number of the newest message. */
  get last(): number {
    return this.#last;
  }

  add(text: string): Message {
    this.#last += 1;
    const message = { number: this.#last, text };
    this.#kept.push(message);
    if (this.#kept.length > this.#limit) this.#kept.shift();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    return message;
  }

  /** The first message behind this number that is still there. */
  firstAfter(number: number): Message | undefined {
    const oldest = this.#kept[0]?.number ?? 0;
    return this.#kept[Math.max(0, number + 1 - oldest)];
  }

  /** Calls back when the next message comes. Returns a function that makes it not call any more. */
  onNext(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }
}

/** A place in the log that moves with each message read. */
export class Reader {
  readonly #log: MessageLog;
  #place: number;
  #missed = 0;
  #hasEnded = false;
  #wake: () => void = () => undefined;

  /** Begins behind the message of this number. */
  constructor(log: MessageLog, after: number) {
    this.#log = log;
    this.#place = after;
  }

  /** The next message, as soon as there is one; `undefined` after `end`. One call at a time. */
  async next(): Promise<Message | undefined> {
    while (!this.#hasEnded) {
      const message = this.#log.firstAfter(this.#place);
      if (message !== undefined) {
        this.#missed += message.number - this.#place - 1;
        this.#place = message.number;
        return message;
      }
      await this.#untilNext();
    }
    return undefined;
  }

  /** How many messages had gone when this reader came to their place, since the last call. */
  takeMissed(): number {
    const missed = this.#missed;
    this.#missed = 0;
    return missed;
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async #untilNext(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const forget = this.#log.onNext(resolve);
    this.#wake = resolve;
    await promise;
    forget();
  }
}
