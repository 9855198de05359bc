/**
 * Small applications that the behaviour tests of WebSockets are made of. Each answers HTTP as well, with its path, for
 * the round trips by which a test knows that the server has come around.
 */
import type { App, SendFunction } from '../../src/contract/app.ts';
import type { WebSocketScopeReceiveEvent } from '../../src/contract/receive-events.ts';
import type { WebSocketScope } from '../../src/contract/scope.ts';
import type { HeaderList } from '../../src/contract/send-events.ts';
import { until } from '../support/within.ts';
import { reply } from './apps.ts';

export type WebSocketReceive = () => Promise<WebSocketScopeReceiveEvent>;
export type WebSocketHandler = (
  scope: WebSocketScope,
  receive: WebSocketReceive,
  send: SendFunction,
) => Promise<void> | void;

/** An application that gets the scope before anything has been received. */
export function websocketApp(handle: WebSocketHandler): App {
  return (scope, receive, send) => {
    if (scope.type === 'http') return reply(send, scope.path);
    if (scope.type !== 'websocket') throw new Error(`unsupported scope: ${scope.type}`);
    return handle(scope, receive as WebSocketReceive, send);
  };
}

/** One that accepts, and then does as it is told. */
export function acceptingApp(
  handle: WebSocketHandler,
  options: { readonly subprotocol?: string; readonly headers?: HeaderList } = {},
): App {
  return websocketApp(async (scope, receive, send) => {
    await receive();
    await send({ type: 'websocket.accept', ...options });
    await handle(scope, receive, send);
  });
}

export type Message = string | Uint8Array;

/** The next message; undefined where the session has ended instead. */
export async function nextMessage(receive: WebSocketReceive): Promise<Message | undefined> {
  const event = await receive();
  return event.type === 'websocket.receive' ? (event.text ?? event.bytes) : undefined;
}

export function sendMessage(send: SendFunction, message: Message): Promise<void> {
  return send(
    typeof message === 'string'
      ? { type: 'websocket.send', text: message }
      : { type: 'websocket.send', bytes: message },
  );
}

/** How sessions ended for their applications, in order, as `code reason`. */
export class Endings {
  readonly #all: string[] = [];
  #taken = 0;

  /** Receives until the disconnect, hands each message over, and notes the end and that nothing comes behind it. */
  async follow(
    receive: WebSocketReceive,
    onMessage: (message: Message) => Promise<void> | void = () => undefined,
  ): Promise<void> {
    for (;;) {
      const event = await receive();
      if (event.type === 'websocket.receive') {
        await onMessage(event.text ?? event.bytes);
        continue;
      }
      const another = await receive().then(
        ({ type }) => ` and then ${type}`,
        () => '',
      );
      if (event.type === 'websocket.disconnect') this.#all.push(`${event.code} ${event.reason}${another}`);
      else this.#all.push(event.type);
      return;
    }
  }

  /** The next one, when it has come. */
  async next(): Promise<string> {
    await until(() => this.#all.length > this.#taken, 'the end of a session');
    return this.#all[this.#taken++]!;
  }

  /** How many have been noted. */
  get count(): number {
    return this.#all.length;
  }
}

/** Accepts, sends every message back, and notes how each session ended. */
export function echoing(): { app: App; endings: Endings } {
  const endings = new Endings();
  const app = acceptingApp((_scope, receive, send) =>
    endings.follow(receive, (message) => sendMessage(send, message)),
  );
  return { app, endings };
}
