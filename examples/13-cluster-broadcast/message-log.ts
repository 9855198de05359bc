/**
 * The last messages as this worker has them, and readers that follow them, each at its own speed. There is one copy of each
 * message and no queue per reader: a reader is a place in the log, so one that is slow costs nothing and holds nobody.
 */

export interface Message {
  /** Given by Redis, the same on every worker, and always growing: milliseconds and a number within them. */
  readonly id: string;
  readonly text: string;
  /** Which node and which worker of it has taken the message. */
  readonly node: string;
  readonly worker: number;
}

/** As the id of the last message seen: everything that is kept is wanted. */
export const BEGINNING = '0-0';

export class MessageLog {
  readonly #limit: number;
  readonly #kept: Message[] = [];
  readonly #waiting = new Set<() => void>();
  /** How many messages were here and are not kept any more. */
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  get oldest(): Message | undefined {
    return this.#kept[0];
  }

  /** The place of the oldest message. Places count messages as they came to this worker. */
  get first(): number {
    return this.#dropped;
  }

  /** The place that the next message will have. */
  get end(): number {
    return this.#dropped + this.#kept.length;
  }

  /** A message that is not newer than all others has been here before, and is not added again. */
  add(message: Message): void {
    const newest = this.#kept.at(-1);
    if (newest !== undefined && !isNewer(message.id, newest.id)) return;
    this.#kept.push(message);
    if (this.#kept.length > this.#limit) {
      this.#kept.shift();
      this.#dropped += 1;
    }
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** What Redis has kept, oldest first. */
  addHistory(messages: readonly Message[]): void {
    const oldest = messages[0];
    const newest = this.#kept.at(-1);
    const isFull = messages.length >= this.#limit;
    if (isFull && oldest !== undefined && newest !== undefined && isNewer(oldest.id, newest.id)) {
      // It does not reach back to what is here. The place of what may have been between is one that readers miss.
      this.#dropped += this.#kept.length + 1;
      this.#kept.length = 0;
    }
    for (const message of messages) this.add(message);
  }

  at(place: number): Message | undefined {
    return this.#kept[place - this.#dropped];
  }

  /** Calls back when the next message comes. Returns a function that makes it not call any more. */
  onNext(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }
}

/** Follows the log. */
export class Reader {
  readonly #log: MessageLog;
  /** Nothing up to this id is wanted: it may come here later than to the worker that the client was with before. */
  readonly #after: string;
  #place: number;
  #hasMissed: boolean;
  #hasEnded = false;
  #wake: () => void = () => undefined;

  /** Begins behind the message of this id, or with the next that comes. */
  constructor(log: MessageLog, after: string | undefined) {
    this.#log = log;
    this.#after = after ?? BEGINNING;
    this.#place = after === undefined ? log.end : log.first;
    this.#hasMissed =
      this.#after !== BEGINNING && (log.oldest === undefined || isNewer(log.oldest.id, this.#after));
  }

  /** The next message, as soon as there is one; `undefined` after `end`. One call at a time. */
  async next(): Promise<Message | undefined> {
    while (!this.#hasEnded) {
      if (this.#place < this.#log.first) {
        this.#place = this.#log.first;
        this.#hasMissed = true;
      }
      const message = this.#log.at(this.#place);
      if (message === undefined) {
        await this.#untilNext();
        continue;
      }
      this.#place += 1;
      if (isNewer(message.id, this.#after)) return message;
    }
    return undefined;
  }

  /** Whether there may have been messages between the last two that were not kept, since the last call. */
  takeMissed(): boolean {
    const hasMissed = this.#hasMissed;
    this.#hasMissed = false;
    return hasMissed;
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

export function isMessageId(text: string): boolean {
  return /^\d{1,15}-\d{1,15}$/.test(text);
}

function isNewer(id: string, than: string): boolean {
  const [time, count] = id.split('-').map(Number) as [number, number];
  const [otherTime, otherCount] = than.split('-').map(Number) as [number, number];
  return time === otherTime ? count > otherCount : time > otherTime;
}
