/**
 * What the app of these tests does with event streams, by path: `/ticks/N` sends the N ticks behind the client's last and
 * ends, `/ticking` sends one and stays, `/ticking/plain` does so and tells proxies nothing, `/posted` sends the request body
 * back as an event, `/declined` gives a response instead. It prints which streams stay and how each of them ended.
 */
import type { ReceiveFunction, SendFunction, SseScope } from '../../src/index.ts';

export async function eventStream(
  scope: SseScope,
  receive: ReceiveFunction,
  send: SendFunction,
): Promise<void> {
  const [, name, argument] = scope.path.split('/');
  if (name === 'declined') return await decline(send);
  // How an application asks nginx not to gather what it hands on.
  const isPlain = argument === 'plain';
  await send({ type: 'sse.start', headers: isPlain ? [] : [['x-accel-buffering', 'no']] });
  if (name === 'ticks') await tick(lastTickOf(scope), Number(argument), send);
  else if (name === 'posted') await send({ type: 'sse.send', data: await textOf(receive) });
  else {
    await tick(0, 1, send);
    console.log(`${scope.method} ${scope.path} began`);
    await follow(scope, receive);
  }
}

async function decline(send: SendFunction): Promise<void> {
  await send({
    type: 'sse.http.response.start',
    status: 403,
    headers: [['content-type', 'text/plain']],
  });
  await send({ type: 'sse.http.response.body', body: 'no events ', more: true });
  await send({ type: 'sse.http.response.body', body: 'for you' });
}

async function tick(last: number, count: number, send: SendFunction): Promise<void> {
  await send({ type: 'sse.comment', comment: `after ${last}` });
  for (let id = last + 1; id <= last + count; id++) {
    await send({ type: 'sse.send', event: 'tick', id: String(id), data: `tick ${id}\nü`, retry: 20 });
  }
}

function lastTickOf({ headers }: SseScope): number {
  return Number(headers.find(([name]) => name === 'last-event-id')?.[1] ?? 0);
}

async function textOf(receive: ReceiveFunction): Promise<string> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const event = await receive();
    if (event.type !== 'sse.request') throw new Error('the client has gone');
    pieces.push(event.body);
    if (!event.more) return Buffer.concat(pieces).toString();
  }
}

async function follow(scope: SseScope, receive: ReceiveFunction): Promise<void> {
  for (;;) {
    const event = await receive();
    if (event.type !== 'sse.disconnect') continue;
    console.log(`${scope.method} ${scope.path} ended: ${event.reason}`);
    return;
  }
}
