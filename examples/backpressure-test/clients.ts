/**
 * Connects clients that read slowly, or not at all, and prints what happens to the server's buffers:
 * `bun examples/backpressure-test/clients.ts [URL] [SECONDS]`. Exits with 1 if a buffer has passed its bound.
 */
import type { StreamReport } from './meter.ts';
import { SlowReader, type Kind } from './slow-reader.ts';

interface Report {
  /** Of the server's process. */
  readonly rss: number;
  /** What the producers send at a time. */
  readonly chunk: number;
  readonly streams: readonly StreamReport[];
}

/** How much of one buffer may be full, by what the server says of it. */
type BoundOf = (stream: StreamReport) => number;

const KINDS: readonly Kind[] = ['http', 'ws', 'sse'];
/** Bytes a second; 0 is a client that never reads. */
const RATES = [0, 4 * 1024 * 1024];
const ROWS = 10;
/** What the protocols put around a chunk. */
const FRAMING = 64;

const server = new URL(process.argv[2] ?? 'http://127.0.0.1:5000');
const seconds = Number(process.argv[3] ?? 5);

/** A buffer takes one more chunk as long as it is not above the mark. */
const whenAwaited: BoundOf = ({ highWaterMark }) => highWaterMark;
/** The server ends the connection when more than this waits. */
const whenIgnored: BoundOf = ({ highWaterMark }) => Math.max(16 * 1024 * 1024, 4 * highWaterMark);

console.log('Producers that await every send: what waits for each client, over time\n');
const careful = KINDS.flatMap((kind) => RATES.map((rate) => open(kind, rate, false)));
await watch(careful);
const isCarefulKept = await summarize(careful, whenAwaited);

console.log('\nProducers that do not await send, for clients that never read\n');
const careless = KINDS.map((kind) => open(kind, 0, true));
await watch(careless);
const isCarelessKept = await summarize(careless, whenIgnored);

process.exitCode = isCarefulKept && isCarelessKept ? 0 : 1;

function open(kind: Kind, rate: number, isCareless: boolean): SlowReader {
  const speed = rate === 0 ? 'unread' : `${inWords(rate)}/s`;
  const name = isCareless ? `${kind}/careless` : `${kind} ${speed}`;
  return new SlowReader(server, { kind, rate, isCareless, name });
}

async function watch(readers: readonly SlowReader[]): Promise<void> {
  printRow(['time', ...readers.map(({ options }) => options.name), 'server RSS']);
  for (let row = 1; row <= ROWS; row += 1) {
    await Bun.sleep((seconds * 1000) / ROWS);
    const { rss, streams } = await report();
    const watched = readers.map((reader) => find(streams, reader));
    const amounts = watched.map(({ end, bufferedAmount }) =>
      end === null ? inWords(bufferedAmount) : 'ended',
    );
    printRow([`${((row * seconds) / ROWS).toFixed(1)} s`, ...amounts, inWords(rss)]);
    if (watched.every(({ end }) => end !== null)) return;
  }
}

/** Prints the numbers of the whole time, and tells whether every buffer has kept within its bound and one chunk. */
async function summarize(readers: readonly SlowReader[], boundOf: BoundOf): Promise<boolean> {
  const { chunk, streams } = await report();
  console.log();
  printRow(['', 'sent', 'most waiting', 'bound', 'kept', 'high-water', 'drained', 'end']);
  let areAllKept = true;
  for (const reader of readers) {
    const stream = find(streams, reader);
    const bound = boundOf(stream) + chunk + FRAMING;
    const isKept = stream.mostBuffered <= bound;
    areAllKept &&= isKept;
    printRow([
      stream.name,
      inWords(stream.chunksSent * chunk),
      String(stream.mostBuffered),
      String(bound),
      isKept ? 'yes' : 'NO',
      String(stream.highWaters),
      String(stream.drains),
      stream.end ?? 'open',
    ]);
    reader.close();
  }
  return areAllKept;
}

async function report(): Promise<Report> {
  const response = await fetch(new URL('/report', server));
  return (await response.json()) as Report;
}

/** The newest of that name: the server remembers those of earlier runs. */
function find(streams: readonly StreamReport[], { options }: SlowReader): StreamReport {
  const stream = streams.findLast(({ name }) => name === options.name);
  if (stream === undefined) throw new Error(`the server knows nothing of ${options.name}`);
  return stream;
}

function inWords(bytes: number): string {
  const [size, unit] = bytes < 1024 * 1024 ? [bytes / 1024, 'KiB'] : [bytes / 1024 / 1024, 'MiB'];
  return `${Number(size.toFixed(1))} ${unit}`;
}

function printRow([first = '', ...rest]: readonly string[]): void {
  console.log(`  ${first.padEnd(14)}${rest.map((cell) => `  ${cell.padStart(12)}`).join('')}`);
}
