/**
 * One worker process as its master sees it: it starts, serves, leaves, ends, and never goes back. Whoever started it learns
 * once whether it came to serve.
 */
import type { Clock, Timer } from '../clock/clock.ts';
import { describeExit, type Child, type ChildEvents, type ExitStatus } from './child.ts';
import { messageOf, type FromWorker, type Payload, type ToWorker } from './messages.ts';

export type Phase = 'starting' | 'ready' | 'leaving' | 'ended';

export type StartResult = { readonly isReady: true } | { readonly isReady: false; readonly reason: string };

export interface WorkerObserver {
  /** It would like to be replaced. */
  retires(worker: Worker, reason: string): void;
  /** It had been ready. */
  ended(worker: Worker, status: ExitStatus, phaseBefore: Phase): void;
}

export interface WorkerParts {
  /** The number of its slot, from 1. */
  readonly number: number;
  readonly payload: Payload;
  readonly clock: Clock;
  readonly observer: WorkerObserver;
  spawn(events: ChildEvents): Child;
}

export interface Leaving {
  /** Milliseconds. */
  readonly within: number;
  readonly isDelayed: boolean;
  late(): void;
}

export class Worker {
  readonly number: number;
  readonly #payload: Payload;
  readonly #observer: WorkerObserver;
  readonly #clock: Clock;
  readonly #child: Child;
  readonly #started = Promise.withResolvers<StartResult>();
  #phase: Phase = 'starting';
  #failure: string | undefined;
  #deadline: Timer | undefined;
  #isKilled = false;
  #leaving: ToWorker | undefined;
  readySince = 0;
  lastBeat = 0;

  /** Throws when no process can be started. */
  constructor({ number, payload, clock, observer, spawn }: WorkerParts) {
    this.number = number;
    this.#payload = payload;
    this.#observer = observer;
    this.#clock = clock;
    this.#child = spawn({
      message: (message) => this.#received(messageOf<FromWorker>(message)),
      ended: (status) => this.#ended(status),
    });
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Whether it is to be heard of regularly. */
  get canBeat(): boolean {
    return (this.#phase === 'ready' || this.#phase === 'leaving') && !this.#isKilled;
  }

  /** How messages call it. */
  get name(): string {
    return `worker ${this.number} (pid ${this.#child.pid})`;
  }

  /** Whether it has come to serve. Never rejects. */
  get started(): Promise<StartResult> {
    return this.#started.promise;
  }

  /** Lets it finish what it has in hand; when it has not ended `within` milliseconds, `late` is called and it is killed. */
  leave({ within, isDelayed, late }: Leaving): void {
    if (this.#phase === 'leaving' || this.#phase === 'ended') return;
    this.#phase = 'leaving';
    this.#started.resolve({ isReady: false, reason: 'it was told to leave' });
    this.#leaving = { type: 'stop', isDelayed };
    this.#say(this.#leaving);
    this.#deadline = this.#clock.after(within, () => {
      late();
      this.kill();
    });
  }

  reopenLogs(): void {
    this.#say({ type: 'reopenLogs' });
  }

  releaseStreams(): void {
    this.#say({ type: 'releaseStreams' });
  }

  kill(): void {
    this.#isKilled = true;
    if (this.#phase !== 'ended') this.#child.kill('SIGKILL');
  }

  #say(message: ToWorker): void {
    this.#child.send(message);
  }

  #received(message: FromWorker | undefined): void {
    this.lastBeat = this.#clock.now();
    if (message?.type === 'hello') this.#greeted();
    else if (message?.type === 'failed') this.#failure = message.reason;
    else if (message?.type === 'retire' && this.#phase === 'ready')
      this.#observer.retires(this, message.reason);
    else if (message?.type === 'ready' && this.#phase === 'starting') {
      this.#phase = 'ready';
      this.readySince = this.lastBeat;
      this.#started.resolve({ isReady: true });
    }
  }

  #greeted(): void {
    this.#say({ type: 'start', payload: this.#payload });
    if (this.#leaving !== undefined) this.#say(this.#leaving);
  }

  #ended(status: ExitStatus): void {
    const before = this.#phase;
    this.#phase = 'ended';
    this.#deadline?.cancel();
    this.#started.resolve({ isReady: false, reason: this.#failure ?? `its process ${describeExit(status)}` });
    this.#observer.ended(this, status, before);
  }
}
