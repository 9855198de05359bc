/**
 * Two connections with Redis, from the moment in which both are usable to the moment in which either is not: one that is
 * subscribed can do nothing else, so another one asks. Nothing is mended here. A client of Bun 1.4.5 that connects again by
 * itself is not subscribed again and does not say that it was away; so whoever has lost a session opens a new one.
 */
import { RedisClient } from 'bun';

const OPTIONS = {
  autoReconnect: false,
  // A command that cannot be sent now is an error now.
  enableOfflineQueue: false,
  connectionTimeout: 3000,
};

/** A Redis that takes longer to answer is taken for gone. */
const REPLY_TIMEOUT_MS = 3000;
/** A connection that was cut without a word looks like one on which nobody speaks. */
const PING_INTERVAL_MS = 5000;

export class RedisSession {
  readonly #asking: RedisClient;
  readonly #listening: RedisClient;
  readonly #pings: Timer;
  readonly #end = Promise.withResolvers<void>();
  #isOver = false;

  /** Resolves when both are connected; rejects when they cannot be. */
  static async open(url: string): Promise<RedisSession> {
    const session = new RedisSession(url);
    try {
      await Promise.all([session.#asking.connect(), session.#listening.connect()]);
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  private constructor(url: string) {
    this.#asking = new RedisClient(url, OPTIONS);
    this.#listening = new RedisClient(url, OPTIONS);
    for (const client of [this.#asking, this.#listening]) {
      // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it has none
      client.onclose = () => this.close();
    }
    this.#pings = setInterval(() => {
      this.#ping().catch(() => this.close());
    }, PING_INTERVAL_MS);
  }

  /** Resolves when the session is over, whoever has ended it. */
  get ended(): Promise<void> {
    return this.#end.promise;
  }

  async ask(command: string, ...words: string[]): Promise<unknown> {
    return await this.#inTime(this.#asking.send(command, words));
  }

  /** Once it resolves, every message is told. */
  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    await this.#inTime(this.#listening.subscribe(channel, listener));
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#pings);
    // What has not been answered is rejected.
    this.#asking.close();
    this.#listening.close();
    this.#end.resolve();
  }

  /** A reply that does not come ends the session, and is rejected by that. */
  async #inTime<T>(reply: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.close(), REPLY_TIMEOUT_MS);
    try {
      return await reply;
    } finally {
      clearTimeout(timer);
    }
  }

  async #ping(): Promise<void> {
    await this.ask('PING');
    await this.#inTime(this.#listening.ping());
  }
}
