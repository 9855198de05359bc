/**
 * Carriers that no connection needs at the moment. Few are in use at any time, however many connections are open, and
 * the one that was given back last is the one whose memory is still warm.
 */
import { FieldMemo } from '../wire/h1/field-memo.ts';
import type { Connection } from './connection.ts';
import type { CarrierContext } from './connection-context.ts';
import { H1Carrier } from './h1-carrier.ts';

/** Beyond this many, what a burst has left behind is let go. */
const MAX_IDLE = 64;

export class CarrierPool {
  readonly #idle: H1Carrier[] = [];
  readonly #fieldMemo = new FieldMemo();
  readonly #context: CarrierContext;

  constructor(context: CarrierContext) {
    this.#context = context;
  }

  lend(connection: Connection): H1Carrier {
    const carrier = this.#idle.pop() ?? new H1Carrier(this.#context, this.#fieldMemo);
    carrier.attach(connection);
    return carrier;
  }

  giveBack(carrier: H1Carrier): void {
    if (this.#idle.length < MAX_IDLE) this.#idle.push(carrier);
  }
}
