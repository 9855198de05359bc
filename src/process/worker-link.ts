/**
 * A worker's side of the channel to its master. The environment says that this process is a worker, once: whatever the
 * application starts must not take itself for one. Without its master a worker finishes what it has in hand and ends.
 */
import { releaseStandardStreams } from '../os/standard-streams.ts';
import { messageOf, type FromWorker, type Payload, type ToWorker } from './messages.ts';

const VARIABLE = 'TSAGI_WORKER';

/** The part of the environment that makes a process a worker. */
export function workerEnvironment(workerNum: number): Readonly<Record<string, string>> {
  return { [VARIABLE]: String(workerNum) };
}

/** Signals that speak to the master. A terminal sends some of them to every process in the foreground. */
const SIGNALS_OF_THE_MASTER = ['SIGINT', 'SIGHUP', 'SIGTTIN', 'SIGTTOU', 'SIGUSR2'] as const;

/** At least two beats must fit into the time that the master waits. */
const BEATS_PER_TIMEOUT = 4;

export interface WorkerActions {
  /** At most once; delayed where clients have to find another server first. */
  stop(isDelayed: boolean): void;
  reopenLogs(): void;
}

export class WorkerLink {
  readonly workerNum: number;
  readonly #payload = Promise.withResolvers<Payload | undefined>();
  #actions: WorkerActions | undefined;
  /** How it was told to stop, if it was. */
  #stopping: { readonly isDelayed: boolean } | undefined;

  /** Undefined in a process that no master has started. */
  static fromEnvironment(env: Record<string, string | undefined> = process.env): WorkerLink | undefined {
    const workerNum = Number(env[VARIABLE]);
    delete env[VARIABLE];
    return workerNum > 0 && process.send !== undefined ? new WorkerLink(workerNum) : undefined;
  }

  private constructor(workerNum: number) {
    this.workerNum = workerNum;
    process.on('message', (message) => this.#received(messageOf<ToWorker>(message)));
    process.on('disconnect', () => this.#masterGone());
    process.on('SIGTERM', () => this.#stop(true));
    process.on('SIGUSR1', () => this.#actions?.reopenLogs());
    for (const signal of SIGNALS_OF_THE_MASTER) process.on(signal, () => {});
    this.#say({ type: 'hello' });
  }

  /** What the master wants to be run; undefined where it has gone before it could say. */
  get payload(): Promise<Payload | undefined> {
    return this.#payload.promise;
  }

  /** From here on the master is heeded; what it has said before is made up for. */
  attach(actions: WorkerActions): void {
    this.#actions = actions;
    if (this.#stopping !== undefined) actions.stop(this.#stopping.isDelayed);
  }

  /** The worker serves. It beats from here on, so that the master sees when its event loop is blocked; seconds, 0 never. */
  ready(heartbeatTimeout: number): void {
    this.#say({ type: 'ready' });
    if (heartbeatTimeout <= 0) return;
    const interval = (heartbeatTimeout * 1000) / BEATS_PER_TIMEOUT;
    setInterval(() => this.#say({ type: 'beat' }), interval).unref();
  }

  /** Resolves when the master can know. */
  failed(reason: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    process.once('disconnect', resolve);
    if (!process.connected) resolve();
    else
      process.send?.({ type: 'failed', reason } satisfies FromWorker, undefined, undefined, () => resolve());
    return promise;
  }

  /** Nothing more is to be heard from the master: the channel does not hold the process. */
  leave(): void {
    if (process.connected) process.disconnect?.();
  }

  retire(reason: string): void {
    this.#say({ type: 'retire', reason });
  }

  #say(message: FromWorker): void {
    try {
      if (process.connected) process.send?.(message);
    } catch {
      // The master is gone: `disconnect` tells.
    }
  }

  #masterGone(): void {
    this.#payload.resolve(undefined);
    this.#stop(false);
  }

  #received(message: ToWorker | undefined): void {
    if (message?.type === 'start') this.#payload.resolve(message.payload);
    else if (message?.type === 'reopenLogs') this.#actions?.reopenLogs();
    else if (message?.type === 'releaseStreams') releaseStandardStreams();
    else if (message?.type === 'stop') this.#stop(message.isDelayed);
  }

  #stop(isDelayed: boolean): void {
    if (this.#stopping !== undefined) return;
    this.#stopping = { isDelayed };
    this.#actions?.stop(isDelayed);
  }
}
