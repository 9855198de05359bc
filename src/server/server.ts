/**
 * One process serving one application, from binding its addresses to the end of its lifespan. It starts once and stops
 * once; what it owns (listeners, connections, requests in hand) it counts, so that it knows when it has drained.
 */
import { isIP } from 'node:net';
import { Alarms } from '../clock/alarms.ts';
import { systemClock, type Clock, type Timer } from '../clock/clock.ts';
import type {
  CarrierContext,
  ConnectionContext,
  ConnectionSettings,
  FinishedRequest,
} from '../connection/connection-context.ts';
import { Deadlines } from '../connection/deadlines.ts';
import { CarrierPool } from '../connection/carrier-pool.ts';
import { Connection, type ListenerContext } from '../connection/connection.ts';
import { TlsConnection } from '../connection/tls-connection.ts';
import type { H2Exchange } from '../connection/h2-exchange.ts';
import { H2Service } from '../connection/h2-service.ts';
import type { App } from '../contract/app.ts';
import type { Logger } from '../log/logger.ts';
import { DefaultHeaders, type DefaultHeaderSettings } from '../session/default-headers.ts';
import type { SessionContext, SessionSettings } from '../session/session-context.ts';
import { bind, type BindSettings, type BoundSocket } from '../transport/bind.ts';
import { descriptorLimit } from '../os/descriptors.ts';
import type { ListenAddress } from '../transport/listen-spec.ts';
import { Listener } from '../transport/listener.ts';
import type { RawSocket } from '../transport/socket.ts';
import { TlsContext, type TlsSettings } from '../transport/tls.ts';
import { AccessLog } from './access-log.ts';
import { Admission, type AdmissionSettings } from './admission.ts';
import { createLifespan, type Lifespan, type LifespanSettings } from './lifespan.ts';

/** What the server and its parts need of the settings. Seconds, bytes and counts. */
export interface ServerSettings
  extends
    ConnectionSettings,
    SessionSettings,
    BindSettings,
    DefaultHeaderSettings,
    AdmissionSettings,
    LifespanSettings,
    TlsSettings {
  readonly listeners: readonly ListenAddress[];
  readonly http2: boolean;
  readonly shutdownTimeout: number;
  readonly drainDelay: number;
  readonly rootPath: string;
  readonly extensions: Readonly<Record<string, unknown>>;
  /** A file, true for stderr, false for none. */
  readonly accessLog: string | boolean;
  readonly accessLogFormat: string;
  /** Told whenever so many requests have begun. */
  readonly requestLimit?: { readonly count: number; reached(): void } | undefined;
}

/** What others have opened for the server: while they still had the right to, for instance. */
export interface Prepared {
  /** Their descriptors are the server's from here on. */
  readonly sockets?: readonly BoundSocket[];
  readonly tls?: TlsContext | undefined;
}

export interface ShutdownOptions {
  /** Whether `drainDelay` is waited for: nobody need look elsewhere when another process serves on. @default true */
  readonly isDelayed?: boolean;
}

type Stage = 'new' | 'starting' | 'running' | 'stopping' | 'stopped';

/** Milliseconds between looks at whether everything has drained, and whether descriptors are free again. */
const DRAIN_INTERVAL = 10;
const DESCRIPTOR_INTERVAL = 250;
/** So many must be free besides, once accepting has paused, so that it does not pause again at once. */
const SPARE_DESCRIPTORS = 8;
/** Milliseconds that connections get to be closed by their clients once their last response has been sent. */
const LINGER_AT_SHUTDOWN = 250;

export class Server {
  readonly #settings: ServerSettings;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #admission: Admission;
  readonly #lifespan: Lifespan;
  readonly #shutdownSignal = new AbortController();
  readonly #deadlines: Deadlines<Connection>;
  readonly #context: ConnectionContext;
  #listeners: Listener[] = [];
  #stage: Stage = 'new';
  #stopping: Promise<void> | undefined;
  #accessLog: AccessLog | undefined;
  #descriptorTimer: Timer | undefined;
  #isOutOfDescriptors = false;

