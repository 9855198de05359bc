/**
 * The application under measurement, written as a user would write it: the contract alone, nothing of the server.
 * Run by the real command, `tsagi-server tsagi-app.ts:app`.
 */
import type { App, ReceiveFunction, SendFunction } from '../../../src/contract/app.ts';
import type { HttpScope } from '../../../src/contract/scope.ts';
import type { HeaderList, SseSendEvent } from '../../../src/contract/send-events.ts';
import { Fanout } from './fanout.ts';
import {
  EVENT_DATA,
  FILE_PATH,
  GREETING,
  READ_HEADERS,
  STREAM_BYTES,
  STREAM_CHUNK,
  WORK_STEPS,
} from './work.ts';

const GREETING_HEADERS: HeaderList = [
  ['content-type', 'text/plain'],
  ['content-length', String(GREETING.length)],
];
const STREAM_HEADERS: HeaderList = [['content-type', 'application/octet-stream']];
const FILE_HEADERS: HeaderList = [
  ['content-type', 'application/octet-stream'],
  ['content-length', String(STREAM_BYTES)],
];
const EVENT: SseSendEvent = { type: 'sse.send', data: EVENT_DATA };
const fanout = new Fanout();

export const app: App = async (scope, receive, send) => {
  if (scope.type === 'websocket') return echoMessages(receive, send);
  if (scope.type === 'sse') return streamEvents(receive, send);
  if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
  switch (scope.path) {
    case '/':
      return greet(200, send);
    case '/headers':
      return greet(hasReadHeaders(scope) ? 200 : 400, send);
    case '/work':
      return greet(work() === 0 ? 500 : 200, send);
    case '/echo':
      return echo(receive, send);
    case '/stream':
      return stream(send);
    case '/file':
      await send({ type: 'http.response.start', status: 200, headers: FILE_HEADERS });
      return send({ type: 'http.response.body', file: FILE_PATH });
    case '/publish':
      fanout.publish();
      return greet(200, send);
    default:
      return greet(404, send);
  }
};

async function greet(status: number, send: SendFunction): Promise<void> {
  await send({ type: 'http.response.start', status, headers: GREETING_HEADERS });
  await send({ type: 'http.response.body', body: GREETING });
}

/** The same amount of work however busy the machine is. */
function work(): number {
  let state = 1;
  for (let step = 0; step < WORK_STEPS; step++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
  return state;
}

function hasReadHeaders(scope: HttpScope): boolean {
  return READ_HEADERS.every((wanted) =>
    scope.headers.some(([name, value]) => name === wanted && value !== ''),
  );
}

async function echo(receive: ReceiveFunction, send: SendFunction): Promise<void> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const event = await receive();
    if (event.type !== 'http.request') return;
    if (event.body.byteLength > 0) chunks.push(event.body);
    if (!event.more) break;
  }
  const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  const headers: HeaderList = [
    ['content-type', 'application/octet-stream'],
    ['content-length', String(body.byteLength)],
  ];
  await send({ type: 'http.response.start', status: 200, headers });
  await send({ type: 'http.response.body', body });
}

async function stream(send: SendFunction): Promise<void> {
  await send({ type: 'http.response.start', status: 200, headers: STREAM_HEADERS });
  for (let sent = 0; sent < STREAM_BYTES; sent += STREAM_CHUNK.byteLength) {
    await send({ type: 'http.response.body', body: STREAM_CHUNK, more: true });
  }
  await send({ type: 'http.response.body', body: '', more: false });
}

async function echoMessages(receive: ReceiveFunction, send: SendFunction): Promise<void> {
  for (;;) {
    const event = await receive();
    if (event.type === 'websocket.connect') await send({ type: 'websocket.accept' });
    else if (event.type !== 'websocket.receive') return;
    else if (event.text !== undefined) await send({ type: 'websocket.send', text: event.text });
    else await send({ type: 'websocket.send', bytes: event.bytes });
  }
}

async function streamEvents(receive: ReceiveFunction, send: SendFunction): Promise<void> {
  await send({ type: 'sse.start' });
  await send(EVENT);
  const unsubscribe = fanout.subscribe(() => send(EVENT));
  while ((await receive()).type !== 'sse.disconnect');
  unsubscribe();
}
