/**
 * The app that clients of HTTP/2 talk to: event streams, WebSockets and the page of live-app.ts, uploads and downloads of app.ts. On its
 * own it has `/trailers`, which sends the body back and its size behind it, `/broken`, which fails half-way, and `/held`, which answers when the
 * server begins to shut down. It prints by which version of HTTP sessions came.
 */
import type { App, HttpScope, ReceiveFunction, SendFunction } from '../../src/index.ts';
import { app as httpApp } from './app.ts';
import { app as liveApp } from './live-app.ts';

let heldCount = 0;

export const app: App = async (scope, receive, send) => {
  if (scope.type === 'lifespan') throw new Error(`unsupported scope: ${scope.type}`);
  if (scope.type !== 'http') {
    console.log(`${scope.type} ${scope.path} over HTTP/${scope.httpVersion}`);
    return await liveApp(scope, receive, send);
  }
  if (scope.path === '/trailers') await sendTrailers(receive, send);
  else if (scope.path === '/broken') await breakOff(send);
  else if (scope.path.startsWith('/held/')) await hold(scope, send);
  else if (isLive(scope.path)) await liveApp(scope, receive, send);
  else await httpApp(scope, receive, send);
};

function isLive(path: string): boolean {
  return path === '/' || path === '/release' || path.endsWith('.js');
}

async function sendTrailers(receive: ReceiveFunction, send: SendFunction): Promise<void> {
  await send({ type: 'http.response.start', status: 200, trailers: true });
  let size = 0;
  for (let more = true; more;) {
    const event = await receive();
    if (event.type !== 'http.request') throw new Error('the client has gone');
    size += event.body.length;
    more = event.more;
    await send({ type: 'http.response.body', body: event.body, more });
  }
  await send({ type: 'http.response.trailers', headers: [['x-size', String(size)]] });
}

async function breakOff(send: SendFunction): Promise<void> {
  await send({ type: 'http.response.start', status: 200 });
  await send({ type: 'http.response.body', body: 'half of it', more: true });
  throw new Error('half-way');
}

/** Says how many are held, so that whoever shuts the server down can wait for all of them. */
async function hold(scope: HttpScope, send: SendFunction): Promise<void> {
  const shutdown = scope['tsagi.shutdown'];
  const begun = new Promise((resolve) => shutdown.addEventListener('abort', resolve, { once: true }));
  console.log(`held ${++heldCount}`);
  if (!shutdown.aborted) await begun;
  await send({ type: 'http.response.start', status: 200 });
  await send({ type: 'http.response.body', body: scope.path });
}
