/**
 * Requests over HTTP/2: several at once on one connection, which is replaced by another after a GOAWAY.
 */
import { H2Connection, UNPROCESSED } from './h2-connection.ts';
import type { Asker, Ledger } from './ledger.ts';
import { inTime, LoadFault } from './load-fault.ts';
import { wayOf, type Target } from './load-plan.ts';
import { judgeAnswer, loadRequest, type LoadRequest } from './load-request.ts';

export interface H2LaneOptions {
  readonly target: Target;
  readonly lane: number;
  readonly streams: number;
  readonly ledger: Ledger;
}

export async function runH2Lane(options: H2LaneOptions): Promise<void> {
  const lane = new H2Lane(options);
  await Promise.all(Array.from({ length: options.streams }, () => lane.run()));
  await lane.close();
}

class H2Lane {
  readonly #target: Target;
  readonly #ledger: Ledger;
  readonly #asker: Asker;
  #connection: Promise<H2Connection> | undefined;

  constructor({ target, lane, ledger }: H2LaneOptions) {
    this.#target = target;
    this.#ledger = ledger;
    this.#asker = { kind: 'h2', via: wayOf(target), lane };
  }

  async run(): Promise<void> {
    while (!this.#ledger.isOver) await this.#request(loadRequest(this.#ledger.next()));
  }

  async close(): Promise<void> {
    (await this.#connection?.catch(() => undefined))?.close();
  }

  async #request(request: LoadRequest): Promise<void> {
    const began = performance.now();
    let connection: H2Connection | undefined;
    try {
      for (;;) {
        connection = await this.#usable();
        const answer = await inTime(connection.ask(request), request.path);
        if (answer === UNPROCESSED) {
          this.#ledger.sentAgain += 1;
          continue;
        }
        const judged = judgeAnswer(request, answer);
        if (typeof judged === 'string') throw new LoadFault('bad answer', judged);
        connection.answers += 1;
        connection.pid = judged.pid;
        this.#ledger.answered(this.#asker, judged.pid, performance.now() - began);
        return;
      }
    } catch (error) {
      const fault = error instanceof LoadFault ? error : new LoadFault('bad answer', String(error));
      const history = connection?.history ?? { answers: 0, pid: undefined };
      this.#ledger.failed(this.#asker, request.number, fault, history);
      if (fault.kind === 'timed out') connection?.close();
    }
  }

  /** The connection of the lane, or another where that takes no more streams. Whoever comes first opens it for all. */
  async #usable(): Promise<H2Connection> {
    for (;;) {
      const current = this.#connection;
      if (current !== undefined && (await current).isUsable) return await current;
      if (this.#connection !== current) continue;
      const opening = inTime(H2Connection.open(this.#target), 'a connection');
      this.#connection = opening;
      this.#ledger.connections += 1;
      opening.catch(() => {
        if (this.#connection === opening) this.#connection = undefined;
      });
    }
  }
}
