/**
 * Holds event streams and counts what comes: `bun event-stream-client.ts PORT SECONDS STREAMS`. The event with which the
 * server greets each stream is compared in full; once all streams have it, one request has the server publish without end.
 * From then on events are counted by the byte that ends the data of each. Prints how many were delivered over all streams
 * and in how many seconds, or what was wrong.
 */
import type { Socket } from 'bun';
import { EVENT_DATA, EVENT_END } from '../peers/work.ts';
import { ResponseHead } from './response-head.ts';

interface Stream {
  head: ResponseHead;
  /** The body as far as it has come before the first event was complete. */
  body: string;
  greeted(): void;
  /** How many have come since the server was asked to publish. */
  events: number;
}

/** For all streams to open. */
const OPENING_MS = 20_000;

/** Opened at once; well below every peer's backlog. */
const BATCH = 100;
/** An event with the framing around it is far shorter. */
const MOST_GREETING = 1024;
const FIRST_EVENT = `data: ${EVENT_DATA}\n\n`;
const END = EVENT_END.charCodeAt(0);

const [port = 0, seconds = 0, streams = 0] = process.argv.slice(2).map(Number);
const request = `GET /events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/event-stream\r\n\r\n`;
const open: Stream[] = [];

const opening = setTimeout(() => fail('not all streams were opened in time'), OPENING_MS);
while (open.length < streams) {
  const wanted = Math.min(BATCH, streams - open.length);
  open.push(...(await Promise.all(Array.from({ length: wanted }, openOne))));
}
clearTimeout(opening);
const startedAt = performance.now();
setTimeout(finish, seconds * 1000);
const { status } = await fetch(`http://127.0.0.1:${port}/publish`);
if (status !== 200) fail(`the request to publish was answered ${status}`);

async function openOne(): Promise<Stream> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { data } = await Bun.connect<Stream>({
    hostname: '127.0.0.1',
    port,
    data: { head: new ResponseHead(), body: '', greeted: resolve, events: 0 },
    socket: {
      open: (socket) => void socket.write(request),
      data: takeGreeting,
      close: () => fail('the server closed a stream'),
    },
  });
  await promise;
  return data;
}

function takeGreeting(socket: Socket<Stream>, chunk: Buffer): void {
  const stream = socket.data;
  const rest = stream.head.take(chunk);
  if (rest === undefined) return;
  const head = stream.head.text;
  if (!/^HTTP\/1\.1 200 [^]*^content-type: *text\/event-stream\b/im.test(head))
    fail(`the request for an event stream was answered ${head.split('\r\n', 1)[0]}`);
  stream.body += rest.toString('latin1');
  if (stream.body.includes(FIRST_EVENT)) {
    socket.reload({ socket: { data: countEvents, close: () => fail('the server closed a stream') } });
    stream.greeted();
  } else if (stream.body.length > MOST_GREETING) {
    fail('the first event came changed');
  }
}

function countEvents({ data }: Socket<Stream>, chunk: Buffer): void {
  for (let at = chunk.indexOf(END); at !== -1; at = chunk.indexOf(END, at + 1)) data.events += 1;
}

function finish(): never {
  if (open.some(({ events }) => events === 0)) fail('a stream got nothing');
  const count = open.reduce((sum, { events }) => sum + events, 0);
  console.log(JSON.stringify({ count, seconds: (performance.now() - startedAt) / 1000 }));
  process.exit(0);
}

function fail(message: string): never {
  console.log(message);
  process.exit(1);
}
