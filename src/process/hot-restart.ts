/**
 * A master starts its own successor on the same sockets, and leaves once that one serves. The successor is the same command
 * run anew, so it reads its configuration and loads the application as at any start; what makes it a successor is one
 * variable of the environment, which describes the descriptors that it inherits.
 */
import type { Logger } from '../log/logger.ts';
import { describeExit, spawnChild, type Child, type ChildCommand } from './child.ts';
import { messageOf, type FromSuccessor } from './messages.ts';

const VARIABLE = 'TSAGI_PREDECESSOR';

interface Inheritance {
  readonly pid: number;
  /** One for each inherited descriptor, in their order. */
  readonly sockets: readonly unknown[];
}

/** The old master's side. */
export class HotRestart {
  readonly #command: () => ChildCommand & { readonly sockets: readonly unknown[] };
  readonly #log: Logger;
  readonly #succeeded: (pid: number) => void;
  /** The new master that is starting. */
  #successor: Child | undefined;
  #isOver = false;

  /** `command` is asked when a restart begins; `succeeded` is called when the new master serves. */
  constructor(parts: {
    command(): ChildCommand & { readonly sockets: readonly unknown[] };
    log: Logger;
    succeeded(pid: number): void;
  }) {
    this.#command = parts.command;
    this.#log = parts.log;
    this.#succeeded = parts.succeeded;
  }

  begin(): void {
    if (this.#isOver) return this.#log.warn('SIGUSR2: a new master serves already; this one is leaving');
    if (this.#successor !== undefined)
      return this.#log.warn(`SIGUSR2: a new master (pid ${this.#successor.pid}) is starting already`);
    this.#log.info('SIGUSR2: starting a new master');
    let failure: string | undefined;
    try {
      const { sockets, env, ...command } = this.#command();
      const inheritance: Inheritance = { pid: process.pid, sockets };
      const successor = spawnChild(
        { ...command, env: { ...env, [VARIABLE]: JSON.stringify(inheritance) } },
        {
          message: (value) => {
            const message = messageOf<FromSuccessor>(value);
            if (message?.type === 'failed') failure = message.reason;
            if (message?.type !== 'ready' || this.#isOver) return;
            this.#isOver = true;
            this.#successor = undefined;
            this.#log.info(`SIGUSR2: the new master (pid ${successor.pid}) is ready; leaving`);
            successor.letGo();
            this.#succeeded(successor.pid);
          },
          ended: (status) => {
            this.#successor = undefined;
            if (this.#isOver) return;
            const reason = failure ?? `it ${describeExit(status)}`;
            this.#log.error(`SIGUSR2: this master goes on, the new one failed to start: ${reason}`);
          },
        },
      );
      this.#successor = successor;
    } catch (error) {
      this.#log.error(`SIGUSR2: this master goes on, no new one can be started: ${(error as Error).message}`);
    }
  }

  /** The old master stops before the new one serves: so does that. */
  abandon(): void {
    this.#successor?.kill('SIGTERM');
  }
}

/** Whether a predecessor has started this process. */
export function isSuccessor(env: Record<string, string | undefined>): boolean {
  return env[VARIABLE] !== undefined;
}

/** The new master's side. */
export class Predecessor {
  readonly pid: number;
  readonly sockets: readonly unknown[];
  #isReady = false;

  /** Undefined in a process that nobody is to be replaced by. */
  static fromEnvironment(env: Record<string, string | undefined> = process.env): Predecessor | undefined {
    const text = env[VARIABLE];
    delete env[VARIABLE];
    if (text === undefined || process.send === undefined) return undefined;
    return new Predecessor(JSON.parse(text) as Inheritance);
  }

  private constructor({ pid, sockets }: Inheritance) {
    this.pid = pid;
    this.sockets = sockets;
  }

  /** It goes on serving, unless this process says that it is ready. */
  get isServing(): boolean {
    return !this.#isReady && process.connected;
  }

  /** It has gone, and this process did not serve yet. */
  onGone(callback: () => void): void {
    process.on('disconnect', () => {
      if (!this.#isReady) callback();
    });
  }

  /** It leaves now. */
  ready(): void {
    this.#isReady = true;
    this.#say({ type: 'ready' });
  }

  failed(reason: string): void {
    this.#say({ type: 'failed', reason });
  }

  #say(message: FromSuccessor): void {
    if (process.connected) process.send?.(message);
  }
}
