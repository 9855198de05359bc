/**
 * Two ways to use an upload of any size without ever holding more than a piece of it: /digest sums it up, anything else
 * echoes it while it arrives.
 */
import { createHash } from 'node:crypto';
import type { App, HttpScope, ReceiveFunction, SendFunction } from 'tsagi-server';

export const app: App = async (scope, receive, send) => {
  if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
  if (scope.path === '/digest') await digest(receive, send);
  else await echo(scope, receive, send);
};

async function digest(receive: ReceiveFunction, send: SendFunction): Promise<void> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of bodyOf(receive)) {
    hash.update(piece);
    size += piece.length;
  }
  await send({ type: 'http.response.start', status: 200, headers: [['content-type', 'text/plain']] });
  await send({ type: 'http.response.body', body: `${size} bytes, sha256 ${hash.digest('hex')}\n` });
}

async function echo(scope: HttpScope, receive: ReceiveFunction, send: SendFunction): Promise<void> {
  const transport = scope['tsagi.transport'];
  transport.onHighWater(() => console.log('the client reads slowly: waiting for it'));
  transport.onDrain(() => console.log('the client has caught up: going on'));

  await send({
    type: 'http.response.start',
    status: 200,
    headers: [['content-type', 'application/octet-stream']],
  });
  let size = 0;
  let mostWaiting = 0;
  for await (const piece of bodyOf(receive)) {
    // Awaiting `send` is all the flow control there is to it. While the client does not read, `send` waits; while the app
    // waits, it does not call `receive`; and while the app does not call `receive`, the server reads no more.
    const sending = send({ type: 'http.response.body', body: piece, more: true });
    mostWaiting = Math.max(mostWaiting, transport.bufferedAmount);
    await sending;
    size += piece.length;
  }
  await send({ type: 'http.response.body', body: '' });
  console.log(`echoed ${size} bytes, with at most ${mostWaiting} waiting to be sent`);
}

/** The pieces of a request body, as they arrive. */
async function* bodyOf(receive: ReceiveFunction): AsyncGenerator<Uint8Array> {
  for (;;) {
    const event = await receive();
    // Any other event is the end of the connection, here before the end of the body.
    if (event.type !== 'http.request') throw new Error('the client has gone');
    yield event.body;
    if (!event.more) return;
  }
}
