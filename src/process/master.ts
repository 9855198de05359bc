/**
 * Keeps as many workers serving as it was told to. It never runs the application: it starts processes, hears when they are
 * ready and when they have ended, and replaces them. A replacement is ready before its predecessor is told to leave, and whatever
 * replaces workers waits for its turn, so that no two such things are under way at once.
 */
import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../log/logger.ts';
import { describeExit, type Child, type ChildEvents, type ExitStatus } from './child.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Payload } from './messages.ts';
import { Slot } from './slot.ts';
import { Worker, type Phase, type StartResult, type WorkerObserver } from './worker.ts';

/** Seconds and counts. */
export interface MasterSettings {
  readonly workers: number;
  readonly heartbeatTimeout: number;
  readonly drainDelay: number;
  readonly shutdownTimeout: number;
  readonly lifespanShutdownTimeout: number;
}

/** Starts the processes that a master asks for. */
export interface WorkerLauncher {
  /** How many sets of sockets there are; 0 when all workers accept on the same ones. */
  readonly socketSets: number;
  /** Throws when no process can be started, or no socket can be had. */
  prepare(
    workerNum: number,
    sets: readonly number[],
  ): { readonly payload: Payload; spawn(events: ChildEvents): Child };
}

export interface MasterParts {
  readonly settings: MasterSettings;
  readonly launcher: WorkerLauncher;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Seconds that a worker gets beyond its own deadlines before it is killed. */
const GRACE = 5;

export class Master {
  readonly #settings: MasterSettings;
  readonly #launcher: WorkerLauncher;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #heartbeat: Heartbeat<Worker>;
  /** Every process that has not ended. */
  readonly #workers = new Set<Worker>();
  readonly #slots: Slot[] = [];
  readonly #empty = Promise.withResolvers<void>();
  /** What replaces workers, one after another. */
  #turn: Promise<void> = Promise.resolve();
  readonly #observer: WorkerObserver = {
    retires: (worker, reason) => this.#retires(worker, reason),
    ended: (worker, status, before) => this.#ended(worker, status, before),
  };
  #isReloadWaiting = false;
  #isStopping = false;

