/**
 * The app that clients of WebSockets and event streams talk to. Over plain HTTP it has a page for browsers with its
 * scripts, `/release` for held sessions, and at any other path says from which port the request came.
 */
import type { App, HttpScope, SendFunction } from '../../src/index.ts';
import { eventStream } from './event-stream-app.ts';
import { release, websocket } from './websocket-app.ts';

const SCRIPTS = ['/standard-client.js', '/event-source-client.js'];
const TAGS = SCRIPTS.map((path) => `<script type="module" src="${path}"></script>`).join('');
const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Clients</title>${TAGS}`;

export const app: App = async (scope, receive, send) => {
  if (scope.type === 'websocket') await websocket(scope, receive, send);
  else if (scope.type === 'sse') await eventStream(scope, receive, send);
  else if (scope.type === 'http') await answer(scope, send);
  else throw new Error(`unsupported scope: ${scope.type}`);
};

async function answer({ path, client }: HttpScope, send: SendFunction): Promise<void> {
  if (path === '/release') release();
  const isScript = SCRIPTS.includes(path);
  const type = isScript ? 'text/javascript' : path === '/' ? 'text/html' : 'text/plain';
  await send({ type: 'http.response.start', status: 200, headers: [['content-type', type]] });
  if (isScript) {
    await send({ type: 'http.response.body', file: new URL(`.${path}`, import.meta.url).pathname });
  } else {
    await send({ type: 'http.response.body', body: path === '/' ? PAGE : String(client?.[1]) });
  }
}
