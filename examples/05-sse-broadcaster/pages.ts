/**
 * The HTTP side of the broadcaster: the page, and the place where messages are posted.
 */
import type { HeaderList, HttpScope, ReceiveFunction, SendFunction } from 'tsagi-server';
import type { MessageLog } from './message-log.ts';

const MAX_MESSAGE_BYTES = 16_384;
const PAGE = `${import.meta.dir}/index.html`;

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  '/': ['GET', 'HEAD'],
  '/events': ['GET', 'HEAD'],
  '/messages': ['POST'],
};

type Answer = (scope: HttpScope, receive: ReceiveFunction, send: SendFunction) => Promise<void>;

export function createPages(log: MessageLog): Answer {
  return async (scope, receive, send) => {
    const allowed = ALLOWED[scope.path];
    if (allowed === undefined) {
      await reply(send, { status: 404, text: 'nothing here' });
    } else if (!allowed.includes(scope.method)) {
      await reply(send, {
        status: 405,
        text: 'not with this method',
        headers: [['allow', allowed.join(', ')]],
      });
    } else if (scope.path === '/messages') {
      await post(receive, send, log);
    } else if (scope.path === '/events') {
      // A request that accepts an event stream would not have come as http.
      await reply(send, { status: 406, text: 'only as text/event-stream' });
    } else {
      await sendPage(send);
    }
  };
}

async function sendPage(send: SendFunction): Promise<void> {
  await send({
    type: 'http.response.start',
    status: 200,
    headers: [['content-type', 'text/html; charset=utf-8']],
  });
  await send({ type: 'http.response.body', file: PAGE });
}

async function post(receive: ReceiveFunction, send: SendFunction, log: MessageLog): Promise<void> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let more = true; more;) {
    const event = await receive();
    if (event.type !== 'http.request') return; // the client has gone
    pieces.push(event.body);
    size += event.body.length;
    if (size > MAX_MESSAGE_BYTES)
      return await reply(send, { status: 413, text: `at most ${MAX_MESSAGE_BYTES} bytes` });
    more = event.more;
  }
  const text = Buffer.concat(pieces).toString('utf8');
  if (text.trim() === '')
    return await reply(send, { status: 400, text: 'a message has at least one letter' });
  await reply(send, { status: 202, text: `message ${log.add(text).number}` });
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers?: HeaderList;
}

async function reply(send: SendFunction, { status, text, headers = [] }: Reply): Promise<void> {
  await send({
    type: 'http.response.start',
    status,
    headers: [['content-type', 'text/plain; charset=utf-8'], ...headers],
  });
  await send({ type: 'http.response.body', body: `${text}\n` });
}
