/**
 * The app that the clients talk to: `/` says what it saw of the request, `/echo` and `/digest` take uploads, `/download/N`
 * gives N bytes, `/drip` gives small pieces without end, `/status/N` answers with that status and no content.
 */
import { createHash } from 'node:crypto';
import type { App, HttpScope, ReceiveFunction, SendFunction } from '../../src/index.ts';

const PIECE = new Uint8Array(64 * 1024).fill(0x78);

export const app: App = async (scope, receive, send) => {
  if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
  const [, name, argument] = scope.path.split('/');
  if (name === 'echo') await echo(receive, send);
  else if (name === 'digest') await digest(receive, send);
  else if (name === 'download') await download(Number(argument), send);
  else if (name === 'drip') await drip(scope, send);
  else if (name === 'status') await empty(Number(argument), send);
  else await report(scope, send);
};

async function report(scope: HttpScope, send: SendFunction): Promise<void> {
  const { method, httpVersion, path, queryString, headers, client } = scope;
  const body = JSON.stringify({ method, httpVersion, path, queryString, headers, client });
  const length = String(Buffer.byteLength(body));
  await send({ type: 'http.response.start', status: 200, headers: [['content-length', length]] });
  await send({ type: 'http.response.body', body });
}

async function empty(status: number, send: SendFunction): Promise<void> {
  await send({ type: 'http.response.start', status });
  await send({ type: 'http.response.body', body: '' });
}

async function download(size: number, send: SendFunction): Promise<void> {
  await send({ type: 'http.response.start', status: 200, headers: [['content-length', String(size)]] });
  for (let left = size; left > 0; left -= PIECE.length) {
    await send({ type: 'http.response.body', body: PIECE.subarray(0, left), more: true });
  }
  await send({ type: 'http.response.body', body: '' });
}

async function drip(scope: HttpScope, send: SendFunction): Promise<void> {
  await send({ type: 'http.response.start', status: 200 });
  while (scope['tsagi.connection'].isConnected) {
    await send({ type: 'http.response.body', body: 'drip', more: true });
  }
}

async function echo(receive: ReceiveFunction, send: SendFunction): Promise<void> {
  await send({ type: 'http.response.start', status: 200 });
  for await (const body of bodyOf(receive)) await send({ type: 'http.response.body', body, more: true });
  await send({ type: 'http.response.body', body: '' });
}

async function digest(receive: ReceiveFunction, send: SendFunction): Promise<void> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of bodyOf(receive)) {
    hash.update(piece);
    size += piece.length;
  }
  await send({ type: 'http.response.start', status: 200 });
  await send({ type: 'http.response.body', body: `${size} ${hash.digest('hex')}` });
}

async function* bodyOf(receive: ReceiveFunction): AsyncGenerator<Uint8Array> {
  for (;;) {
    const event = await receive();
    if (event.type !== 'http.request') throw new Error('the client has gone');
    yield event.body;
    if (!event.more) return;
  }
}
