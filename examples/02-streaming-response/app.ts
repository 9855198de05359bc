/**
 * A response that is made while it is sent, and no longer than someone is there to read it.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { App } from 'tsagi-server';

const LINES = 10;

export const app: App = async (scope, _receive, send) => {
  if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
  const connection = scope['tsagi.connection'];

  // Without a content-length the server sends the body in chunks, each as soon as the app has sent it.
  await send({
    type: 'http.response.start',
    status: 200,
    headers: [['content-type', 'text/plain; charset=utf-8']],
  });
  try {
    for (let number = 1; number <= LINES; number++) {
      const line = await makeLine(number, connection.signal);
      await send({ type: 'http.response.body', body: line, more: true });
      console.log(`${scope.path} sent ${number}`);
    }
    await send({ type: 'http.response.body', body: 'done\n' });
    console.log(`${scope.path} complete`);
  } catch (error) {
    // When the client has gone, the work was cut short as intended, and there is nobody left to tell.
    if (connection.isConnected) throw error;
    console.log(`${scope.path} stopped: ${connection.disconnectReason}`);
  }
};

/** Stands for slow work: a query, a fetch, a model. Like those it takes a signal, and gives up when that is aborted. */
async function makeLine(number: number, signal: AbortSignal): Promise<string> {
  await wait(100, undefined, { signal });
  return `line ${number} of ${LINES}\n`;
}