  constructor({ settings, launcher, log, clock }: MasterParts) {
    this.#settings = settings;
    this.#launcher = launcher;
    this.#log = log;
    this.#clock = clock;
    this.#heartbeat = new Heartbeat(settings.heartbeatTimeout, clock, {
      workers: () => Array.from(this.#workers).filter(({ canBeat }) => canBeat),
      silent: (worker) => this.#killSilent(worker),
    });
  }

  /** Resolves when every worker has come to serve or failed to; rejects, with the reason, when none serves. */
  async start(): Promise<void> {
    const { workers } = this.#settings;
    for (let number = 1; number <= workers; number++) {
      this.#slots.push(new Slot(number, setsOf(number, workers, this.#launcher.socketSets)));
    }
    const starts = this.#slots.map((slot) => this.#startIn(slot));
    const results = await Promise.all(starts);
    if (this.#isStopping) return;
    if (!results.some(({ isReady }) => isReady)) {
      const reasons = new Set(results.map((result) => (result.isReady ? '' : result.reason)));
      throw new Error(`no worker could start: ${Array.from(reasons).join('; ')}`);
    }
    for (const [index, result] of results.entries()) {
      if (!result.isReady) this.#startFailed(this.#slots[index]!, result.reason);
    }
  }

  /** Replaces every worker, one after another; when a replacement does not start, the rest stay as they are. */
  reload(): Promise<void> {
    if (this.#isReloadWaiting) {
      this.#log.info('SIGHUP: a restart of the workers is waiting already');
      return this.#turn;
    }
    this.#isReloadWaiting = true;
    return this.#inTurn(() => this.#reload());
  }

  /** One worker more. */
  more(): Promise<void> {
    return this.#inTurn(async () => {
      const slot = this.#newSlot();
      const result = await this.#startIn(slot);
      if (result.isReady) this.#log.info(`SIGTTIN: ${this.#slots.length} workers`);
      else this.#startFailed(slot, result.reason);
    });
  }

  /** One worker fewer, but never none. */
  fewer(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#slots.length === 1) return this.#log.warn('SIGTTOU: the last worker stays');
      const slot = this.#slots.pop()!;
      slot.retry?.cancel();
      // Connections already wait in its sockets: they are another worker's from here on.
      const isTakenOver = await this.#handOver(slot);
      if (this.#isStopping) return;
      if (!isTakenOver) {
        this.#slots.push(slot);
        return this.#log.error('SIGTTOU: no other worker could take over; their number stays');
      }
      for (const worker of [slot.current, slot.next]) if (worker) this.#letLeave(worker);
      this.#log.info(`SIGTTOU: ${this.#slots.length} ${this.#slots.length === 1 ? 'worker' : 'workers'}`);
    });
  }

  /** What was started from a terminal or a pipe lets go of it. */
  releaseStreams(): void {
    for (const worker of this.#workers) worker.releaseStreams();
  }

  reopenLogs(): void {
    for (const worker of this.#workers) worker.reopenLogs();
  }

  /** Lets every worker finish what it has in hand, after `drainDelay` or at once; resolves when all have ended. */
  stop({ isDelayed }: { readonly isDelayed: boolean }): Promise<void> {
    if (!this.#isStopping) {
      this.#isStopping = true;
      for (const slot of this.#slots) slot.retry?.cancel();
      for (const worker of this.#workers) this.#letLeave(worker, isDelayed);
      if (this.#workers.size === 0) this.#allHaveEnded();
    }
    return this.#empty.promise;
  }

  /** Ends every worker at once. */
  kill(): void {
    this.#isStopping = true;
    for (const worker of this.#workers) worker.kill();
  }

  // Replacing.

  #inTurn(action: () => Promise<void>): Promise<void> {
    const guarded = (): Promise<void> => (this.#isStopping ? Promise.resolve() : action());
    this.#turn = this.#turn.then(guarded);
    return this.#turn;
  }

  async #reload(): Promise<void> {
    this.#isReloadWaiting = false;
    this.#log.info('SIGHUP: restarting the workers one by one');
    for (const slot of Array.from(this.#slots)) {
      const result = await this.#replace(slot);
      if (this.#isStopping) return;
      if (!result.isReady) {
        this.#log.error(`SIGHUP: the old workers stay: ${result.reason}`);
        if (slot.current === undefined) this.#retryLater(slot, slot.delayAfterFailedStart());
        return;
      }
    }
    this.#log.info('SIGHUP: all workers have been replaced');
  }

  /** A new worker in the place of the one that serves, or of none. */
  async #replace(slot: Slot): Promise<StartResult> {
    // One that is starting by itself, for a worker that has died, may have loaded what was there before.
    await slot.next?.started;
    const before = slot.current;
    slot.retry?.cancel();
    const result = await this.#startIn(slot);
    if (result.isReady && before !== undefined) this.#letLeave(before);
    return result;
  }

  /** Resolves when it serves in the slot, or cannot. */
  async #startIn(slot: Slot): Promise<StartResult> {
    let worker: Worker;
    try {
      worker = this.#spawn(slot);
    } catch (error) {
      return { isReady: false, reason: (error as Error).message };
    }
    slot.next = worker;
    const result = await worker.started;
    slot.next = undefined;
    if (!result.isReady) return result;
    // It may have been told to leave, or have died, between its last word and now.
    if (worker.phase !== 'ready') return { isReady: false, reason: 'it ended at once' };
    slot.serveWith(worker);
    this.#log.info(`${worker.name} is ready`);
    return result;
  }

  #spawn(slot: Slot): Worker {
    const { payload, spawn } = this.#launcher.prepare(slot.number, slot.sets);
    const worker = new Worker({
      number: slot.number,
      payload,
      spawn,
      clock: this.#clock,
      observer: this.#observer,
    });
    this.#workers.add(worker);
    return worker;
  }

  #startFailed(slot: Slot, reason: string): void {
    if (this.#isStopping) return;
    const delay = slot.delayAfterFailedStart();
    this.#log.error(
      `worker ${slot.number} failed to start: ${reason}; it is tried again in ${delay / 1000} s, and at SIGHUP`,
    );
    this.#retryLater(slot, delay);
    // Nobody would accept what arrives at its sockets.
    if (this.#slots.includes(slot)) void this.#inTurn(async () => void (await this.#handOver(slot)));
  }

  #retryLater(slot: Slot, delay: number): void {
    slot.retry?.cancel();
    slot.retry = this.#clock.after(delay, () => void this.#retry(slot));
  }

  async #retry(slot: Slot): Promise<void> {
    if (this.#isStopping || slot.isServing || slot.next !== undefined) return;
    const result = await this.#startIn(slot);
    if (!result.isReady) this.#startFailed(slot, result.reason);
  }

  /** Another worker accepts on the slot's sockets from here on; that takes a process which has inherited them. */
  async #handOver(slot: Slot): Promise<boolean> {
    const others = this.#slots.filter((other) => other !== slot && other.isServing);
    const orphans = slot.sets.filter((set) => !others.some(({ sets }) => sets.includes(set)));
    if (orphans.length === 0) return true;
    const [heir] = others.sort((one, two) => one.sets.length - two.sets.length);
    if (heir === undefined) return false;
    const before = heir.sets;
    heir.sets = [...before, ...orphans];
    const result = await this.#replace(heir);
    if (!result.isReady) heir.sets = before;
    return result.isReady;
  }

  /** A number that there was before finds its sockets again; beyond those that there are, workers share. */
  #newSlot(): Slot {
    const { socketSets } = this.#launcher;
    const number = this.#slots.length + 1;
    const sets = setsOf(number, number, socketSets);
    if (number <= socketSets) {
      for (const slot of this.#slots) slot.sets = slot.sets.filter((set) => !sets.includes(set));
    }
    const slot = new Slot(number, sets);
    this.#slots.push(slot);
    return slot;
  }

  #letLeave(worker: Worker, isDelayed = false): void {
    const { drainDelay, shutdownTimeout, lifespanShutdownTimeout } = this.#settings;
    const seconds = (isDelayed ? drainDelay : 0) + shutdownTimeout + lifespanShutdownTimeout + GRACE;
    worker.leave({
      within: seconds * 1000,
      isDelayed,
      late: () => this.#log.warn(`${worker.name} has not left within ${seconds} s and is killed`),
    });
  }

  // What workers do.

  #retires(worker: Worker, reason: string): void {
    void this.#inTurn(async () => {
      const slot = this.#slots.find(({ current }) => current === worker);
      if (slot === undefined || worker.phase !== 'ready') return;
      this.#log.info(`${worker.name} ${reason}: it is being replaced`);
      const result = await this.#replace(slot);
      if (!result.isReady && !this.#isStopping) {
        this.#log.error(`${worker.name} stays: its replacement failed to start: ${result.reason}`);
      }
    });
  }

  #ended(worker: Worker, status: ExitStatus, phaseBefore: Phase): void {
    this.#workers.delete(worker);
    const slot = this.#slots.find(({ current }) => current === worker);
    if (phaseBefore === 'leaving') {
      const isClean = status.code === 0;
      if (isClean) this.#log.info(`${worker.name} has left`);
      else this.#log.warn(`${worker.name} ${describeExit(status)} while it was leaving`);
      if (slot !== undefined) slot.current = undefined;
    } else if (phaseBefore === 'ready' && slot !== undefined) {
      this.#lost(slot, worker, status);
    }
    if (this.#isStopping && this.#workers.size === 0) this.#allHaveEnded();
  }

  /** It served, and nobody had asked it to leave. */
  #lost(slot: Slot, worker: Worker, status: ExitStatus): void {
    const served = this.#clock.now() - worker.readySince;
    slot.current = undefined;
    if (this.#isStopping) return;
    const delay = slot.delayAfterServing(served);
    const when =
      slot.next !== undefined ? 'is starting already' : delay > 0 ? `starts in ${delay} ms` : 'starts now';
    this.#log.warn(`${worker.name} ${describeExit(status)}; its replacement ${when}`);
    if (slot.next !== undefined) return;
    if (delay === 0) void this.#retry(slot);
    else this.#retryLater(slot, delay);
  }

  #killSilent(worker: Worker): void {
    const { heartbeatTimeout } = this.#settings;
    this.#log.error(
      `${worker.name} has been blocked for longer than ${heartbeatTimeout} s (heartbeatTimeout) and is killed`,
    );
    worker.kill();
  }

  #allHaveEnded(): void {
    this.#heartbeat.stop();
    this.#empty.resolve();
  }
}

/** Of so many workers, this one's sets: its own, those that are left over, or, where there are fewer sets than workers, one of them. */
function setsOf(number: number, workers: number, socketSets: number): readonly number[] {
  if (socketSets === 0) return [];
  if (number > socketSets) return [(number - 1) % socketSets];
  const sets: number[] = [];
  for (let set = number - 1; set < socketSets; set += workers) sets.push(set);
  return sets;
}
