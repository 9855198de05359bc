/**
 * Small applications that the behaviour tests are made of.
 */
import type { App, ReceiveFunction, SendFunction } from '../../src/contract/app.ts';
import type { HttpScope } from '../../src/contract/scope.ts';
import type { HeaderList, SendEvent } from '../../src/contract/send-events.ts';

/** An application for http scopes only. */
export function httpApp(
  handle: (scope: HttpScope, receive: ReceiveFunction, send: SendFunction) => Promise<void> | void,
): App {
  return (scope, receive, send) => {
    if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
    return handle(scope, receive, send);
  };
}

/** Sends a whole response with a length. */
export async function reply(
  send: SendFunction,
  body: string | Uint8Array = 'ok',
  options: { readonly status?: number; readonly headers?: HeaderList } = {},
): Promise<void> {
  const { status = 200, headers = [] } = options;
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  await send({
    type: 'http.response.start',
    status,
    headers: [['content-length', String(length)], ...headers],
  });
  await send({ type: 'http.response.body', body });
}

/** Answers every request with its path. */
export const echoPath: App = httpApp((scope, _receive, send) => reply(send, scope.path));

/** Reads the whole body. */
export async function readBody(receive: ReceiveFunction): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const event = await receive();
    if (event.type !== 'http.request') throw new Error(`the body ended with ${event.type}`);
    pieces.push(event.body);
    if (!event.more) return Buffer.concat(pieces);
  }
}

/** Answers with the request's body. */
export const echoBody: App = httpApp(async (_scope, receive, send) => reply(send, await readBody(receive)));

/** What a send that ought to be refused is refused with; fails where it is not. */
export async function refusal(send: SendFunction, event: unknown): Promise<string> {
  try {
    await send(event as SendEvent);
  } catch (error) {
    return error instanceof TypeError ? error.message : `not a TypeError: ${String(error)}`;
  }
  return 'accepted';
}
