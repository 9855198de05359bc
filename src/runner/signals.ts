/**
 * Signals of a single process, by name. The first INT or TERM stops gracefully, a second INT ends at once, USR1 reopens
 * the logs, HUP reads certificates anew. The signals that speak to a master with workers would end this process by default,
 * so they are taken and answered with a warning, as is HUP where there are no certificates.
 */

export interface SignalActions {
  /** Called once, for the first INT or TERM. */
  stop(signal: NodeJS.Signals): void;
  /** A second INT: whoever pressed it does not want to wait. */
  endAtOnce(): void;
  reopenLogs(): void;
  /** Undefined without TLS. */
  readonly reloadCertificates: (() => void) | undefined;
  warn(message: string): void;
}

const MASTER_SIGNALS = ['SIGTTIN', 'SIGTTOU', 'SIGUSR2'] as const;

/** Returns the function that gives the signals back. */
export function handleSignals(actions: SignalActions): () => void {
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
  const handlers: [NodeJS.Signals, (signal: NodeJS.Signals) => void][] = [
    ['SIGINT', stop],
    ['SIGTERM', stop],
    ['SIGUSR1', () => actions.reopenLogs()],
    ['SIGHUP', actions.reloadCertificates ?? ignore],
    ...MASTER_SIGNALS.map((signal): [NodeJS.Signals, typeof ignore] => [signal, ignore]),
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
