/**
 * The app of the tests with real processes. Every answer says which process gave it; `createApp` takes what shall go wrong at the start:
 * `failing=2` fails in that worker, `failing=all` in each, and `label` is a text that every worker must have received.
 */
import type { App, AppArguments, HttpScope, ReceiveFunction, SendFunction } from 'tsagi-server';

type Answer = (scope: HttpScope, query: URLSearchParams, send: SendFunction) => Promise<void>;

const CLOCK_TICK = 20;

/** The number of the worker, `single` where there are no workers. */
let worker = 'single';

async function text(send: SendFunction, body: string): Promise<void> {
  const content = Buffer.from(body);
  const headers: [string, string][] = [
    ['content-type', 'text/plain'],
    ['content-length', String(content.length)],
  ];
  await send({ type: 'http.response.start', status: 200, headers });
  await send({ type: 'http.response.body', body: content });
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

async function readBody(receive: ReceiveFunction): Promise<string> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const event = await receive();
    if (event.type !== 'http.request') throw new Error('the client has gone');
    parts.push(event.body);
    if (!event.more) return Buffer.concat(parts).toString();
  }
}

const who = (): string => `${process.pid} ${worker}`;

function pages({ label = '' }: AppArguments): Record<string, Answer> {
  return {
    '/slow': async (_, query, send) => {
      await pause(Number(query.get('ms')));
      await text(send, `${query.get('n')} ${who()}\n`);
    },
    /** In hand for so long that a test can see it being in hand. */
    '/two-parts': async (_, query, send) => {
      await send({ type: 'http.response.start', status: 200 });
      await send({ type: 'http.response.body', body: 'first ', more: true });
      await pause(Number(query.get('ms')));
      await send({ type: 'http.response.body', body: 'second' });
    },
    '/throw': () => Promise.reject(new Error('thrown on request')),
    '/exit': () => process.exit(3),
    /** Keeps the event loop from turning. */
    '/block': async (_, query, send) => {
      Bun.sleepSync(Number(query.get('ms')));
      await text(send, `${who()}\n`);
    },
    /** Busy for as long, but lets the event loop turn. */
    '/busy': async (_, query, send) => {
      const end = performance.now() + Number(query.get('ms'));
      while (performance.now() < end) {
        Bun.sleepSync(20);
        await pause(0);
      }
      await text(send, `${who()}\n`);
    },
    '/count': async (scope, _, send) => {
      const counter = scope.state['counter'] as { count: number };
      counter.count += 1;
      await text(send, `${counter.count} ${who()}\n`);
    },
    '/label': (_, __, send) => text(send, label),
    '/env': (_, query, send) => text(send, String(process.env[query.get('name') ?? ''])),
    '/who': (_, __, send) => text(send, who()),
  };
}

async function disconnected(receive: ReceiveFunction): Promise<'disconnected'> {
  for (;;) if ((await receive()).type === 'sse.disconnect') return 'disconnected';
}

async function clock(receive: ReceiveFunction, send: SendFunction): Promise<void> {
  const over = disconnected(receive);
  await send({ type: 'sse.start' });
  for (let tick = 0; ; tick += 1) {
    await send({ type: 'sse.send', data: `${tick} ${process.pid}` });
    if ((await Promise.race([pause(CLOCK_TICK), over])) === 'disconnected') return;
  }
}

async function echoMessages(receive: ReceiveFunction, send: SendFunction): Promise<void> {
  await receive();
  await send({ type: 'websocket.accept' });
  await send({ type: 'websocket.send', text: String(process.pid) });
  for (;;) {
    const event = await receive();
    if (event.type !== 'websocket.receive') return;
    if (event.text !== undefined) await send({ type: 'websocket.send', text: event.text });
  }
}

export function createApp(args: AppArguments): App {
  const answers = pages(args);
  return async (scope, receive, send) => {
    if (scope.type === 'lifespan') {
      worker = String(scope.tsagi.workerNum ?? 'single');
      scope.state['counter'] = { count: 0 };
      await receive();
      const isFailing = args['failing'] === worker || args['failing'] === 'all';
      if (isFailing) await send({ type: 'lifespan.startup.failed', message: `no start for ${worker}` });
      else await send({ type: 'lifespan.startup.complete' });
      if (isFailing) return;
      await receive();
      await send({ type: 'lifespan.shutdown.complete' });
    } else if (scope.type === 'sse') await clock(receive, send);
    else if (scope.type === 'websocket') await echoMessages(receive, send);
    else {
      const query = new URLSearchParams(scope.queryString);
      const answer = answers[scope.path];
      if (answer === undefined) await text(send, `${query.get('n')} ${who()}\n${await readBody(receive)}`);
      else await answer(scope, query, send);
    }
  };
}
