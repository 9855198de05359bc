/**
 * The package ws on Node, the WebSocket server that most people have. Plain JavaScript, because Node runs it; the greeting
 * of work.ts is repeated here.
 */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((_request, response) => response.end('Hello from TSAGI'));
const sessions = new WebSocketServer({ server });
sessions.on('connection', (session) => {
  session.on('message', (data, isBinary) => session.send(data, { binary: isBinary }));
  // A client that ends its process resets its connections.
  session.on('error', () => {});
});
server.listen({ host: '127.0.0.1', port: Number(process.env.BENCH_PORT), backlog: 2048 });
