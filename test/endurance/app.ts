/**
 * The application under endurance: small work that hostile clients can sit on, and `/state`, which tells what the
 * application knows of it. `/state?collect` collects garbage first; each reading of the state begins a new one.
 */
import type { App, ReceiveFunction, SendFunction } from '../../src/contract/app.ts';
import type { TransportState } from '../../src/contract/handles.ts';
import type { HttpScope } from '../../src/contract/scope.ts';
import type { HeaderList } from '../../src/contract/send-events.ts';
import { CHUNK_BYTES, type AppState, type BrokenOff } from './app-state.ts';

const GREETING = 'Hello from TSAGI';
const GREETING_HEADERS: HeaderList = [
  ['content-type', 'text/plain'],
  ['content-length', String(GREETING.length)],
];
/** Milliseconds for finalizers, and for the allocator to hand pages back. */
const PAUSE = 50;

const streams = new Set<TransportState>();
let greetings = 0;
let mostBuffered = 0;
let brokenOff: BrokenOff[] = [];

export const app: App = async (scope, receive, send) => {
  if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
  switch (scope.path) {
    case '/':
      return greet(send);
    case '/upload':
      return upload(scope, receive, send);
    case '/stream':
      return stream(scope, send);
    case '/drip':
      return drip(scope, send);
    case '/state':
      return state(scope, send);
    default:
      return reply(send, 'not found', 404);
  }
};

async function greet(send: SendFunction): Promise<void> {
  greetings++;
  await send({ type: 'http.response.start', status: 200, headers: GREETING_HEADERS });
  await send({ type: 'http.response.body', body: GREETING });
}

/** Reads a body to its end and says how long it was. */
async function upload(scope: HttpScope, receive: ReceiveFunction, send: SendFunction): Promise<void> {
  const progressed = watchProgress(scope);
  let size = 0;
  for (let more = true; more;) {
    const event = await receive();
    progressed();
    if (event.type !== 'http.request') return;
    size += event.body.length;
    ({ more } = event);
  }
  await reply(send, String(size));
}

/** As many bytes as the query says, each chunk a new one. */
async function stream(scope: HttpScope, send: SendFunction): Promise<void> {
  const transport = scope['tsagi.transport'];
  const { signal } = scope['tsagi.connection'];
  const progressed = watchProgress(scope);
  streams.add(transport);
  await send({ type: 'http.response.start', status: 200 });
  for (let left = Number(scope.queryString); left > 0 && !signal.aborted; left -= CHUNK_BYTES) {
    const body = new Uint8Array(CHUNK_BYTES).fill(0x78);
    await send({ type: 'http.response.body', body, more: true });
    progressed();
    mostBuffered = Math.max(mostBuffered, transport.bufferedAmount);
  }
  await send({ type: 'http.response.body', body: '' });
  streams.delete(transport);
}

/** Small pieces without end: a client on the same machine takes them as fast as they come. */
async function drip(scope: HttpScope, send: SendFunction): Promise<void> {
  await send({ type: 'http.response.start', status: 200 });
  while (scope['tsagi.connection'].isConnected) {
    await send({ type: 'http.response.body', body: GREETING, more: true });
  }
}

/** Notes when the client goes; what it gives back is to be called whenever bytes have moved. */
function watchProgress(scope: HttpScope): () => void {
  let last = performance.now();
  scope['tsagi.connection'].onDisconnect((reason) => {
    brokenOff.push({ path: scope.path, reason, seconds: (performance.now() - last) / 1000 });
  });
  return () => void (last = performance.now());
}

async function state(scope: HttpScope, send: SendFunction): Promise<void> {
  if (scope.queryString === 'collect') {
    Bun.gc(true);
    await Bun.sleep(PAUSE);
    Bun.gc(true);
  }
  const now = [...streams].map((transport) => transport.bufferedAmount);
  const answer: AppState = { greetings, streams: now.length, buffered: now, mostBuffered, brokenOff };
  greetings = 0;
  brokenOff = [];
  mostBuffered = 0;
  await reply(send, JSON.stringify(answer));
}

async function reply(send: SendFunction, body: string, status = 200): Promise<void> {
  const headers: HeaderList = [['content-length', String(body.length)]];
  await send({ type: 'http.response.start', status, headers });
  await send({ type: 'http.response.body', body });
}
