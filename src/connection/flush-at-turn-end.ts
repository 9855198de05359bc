/**
 * Queues that have something to send when the current turn ends: after every promise reaction that is due, so that
 * a response whose head and body are sent in two awaited steps leaves in one write.
 */
interface Flushable {
  flush(): void;
}

let waiting: Flushable[] = [];

/** Flushes `queue` once nothing else is due in this turn; no harm if it has been flushed before that. */
export function flushAtTurnEnd(queue: Flushable): void {
  if (waiting.length === 0) process.nextTick(flushAll);
  waiting.push(queue);
}

function flushAll(): void {
  const queues = waiting;
  waiting = [];
  for (const queue of queues) queue.flush();
}
