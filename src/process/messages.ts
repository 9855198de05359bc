/**
 * What a master and the processes it starts say to each other. Everything is JSON; what runs in a worker is opaque here.
 */

/** What the runner gives its other half in the worker: the settings, what to run, a description of each inherited socket. */
export type Payload = Readonly<Record<string, unknown>>;

export type ToWorker =
  | { readonly type: 'start'; readonly payload: Payload }
  /** Finish what is in hand, then end; delayed where clients have to find another server first. */
  | { readonly type: 'stop'; readonly isDelayed: boolean }
  /** The caller of the daemon is not to be written to any more. */
  | { readonly type: 'releaseStreams' }
  | { readonly type: 'reopenLogs' };

export type FromWorker =
  /** It listens to what the master says; what was said before may be lost. */
  | { readonly type: 'hello' }
  | { readonly type: 'ready' }
  /** It cannot serve; the process ends by itself. */
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'beat' }
  /** It would like to be replaced. */
  | { readonly type: 'retire'; readonly reason: string };

/** What a new master says to its predecessor. */
export type FromSuccessor = Extract<FromWorker, { type: 'ready' | 'failed' }>;

/** What came over a channel, if it is a message that is known here. */
export function messageOf<Message extends { readonly type: string }>(value: unknown): Message | undefined {
  const isMessage =
    typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
  return isMessage ? (value as Message) : undefined;
}
