/**
 * The master of several workers: it binds, starts the workers, turns signals into what they mean for them, and never loads the app. It
 * keeps root's rights, if it has them, for the sockets of its successors; the workers give them up.
 */
import { systemClock } from '../clock/clock.ts';
import { ownCommand, spawnChild } from '../process/child.ts';
import { HotRestart } from '../process/hot-restart.ts';
import { Master, type WorkerLauncher } from '../process/master.ts';
import { workerEnvironment } from '../process/worker-link.ts';
import type { BoundSocket } from '../transport/bind.ts';
import type { ListeningSockets } from '../transport/listening-sockets.ts';
import { bannerLines } from './banner.ts';
import type { Program } from './program.ts';
import { describeSocket } from './worker-payload.ts';
import { handleSignals } from './signals.ts';
import { SystemLinks } from './system-links.ts';

/** Resolves when all workers have ended; rejects when none could start. */
export async function runMaster(program: Program): Promise<void> {
  const links = new SystemLinks(program);
  try {
    const sockets = await links.openSockets();
    const run = new MasterRun(program, links, sockets);
    try {
      await run.toTheEnd();
    } finally {
      sockets.release({ keepPath: run.isSucceeded || links.hasServingPredecessor });
    }
  } catch (error) {
    links.failed((error as Error).message);
    throw error;
  } finally {
    links.ended();
  }
}

class MasterRun {
  readonly #program: Program;
  readonly #links: SystemLinks;
  readonly #sockets: ListeningSockets;
  readonly #master: Master;
  readonly #restart: HotRestart;
  readonly #stopped = Promise.withResolvers<void>();
  #isSucceeded = false;
  #isStopping = false;

  constructor(program: Program, links: SystemLinks, sockets: ListeningSockets) {
    const { settings, log } = program;
    this.#program = program;
    this.#links = links;
    this.#sockets = sockets;
    this.#master = new Master({
      settings,
      launcher: createLauncher(program, sockets),
      log,
      clock: systemClock,
    });
    this.#restart = new HotRestart({
      log,
      command: () => ({
        command: ownCommand(),
        env: links.successorEnv,
        descriptors: sockets.all.map(({ fd }) => fd),
        sockets: sockets.all.map(describeHandedOver),
      }),
      succeeded: (pid) => this.#handOver(pid),
    });
  }

  /** Whether a new master serves on in the place of this one. */
  get isSucceeded(): boolean {
    return this.#isSucceeded;
  }

  async toTheEnd(): Promise<void> {
    const giveBack = this.#takeSignals();
    this.#program.stop?.addEventListener('abort', () => this.#stop());
    try {
      this.#links.giveLogs();
      await this.#start();
      await this.#stopped.promise;
    } finally {
      giveBack();
    }
  }

  async #start(): Promise<void> {
    const { settings, log } = this.#program;
    const { urls } = this.#sockets;
    log.info(`starting ${settings.workers} workers`);
    await this.#master.start();
    if (this.#isStopping) return;
    for (const line of bannerLines({ mode: settings.env, urls })) log.info(line);
    this.#links.started(`${settings.workers} workers at ${urls.join(', ')}`);
    if (this.#links.isDaemon) this.#master.releaseStreams();
  }

  #takeSignals(): () => void {
    const { log } = this.#program;
    const master = this.#master;
    return handleSignals({
      stop: (signal) => {
        log.info(`${signal}: shutting down`);
        this.#restart.abandon();
        this.#links.service.stopping();
        this.#stop();
      },
      endAtOnce: () => {
        master.kill();
        process.exit(130);
      },
      reopenLogs: () => {
        // After a rotation the workers may not be allowed to create the file.
        this.#links.giveLogs();
        master.reopenLogs();
      },
      reload: () => void this.#reload(),
      workers: {
        more: () => void master.more(),
        fewer: () => void master.fewer(),
        restart: () => {
          // The kernel ends everything in a container along with its process 1 (pid_namespaces(7)).
          if (process.pid === 1)
            log.warn('SIGUSR2 does nothing in process 1: the container would end with it; start another one');
          else this.#restart.begin();
        },
      },
      warn: (message) => log.warn(message),
    });
  }

  async #reload(): Promise<void> {
    this.#links.service.reloading();
    await this.#master.reload();
    if (!this.#isStopping) this.#links.service.ready();
  }

  #handOver(successor: number): void {
    this.#isSucceeded = true;
    this.#links.service.mainPid(successor);
    this.#stop();
  }

  #stop(): void {
    this.#isStopping = true;
    this.#master.stop({ isDelayed: !this.#isSucceeded }).then(this.#stopped.resolve, this.#stopped.reject);
  }
}

function createLauncher({ forWorkers }: Program, sockets: ListeningSockets): WorkerLauncher {
  return {
    socketSets: sockets.setCount,
    prepare(workerNum, sets) {
      const handed = sockets.of(sets);
      const descriptors = handed.map(({ fd }) => fd);
      const env = { ...process.env, ...workerEnvironment(workerNum) };
      return {
        payload: { ...forWorkers, sockets: handed.map(describeSocket) },
        spawn: (events) => spawnChild({ command: ownCommand(), env, descriptors }, events),
      };
    },
  };
}

function describeHandedOver(socket: BoundSocket): object {
  return { ...socket.knownAs, address: socket.address, isOwned: socket.isOwned };
}
