/**
 * What the app of these tests does with WebSockets, by path: `/echo` sends everything back, `/counting/N` sends N numbers,
 * `/closing/CODE/REASON` closes when spoken to, `/download/N` sends N pieces to whoever reads slowly, `/held` reads nothing until
 * `release` is called, `/refused` and `/denied` answer the handshake with a response. It prints
 * which sessions it has accepted and how each ended.
 */
import type { ReceiveFunction, SendFunction, WebSocketScope } from '../../src/index.ts';

const SUBPROTOCOLS = new Set(['echo.example', 'Chat.Two']);
const PIECE = new Uint8Array(64 * 1024).fill(0x78);

let released = Promise.withResolvers<void>();

/** Lets `/held` read. */
export function release(): void {
  released.resolve();
  released = Promise.withResolvers();
}

export async function websocket(
  scope: WebSocketScope,
  receive: ReceiveFunction,
  send: SendFunction,
): Promise<void> {
  await receive();
  const [, name, argument, text = ''] = scope.path.split('/');
  if (name === 'refused') return await send({ type: 'websocket.close' });
  if (name === 'denied') return await deny(send);
  const subprotocol = scope.subprotocols.find((offered) => SUBPROTOCOLS.has(offered));
  await send({ type: 'websocket.accept', ...(subprotocol !== undefined && { subprotocol }) });
  console.log(`${scope.path} accepted`);

  if (name === 'counting') await count(Number(argument), send);
  else if (name === 'download') await download(scope, Number(argument), send);
  else if (name === 'closing') {
    await receive();
    await send({ type: 'websocket.close', code: Number(argument), reason: text });
  } else if (name === 'held') await released.promise;

  await follow(scope, receive, name === 'echo' ? send : undefined);
}

/** Receives until the end; `send` gets every message back. */
async function follow(scope: WebSocketScope, receive: ReceiveFunction, send?: SendFunction): Promise<void> {
  let size = 0;
  for (;;) {
    const event = await receive();
    if (event.type === 'websocket.receive') {
      const { text, bytes } = event;
      size += text === undefined ? bytes.length : text.length;
      await send?.(text === undefined ? { type: 'websocket.send', bytes } : { type: 'websocket.send', text });
    } else if (event.type === 'websocket.disconnect') {
      console.log(`${scope.path} ended with ${event.code} '${event.reason}' after ${size}`);
      return;
    }
  }
}

async function deny(send: SendFunction): Promise<void> {
  await send({
    type: 'websocket.http.response.start',
    status: 401,
    headers: [['www-authenticate', 'Basic realm="here"']],
  });
  await send({ type: 'websocket.http.response.body', body: 'who ', more: true });
  await send({ type: 'websocket.http.response.body', body: 'are you?' });
}

async function count(numbers: number, send: SendFunction): Promise<void> {
  for (let number = 0; number < numbers; number++)
    await send({ type: 'websocket.send', text: String(number) });
}

async function download(scope: WebSocketScope, pieces: number, send: SendFunction): Promise<void> {
  const transport = scope['tsagi.transport'];
  let most = 0;
  for (let piece = 0; piece < pieces; piece++) {
    const sent = send({ type: 'websocket.send', bytes: PIECE });
    most = Math.max(most, transport.bufferedAmount);
    await sent;
  }
  await send({ type: 'websocket.send', text: String(most) });
}
