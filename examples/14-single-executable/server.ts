/**
 * The entry of the program. Each process that it consists of, the master and the workers, begins here and comes as far as `run`,
 * which does in each what is its part.
 */
import { createServer } from 'tsagi-server';
import { app } from './app.ts';

const { PORT = '5000', SOCKET, WORKERS = '2' } = process.env;

const server = createServer({
  app,
  workers: Number(WORKERS),
  ...(SOCKET === undefined ? { port: Number(PORT) } : { socket: SOCKET }),
});

try {
  await server.run();
} catch (error) {
  // An address that is taken, an app that does not start: the operator needs the reason, not the way to it in the code.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
