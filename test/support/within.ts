/**
 * Waiting for events in tests: every wait has an end, and says what it waited for when that comes.
 */

/** Generous: it only bounds how long a failing test hangs. */
const PATIENCE = 4000;

/** `promise`, or a rejection that names `what` when it takes too long. */
export function within<T>(promise: Promise<T>, what: string, milliseconds = PATIENCE): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`waited ${milliseconds} ms in vain for ${what}`)),
      milliseconds,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Resolves when `holds` does, looked at once an event loop turn. */
export async function until(holds: () => boolean, what: string, milliseconds = PATIENCE): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${milliseconds} ms in vain for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
