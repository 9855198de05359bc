/**
 * Counts what was asked and what came of it. Every request ends in exactly one of its columns: answered or failed.
 */
import type { LoadFault } from './load-fault.ts';
import type { Departure, Failure, GuestKind, LaneKind, LoadSummary } from './load-plan.ts';

/** A server that is gone answers nothing for ever: a load that has lost so much gives up. */
const MOST_FAILURES = 2000;
const FAILURES_TOLD = 100;
const PROGRESS_STEP = 200;

/** Who asks, and on what. */
export interface Asker {
  readonly kind: LaneKind | GuestKind;
  readonly via: string;
  readonly lane: number;
}

export interface ConnectionHistory {
  readonly answers: number;
  readonly pid: number | undefined;
}

export class Ledger {
  readonly #began = performance.now();
  readonly #least: number;
  readonly #onProgress: (answered: number, failed: number) => void;
  readonly #failures: Failure[] = [];
  readonly #departures: Departure[] = [];
  readonly #answers: Record<string, number> = {};
  readonly #pids: Record<string, number> = {};
  readonly #messages: Record<string, number> = {};
  #sent = 0;
  #answered = 0;
  #failed = 0;
  #slowest = { milliseconds: 0, kind: '' };
  #isAskedToStop = false;
  sentAgain = 0;
  connections = 0;

  constructor(least: number, onProgress: (answered: number, failed: number) => void) {
    this.#least = least;
    this.#onProgress = onProgress;
  }

  get isOver(): boolean {
    return (this.#isAskedToStop && this.#sent >= this.#least) || this.#failed >= MOST_FAILURES;
  }

  stop(): void {
    this.#isAskedToStop = true;
  }

  /** The number of the next request. */
  next(): number {
    this.#sent += 1;
    return this.#sent;
  }

  answered({ kind, via }: Asker, pid: number, milliseconds: number): void {
    const name = `${kind} ${via}`;
    this.#answered += 1;
    this.#answers[name] = (this.#answers[name] ?? 0) + 1;
    this.#pids[pid] = (this.#pids[pid] ?? 0) + 1;
    if (milliseconds > this.#slowest.milliseconds) this.#slowest = { milliseconds, kind: name };
    if (this.#answered % PROGRESS_STEP === 0) this.#onProgress(this.#answered, this.#failed);
  }

  failed(asker: Asker, request: number, fault: LoadFault, { answers, pid }: ConnectionHistory): void {
    this.#failed += 1;
    this.#onProgress(this.#answered, this.#failed);
    if (this.#failures.length >= FAILURES_TOLD) return;
    const at = Math.round(performance.now() - this.#began);
    this.#failures.push({
      cause: fault.kind,
      ...asker,
      request,
      earlierAnswers: answers,
      pid,
      detail: fault.message,
      at,
    });
  }

  departed(departure: Departure): void {
    this.#departures.push(departure);
  }

  message({ kind, via }: Asker): void {
    const name = `${kind} ${via}`;
    this.#messages[name] = (this.#messages[name] ?? 0) + 1;
  }

  summary(): LoadSummary {
    return {
      sent: this.#sent,
      answered: this.#answered,
      sentAgain: this.sentAgain,
      connections: this.connections,
      failed: this.#failed,
      failures: this.#failures,
      answers: this.#answers,
      pids: this.#pids,
      departures: this.#departures,
      messages: this.#messages,
      slowest: this.#slowest,
      seconds: (performance.now() - this.#began) / 1000,
    };
  }
}
