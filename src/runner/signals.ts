/**
 * Signals of a process that serves, or of the master of those that do, by name. The first INT or TERM stops gracefully, a second INT
 * ends at once, USR1 reopens the logs. Signals that this process has no use for would end it by default, so they are taken and answered
 * with a warning.
 */

export interface SignalActions {
  /** Called once, for the first INT or TERM. */
  stop(signal: NodeJS.Signals): void;
  /** A second INT: whoever pressed it does not want to wait. */
  endAtOnce(): void;
  reopenLogs(): void;
  /** HUP: certificates in a single process, workers in a master. Undefined without either. */
  readonly reload: (() => void) | undefined;
  /** TTIN, TTOU and USR2; undefined in a single process. */
  readonly workers: WorkerActions | undefined;
  warn(message: string): void;
}

export interface WorkerActions {
  more(): void;
  fewer(): void;
  restart(): void;
}

/** Returns the function that gives the signals back. */
export function handleSignals(actions: SignalActions): () => void {
  const { workers } = actions;
  let isStopping = false;
  let interrupts = 0;
  const stop = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT' && ++interrupts > 1) return actions.endAtOnce();
    if (isStopping) return;
    isStopping = true;
    actions.stop(signal);
  };
  const ignore = (signal: NodeJS.Signals): void =>
    actions.warn(`${signal} does nothing in a single process: it is for a master with workers`);
  const unlessStopping = (action: (() => void) | undefined) => (signal: NodeJS.Signals) => {
    if (action === undefined) ignore(signal);
    else if (!isStopping) action();
  };
  const handlers: [NodeJS.Signals, (signal: NodeJS.Signals) => void][] = [
    ['SIGINT', stop],
    ['SIGTERM', stop],
    ['SIGUSR1', () => actions.reopenLogs()],
    ['SIGHUP', unlessStopping(actions.reload)],
    ['SIGTTIN', unlessStopping(workers && (() => workers.more()))],
    ['SIGTTOU', unlessStopping(workers && (() => workers.fewer()))],
    ['SIGUSR2', unlessStopping(workers && (() => workers.restart()))],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
