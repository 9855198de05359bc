/**
 * The most that any server on Bun.listen could reach: one fixed reply per read, nothing is parsed. It answers rightly
 * only to clients that have one request in flight and send it in one piece.
 */
import { FIXED_REPLY } from './fixed-reply.ts';
import { PORT } from './work.ts';

Bun.listen({
  hostname: '127.0.0.1',
  port: PORT,
  socket: {
    data(socket) {
      socket.write(FIXED_REPLY);
    },
  },
});
