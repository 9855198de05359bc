/**
 * The application's own start and end in this process: one call of the app with a lifespan scope, answered before
 * the listeners accept and after the connections have drained. An app without lifespan support is served all the same,
 * unless the operator insists.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App } from '../contract/app.ts';
import type { LifespanScope } from '../contract/scope.ts';
import type { LifespanShutdownEvent, LifespanStartupEvent } from '../contract/receive-events.ts';
import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../log/logger.ts';

export interface LifespanSettings {
  readonly lifespan: 'auto' | 'on' | 'off';
  /** The number of this worker, from 1; absent where this process is not one of several. */
  readonly workerNum?: number | undefined;
  /** Seconds; 0 waits for ever. */
  readonly lifespanStartupTimeout: number;
  readonly lifespanShutdownTimeout: number;
}

export interface Lifespan {
  /** Filled by the application during startup. */
  readonly state: Record<string, unknown>;
  /** Rejects when the application must not be served. */
  startup(): Promise<void>;
  /** Never rejects: at the end nothing is left to be done about a failure but to log it. */
  shutdown(): Promise<void>;
}

export interface LifespanParts {
  readonly app: App;
  readonly settings: LifespanSettings;
  readonly log: Logger;
  readonly clock: Clock;
}

export function createLifespan(parts: LifespanParts): Lifespan {
  return parts.settings.lifespan === 'off' ? new NoLifespan() : new AppLifespan(parts);
}

class NoLifespan implements Lifespan {
  readonly state = {};

