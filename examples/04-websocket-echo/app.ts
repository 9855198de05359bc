/**
 * A WebSocket echo: every message comes back as it was, text as text and bytes as bytes.
 */
import type { App, SendFunction, WebSocketScope } from 'tsagi-server';

const PATHS = new Set(['/', '/echo']);
const SUBPROTOCOLS = new Set(['echo.example']);

export const app: App = async (scope, receive, send) => {
  if (scope.type !== 'websocket') throw new Error(`unsupported scope: ${scope.type}`);

  // Always websocket.connect. Until it is answered, nothing goes to the client.
  await receive();
  if (!PATHS.has(scope.path)) {
    await deny(scope, send);
    return;
  }
  // The client offers subprotocols, its favourite first. The app takes one that it knows, or none.
  const subprotocol = scope.subprotocols.find((name) => SUBPROTOCOLS.has(name));
  await send({ type: 'websocket.accept', ...(subprotocol !== undefined && { subprotocol }) });

  for (;;) {
    const event = await receive();
    // Any other event is websocket.disconnect, the last. The server has answered the client's close.
    if (event.type !== 'websocket.receive') return;
    // While the client does not read, `send` waits; while the app waits, it does not call `receive`, and the server reads
    // no more. So a client that only sends is held back, and needs no limit here.
    if (event.text !== undefined) await send({ type: 'websocket.send', text: event.text });
    else await send({ type: 'websocket.send', bytes: event.bytes });
  }
};

/** Refuses the handshake: with an ordinary response where the server offers that, else with its plain 403. */
async function deny(scope: WebSocketScope, send: SendFunction): Promise<void> {
  if (scope.extensions['websocket.http.response'] === undefined) {
    await send({ type: 'websocket.close' });
    return;
  }
  await send({
    type: 'websocket.http.response.start',
    status: 404,
    headers: [['content-type', 'text/plain; charset=utf-8']],
  });
  await send({ type: 'websocket.http.response.body', body: `nothing to echo at ${scope.path}\n` });
}
