/**
 * Clients of the cluster chat, over a WebSocket and over an event stream, which say the same of what they are told: one
 * event after the other, the greeting first.
 */
import { EventStreamParser } from '../support/event-stream-parser.ts';
import { within } from '../support/within.ts';

export interface ChatEvent {
  readonly event: string;
  readonly id?: string;
  readonly text?: string;
  readonly node?: string;
  readonly worker?: number;
  readonly reason?: string;
}

export type Way = 'websocket' | 'events';

export abstract class ChatClient implements Disposable {
  /** Who the client is with, such as `north 1`. */
  member = '';
  readonly #events: (ChatEvent | undefined)[] = [];
  #wake: () => void = () => undefined;

  abstract [Symbol.dispose](): void;

  /** What comes next; `undefined` at the end. */
  async next(): Promise<ChatEvent | undefined> {
    const take = async (): Promise<ChatEvent | undefined> => {
      while (this.#events.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      return this.#events.shift();
    };
    return await within(take(), `an event from ${this.member}`);
  }

  /** The texts of as many messages; anything else that comes in between is there with its event's name. */
  async texts(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) {
      const event = await this.next();
      texts.push(event?.event === 'message' ? event.text! : `(${event?.event ?? 'the end'})`);
    }
    return texts;
  }

  protected push(event: ChatEvent | undefined): void {
    this.#events.push(event);
    this.#wake();
  }

  protected async greeted(): Promise<this> {
    const hello = await this.next();
    if (hello?.event !== 'hello') throw new Error(`greeted with ${JSON.stringify(hello)}`);
    this.member = `${hello.node} ${hello.worker}`;
    return this;
  }
}

export class WebSocketClient extends ChatClient {
  readonly #socket: WebSocket;
  readonly closed: Promise<number>;

  static async open(url: string, after?: string): Promise<WebSocketClient> {
    return await new WebSocketClient(url, after).greeted();
  }

  private constructor(url: string, after?: string) {
    super();
    const query = after === undefined ? '' : `?after=${after}`;
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/chat${query}`);
    this.#socket.addEventListener('message', ({ data }) => this.push(JSON.parse(String(data)) as ChatEvent));
    this.closed = new Promise((resolve) => {
      this.#socket.addEventListener('close', ({ code }) => {
        resolve(code);
        this.push(undefined);
      });
    });
  }

  say(text: string): void {
    this.#socket.send(text);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

export class EventsClient extends ChatClient {
  readonly #abort = new AbortController();

  static async open(url: string, after?: string): Promise<EventsClient> {
    return await new EventsClient(url, after).greeted();
  }

  private constructor(url: string, after?: string) {
    super();
    void this.#read(`${url}/events`, after);
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }

  async #read(url: string, after: string | undefined): Promise<void> {
    const headers = { accept: 'text/event-stream', ...(after !== undefined && { 'last-event-id': after }) };
    const parser = new EventStreamParser();
    try {
      const { body } = await fetch(url, { headers, signal: this.#abort.signal });
      for await (const piece of body!) {
        parser.push(piece);
        for (const { type, data, lastEventId } of parser.events.splice(0)) {
          const isJson = type !== 'missed';
          this.push({
            event: type,
            ...(type === 'message' && { id: lastEventId }),
            ...(isJson && (JSON.parse(data) as object)),
          });
        }
      }
    } catch {
      // Cut off, by us or by the server: the end either way.
    }
    this.push(undefined);
  }
}

export function openClient(way: Way, url: string, after?: string): Promise<ChatClient> {
  return way === 'websocket' ? WebSocketClient.open(url, after) : EventsClient.open(url, after);
}

/** More than enough for chance to lead to each of four workers. */
const MOST_CLIENTS = 200;

/** Opens clients of this kind until each of these members has at least one. */
export async function openToAll(way: Way, url: string, members: readonly string[]): Promise<ChatClient[]> {
  const clients: ChatClient[] = [];
  const missing = new Set(members);
  while (missing.size > 0) {
    if (clients.length === MOST_CLIENTS) throw new Error(`no client came to ${[...missing].join(', ')}`);
    const client = await openClient(way, url);
    clients.push(client);
    missing.delete(client.member);
  }
  return clients;
}
