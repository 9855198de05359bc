/**
 * A fake clock and real sockets at once: time passes in small steps, and after each the event loop turns, so that what the
 * clock has set off is done before more of it passes.
 */
import type { FakeClock } from './fake-clock.ts';
import { afterMicrotasks } from './settled.ts';
import type { TestServer } from './start-server.ts';

const STEP = 10;

export async function pass(clock: FakeClock, milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= STEP) {
    clock.advance(Math.min(left, STEP));
    await afterMicrotasks();
  }
}

/** Lets time pass until `promise` has settled; gives how much that was, in milliseconds. */
export async function passUntil(clock: FakeClock, promise: Promise<unknown>): Promise<number> {
  const start = clock.now();
  const progress = { isOver: false };
  void promise.finally(() => (progress.isOver = true));
  while (!progress.isOver) {
    if (clock.now() - start > 60_000) throw new Error('a minute has passed in vain');
    await pass(clock, STEP);
  }
  return clock.now() - start;
}

/** Begins to shut down, up to where all connections have been told; gives what is awaited for the end. */
export async function beginShutdown(
  { server }: TestServer,
  clock: FakeClock,
): Promise<{ readonly stopped: Promise<void> }> {
  const stopped = server.shutdown();
  await afterMicrotasks();
  await pass(clock, 1);
  if (server.listeners.length > 0) throw new Error('the server still listens');
  return { stopped };
}
