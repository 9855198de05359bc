/**
 * node:http on Node, the server that most people have. Plain JavaScript, because Node runs it; the values of work.ts are
 * repeated here.
 */
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';

const GREETING = 'Hello from TSAGI';
const STREAM_BYTES = 2 ** 30;
const STREAM_CHUNK = new Uint8Array(65_536).fill(0x78);
const READ_HEADERS = ['x-request-id', 'authorization', 'accept-language'];
const EVENT = Buffer.from(`data: ${'x'.repeat(91)}!\n\n`);
const BINARY = { 'content-type': 'application/octet-stream', server: 'node' };

const routes = {
  '/': (_request, response) => greet(response, 200),
  '/headers': (request, response) =>
    greet(response, READ_HEADERS.every((name) => Boolean(request.headers[name])) ? 200 : 400),
  '/echo': echo,
  '/stream': stream,
  '/file': (_request, response) => {
    response.writeHead(200, { ...BINARY, 'content-length': STREAM_BYTES });
    createReadStream(process.env.BENCH_FILE).pipe(response);
  },
  '/events': subscribe,
  '/publish': (_request, response) => {
    if (!isPublishing) publish();
    greet(response, 200);
  },
};

const subscribers = new Set();
let isPublishing = false;

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  const route = routes[request.url];
  if (route) route(request, response);
  else greet(response, 404);
});
server.listen({ host: '127.0.0.1', port: Number(process.env.BENCH_PORT), backlog: 2048 });

function greet(response, status) {
  response.writeHead(status, {
    'content-type': 'text/plain',
    'content-length': GREETING.length,
    server: 'node',
  });
  response.end(GREETING);
}

function echo(request, response) {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    response.writeHead(200, { ...BINARY, 'content-length': body.length });
    response.end(body);
  });
}

function stream(_request, response) {
  response.writeHead(200, BINARY);
  let sent = 0;
  const fill = () => {
    while (sent < STREAM_BYTES) {
      sent += STREAM_CHUNK.byteLength;
      if (!response.write(STREAM_CHUNK)) return;
    }
    response.off('drain', fill);
    response.end();
  };
  response.on('drain', fill);
  fill();
}

function subscribe(_request, response) {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    server: 'node',
  });
  response.write(EVENT);
  let hasRoom = () => {};
  const send = () => (response.write(EVENT) ? undefined : new Promise((resolve) => (hasRoom = resolve)));
  subscribers.add(send);
  response.on('drain', () => hasRoom());
  response.on('close', () => {
    subscribers.delete(send);
    hasRoom();
  });
}

async function publish() {
  isPublishing = true;
  while (subscribers.size > 0) {
    await Promise.all([...subscribers].map((send) => send()));
    await new Promise((resolve) => setImmediate(resolve));
  }
  isPublishing = false;
}
