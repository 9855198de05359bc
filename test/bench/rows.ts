/** The rows of the bench run with their bars, one entry each. A new row is a new entry. */
import type { Bench, Row } from './bench.ts';
import { comparisonRow } from './comparison.ts';
import type { Comparison } from './comparison.ts';
import { growthRow } from './growth.ts';
import { runCounted } from './load/counted.ts';
import type { CountedWork } from './load/counted.ts';
import { runDownload } from './load/downloads.ts';
import { measureIdleConnections } from './load/idle-connections.ts';
import type { MessageKind } from './load/websocket-wire.ts';
import { runH2load } from './load/h2load.ts';
import { runWrk } from './load/wrk.ts';
import type { WrkWork } from './load/wrk.ts';
import { descriptorLimit } from './machine.ts';
import { STREAM_BYTES } from './peers/work.ts';
import type { RunningPeer } from './peers.ts';
import { formatCount } from './report.ts';
import { scalingRow } from './scaling.ts';
import { startUpRow } from './start-up.ts';

const MIB = 2 ** 20;
const CONNECTIONS = 50;
const EVENT_STREAMS = 1000;
const H2_CONNECTIONS = 10;
const H2_STREAMS = 32;

/** Nineteen, to which wrk adds `host`; in the order and of the kinds that a browser behind a proxy sends. */
const REQUEST_HEADERS = [
  'accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-encoding: gzip, deflate, br',
  'accept-language: en-GB,en;q=0.9,de;q=0.8',
  'authorization: Bearer 0123456789abcdef0123456789abcdef',
  'cache-control: no-cache',
  'cookie: session=0123456789abcdef; theme=dark; consent=yes',
  'dnt: 1',
  'pragma: no-cache',
  'referer: http://127.0.0.1/somewhere/else?page=2',
  'sec-fetch-dest: document',
  'sec-fetch-mode: navigate',
  'sec-fetch-site: same-origin',
  'sec-fetch-user: ?1',
  'upgrade-insecure-requests: 1',
  'user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)',
  'x-forwarded-for: 192.0.2.7, 198.51.100.23',
  'x-forwarded-host: www.example.org',
  'x-forwarded-proto: https',
  'x-request-id: 4b8f6f8e-2d57-4c43-9c0e-6b1e3d0a7f55',
];

const idleConnections = Math.min(10_000, descriptorLimit() - 200);

export const ROWS: readonly Row[] = [
  requestRow({
    name: 'hello',
    title: `hello, keep-alive, ${CONNECTIONS} connections`,
    peers: ['tsagi', 'ceiling', 'bun-serve', 'node-http', 'nginx', 'uvicorn'],
    bars: { ceiling: 0.85, 'bun-serve': 1.1, nginx: 0.9, uvicorn: 2 },
    work: { path: '/' },
  }),
  requestRow({
    name: 'pipelined',
    title: `hello, 16 requests pipelined, ${CONNECTIONS} connections`,
    peers: ['tsagi', 'ceiling-pipelined', 'bun-serve', 'node-http', 'nginx', 'uvicorn'],
    bars: { 'ceiling-pipelined': 0.4, 'bun-serve': 4 },
    work: { path: '/', script: 'pipelined.lua' },
  }),
  requestRow({
    name: 'headers',
    title: '20 request headers, the application reads 3',
    peers: ['tsagi', 'bun-serve', 'node-http', 'uvicorn'],
    bars: { 'bun-serve': 1 },
    work: { path: '/headers', headers: REQUEST_HEADERS },
  }),
  requestRow({
    name: 'echo',
    title: 'POST of 1 KiB, echoed',
    peers: ['tsagi', 'bun-serve', 'node-http', 'uvicorn'],
    bars: { 'bun-serve': 1 },
    work: { path: '/echo', script: 'post.lua' },
  }),
  downloadRow({
    name: 'stream',
    title: '1 GiB streamed down in sends of 64 KiB',
    peers: ['tsagi', 'bun-serve', 'node-http', 'uvicorn'],
    bars: { 'bun-serve': 0.9 },
    path: '/stream',
  }),
  downloadRow({
    name: 'file',
    title: 'file of 1 GiB',
    peers: ['tsagi', 'bun-serve', 'node-http', 'nginx'],
    bars: { 'bun-serve': 0.7 },
    path: '/file',
  }),
  comparisonRow({
    name: 'idle',
    title: `memory of each of ${formatCount(idleConnections)} idle keep-alive connections`,
    peers: ['tsagi', 'bun-serve', 'node-http'],
    value: { heading: 'bytes/connection', format: formatCount },
    bound: 'most',
    bars: { 'bun-serve': 1.5 },
    isFresh: true,
    measure: (peer, bench) =>
      measureIdleConnections(peer, { kind: 'http', connections: idleConnections }, bench.children),
  }),
  growthRow,
  messageRow({
    name: 'ws-1',
    title: `WebSocket echo of 64 B text, ${CONNECTIONS} sessions, 1 message in flight on each`,
    peers: ['tsagi', 'bun-serve', 'ws-node'],
    bars: { 'bun-serve': 0.9 },
    work: { kind: 'text', size: 64, inFlight: 1 },
  }),
  messageRow({
    name: 'ws-16',
    title: `WebSocket echo of 64 B text, ${CONNECTIONS} sessions, 16 messages in flight on each`,
    peers: ['tsagi', 'bun-serve', 'ws-node'],
    bars: { 'bun-serve': 0.5, 'ws-node': 3 },
    work: { kind: 'text', size: 64, inFlight: 16 },
  }),
  messageRow({
    name: 'ws-4k',
    title: `WebSocket echo of 4 KiB binary, ${CONNECTIONS} sessions, 1 message in flight on each`,
    peers: ['tsagi', 'bun-serve', 'ws-node'],
    bars: { 'bun-serve': 0.8 },
    work: { kind: 'binary', size: 4096, inFlight: 1 },
  }),
  comparisonRow({
    name: 'ws-idle',
    title: `memory of each of ${formatCount(idleConnections)} idle WebSocket sessions`,
    peers: ['tsagi', 'bun-serve', 'ws-node'],
    value: { heading: 'bytes/session', format: formatCount },
    bound: 'most',
    bars: {},
    isFresh: true,
    measure: (peer, bench) =>
      measureIdleConnections(peer, { kind: 'websocket', connections: idleConnections }, bench.children),
  }),
  countedRow({
    name: 'sse-fanout',
    title: `server-sent events of 100 B to each of ${formatCount(EVENT_STREAMS)} clients`,
    peers: ['tsagi', 'bun-serve', 'node-http'],
    bars: { 'bun-serve': 1 },
    unit: 'event',
    load: { client: 'event-stream-client.ts', args: [EVENT_STREAMS] },
  }),
  h2Row({
    name: 'h2',
    title: `hello over HTTP/2, ${H2_CONNECTIONS} connections, ${H2_STREAMS} streams on each`,
    peers: [
      'tsagi',
      'node-http2',
      'node-http2-stream',
      'bun-http2',
      'bun-http2-stream',
      'bun-serve',
      'nghttpd',
    ],
    bars: { 'node-http2': 1.5, 'bun-http2': 2 },
  }),
  startUpRow,
  scalingRow,
];

