/**
 * Holds idle keep-alive connections: `bun idle-client.ts PORT`, then one number a line on standard input. For each it
 * opens connections until that many are there, has one request answered on every one, and prints how many are still
 * open. Ends when its input ends.
 */
import type { Socket } from 'bun';

/** Opened at once; well below every peer's backlog. */
const BATCH = 100;

interface Waiting {
  answered: (() => void) | undefined;
}

const port = Number(process.argv[2]);
const request = `GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`;
const open = new Set<Socket<Waiting>>();

for await (const line of console) {
  const wanted = Number(line);
  while (open.size < wanted) {
    await Promise.all(Array.from({ length: Math.min(BATCH, wanted - open.size) }, openOne));
  }
  console.log(open.size);
}
process.exit(0);

async function openOne(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  await Bun.connect<Waiting>({
    hostname: '127.0.0.1',
    port,
    data: { answered: resolve },
    socket: {
      open(socket) {
        open.add(socket);
        socket.write(request);
      },
      // The answer is small enough to come in one piece, or its first piece is proof enough that it was served.
      data(socket) {
        socket.data.answered?.();
        socket.data.answered = undefined;
      },
      close(socket) {
        open.delete(socket);
        reject(new Error('the server closed an idle connection'));
      },
    },
  });
  return promise;
}
