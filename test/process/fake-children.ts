/**
 * Worker processes that are objects: the test decides when one greets, is ready, fails, and ends.
 */
import type { Child, ChildEvents } from '../../src/process/child.ts';
import type { FromWorker, ToWorker } from '../../src/process/messages.ts';
import type { WorkerLauncher } from '../../src/process/master.ts';

export class FakeChild implements Child {
  readonly pid: number;
  readonly workerNum: number;
  readonly sets: readonly number[];
  /** The types of the messages it got, and the signals. */
  readonly got: string[] = [];
  readonly #events: ChildEvents;
  #hasEnded = false;

  constructor(
    pid: number,
    { workerNum, sets, events }: { workerNum: number; sets: readonly number[]; events: ChildEvents },
  ) {
    this.pid = pid;
    this.workerNum = workerNum;
    this.sets = sets;
    this.#events = events;
  }

  get isGone(): boolean {
    return this.#hasEnded;
  }

  send(message: object): void {
    const { type, isDelayed } = message as ToWorker & { isDelayed?: boolean };
    this.got.push(isDelayed === true ? `${type} later` : type);
  }

  kill(signal: NodeJS.Signals): void {
    this.got.push(signal);
    if (signal === 'SIGKILL') this.end(null, signal);
  }

  say(message: FromWorker): void {
    this.#events.message(message);
  }

  /** As a worker that comes up. */
  serve(): void {
    this.say({ type: 'hello' });
    this.say({ type: 'ready' });
  }

  fail(reason: string): void {
    this.say({ type: 'hello' });
    this.say({ type: 'failed', reason });
    this.end(1);
  }

  end(code: number | null = 0, signal: string | null = null): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#events.ended({ code, signal });
  }
}

export class FakeLauncher implements WorkerLauncher {
  readonly socketSets: number;
  /** In the order in which they were started. */
  readonly children: FakeChild[] = [];
  /** Thrown instead of starting a process. */
  refusal: Error | undefined;

  constructor(socketSets = 2) {
    this.socketSets = socketSets;
  }

  prepare(workerNum: number, sets: readonly number[]) {
    if (this.refusal !== undefined) throw this.refusal;
    return {
      payload: { workerNum },
      spawn: (events: ChildEvents): Child => {
        const child = new FakeChild(1001 + this.children.length, { workerNum, sets, events });
        this.children.push(child);
        return child;
      },
    };
  }

  /** Those that have not ended. */
  get living(): FakeChild[] {
    return this.children.filter(({ isGone }) => !isGone);
  }

  get last(): FakeChild {
    return this.children.at(-1)!;
  }
}
