/**
 * The progress of one job as an event stream, `/api/jobs/ID/events`: a `progress` event with the whole job for each change,
 * and one `end` event when it has ended.
 */
import type { ReceiveFunction, SendFunction, SseScope } from 'tsagi-server';
import { Changes } from '../changes.ts';
import type { JobView } from '../jobs/job.ts';
import { queueOf } from '../lifespan.ts';

export async function serveEvents(
  scope: SseScope,
  receive: ReceiveFunction,
  send: SendFunction,
): Promise<void> {
  const queue = queueOf(scope);
  const id = /^\/api\/jobs\/(\d+)\/events$/.exec(scope.path)?.[1] ?? '';
  if (queue.get(id) === undefined) {
    // An EventSource takes any status but 200 as final, and does not try again.
    await send({ type: 'sse.http.response.start', status: 404 });
    await send({ type: 'sse.http.response.body', body: 'no such job\n' });
    return;
  }

  const changes = new Changes(queue, id);
  void disconnected(receive).then(() => changes.end());
  await send({ type: 'sse.start' });
  await send({ type: 'sse.keepalive', interval: 15 });
  try {
    do {
      const job = queue.get(id);
      if (job === undefined) return; // forgotten
      await send({ type: 'sse.send', event: hasEnded(job) ? 'end' : 'progress', data: JSON.stringify(job) });
      if (hasEnded(job)) return;
    } while ((await changes.next()) !== undefined);
  } finally {
    changes.end();
  }
}

/** Resolves when the client goes or the server shuts down. */
async function disconnected(receive: ReceiveFunction): Promise<void> {
  while ((await receive()).type !== 'sse.disconnect');
}

function hasEnded({ status }: JobView): boolean {
  return status !== 'queued' && status !== 'running';
}
