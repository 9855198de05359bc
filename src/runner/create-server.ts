/**
 * The public way to a server: options in, a server out. Used inside a program of one's own it takes nothing for itself:
 * `listen` and `shutdown` install no signal handlers, and end no process; `run` is for programs that are nothing else.
 * Logging is as on the command line, messages and access log on stderr; `quiet` and `accessLog: false` turn it off.
 */
import { describeIdleOptions } from '../config/idle-options.ts';
import { OptionError, showValue } from '../config/option-error.ts';
import type { ServerOptions, Settings } from '../config/settings.ts';
import type { App } from '../contract/app.ts';
import type { Logger } from '../log/logger.ts';
import type { WorkerLink } from '../process/worker-link.ts';
import { Server, type Prepared, type ShutdownOptions } from '../server/server.ts';
import { listeningLines } from './banner.ts';
import { PLAIN_PROCESS, type Startable } from './program.ts';
import { readSettings } from './read-settings.ts';
import { runProgram } from './run-program.ts';
import { workerSettings } from './run-worker.ts';
import { createServerLog } from './server-log.ts';

export interface CreateServerOptions extends ServerOptions {
  /** The application to serve. */
  app: App;
}

/** A place where the server listens. The URL is `http://127.0.0.1:5000`, with the real port, or `unix:/path`. */
export type ListenerInfo = {
  readonly url: string;
  /** Whether TLS is spoken there; in the URL it is `https`. */
  readonly isSecure: boolean;
} & (
  | { readonly type: 'tcp'; readonly host: string; readonly port: number }
  | { readonly type: 'unix'; readonly path: string }
);

export interface TsagiServer {
  /**
   * Starts: runs the app's startup, then accepts on every listener. Rejects when the startup fails or an address cannot
   * be had, and when the server was started before: a server runs once.
   */
  listen(): Promise<void>;
  /** Stops gracefully, within `shutdownTimeout`. Every call gets the same promise. */
  shutdown(): Promise<void>;
  /**
   * `listen` for a program that is a server and nothing else: says where it listens, stops gracefully on INT and TERM,
   * reopens its logs on USR1, reads its certificates anew on HUP, and resolves when it has stopped. A second INT ends the process with 130.
   * With `workers` it starts the program again that often, as processes in which `run` serves, and heeds HUP, TTIN, TTOU and USR2 too.
   */
  run(): Promise<void>;
  /** Opens the access log's file anew, after another program has moved it away. */
  reopenLogs(): void;
  /**
   * Reads the certificate, its key and the authorities anew, for connections that are accepted from here on; the others go
   * on undisturbed. Throws where they cannot be used, or where nothing speaks TLS: then the old ones stay.
   */
  reloadCertificates(): void;
  /** The port of the first TCP listener; undefined before `listen` and without one. */
  readonly port: number | undefined;
  /** Empty before `listen` and after `shutdown`. */
  readonly listeners: readonly ListenerInfo[];
  /** Whether connections are accepted. */
  readonly isRunning: boolean;
  readonly connectionCount: number;
  /** `maxConnections`, or what the descriptor limit leaves where that is less. */
  readonly effectiveMaxConnections: number;
}

/** Throws an `OptionError` for an option that is unknown or cannot be used as given. */
export function createServer(options: CreateServerOptions): TsagiServer {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`createServer needs an object with an app, not ${showValue(options)}`);
  }
  const { app, ...serverOptions } = options;
  if (typeof app !== 'function') {
    const expectation = 'an app function (scope, receive, send)';
    throw new OptionError(`option app must be ${expectation}, not ${showValue(app)}`, {
      option: 'app',
      value: app,
      expectation,
    });
  }
  const settings = readSettings(serverOptions);
  const log = createServerLog(settings);
  for (const line of describeIdleOptions(serverOptions, settings)) log.warn(line);
  return new RunnableServer(app, { settings, log });
}

interface RunnableParts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly worker?: WorkerLink | undefined;
}

/** @internal A server, and the program that `run` makes of it. */
export class RunnableServer implements TsagiServer, Startable {
  readonly #app: App;
  readonly #settings: Settings;
  readonly #log: Logger;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #stopProgram = new AbortController();
  #server: Server;
  /** Set while other processes serve. */
  #program: Promise<void> | undefined;
  #starting: Promise<void> | undefined;
  #shutdown: Promise<void> | undefined;

  constructor(app: App, { settings, log, worker }: RunnableParts) {
    this.#app = app;
    this.#settings = settings;
    this.#log = log;
    this.#server = this.#makeServer(worker);
    // Whoever does not wait for it is told by `shutdown`.
    this.#stopped.promise.catch(() => {});
  }

  get port(): number | undefined {
    return this.#server.port;
  }

  get listeners(): readonly ListenerInfo[] {
    return this.#server.listeners.map(({ url, address }) => {
      const isSecure = address.isSecure === true;
      if (address.type === 'unix') return { type: 'unix', url, isSecure, path: address.path };
      return { type: 'tcp', url, isSecure, host: address.host, port: address.port };
    });
  }

  get isRunning(): boolean {
    return this.#server.isRunning;
  }

  get connectionCount(): number {
    return this.#server.connectionCount;
  }

  get effectiveMaxConnections(): number {
    return this.#server.effectiveMaxConnections;
  }

  async listen(): Promise<void> {
    const { workers } = this.#settings;
    if (workers > 1)
      throw new Error(`workers is ${workers}, but listen() serves in this process: call run()`);
    await this.start();
    for (const line of listeningLines(this.#server.listeners.map(({ url }) => url))) this.#log.info(line);
  }

  shutdown(options?: ShutdownOptions): Promise<void> {
    if (this.#starting === undefined) {
      this.#stopProgram.abort();
      return this.#program ?? Promise.resolve();
    }
    this.#shutdown ??= this.#stop(this.#starting, options);
    return this.#shutdown;
  }

  async run(): Promise<void> {
    if (this.#starting ?? this.#program) throw startedBefore();
    this.#program = runProgram({
      settings: this.#settings,
      process: PLAIN_PROCESS,
      stop: this.#stopProgram.signal,
      log: this.#log,
      forWorkers: {},
      load: (worker) => {
        if (worker !== undefined) this.#server = this.#makeServer(worker);
        return Promise.resolve(this);
      },
    });
    await this.#program;
  }

  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  async start(prepared?: Prepared): Promise<void> {
    if (this.#starting) throw startedBefore();
    this.#starting = this.#server.listen(prepared);
    await this.#starting;
  }

  reopenLogs(): void {
    try {
      this.#server.reopenLogs();
    } catch (error) {
      this.#log.error(`cannot reopen the logs: ${(error as Error).message}`);
    }
  }

  reloadCertificates(): void {
    this.#server.reloadCertificates();
  }

  #makeServer(worker: WorkerLink | undefined): Server {
    const ofWorker = worker && workerSettings(worker, this.#settings);
    const log = worker === undefined ? this.#log : createServerLog(this.#settings, worker);
    return new Server(this.#app, { ...this.#settings, ...ofWorker }, log);
  }

  async #stop(starting: Promise<void>, options: ShutdownOptions | undefined): Promise<void> {
    try {
      // Told to stop while the app starts: let it finish, so that its shutdown finds what its startup made.
      const isUp = await starting.then(
        () => true,
        () => false,
      );
      if (isUp) await this.#server.shutdown(options);
      this.#stopped.resolve();
    } catch (error) {
      this.#stopped.reject(error);
      throw error;
    }
  }
}

function startedBefore(): Error {
  return new Error('this server was started before: create a new one to start again');
}
