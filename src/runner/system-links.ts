/**
 * What ties a serving process to the system around it: the sockets it was started with, its pid file, its user, the service
 * manager, whoever waits for a daemon, and the master that it takes over from. Each of them is absent as a rule, and is told of
 * the start, of a reload and of the end in one place.
 */
import { systemClock } from '../clock/clock.ts';
import type { Logger } from '../log/logger.ts';
import { raiseDescriptorLimit } from '../os/limits.ts';
import { FIRST_DESCRIPTOR } from '../process/child.ts';
import { DaemonLink } from '../process/daemonize.ts';
import { Predecessor } from '../process/hot-restart.ts';
import {
  assumeIdentity,
  giveFileTo,
  giveSocketTo,
  resolveIdentity,
  type Identity,
} from '../process/os-identity.ts';
import { PidFile } from '../process/pid-file.ts';
import { createServiceNotifier, type ServiceNotifier } from '../process/sd-notify.ts';
import { InheritedSockets, type InheritedSocket } from '../transport/inherited-sockets.ts';
import { formatAddress } from '../transport/listen-spec.ts';
import { ListeningSockets } from '../transport/listening-sockets.ts';
import type { Program } from './program.ts';

export class SystemLinks {
  readonly service: ServiceNotifier;
  readonly identity: Identity | undefined;
  /** What a process that takes over is to be started with: what this one was, before it changed anything. */
  readonly successorEnv: Readonly<Record<string, string | undefined>>;
  readonly #program: Program;
  readonly #log: Logger;
  readonly #inherited: InheritedSockets;
  readonly #predecessor: Predecessor | undefined;
  readonly #daemon: DaemonLink | undefined;
  #pidFile: PidFile | undefined;

  /** Throws when the user is unknown, the pid file is held by a live process, or an inherited descriptor is no listening socket. */
  constructor(program: Program) {
    const { env } = process;
    this.#program = program;
    this.#log = program.log;
    this.#daemon = DaemonLink.fromEnvironment(env);
    this.#predecessor = Predecessor.fromEnvironment(env);
    this.service = createServiceNotifier(env, { log: program.log });
    const activated = InheritedSockets.fromEnvironment(env, process.pid);
    this.#inherited = this.#predecessor === undefined ? activated : handedOver(this.#predecessor.sockets);
    this.successorEnv = { ...env, ...this.service.successorEnvironment };
    this.identity = resolveIdentity(program.process);
    raiseDescriptorLimit();
    // A predecessor keeps its file until this process serves.
    if (this.#predecessor === undefined) this.#claimPidFile();
    // It stops before this process serves, or has died: there is nothing to take over.
    else this.#predecessor.onGone(() => process.kill(process.pid, 'SIGTERM'));
  }

  /** Whether somebody waits, on this process's standard streams, for it to serve. */
  get isDaemon(): boolean {
    return this.#daemon !== undefined;
  }

  /** Whether a predecessor goes on serving at the same addresses when this process ends. */
  get hasServingPredecessor(): boolean {
    return this.#predecessor?.isServing ?? false;
  }

  async openSockets(): Promise<ListeningSockets> {
    const sockets = await ListeningSockets.open(this.#program.settings, this.#inherited);
    this.#giveSockets(sockets);
    for (const { fd, name, address } of this.#inherited.unclaimed) {
      this.#log.warn(
        `the inherited socket ${name ?? fd} (${formatAddress(address)}) is not used: no listen option asks for it`,
      );
    }
    return sockets;
  }

  /** Before any of the app's code runs. Throws when that cannot be done. */
  dropPrivileges(): void {
    if (this.identity === undefined) return;
    this.giveLogs();
    assumeIdentity(this.identity);
  }

  /** Log files belong to the user who is going to reopen them. */
  giveLogs(): void {
    const { accessLog } = this.#program.settings;
    if (this.identity !== undefined && typeof accessLog === 'string') giveFileTo(accessLog, this.identity);
  }

  /** It serves. */
  started(status: string): void {
    if (this.#predecessor !== undefined) this.#claimPidFile();
    this.#predecessor?.ready();
    this.service.ready(status);
    this.service.startWatchdog(systemClock);
    this.#daemon?.ready();
  }

  /** The process ends, whether or not it has served. */
  ended(): void {
    this.service.close();
    try {
      this.#pidFile?.release();
    } catch (error) {
      this.#log.warn((error as Error).message);
    }
  }

  /** For a successor, who says it by itself where it can. */
  failed(reason: string): void {
    this.#predecessor?.failed(reason);
  }

  /** A mode such as 0660 is meant for the user that the server becomes. */
  #giveSockets(sockets: ListeningSockets): void {
    for (const { address, isInherited } of sockets.all) {
      if (this.identity !== undefined && address.type === 'unix' && !isInherited)
        giveSocketTo(address.path, this.identity);
    }
  }

  #claimPidFile(): void {
    const { pidFile } = this.#program.process;
    if (pidFile !== undefined)
      this.#pidFile = PidFile.claim(pidFile, { mayTakeFrom: this.#predecessor?.pid });
  }
}

/** In the order of the descriptors. */
function handedOver(sockets: readonly unknown[]): InheritedSockets {
  return new InheritedSockets(
    sockets.map((address, index): InheritedSocket => ({
      name: undefined,
      ...(address as Pick<InheritedSocket, 'address' | 'isOwned'>),
      fd: FIRST_DESCRIPTOR + index,
    })),
  );
}
