/**
 * The ceiling for pipelined requests without bodies: counts blank lines, nothing else is parsed, and answers each read
 * in one write. The last bytes of a read are kept, so a blank line cut in two still counts once.
 */
import { FIXED_REPLY } from './fixed-reply.ts';
import { PORT } from './work.ts';

const BLANK_LINE = Buffer.from('\r\n\r\n');
const MOST_REPLIES = 64;
const REPLIES = Buffer.concat(Array.from({ length: MOST_REPLIES }, () => FIXED_REPLY));

interface Connection {
  /** What stood behind the last blank line of the read before. */
  rest: Buffer | undefined;
}

Bun.listen<Connection>({
  hostname: '127.0.0.1',
  port: PORT,
  socket: {
    open(socket) {
      socket.data = { rest: undefined };
    },
    data(socket, chunk) {
      const { rest } = socket.data;
      const input = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
      let replies = 0;
      let end = 0;
      for (let at = input.indexOf(BLANK_LINE); at !== -1; at = input.indexOf(BLANK_LINE, end)) {
        replies += 1;
        end = at + BLANK_LINE.length;
      }
      // The chunk is only lent to this handler, so what must outlive it is copied.
      socket.data.rest = end === input.length ? undefined : Buffer.from(input.subarray(end));
      for (let left = replies; left > 0; left -= MOST_REPLIES) {
        socket.write(REPLIES.subarray(0, Math.min(left, MOST_REPLIES) * FIXED_REPLY.length));
      }
    },
  },
});
