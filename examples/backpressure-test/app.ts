/**
 * Producers that send as fast as `send` lets them, one for each kind of scope. At /http, /ws and /sse they await every
 * `send`; at /http/careless, /ws/careless and /sse/careless they await none. /report tells what their buffers hold.
 */
import type { App, HttpScope, ReceiveFunction, SendFunction, SseScope, WebSocketScope } from 'tsagi-server';
import { reportAll } from './meter.ts';
import { produce } from './produce.ts';

const CHUNK = 'x'.repeat(16_384);

export const app: App = async (scope, receive, send) => {
  if (scope.type === 'http') await overHttp(scope, send);
  else if (scope.type === 'websocket') await overWebSocket(scope, receive, send);
  else if (scope.type === 'sse') await overEvents(scope, receive, send);
  else throw new Error(`unsupported scope: ${scope.type}`);
};

async function overHttp(scope: HttpScope, send: SendFunction): Promise<void> {
  if (scope.path === '/report') return await report(send);
  if (!isOneOf(scope, '/http')) {
    await send({ type: 'http.response.start', status: 404 });
    await send({ type: 'http.response.body', body: 'see README.md for what is where\n' });
    return;
  }
  await send({ type: 'http.response.start', status: 200, headers: [['content-type', 'text/plain']] });
  await produce(scope, {
    sendChunk: () => send({ type: 'http.response.body', body: CHUNK, more: true }),
    ended: scope['tsagi.connection'].disconnected,
  });
  await send({ type: 'http.response.body', body: '' });
}

async function overWebSocket(
  scope: WebSocketScope,
  receive: ReceiveFunction,
  send: SendFunction,
): Promise<void> {
  await receive(); // websocket.connect
  if (!isOneOf(scope, '/ws')) return await send({ type: 'websocket.close' });
  await send({ type: 'websocket.accept' });
  await produce(scope, {
    sendChunk: () => send({ type: 'websocket.send', text: CHUNK }),
    ended: reasonOfEnd(receive),
  });
}

async function overEvents(scope: SseScope, receive: ReceiveFunction, send: SendFunction): Promise<void> {
  if (!isOneOf(scope, '/sse')) {
    await send({ type: 'sse.http.response.start', status: 404 });
    await send({ type: 'sse.http.response.body', body: 'events are at /sse\n' });
    return;
  }
  await send({ type: 'sse.start' });
  await produce(scope, {
    sendChunk: () => send({ type: 'sse.send', data: CHUNK }),
    ended: reasonOfEnd(receive),
  });
}

function isOneOf(scope: HttpScope | WebSocketScope | SseScope, path: string): boolean {
  return scope.path === path || scope.path === `${path}/careless`;
}

/** What the last event to receive says; the others are of no interest here. */
async function reasonOfEnd(receive: ReceiveFunction): Promise<string> {
  for (;;) {
    const event = await receive();
    if (event.type === 'websocket.disconnect') return `${event.code} ${event.reason}`;
    if (event.type === 'sse.disconnect') return event.reason;
  }
}

async function report(send: SendFunction): Promise<void> {
  const json = JSON.stringify({ rss: process.memoryUsage.rss(), chunk: CHUNK.length, streams: reportAll() });
  await send({
    type: 'http.response.start',
    status: 200,
    headers: [['content-type', 'application/json']],
  });
  await send({ type: 'http.response.body', body: `${json}\n` });
}
