/**
 * Sends messages over WebSocket sessions and has them echoed:
 * `bun websocket-client.ts PORT SECONDS CONNECTIONS KIND SIZE IN_FLIGHT`. On every session IN_FLIGHT frames leave in one
 * write, and the next when all are back. The first echoes of each session are compared byte by byte, of all others the bytes
 * are counted. Prints how many messages came back and in how many seconds, or what was wrong.
 */
import type { Socket } from 'bun';
import { ResponseHead } from './response-head.ts';
import { echoFrame, handshakeOf, isAccepted, requestFrame } from './websocket-wire.ts';

interface Session {
  head: ResponseHead;
  opened(): void;
  /** The echoes of the first batch as far as they have come; undefined once they have been found right. */
  first: Buffer | undefined;
  /** Bytes of the batch under way. */
  received: number;
  /** Batches that have come back since the start, and later since half-time. */
  batches: number;
}

/** For all sessions to open. */
const OPENING_MS = 20_000;

const [port = 0, seconds = 0, connections = 0] = process.argv.slice(2, 5).map(Number);
const kind = process.argv[5] === 'binary' ? 'binary' : 'text';
const [size = 0, inFlight = 0] = process.argv.slice(6).map(Number);

const batch = repeat(requestFrame(kind, size));
const echoes = repeat(echoFrame(kind, size));
const handshake = handshakeOf(port);
let batches = 0;

const opening = setTimeout(() => fail('not all sessions were opened in time'), OPENING_MS);
const sessions = await Promise.all(Array.from({ length: connections }, openOne));
clearTimeout(opening);
const startedAt = performance.now();
for (const session of sessions) session.write(batch);
setTimeout(collect, seconds * 500);
setTimeout(finish, seconds * 1000);

async function openOne(): Promise<Socket<Session>> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = await Bun.connect<Session>({
    hostname: '127.0.0.1',
    port,
    data: { head: new ResponseHead(), opened: resolve, first: Buffer.alloc(0), received: 0, batches: 0 },
    socket: {
      open: (socket) => void socket.write(handshake),
      data: takeHandshake,
      close: () => fail('the server closed a session'),
    },
  });
  await promise;
  return socket;
}

function takeHandshake(socket: Socket<Session>, chunk: Buffer): void {
  const { head, opened } = socket.data;
  const rest = head.take(chunk);
  if (rest === undefined) return;
  if (!isAccepted(head.text)) fail(`the handshake was answered ${head.text.split('\r\n', 1)[0]}`);
  if (rest.length > 0) fail('the server spoke first');
  socket.reload({ socket: { data: takeEchoes, close: () => fail('the server closed a session') } });
  opened();
}

function takeEchoes(socket: Socket<Session>, chunk: Buffer): void {
  const session = socket.data;
  session.received += chunk.byteLength;
  if (session.first !== undefined) compare(session, chunk);
  if (session.received < echoes.byteLength) return;
  if (session.received > echoes.byteLength) fail('more came back than was sent');
  session.received = 0;
  session.batches += 1;
  if (socket.write(batch) !== batch.byteLength) fail('the kernel did not take a whole batch');
}

function compare(session: Session, chunk: Buffer): void {
  const first = Buffer.concat([session.first ?? chunk, chunk]);
  if (!first.equals(echoes.subarray(0, first.byteLength))) fail('a message came back changed');
  session.first = first.byteLength < echoes.byteLength ? first : undefined;
}

function repeat(frame: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: inFlight }, () => frame));
}

/** Adds up what came back. One session that stands still would hardly show in the sum, so it is looked for. */
function collect(): void {
  for (const { data } of sessions) {
    if (data.batches === 0) fail('a session stood still');
    batches += data.batches;
    data.batches = 0;
  }
}

function finish(): never {
  collect();
  console.log(JSON.stringify({ count: batches * inFlight, seconds: (performance.now() - startedAt) / 1000 }));
  process.exit(0);
}

function fail(message: string): never {
  console.log(message);
  process.exit(1);
}
