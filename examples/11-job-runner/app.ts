/**
 * A small app of many parts: jobs that are started over HTTP, watched as event streams, and controlled from a page over a
 * WebSocket. This file only says which part answers which kind of call.
 */
import type { App, Scope } from 'tsagi-server';
import { live } from './src/lifespan.ts';
import { serveDashboard } from './src/protocols/dashboard.ts';
import { serveHttp } from './src/protocols/http-api.ts';
import { serveEvents } from './src/protocols/job-events.ts';

export const app: App = async (scope, receive, send) => {
  switch (scope.type) {
    case 'lifespan':
      return await live(scope, receive, send);
    case 'http':
      return await serveHttp(scope, receive, send);
    case 'sse':
      return await serveEvents(scope, receive, send);
    case 'websocket':
      return await serveDashboard(scope, receive, send);
    default:
      throw new Error(`unsupported scope: ${(scope as Scope).type}`);
  }
};
