/**
 * A process that runs this same program again, with descriptors that it inherits and a channel for messages. What it is to do
 * there, the environment and the messages tell; this file only starts it and hears of its end.
 */

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

export interface ChildCommand {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Open there as {@link FIRST_DESCRIPTOR} and so on, in this order. */
  readonly descriptors: readonly number[];
}

/** Behind standard input, output and error. */
export const FIRST_DESCRIPTOR = 3;

/** The command that started this process. */
export function ownCommand(): string[] {
  const script = Bun.isStandaloneExecutable ? [] : [Bun.main];
  return [process.execPath, ...process.execArgv, ...script, ...process.argv.slice(2)];
}

/** Throws when no process can be started. */
export function spawnChild({ command, env, descriptors }: ChildCommand, events: ChildEvents): Child {
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
  };
}

export function describeExit({ code, signal }: ExitStatus): string {
  return signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
}

// Bun's types say a number, Bun 1.4.5 gives the name.
function nameOf(signal: number | string): string {
  return typeof signal === 'string' ? signal : `signal ${signal}`;
}
