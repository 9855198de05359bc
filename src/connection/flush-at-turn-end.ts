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
  if (waiting.length === 0) queueMicrotask(afterReactions);
  waiting.push(queue);
}

/** A tick that is asked for among promise reactions runs behind all of them; asked for elsewhere it would run before. */
function afterReactions(): void {
  process.nextTick(flushAll);
}

function flushAll(): void {
  const queues = waiting;
  waiting = [];
  for (const queue of queues) queue.flush();
}
