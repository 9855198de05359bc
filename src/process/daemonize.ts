/**
 * Serving in the background. The caller starts the same command again in a session of its own, shows what it says while it
 * starts, and ends with the outcome: 0 once it serves, 1 when it has ended instead. From then on nothing ties the two
 * together: the daemon keeps no terminal, no pipe and no channel of the caller's. What it keeps is the working directory, which
 * the paths of the app are relative to, the umask, and a file that it was told to write to (`2>> errors.log`).
 */
import { fstatSync, writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { closeDescriptor } from '../os/descriptors.ts';
import { openPipe, type Pipe } from '../os/pipe.ts';
import { isRegularFile, releaseStandardStreams } from '../os/standard-streams.ts';

type Environment = Record<string, string | undefined>;

/** Set for a process that a caller waits for; its value says what comes with it. */
const VARIABLE = 'TSAGI_DAEMON';
const ALONE = '1';
/** The sockets of LISTEN_FDS are handed on, and the daemon is who they are meant for (sd_listen_fds(3)). */
const WITH_SOCKETS = 'sockets';

/** The one message of the channel. */
const READY = 'ready';

export interface DaemonOptions {
  readonly env: Environment;
  /** Open descriptors that the daemon gets under the same numbers, besides those of LISTEN_FDS. */
  readonly descriptors?: readonly number[];
}

/**
 * The caller's half. Resolves with 0 once the daemon serves, with 1 when it has ended instead and its errors have been shown.
 * While this waits, INT and TERM end the daemon, a second one at once: nobody would hear how the start went.
 */
export async function startDaemon(
  command: readonly string[],
  { env, descriptors = [] }: DaemonOptions,
): Promise<{ exitCode: 0 | 1 }> {
  const sockets = activatedSockets(env);
  const outcome = Promise.withResolvers<'ready' | 'ended'>();
  const outputs = [new ForwardedOutput(1), new ForwardedOutput(2)] as const;
  const child = Bun.spawn([...command], {
    // A session and not merely a group of its own: without a controlling terminal, and out of reach of its signals.
    detached: true,
    env: { ...env, [VARIABLE]: sockets.length > 0 ? WITH_SOCKETS : ALONE },
    stdio: ['ignore', outputs[0].fd, outputs[1].fd, ...handedOn([...descriptors, ...sockets])],
    ipc: (message) => {
      if (message === READY) outcome.resolve('ready');
    },
    onExit: () => outcome.resolve('ended'),
  });
  const giveBackSignals = endOnSignal(child);
  const allSaid = Promise.all(outputs.map((output) => output.forward()));
  const isReady = (await outcome.promise) === 'ready';
  // Who has been started by the daemon may hold the pipes for longer than that.
  await Promise.race([allSaid, quiet(outputs)]);
  giveBackSignals();
  if (!isReady) sayWhyItEnded(child, outputs[1].hasSpoken);
  child.disconnect();
  child.unref();
  return { exitCode: isReady ? 0 : 1 };
}

/** Whether this process is the daemon that a caller waits for. */
export function isDaemon(env: Environment): boolean {
  return env[VARIABLE] !== undefined;
}

/** The daemon's half. */
export class DaemonLink {
  #isReady = false;

  /** Takes the variable out of `env`. Undefined in a process that no caller waits for. */
  static fromEnvironment(env: Environment): DaemonLink | undefined {
    const value = env[VARIABLE];
    delete env[VARIABLE];
    if (value === undefined) return undefined;
    if (value === WITH_SOCKETS) env['LISTEN_PID'] = String(process.pid);
    return new DaemonLink();
  }

  private constructor() {
    // What is said to a caller that was killed would end this process with EPIPE.
    process.once('disconnect', releaseStandardStreams);
  }

  /**
   * Tells the caller that this process serves, and lets go of it. Standard output and error lead nowhere from here on, unless
   * they are files. Processes that were started before hold the caller's pipes too and call `releaseStandardStreams` themselves.
   */
  ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    // Before the message, so that the caller sees the end of what is said, and shows it all.
    releaseStandardStreams();
    process.off('disconnect', releaseStandardStreams);
    // A caller that has gone in the meantime does not keep the daemon from serving.
    if (process.connected !== true || process.send === undefined) return;
    try {
      process.send(READY, undefined, undefined, closeChannel);
    } catch {
      closeChannel();
    }
  }
}

