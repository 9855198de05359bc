/**
 * The queue and its worker live as long as the server: made before the first connection, ended after the last.
 */
import type { LifespanScope, ReceiveFunction, RequestScope, SendFunction } from 'tsagi-server';
import { JobQueue } from './queue.ts';
import { Worker } from './worker.ts';

export async function live(
  scope: LifespanScope,
  receive: ReceiveFunction,
  send: SendFunction,
): Promise<void> {
  await receive(); // lifespan.startup
  const queue = new JobQueue();
  const worker = new Worker(queue);
  scope.state['queue'] = queue;
  await send({ type: 'lifespan.startup.complete' });

  await receive(); // lifespan.shutdown
  await worker.stop();
  console.log('the worker has stopped');
  await send({ type: 'lifespan.shutdown.complete' });
}

/** Where a request finds what was made at startup. */
export function queueOf(scope: RequestScope): JobQueue {
  return scope.state['queue'] as JobQueue;
}
