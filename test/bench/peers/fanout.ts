/**
 * The publisher of `/events`, the same for every TypeScript peer: each event goes to all subscribers, and the next follows
 * when all of them have room for more. node-http.mjs repeats it.
 */

/** Sends one event. What it gives is waited for; nothing: there is room for another at once. */
type Subscriber = () => Promise<void> | undefined;

export class Fanout {
  readonly #subscribers = new Set<Subscriber>();
  #isPublishing = false;

  /** Returns the function that takes the subscriber out again. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => void this.#subscribers.delete(subscriber);
  }

  /** Publishes until the last subscriber has left. */
  publish(): void {
    if (!this.#isPublishing) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isPublishing = true;
    while (this.#subscribers.size > 0) {
      await Promise.all([...this.#subscribers].map((send) => send()));
      // Clients that take everything leave nothing to wait for; input and new clients must get their turn all the same.
      await new Promise((resolve) => void setImmediate(resolve));
    }
    this.#isPublishing = false;
  }
}
