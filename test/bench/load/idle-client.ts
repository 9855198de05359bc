/**
 * Holds idle connections: `bun idle-client.ts PORT KIND`, then one number a line on standard input. For each it opens
 * connections until that many are there, brings every one to rest, and prints how many there are. A keep-alive
 * connection (KIND `http`) has had one request answered, a WebSocket session (`websocket`) one message echoed. Ends when
 * its input ends; if anything goes wrong, it prints that instead of a number.
 */
import type { Socket } from 'bun';
import { echoFrame, handshakeOf, isAccepted, requestFrame } from './websocket-wire.ts';

/** Opened at once; well below every peer's backlog. */
const BATCH = 100;

/** For one number's connections to come to rest. */
const OPENING_MS = 60_000;
const MESSAGE_BYTES = 64;

/** What is sent, and whether the answer to it is right. */
interface Step {
  send: string | Buffer;
  isRight(answer: Buffer): boolean;
}

interface Waiting {
  /** How many steps have been answered. */
  step: number;
  rested(): void;
}

const port = Number(process.argv[2]);
const steps = process.argv[3] === 'websocket' ? websocketSteps() : httpSteps();
const open = new Set<Socket<Waiting>>();

for await (const line of console) {
  const wanted = Number(line);
  const opening = setTimeout(() => fail('not all connections came to rest in time'), OPENING_MS);
  while (open.size < wanted) {
    await Promise.all(Array.from({ length: Math.min(BATCH, wanted - open.size) }, openOne));
  }
  clearTimeout(opening);
  console.log(open.size);
}
process.exit(0);

async function openOne(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await Bun.connect<Waiting>({
    hostname: '127.0.0.1',
    port,
    data: { step: 0, rested: resolve },
    socket: {
      open(socket) {
        open.add(socket);
        socket.write(steps[0]?.send ?? '');
      },
      // An answer is small enough to come in one piece, or its first piece is proof enough that it was served.
      data(socket, answer) {
        const step = steps[socket.data.step];
        if (step === undefined) return;
        if (!step.isRight(answer)) fail(`a wrong answer: ${firstLine(answer)}`);
        socket.data.step += 1;
        const next = steps[socket.data.step];
        if (next === undefined) socket.data.rested();
        else socket.write(next.send);
      },
      close: () => fail('the server closed an idle connection'),
    },
  });
  return promise;
}

function httpSteps(): Step[] {
  const send = `GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`;
  return [{ send, isRight: (answer) => answer.toString('latin1').startsWith('HTTP/1.1 200 ') }];
}

function websocketSteps(): Step[] {
  const echo = echoFrame('text', MESSAGE_BYTES);
  return [
    { send: handshakeOf(port), isRight: (answer) => isAccepted(answer.toString('latin1')) },
    { send: requestFrame('text', MESSAGE_BYTES), isRight: (answer) => answer.equals(echo) },
  ];
}

function firstLine(answer: Buffer): string {
  return answer.toString('latin1').split('\r\n', 1)[0] ?? '';
}

function fail(message: string): never {
  console.log(message);
  process.exit(1);
}
