/**
 * Starts the app from code, because extensions are an option of `createServer` and have no flag.
 */
import { createServer } from 'tsagi-server';
import { app } from './app.ts';

const server = createServer({
  app,
  port: Number(process.env['PORT'] ?? 5000),
  extensions: { fullflush: {} },
});

// Serves until INT or TERM, as the command does.
await server.run();
