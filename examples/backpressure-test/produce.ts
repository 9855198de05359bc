/**
 * The loop of a producer that never has enough: it ends when the client goes or the server shuts down.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RequestScope } from 'tsagi-server';
import { Meter } from './meter.ts';

export interface Stream {
  /** Passes on what `send` gave. */
  sendChunk(): Promise<void>;
  /** Resolves with the reason. */
  readonly ended: Promise<string>;
}

export async function produce(scope: RequestScope, { sendChunk, ended }: Stream): Promise<void> {
  const meter = new Meter(scope);
  const isCareless = scope.path.endsWith('/careless');
  void ended.then((reason) => meter.end(reason));

  while (!meter.hasEnded && !scope['tsagi.shutdown'].aborted) {
    const sent = sendChunk();
    meter.chunkSent();
    // This is what makes the difference. The server keeps what it is given, so a producer that does not wait fills its
    // memory, up to the bound at which the server ends the connection.
    if (isCareless) await nextTurn();
    else await sent;
  }
}
