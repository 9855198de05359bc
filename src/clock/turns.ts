/**
 * Lets the event loop turn. A promise that is already resolved does not: an application that awaits nothing else would
 * run on for ever, and no other connection, deadline or signal would get a word in. However many wait, a turn stays
 * short: only so many go on in each, first come first served.
 */

/** Each of them does about as much as it takes to fill a socket's buffer. */
const MAX_RESUMED = 8;

const waiting: (() => void)[] = [];
let isScheduled = false;

/** Resolves in a later turn of the event loop, when whatever is ready now has been looked at. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(resume);
  });
}

function resume(): void {
  for (const resolve of waiting.splice(0, MAX_RESUMED)) resolve();
  isScheduled = waiting.length > 0;
  if (isScheduled) setImmediate(resume);
}