  constructor(app: App, settings: ServerSettings, log: Logger, clock: Clock = systemClock) {
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
    this.#admission = new Admission(settings, descriptorLimit());
    this.#lifespan = createLifespan({ app, settings, log, clock });
    this.#deadlines = new Deadlines(settings, clock);
    this.#context = this.#createContext(app);
  }

  /** Where it listens, with the real ports; empty before `listen` and after `shutdown`. */
  get listeners(): readonly BoundSocket[] {
    return this.#listeners.map((listener) => listener.bound);
  }

  /** The port of the first TCP listener. */
  get port(): number | undefined {
    for (const { address } of this.listeners) if (address.type === 'tcp') return address.port;
    return undefined;
  }

  get isRunning(): boolean {
    return this.#stage === 'running';
  }

  get connectionCount(): number {
    return this.#deadlines.size;
  }

  get effectiveMaxConnections(): number {
    return this.#admission.effectiveMaxConnections;
  }

  /**
   * Opens the access log, binds, runs the application's startup, then accepts. Rejects, with everything undone, when any
   * of them fails.
   */
  async listen(prepared: Prepared = {}): Promise<void> {
    if (this.#stage !== 'new') throw new Error(`the server has been started already (it is ${this.#stage})`);
    this.#stage = 'starting';
    try {
      this.#accessLog = openAccessLog(this.#settings, this.#log);
      const tls = prepared.tls ?? (this.hasTls ? readTls(this.#settings, this.#log) : undefined);
      if (prepared.sockets === undefined) {
        for (const address of this.#settings.listeners) this.#add(await bind(address, this.#settings), tls);
      } else {
        for (const bound of prepared.sockets) this.#add(bound, tls);
      }
      await this.#lifespan.startup();
      for (const listener of this.#listeners) listener.start();
    } catch (error) {
      await this.#lifespan.shutdown();
      this.#release();
      this.#stage = 'stopped';
      throw error;
    }
    this.#stage = 'running';
    this.#descriptorTimer = this.#clock.every(DESCRIPTOR_INTERVAL, () => this.#checkDescriptors());
    this.#warnOfLowLimit();
  }

  /** Stops accepting, lets requests in hand finish within `shutdownTimeout`, ends the lifespan. Every call gets the same promise. */
  shutdown({ isDelayed = true }: ShutdownOptions = {}): Promise<void> {
    if (this.#stage !== 'running') return this.#stopping ?? Promise.resolve();
    this.#stopping ??= this.#stop(isDelayed ? this.#settings.drainDelay : 0);
    return this.#stopping;
  }

  async #stop(drainDelay: number): Promise<void> {
    // During the delay already, so that the app's readiness can say no while everything is still served.
    this.#shutdownSignal.abort(new DOMException('the server is shutting down', 'AbortError'));
    await this.#sleep(drainDelay * 1000);
    this.#stage = 'stopping';
    this.#descriptorTimer?.cancel();
    // Requests that have arrived but not been read yet still count as in hand, and so do connections that wait to be accepted:
    // the sockets are read once more. Behind that whoever comes is for others, or refused, and does not wait in vain.
    await this.#sleep(1);
    for (const listener of this.#listeners) listener.release();
    this.#listeners = [];
    for (const connection of this.#deadlines.members()) connection.drain();
    this.#deadlines.drain();
    await this.#drained();
    await this.#lifespan.shutdown();
    this.#release();
    this.#stage = 'stopped';
  }

  /** Opens the access log's file anew, after log rotation. */
  reopenLogs(): void {
    this.#accessLog?.reopen();
  }

  /** Whether any listener speaks TLS. */
  get hasTls(): boolean {
    return speaksTls(this.#settings);
  }

  /**
   * Reads certificate, key and authorities anew, for connections that are accepted from here on. Throws where they cannot be
   * used, or where nothing speaks TLS; what was used before stays in use then.
   */
  reloadCertificates(): void {
    if (!this.hasTls) throw new Error('no listener speaks TLS');
    const tls = readTls(this.#settings, this.#log);
    for (const listener of this.#listeners) if (listener.bound.address.isSecure) listener.replaceTls(tls);
  }

  #add(bound: BoundSocket, tls: TlsContext | undefined): void {
    const context = listenerContext(bound, this.#context);
    const accept = (raw: RawSocket): Connection => this.#accept(raw, context);
    const { listenerBacklog } = this.#settings;
    const settings = { tls: bound.address.isSecure ? tls : undefined, listenerBacklog };
    this.#listeners.push(new Listener(bound, accept, settings));
  }

  #createContext(app: App): ConnectionContext {
    const settings = this.#settings;
    const admission = this.#admission;
    const session: SessionContext = {
      app,
      log: this.#log,
      rootPath: settings.rootPath,
      extensions: Object.freeze({ ...settings.extensions }),
      state: this.#lifespan.state,
      shutdownSignal: this.#shutdownSignal.signal,
      alarms: new Alarms(this.#clock),
      syncFileThreshold: settings.syncFileThreshold,
      maxReceiveQueue: settings.maxReceiveQueue,
      maxWsFrameSize: settings.maxWsFrameSize || Infinity,
      maxWsMessageSize: settings.maxWsMessageSize || Infinity,
      wsCompression: settings.wsCompression,
      wsPingInterval: settings.wsPingInterval,
      wsPingTimeout: settings.wsPingTimeout,
      wsIdleTimeout: settings.wsIdleTimeout,
      sseIdleTimeout: settings.sseIdleTimeout,
      sessionStarted: countRequests(admission, settings.requestLimit),
      sessionEnded: () => void admission.requestsInHand--,
    };
    const deadlines = this.#deadlines;
    const context: CarrierContext = {
      settings,
      session,
      defaults: new DefaultHeaders(settings, this.#clock, deadlines),
      deadlines,
      streamDeadlines: new Deadlines<H2Exchange>(settings, this.#clock),
      log: this.#log,
      isDraining: () => this.#stage === 'stopping',
      admitsRequest: () => admission.admitsRequest(),
      requestFinished:
        settings.accessLog === false
          ? undefined
          : (request: FinishedRequest) => this.#accessLog?.log(accessRecord(request)),
    };
    const h2 = settings.http2 ? new H2Service(settings) : undefined;
    return { ...context, carriers: new CarrierPool(context), h2 };
  }

  #accept(raw: RawSocket, context: ListenerContext): Connection {
    const verdict = this.#admission.judgeConnection(this.#deadlines.size);
    const connection = new (context.isSecure ? TlsConnection : Connection)(raw, context);
    if (verdict === 'turnAway') connection.turnAway();
    else if (verdict === 'drop') connection.abort('server_error');
    if (this.#admission.isLastDescriptor(connection.descriptor)) this.#checkDescriptors();
    return connection;
  }

  /** With no descriptors left, accepting fails at once and for ever; it pauses instead until some are free. */
  #checkDescriptors(): void {
    if (this.#stage !== 'running') return;
    const wasOut = this.#isOutOfDescriptors;
    const toGoOn = wasOut ? this.#listeners.length + SPARE_DESCRIPTORS : 0;
    this.#isOutOfDescriptors = !this.#admission.hasDescriptors(toGoOn);
    if (this.#isOutOfDescriptors === wasOut) return;
    if (!wasOut) {
      this.#log.error(
        'out of file descriptors: accepting is paused; raise the limit (ulimit -n) or lower maxConnections',
      );
      // Not within the callback of an accepted connection.
      setImmediate(() => this.#isOutOfDescriptors && this.#listeners.forEach((listener) => listener.stop()));
      return;
    }
    this.#log.info('file descriptors are free again: accepting goes on');
    for (const listener of this.#listeners) listener.start();
  }

  async #drained(): Promise<void> {
    const { shutdownTimeout } = this.#settings;
    const deadline = this.#clock.now() + shutdownTimeout * 1000;
    let lingerUntil = Infinity;
    while (this.#deadlines.size > 0 || this.#admission.requestsInHand > 0) {
      const now = this.#clock.now();
      if (now >= deadline) return this.#cutOff();
      const isQuiet =
        this.#admission.requestsInHand === 0 && !this.#deadlines.members().some((it) => it.isBusy);
      lingerUntil = isQuiet ? Math.min(lingerUntil, now + LINGER_AT_SHUTDOWN) : Infinity;
      if (now >= lingerUntil) break;
      await this.#sleep(DRAIN_INTERVAL);
    }
    for (const connection of this.#deadlines.members()) connection.abort('server_shutdown');
  }

  async #cutOff(): Promise<void> {
    const { requestsInHand } = this.#admission;
    this.#log.warn(
      `shutdown: ${this.#deadlines.size} connections and ${requestsInHand} requests were still open after ` +
        `${this.#settings.shutdownTimeout} s (shutdownTimeout) and have been cut off`,
    );
    for (const connection of this.#deadlines.members()) connection.abort('server_shutdown');
    // Applications that heed their signal end now.
    await this.#sleep(DRAIN_INTERVAL);
  }

  #release(): void {
    for (const listener of this.#listeners) listener.release();
    this.#listeners = [];
    this.#accessLog?.close();
  }

  #warnOfLowLimit(): void {
    const { maxConnections } = this.#settings;
    const effective = this.effectiveMaxConnections;
    if (effective >= maxConnections) return;
    this.#log.warn(
      `maxConnections is ${maxConnections}, but the descriptor limit allows ${effective}; raise it with ulimit -n`,
    );
  }

  #sleep(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return Promise.resolve();
    return new Promise((resolve) => this.#clock.after(milliseconds, resolve));
  }
}

function listenerContext({ address }: BoundSocket, context: ConnectionContext): ListenerContext {
  const isSecure = address.isSecure === true;
  if (address.type === 'unix')
    return { ...context, isSecure, path: address.path, host: undefined, port: 0, lastRemoteHost: '' };
  const isAny = /^(?:0\.0\.0\.0|::|localhost)$/.test(address.host) || !isIP(address.host);
  return {
    ...context,
    isSecure,
    path: undefined,
    host: isAny ? undefined : address.host,
    port: address.port,
    lastRemoteHost: '',
  };
}

/** Whether any listener speaks TLS, as far as that is known before it is bound. */
export function speaksTls({ listeners }: Pick<ServerSettings, 'listeners'>): boolean {
  return listeners.some(({ isSecure = false }) => isSecure !== false);
}

/** Reads certificate, key and authorities. Throws where they cannot be used. */
export function readTls(settings: TlsSettings, log: Logger): TlsContext {
  const tls = new TlsContext(settings);
  if (tls.expiresAt.getTime() < Date.now())
    log.warn(`the certificate in ${settings.certFile} has expired: ${tls.expiresAt.toISOString()}`);
  return tls;
}

function countRequests(admission: Admission, limit: ServerSettings['requestLimit']): () => void {
  if (limit === undefined) return () => void admission.requestsInHand++;
  let begun = 0;
  return () => {
    admission.requestsInHand++;
    if (++begun < limit.count) return;
    begun = 0;
    limit.reached();
  };
}

function openAccessLog(settings: ServerSettings, log: Logger): AccessLog | undefined {
  const { accessLog, accessLogFormat: format } = settings;
  if (accessLog === false) return undefined;
  const file = typeof accessLog === 'string' ? accessLog : undefined;
  return new AccessLog({ format, file, onError: (message) => log.warn(message) });
}

function accessRecord(request: FinishedRequest): Parameters<AccessLog['log']>[0] {
  const { head, peer } = request;
  return {
    client: peer.client?.[0] ?? null,
    method: head?.method ?? '',
    path: head?.rawPath ?? '',
    query: head?.queryString ?? '',
    httpVersion: head?.httpVersion ?? '',
    status: request.status,
    bytes: request.bytes,
    durationMs: request.duration,
    time: request.time,
    requestHeaders: head?.headers ?? [],
    responseHeaders: request.responseHeaders,
  };
}
