/**
 * What the application and the measurements agree upon.
 */

/** Of each send of `/stream`. */
export const CHUNK_BYTES = 65_536;

/** A request whose client was gone before its response was complete. */
export interface BrokenOff {
  readonly path: string;
  readonly reason: string;
  /** Since bytes last moved, as far as the application could see. */
  readonly seconds: number;
}

/** Since the state was last read. */
export interface AppState {
  /** Answers to `/`. */
  readonly greetings: number;
  /** Streams under way, and what waits for each client of theirs, in bytes. */
  readonly streams: number;
  readonly buffered: readonly number[];
  /** The most that waited for any of them behind a send, in bytes. */
  readonly mostBuffered: number;
  readonly brokenOff: readonly BrokenOff[];
}
