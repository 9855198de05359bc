/**
 * A program of its own that serves with workers: it is run anew in each of them. Its one argument is the path of a unix socket.
 */
import { createServer } from 'tsagi-server';
import { createApp } from './app.ts';

const app = createApp({ label: 'embedded' });
await createServer({
  app,
  workers: 2,
  http2: true,
  listen: ['127.0.0.1:0', process.argv[2]!],
  accessLog: false,
}).run();
console.log(`process ${process.pid} has come to its end`);
