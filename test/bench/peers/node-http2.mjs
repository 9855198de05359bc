/**
 * node:http2 with its own listener, on Node and on Bun: with request and response objects, as most people use it, or with `stream` as its
 * argument by its core API, which costs less. Plain JavaScript, because Node runs it; the greeting of work.ts is repeated here.
 */
import { createServer } from 'node:http2';

const GREETING = 'Hello from TSAGI';
const HEADERS = { 'content-type': 'text/plain', 'content-length': GREETING.length, server: 'node' };

const server = createServer();
if (process.argv[2] === 'stream') {
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200, ...HEADERS });
    stream.end(GREETING);
  });
} else {
  server.on('request', (_request, response) => {
    response.writeHead(200, HEADERS);
    response.end(GREETING);
  });
}
// A load generator that has seen enough goes away in the middle of a response.
server.on('sessionError', () => {});
server.listen({ host: '127.0.0.1', port: Number(process.env.BENCH_PORT), backlog: 2048 });
