/**
 * Answers before work that keeps the whole process busy, and makes sure that the answer has left.
 */
import { pbkdf2Sync } from 'node:crypto';
import type { App } from 'tsagi-server';

export const app: App = async (scope, _receive, send) => {
  if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
  // An extension may be used only where the server advertises it. Without it this app works too, only less promptly.
  const canFlush = scope.extensions.fullflush !== undefined;

  await send({
    type: 'http.response.start',
    status: 200,
    headers: [['content-type', 'text/plain; charset=utf-8']],
  });
  // `send` has queued the status and headers. The server holds them back for a moment, to send them with the body in one
  // piece, and could not send them during the work below. `http.fullflush` resolves once nothing is queued any more.
  if (canFlush) await send({ type: 'http.fullflush' });

  const key = deriveKey();
  const how = canFlush ? 'head flushed before the work' : 'head not flushed: fullflush is not offered';
  await send({ type: 'http.response.body', body: `${key} at ${Date.now()}, ${how}\n` });
};

/** Some tenths of a second in which this process does nothing else. */
function deriveKey(): string {
  return pbkdf2Sync('password', 'salt', 3_000_000, 16, 'sha256').toString('hex');
}