function closeChannel(): void {
  if (process.connected === true) process.disconnect?.();
}

const FIRST_SOCKET = 3;

/** The descriptors that a service manager has given to this process. */
function activatedSockets(env: Environment): number[] {
  const count = Number(env['LISTEN_FDS']);
  if (env['LISTEN_PID'] !== String(process.pid) || !Number.isInteger(count) || count <= 0) return [];
  return Array.from({ length: count }, (_, index) => FIRST_SOCKET + index);
}

/** Each descriptor in the place of its number, from 3 on; nothing in between. */
function handedOn(descriptors: readonly number[]): (number | 'ignore')[] {
  const places: (number | 'ignore')[] = [];
  for (const fd of descriptors) {
    if (fd < FIRST_SOCKET) continue;
    while (places.length <= fd - FIRST_SOCKET) places.push('ignore');
    places[fd - FIRST_SOCKET] = fd;
  }
  return places;
}

/**
 * What the daemon says to one descriptor of this process: a file is the daemon's own for good, a terminal or a pipe stays the
 * caller's, who copies to it.
 */
class ForwardedOutput {
  /** What the daemon gets. */
  readonly fd: number;
  /** Bytes copied. */
  length = 0;
  readonly #target: number;
  readonly #pipe: Pipe | undefined;
  readonly #sizeBefore: number;

  constructor(target: number) {
    this.#target = target;
    this.#pipe = isRegularFile(target) ? undefined : openPipe();
    this.fd = this.#pipe?.writeEnd ?? target;
    this.#sizeBefore = this.#pipe === undefined ? fstatSync(target).size : 0;
  }

  get hasSpoken(): boolean {
    return this.#pipe === undefined ? fstatSync(this.#target).size > this.#sizeBefore : this.length > 0;
  }

  /** Once the daemon has been started. Resolves when nobody can say anything any more. */
  async forward(): Promise<void> {
    if (this.#pipe === undefined) return;
    closeDescriptor(this.#pipe.writeEnd);
    for await (const piece of Bun.file(this.#pipe.readEnd).stream()) {
      this.length += piece.length;
      write(this.#target, piece);
    }
  }
}

function write(fd: number, bytes: Uint8Array): void {
  try {
    let rest = bytes;
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
  } catch {
    // Nobody reads it. The outcome is what counts.
  }
}

/** How many turns without a byte mean that everything that was said before the message has been read. */
const QUIET_TURNS = 3;

async function quiet(outputs: readonly ForwardedOutput[]): Promise<void> {
  const total = (): number => outputs.reduce((sum, { length }) => sum + length, 0);
  for (let turns = 0, before = total(); turns < QUIET_TURNS; turns++) {
    await nextTurn();
    if (total() !== before) turns = 0;
    before = total();
  }
}

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

function endOnSignal(child: Bun.Subprocess): () => void {
  let isEnding = false;
  const end = (): void => {
    child.kill(isEnding ? 'SIGKILL' : 'SIGTERM');
    isEnding = true;
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, end);
  return () => {
    for (const signal of ENDING_SIGNALS) process.off(signal, end);
  };
}

/** Where the daemon has not said it itself. */
function sayWhyItEnded({ exitCode, signalCode }: Bun.Subprocess, hasSpoken: boolean): void {
  if (exitCode !== null && exitCode !== 0 && hasSpoken) return;
  const how = signalCode === null ? `ended with exit code ${exitCode}` : `was ended by ${signalCode}`;
  write(2, Buffer.from(`tsagi-server: the daemon ${how} before it served\n`));
}