/** Of HTTP/2, which has one row. */
function h2Row(plan: Plan): Row {
  const load = (peer: RunningPeer, bench: Bench, seconds: number) =>
    runH2load(peer, { connections: H2_CONNECTIONS, streams: H2_STREAMS, seconds }, bench.children);
  return comparisonRow({
    ...plan,
    protocol: 'h2',
    value: { heading: 'requests/s', format: formatCount },
    cpu: { heading: 'CPU µs/request', perSecond: 1e6 },
    bound: 'least',
    warm: (peer, bench) => load(peer, bench, 1),
    measure: (peer, bench) => load(peer, bench, bench.flags.seconds),
  });
}

type Plan = Pick<Comparison, 'name' | 'title' | 'peers' | 'bars'>;

function requestRow({ work, ...plan }: Plan & { work: Pick<WrkWork, 'path' | 'script' | 'headers'> }): Row {
  const load = (peer: RunningPeer, bench: Bench, seconds: number) =>
    runWrk(peer, { ...work, connections: CONNECTIONS, seconds }, bench.children);
  return comparisonRow({
    ...plan,
    value: { heading: 'requests/s', format: formatCount },
    cpu: { heading: 'CPU µs/request', perSecond: 1e6 },
    bound: 'least',
    // A second is enough for the compilers of all of them to have finished with so small a program.
    warm: (peer, bench) => load(peer, bench, 1),
    measure: (peer, bench) => load(peer, bench, bench.flags.seconds),
  });
}

function messageRow({
  work: { kind, size, inFlight },
  ...plan
}: Plan & { work: { kind: MessageKind; size: number; inFlight: number } }): Row {
  const load = { client: 'websocket-client.ts', args: [CONNECTIONS, kind, size, inFlight] };
  return countedRow({ ...plan, unit: 'message', load });
}

function countedRow({
  unit,
  load,
  ...plan
}: Plan & { unit: string; load: Omit<CountedWork, 'seconds'> }): Row {
  const run = (peer: RunningPeer, bench: Bench, seconds: number) =>
    runCounted(peer, { ...load, seconds }, bench.children);
  return comparisonRow({
    ...plan,
    value: { heading: `${unit}s/s`, format: formatCount },
    cpu: { heading: `CPU µs/${unit}`, perSecond: 1e6 },
    bound: 'least',
    warm: (peer, bench) => run(peer, bench, 1),
    measure: (peer, bench) => run(peer, bench, bench.flags.seconds),
  });
}

function downloadRow({ path, ...plan }: Plan & { path: string }): Row {
  return comparisonRow({
    ...plan,
    value: { heading: 'GiB/s', format: (value) => value.toFixed(2) },
    cpu: { heading: 'CPU s/GiB', perSecond: 1 },
    bound: 'least',
    growthLimit: 32 * MIB,
    measure: (peer, bench) => runDownload(peer, { path, bytes: STREAM_BYTES }, bench.children),
  });
}
