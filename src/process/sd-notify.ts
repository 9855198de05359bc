/**
 * Tells the service manager what this process is doing (sd_notify(3)): ready, reloading, stopping, and at regular times that it is
 * alive. Nothing here can fail towards the server: what cannot be sent is said once in the log, and the server goes on.
 */
import type { Clock, Timer } from '../clock/clock.ts';
import type { Logger } from '../log/logger.ts';
import { sendDatagram } from '../os/datagram-socket.ts';
import { monotonicMicroseconds } from '../os/monotonic-time.ts';

export interface ServiceNotifier {
  /** The service has started, or has finished reloading. */
  ready(status?: string): void;
  reloading(): void;
  stopping(): void;
  /** Another process is the service from here on. Only the one that was it until now is believed. */
  mainPid(pid: number): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** Says at half the time that the service manager allows that this process is alive; nothing where it allows forever. */
  startWatchdog(clock: Clock): void;
  /** What a process that takes over needs in its environment to have a notifier too. */
  readonly successorEnvironment: Readonly<Record<string, string>>;
  /** Ends the watchdog's messages. */
  close(): void;
}

export interface ServiceNotifierOptions {
  readonly log: Logger;
  /** @default this process */
  readonly pid?: number;
}

/** Takes its variables out of `env`, so that no child takes itself for the service. Without them it does nothing. */
export function createServiceNotifier(
  env: Record<string, string | undefined>,
  { log, pid = process.pid }: ServiceNotifierOptions,
): ServiceNotifier {
  const address = take(env, 'NOTIFY_SOCKET');
  const watchdogTime = take(env, 'WATCHDOG_USEC');
  const watchdogPid = take(env, 'WATCHDOG_PID');
  if (address === undefined || address === '') return SILENT;
  // A watchdog for another process is none of ours (sd_watchdog_enabled(3)).
  const isWatched = watchdogPid === undefined || watchdogPid === String(pid);
  return new SocketNotifier(address, isWatched ? parseTime(watchdogTime) : 0, log);
}

const SILENT: ServiceNotifier = {
  ready() {},
  reloading() {},
  stopping() {},
  mainPid() {},
  status() {},
  startWatchdog() {},
  successorEnvironment: {},
  close() {},
};

class SocketNotifier implements ServiceNotifier {
  readonly #address: string;
  /** Microseconds; 0 without a watchdog. */
  readonly #watchdogTime: number;
  readonly #log: Logger;
  #watchdog: Timer | undefined;
  #hasFailed = false;

  constructor(address: string, watchdogTime: number, log: Logger) {
    this.#address = address;
    this.#watchdogTime = watchdogTime;
    this.#log = log;
  }

  get successorEnvironment(): Readonly<Record<string, string>> {
    const watchdog = this.#watchdogTime > 0 ? { WATCHDOG_USEC: String(this.#watchdogTime) } : {};
    return { NOTIFY_SOCKET: this.#address, ...watchdog };
  }

  ready(status?: string): void {
    this.#send(['READY=1', ...(status === undefined ? [] : [statusLine(status)])]);
  }

  reloading(): void {
    // The time tells a service of Type=notify-reload which READY=1 is the answer to which reload.
    this.#send(() => ['RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`]);
  }

  stopping(): void {
    this.#send(['STOPPING=1']);
  }

  mainPid(pid: number): void {
    // What the other one has said of itself until now was not believed where NotifyAccess=main, its first beat among it.
    this.#send([`MAINPID=${pid}`, ...(this.#watchdogTime > 0 ? ['WATCHDOG=1'] : [])]);
  }

  status(text: string): void {
    this.#send([statusLine(text)]);
  }

  startWatchdog(clock: Clock): void {
    if (this.#watchdogTime === 0 || this.#watchdog !== undefined) return;
    const beat = (): void => this.#send(['WATCHDOG=1']);
    beat();
    // Half, as sd_watchdog_enabled(3) recommends.
    this.#watchdog = clock.every(this.#watchdogTime / 2000, beat);
  }

  close(): void {
    this.#watchdog?.cancel();
    this.#watchdog = undefined;
  }

  #send(lines: readonly string[] | (() => readonly string[])): void {
    try {
      sendDatagram(this.#address, (typeof lines === 'function' ? lines() : lines).join('\n'));
    } catch (error) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      this.#log.warn(`the service manager cannot be told (NOTIFY_SOCKET): ${(error as Error).message}`);
    }
  }
}

/** A line feed would begin another assignment. */
function statusLine(text: string): string {
  return `STATUS=${text.replaceAll(/[\r\n]+/g, ' ')}`;
}

function parseTime(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

function take(env: Record<string, string | undefined>, name: string): string | undefined {
  const value = env[name];
  delete env[name];
  return value;
}
