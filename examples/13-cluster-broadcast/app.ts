/**
 * A chat whose workers and nodes exchange messages through Redis: what one client says, over a WebSocket or with a POST, is
 * told to all clients, whichever worker on whichever node they have come to. This file only says which part answers which
 * kind of call.
 */
import { hostname } from 'node:os';
import type { App, LifespanScope, ReceiveFunction, Scope, SendFunction } from 'tsagi-server';
import { ChatRoom } from './chat-room.ts';
import { serveChat, serveEvents } from './listeners.ts';
import { MessageLog } from './message-log.ts';
import { servePages } from './pages.ts';

const KEPT_MESSAGES = 100;
const REDIS_URL = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const NODE_NAME = process.env['NODE_NAME'] ?? hostname();

export const app: App = async (scope, receive, send) => {
  switch (scope.type) {
    case 'lifespan':
      return await live(scope, receive, send);
    case 'http':
      return await servePages(scope, receive, send);
    case 'sse':
      return await serveEvents(scope, receive, send);
    case 'websocket':
      return await serveChat(scope, receive, send);
    default:
      throw new Error(`unsupported scope: ${(scope as Scope).type}`);
  }
};

/** Called once in each worker: what is made here is the worker's own, and what workers share is in Redis. */
async function live(scope: LifespanScope, receive: ReceiveFunction, send: SendFunction): Promise<void> {
  await receive(); // lifespan.startup
  // A single process is no worker and has no number.
  const member = { node: NODE_NAME, worker: scope.tsagi.workerNum ?? 0 };
  let room: ChatRoom;
  try {
    room = await ChatRoom.open(REDIS_URL, member, new MessageLog(KEPT_MESSAGES));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `Redis at ${withoutPassword(REDIS_URL)} cannot be reached: ${why}. Start it, or say where it is in REDIS_URL.`;
    await send({ type: 'lifespan.startup.failed', message });
    return;
  }
  scope.state['room'] = room;
  await send({ type: 'lifespan.startup.complete' });

  await receive(); // lifespan.shutdown
  room.close();
  await send({ type: 'lifespan.shutdown.complete' });
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}
