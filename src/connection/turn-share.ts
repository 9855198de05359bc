/**
 * What one writer may send before the event loop turns. A peer that takes everything at once would otherwise keep its
 * writer running, because a promise that is already resolved does not let anyone else in.
 */

/** Bytes; each write counts for some beyond its own. */
const SHARE = 524_288;
/** The first share is smaller, because any number of writers may begin in one turn. */
const FIRST_SHARE = 131_072;
const WRITE_COST = 4096;

export class TurnShare {
  #spent = SHARE - FIRST_SHARE;

  /** Notes a write; true when the share is used up and it is the others' turn. */
  spend(bytes: number): boolean {
    this.#spent += bytes + WRITE_COST;
    if (this.#spent < SHARE) return false;
    this.#spent = 0;
    return true;
  }
}
