/**
 * The HTTP side of the chat: the page, the place where messages are posted, and what the load balancer asks.
 */
import type { HeaderList, HttpScope, ReceiveFunction, SendFunction } from 'tsagi-server';
import { PublishError, roomOf, type ChatRoom } from './chat-room.ts';
import { MAX_MESSAGE_BYTES } from './listeners.ts';

const PAGE = `${import.meta.dir}/index.html`;

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  '/': ['GET', 'HEAD'],
  '/health': ['GET', 'HEAD'],
  '/messages': ['POST'],
  '/events': ['GET', 'HEAD'],
  '/chat': ['GET', 'HEAD'],
};

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers?: HeaderList;
}

export async function servePages(
  scope: HttpScope,
  receive: ReceiveFunction,
  send: SendFunction,
): Promise<void> {
  const reply = await answer(scope, receive);
  if (reply === 'page') return await sendPage(send);
  if (reply !== undefined) await sendReply(send, reply);
}

/** `undefined` when the client has gone. */
async function answer(scope: HttpScope, receive: ReceiveFunction): Promise<Reply | 'page' | undefined> {
  const allowed = Object.hasOwn(ALLOWED, scope.path) ? ALLOWED[scope.path]! : [];
  if (allowed.length === 0) return { status: 404, text: 'nothing here' };
  if (!allowed.includes(scope.method)) {
    return { status: 405, text: 'not with this method', headers: [['allow', allowed.join(', ')]] };
  }
  const room = roomOf(scope);
  switch (scope.path) {
    case '/messages':
      return await post(room, receive);
    case '/health':
      // 200 without Redis too: it is away for every node then, and with all of them taken out nobody would even get a page.
      return { status: 200, text: JSON.stringify({ ...room.member, isConnected: room.isConnected }) };
    case '/events':
      // A request that accepts an event stream would not have come as http, nor would a handshake.
      return { status: 406, text: 'only as text/event-stream' };
    case '/chat':
      return {
        status: 426,
        text: 'only as a WebSocket',
        headers: [
          ['upgrade', 'websocket'],
          ['connection', 'upgrade'],
        ],
      };
    default:
      return 'page';
  }
}

async function post(room: ChatRoom, receive: ReceiveFunction): Promise<Reply | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let more = true; more;) {
    const event = await receive();
    if (event.type !== 'http.request') return undefined;
    pieces.push(event.body);
    size += event.body.length;
    if (size > MAX_MESSAGE_BYTES) return { status: 413, text: `at most ${MAX_MESSAGE_BYTES} bytes` };
    more = event.more;
  }
  const text = Buffer.concat(pieces).toString('utf8');
  if (text.trim() === '') return { status: 400, text: 'a message has at least one letter' };
  try {
    const id = await room.publish(text);
    return { status: 202, text: `message ${id} by ${room.member.node} worker ${room.member.worker}` };
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return { status: 503, text: error.message, headers: [['retry-after', '2']] };
  }
}

async function sendPage(send: SendFunction): Promise<void> {
  await send({
    type: 'http.response.start',
    status: 200,
    headers: [['content-type', 'text/html; charset=utf-8']],
  });
  await send({ type: 'http.response.body', file: PAGE });
}

async function sendReply(send: SendFunction, { status, text, headers = [] }: Reply): Promise<void> {
  await send({
    type: 'http.response.start',
    status,
    headers: [['content-type', 'text/plain; charset=utf-8'], ...headers],
  });
  await send({ type: 'http.response.body', body: `${text}\n` });
}
