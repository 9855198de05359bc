/**
 * A page that says which worker of which version has answered. The page is a file, on disk beside this one or inside the executable.
 */
import type { App, HttpScope, LifespanScope, ReceiveFunction, SendFunction } from 'tsagi-server';

/** Put in the place of the name by `bun build --define`. */
declare const APP_VERSION: string | undefined;

const VERSION = typeof APP_VERSION === 'undefined' ? 'from its sources' : APP_VERSION;

// In an executable this directory is inside it, and `bun build --asset` has put the files there.
const FILES = new Map([
  ['/', { file: `${import.meta.dir}/public/index.html`, type: 'text/html; charset=utf-8' }],
  ['/style.css', { file: `${import.meta.dir}/public/style.css`, type: 'text/css; charset=utf-8' }],
]);

export const app: App = async (scope, receive, send) => {
  if (scope.type === 'lifespan') await live(scope, receive, send);
  else if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
  else if (scope.path === '/who') await sendWho(scope, send);
  else await sendFile(scope, send);
};

/** Once in each worker. */
async function live(scope: LifespanScope, receive: ReceiveFunction, send: SendFunction): Promise<void> {
  await receive(); // lifespan.startup
  scope.state['worker'] = scope.tsagi.workerNum ?? 'the only process';
  await send({ type: 'lifespan.startup.complete' });
  await receive(); // lifespan.shutdown
  await send({ type: 'lifespan.shutdown.complete' });
}

async function sendWho(scope: HttpScope, send: SendFunction): Promise<void> {
  const who = { version: VERSION, worker: scope.state['worker'], pid: process.pid };
  await start(send, 200, 'application/json');
  await send({ type: 'http.response.body', body: `${JSON.stringify(who)}\n` });
}

async function sendFile(scope: HttpScope, send: SendFunction): Promise<void> {
  const found = FILES.get(scope.path);
  if (found === undefined) {
    await start(send, 404, 'text/plain; charset=utf-8');
    return await send({ type: 'http.response.body', body: 'nothing here\n' });
  }
  await start(send, 200, found.type);
  await send({ type: 'http.response.body', file: found.file });
}

async function start(send: SendFunction, status: number, type: string): Promise<void> {
  const headers: [string, string][] = [
    ['content-type', type],
    ['cache-control', 'no-cache'],
  ];
  await send({ type: 'http.response.start', status, headers });
}