  startup(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

type Stage = 'idle' | 'starting' | 'started' | 'stopping' | 'over';

type Outcome =
  | { readonly type: 'complete' | 'unsupported' | 'timeout' }
  | { readonly type: 'failed'; readonly message: string };

/** Which answers are due in which stage, and what they mean. */
const ANSWERS: Readonly<Record<string, { readonly stage: Stage; readonly type: 'complete' | 'failed' }>> = {
  'lifespan.startup.complete': { stage: 'starting', type: 'complete' },
  'lifespan.startup.failed': { stage: 'starting', type: 'failed' },
  'lifespan.shutdown.complete': { stage: 'stopping', type: 'complete' },
  'lifespan.shutdown.failed': { stage: 'stopping', type: 'failed' },
};

class AppLifespan implements Lifespan {
  readonly state: Record<string, unknown> = {};
  readonly #parts: LifespanParts;
  #stage: Stage = 'idle';
  #answer: ((outcome: Outcome) => void) | undefined;
  #failure: unknown;
  #events: (LifespanStartupEvent | LifespanShutdownEvent)[] = [];
  #receivers: ((event: LifespanStartupEvent | LifespanShutdownEvent) => void)[] = [];

  constructor(parts: LifespanParts) {
    this.#parts = parts;
  }

  async startup(): Promise<void> {
    const { settings, log } = this.#parts;
    this.#stage = 'starting';
    const answered = this.#await(settings.lifespanStartupTimeout);
    this.#push({ type: 'lifespan.startup' });
    this.#run();
    const outcome = await answered;
    if (outcome.type === 'complete') return;
    this.#stage = 'over';
    if (outcome.type === 'failed')
      throw new Error(`the application failed to start: ${outcome.message || 'no reason given'}`);
    if (outcome.type === 'timeout') {
      throw new Error(
        `the application did not answer lifespan.startup within ${settings.lifespanStartupTimeout} s (lifespanStartupTimeout)`,
      );
    }
    const why = this.#failure === undefined ? 'it returned without an answer' : summaryOf(this.#failure);
    if (settings.lifespan === 'on') {
      const message = `the application does not support lifespan, and lifespan is on: ${why}${placeOf(this.#failure)}`;
      throw new Error(message, { cause: this.#failure });
    }
    log.info(`the application does not support lifespan (${why}); serving it without`);
  }

  async shutdown(): Promise<void> {
    if (this.#stage !== 'started') return;
    const { settings, log } = this.#parts;
    this.#stage = 'stopping';
    const answered = this.#await(settings.lifespanShutdownTimeout);
    this.#push({ type: 'lifespan.shutdown' });
    const outcome = await answered;
    this.#stage = 'over';
    if (outcome.type === 'failed')
      log.error(`the application failed to shut down: ${outcome.message || 'no reason given'}`);
    if (outcome.type === 'timeout') {
      log.error(
        `the application did not answer lifespan.shutdown within ${settings.lifespanShutdownTimeout} s; going on`,
      );
    }
  }

  #run(): void {
    const { workerNum } = this.#parts.settings;
    const scope: LifespanScope = {
      type: 'lifespan',
      tsagi: {
        version: '0.3',
        specVersion: '0.3',
        isWorker: workerNum !== undefined,
        ...(workerNum === undefined ? undefined : { workerNum }),
      },
      state: this.state,
    };
    const call = async (): Promise<void> => {
      await this.#parts.app(
        scope,
        () => this.#receive(),
        (event) => this.#send(event),
      );
    };
    call().then(
      () => this.#ended(),
      (error: unknown) => {
        this.#failure = error;
        this.#ended();
      },
    );
  }

  /** The call is over: without an answer to startup that means "unsupported", later it is a failure if it threw. */
  #ended(): void {
    const stage = this.#stage;
    if (stage === 'starting') return this.#settle({ type: 'unsupported' });
    if (this.#failure !== undefined && stage !== 'over') {
      this.#parts.log.error(`the application's lifespan call failed: ${textOf(this.#failure)}`);
    }
    if (stage === 'stopping') this.#settle({ type: 'complete' });
    else if (stage === 'started') this.#stage = 'over';
  }

  #receive(): Promise<LifespanStartupEvent | LifespanShutdownEvent> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    return new Promise((resolve) => this.#receivers.push(resolve));
  }

  #push(event: LifespanStartupEvent | LifespanShutdownEvent): void {
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) receiver(event);
    else this.#events.push(event);
  }

  async #send(event: unknown): Promise<void> {
    const { type, message = '' } = (event ?? {}) as { type?: unknown; message?: unknown };
    const answer = typeof type === 'string' && Object.hasOwn(ANSWERS, type) ? ANSWERS[type] : undefined;
    if (answer === undefined)
      throw new TypeError(`send: unknown event type ${JSON.stringify(type)} on a lifespan scope`);
    if (answer.stage !== this.#stage || this.#answer === undefined)
      throw new TypeError(`${String(type)} is not allowed now: nothing asks for it`);
    if (typeof message !== 'string') throw new TypeError(`${String(type)}: message must be a string`);
    this.#settle(answer.type === 'failed' ? { type: 'failed', message } : { type: 'complete' });
  }

  #await(seconds: number): Promise<Outcome> {
    return new Promise((resolve) => {
      const timer =
        seconds > 0
          ? this.#parts.clock.after(seconds * 1000, () => this.#settle({ type: 'timeout' }))
          : undefined;
      this.#answer = (outcome) => {
        timer?.cancel();
        resolve(outcome);
      };
    });
  }

  #settle(outcome: Outcome): void {
    // At once, not when the waiting side wakes up: the call may end in between.
    if (this.#stage === 'starting' && this.#answer !== undefined && outcome.type === 'complete')
      this.#stage = 'started';
    this.#answer?.(outcome);
    this.#answer = undefined;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

function summaryOf(error: unknown): string {
  return String(error).split('\n', 1)[0]!;
}

/** Frames below this directory are the server's. */
const OWN_SOURCES = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where in the application an error comes from, in parentheses; empty where that cannot be told. */
function placeOf(error: unknown): string {
  const frames =
    error instanceof Error ? (error.stack ?? '').matchAll(/^\s*at (?:.* \()?(\/.+:\d+:\d+)\)?$/gm) : [];
  for (const [, place] of frames) if (!place!.startsWith(`${OWN_SOURCES}/`)) return ` (${place})`;
  return '';
}
