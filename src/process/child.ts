/**
 * A process that runs this same program again, with descriptors that it inherits and a channel for messages. What it is to do
 * there, the environment and the messages tell; this file only starts it and hears of its end.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ChildEvents {
  message(message: unknown): void;
  /** Once, and last. */
  ended(status: ExitStatus): void;
}

export interface Child {
  readonly pid: number;
  /** A message to a process that has gone is lost. */
  send(message: object): void;
  kill(signal: NodeJS.Signals): void;
}

/** One that may outlive the process that has started it. */
export interface IndependentChild extends Child {
  /** Nothing more is said to it nor heard of it, and it does not keep this process from ending. */
  letGo(): void;
}

export interface ChildCommand {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Open there as {@link FIRST_DESCRIPTOR} and so on, in this order. */
  readonly descriptors: readonly number[];
}

/** Behind standard input, output and error. */
export const FIRST_DESCRIPTOR = 3;

// Read at the start: once the file has been replaced, Bun 1.4.5 asks the kernel, which calls it "/path (deleted)".
const EXECUTABLE = Bun.isStandaloneExecutable ? pathAsCalled() : process.execPath;
const SCRIPT = Bun.isStandaloneExecutable ? undefined : scriptAsCalled();

/** The command that started this process. What stands on disk under its path now is what it starts. */
export function ownCommand(): string[] {
  const programArguments = process.argv.slice(2);
  // Options of Bun are built into an executable, or come from the environment; as its arguments they would be the program's.
  if (SCRIPT === undefined) return [EXECUTABLE, ...programArguments];
  return [EXECUTABLE, ...process.execArgv, SCRIPT, ...programArguments];
}

/** With the symbolic links in it, so that a link that leads elsewhere by then is followed there. */
function pathAsCalled(): string {
  const { argv0, execPath } = process;
  const called = argv0.includes('/') ? resolve(argv0) : Bun.which(argv0);
  return called !== null && isSameFile(called, execPath) ? called : execPath;
}

/** Likewise. Bun knows its script by its real path alone; what was typed, Linux knows. */
function scriptAsCalled(): string {
  try {
    const words = readFileSync('/proc/self/cmdline', 'utf8').split('\0').slice(1);
    const paths = words.filter((word) => word !== '').map((word) => resolve(word));
    return paths.find((path) => isSameFile(path, Bun.main)) ?? Bun.main;
  } catch {
    return Bun.main;
  }
}

function isSameFile(path: string, realPath: string): boolean {
  try {
    return realpathSync(path) === realPath;
  } catch {
    return false;
  }
}

/** Throws when no process can be started. */
export function spawnChild(
  { command, env, descriptors }: ChildCommand,
  events: ChildEvents,
): IndependentChild {
  const child = Bun.spawn([...command], {
    stdio: ['ignore', 'inherit', 'inherit', ...descriptors],
    env: { ...env },
    serialization: 'json',
    ipc: (message: unknown) => events.message(message),
    onExit: (_child, code, signal) => events.ended({ code, signal: signal === null ? null : nameOf(signal) }),
  });
  return {
    pid: child.pid,
    send(message) {
      try {
        child.send(message);
      } catch {
        // It has gone; `ended` follows.
      }
    },
    kill: (signal) => child.kill(signal),
    letGo() {
      child.disconnect();
      child.unref();
    },
  };
}

export function describeExit({ code, signal }: ExitStatus): string {
  return signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
}

// Bun's types say a number, Bun 1.4.5 gives the name.
function nameOf(signal: number | string): string {
  return typeof signal === 'string' ? signal : `signal ${signal}`;
}
