/**
 * What anyone posts to /messages, everyone who listens at /events is told. A listener that comes back gets what it has
 * missed, and one that is slow keeps nobody waiting.
 */
import type { App, ReceiveFunction, SendFunction, SseScope } from 'tsagi-server';
import { MessageLog, Reader } from './message-log.ts';
import { createPages } from './pages.ts';

const KEPT_MESSAGES = 100;

const log = new MessageLog(KEPT_MESSAGES);
const answer = createPages(log);
/** Message numbers begin anew with each start of the server; this tells the ids of one start from those of another. */
const run = Date.now().toString(36);

export const app: App = async (scope, receive, send) => {
  // A request is of type sse when its `accept` lists text/event-stream, as that of every EventSource does.
  if (scope.type === 'sse') await broadcast(scope, receive, send);
  else if (scope.type === 'http') await answer(scope, receive, send);
  else throw new Error(`unsupported scope: ${scope.type}`);
};

async function broadcast(scope: SseScope, receive: ReceiveFunction, send: SendFunction): Promise<void> {
  if (scope.path !== '/events') {
    await send({ type: 'sse.http.response.start', status: 404, headers: [['content-type', 'text/plain']] });
    await send({ type: 'sse.http.response.body', body: 'events are at /events\n' });
    return;
  }
  reportSlowness(scope);
  const reader = new Reader(log, startingPoint(scope));
  void disconnected(receive).then(() => reader.end());

  await send({ type: 'sse.start' });
  // A comment now and then, so that nothing between here and the client takes the quiet for the end.
  await send({ type: 'sse.keepalive', interval: 15 });
  for (let message = await reader.next(); message !== undefined; message = await reader.next()) {
    const missed = reader.takeMissed();
    if (missed > 0) await send({ type: 'sse.send', event: 'missed', data: String(missed) });
    // While this client is slow, `send` waits, and with it this loop alone: each client has one of its own.
    await send({ type: 'sse.send', id: `${run}-${message.number}`, data: message.text });
  }
  // At shutdown the client is still there, and would be back at once: it may give the next server time to start.
  if (scope['tsagi.shutdown'].aborted) {
    await send({ type: 'sse.send', event: 'goodbye', data: 'the server shuts down', retry: 2000 });
  }
}

/** A client that comes back names the last id it has seen, and goes on from there. A new one begins with the next message. */
function startingPoint(scope: SseScope): number {
  const id = scope.headers.find(([name]) => name === 'last-event-id')?.[1];
  if (id === undefined) return log.last;
  const [ofRun, number = ''] = id.split('-');
  // To one that was here before the server's last start, everything that is kept is new.
  return ofRun === run && /^\d+$/.test(number) ? Math.min(Number(number), log.last) : 0;
}

/** Resolves when the client goes or the server shuts down. */
async function disconnected(receive: ReceiveFunction): Promise<void> {
  while ((await receive()).type !== 'sse.disconnect');
}

function reportSlowness(scope: SseScope): void {
  const transport = scope['tsagi.transport'];
  const who = scope.client?.join(':') ?? 'a client';
  transport.onHighWater(() => console.log(`${who} is slow: ${transport.bufferedAmount} bytes wait for it`));
  transport.onDrain(() => console.log(`${who} goes on`));
}
