/**
 * Floods over HTTP/2: what a peer sends in each round, and what it must hear in the end. The application is that of h2-floods.test.ts: `/wait` never
 * answers, `/upload` reads its body.
 */
import { Buffer } from 'node:buffer';
import {
  continuationFrame,
  dataFrame,
  frame,
  headersFrame,
  pingFrame,
  priorityFrame,
  rstStreamFrame,
  SETTING,
  settingsFrame,
  windowUpdateFrame,
} from '../../support/h2/frames.ts';
import { type Field, indexed, literal, plainBlock } from '../../support/h2/hpack.ts';
import { requestFields } from '../../support/h2/raw-h2-client.ts';
import type { StartOptions } from '../../support/start-server.ts';

export interface Flood {
  readonly name: string;
  /** The frames of a round, counted from 0. */
  readonly round: (count: number) => readonly Uint8Array[];
  /** What GOAWAY says besides ENHANCE_YOUR_CALM. */
  readonly debug: string;
  /** Calls of the application that the peer may get out of it. */
  readonly mostCalls: number;
  readonly options?: StartOptions;
}

const NOTHING = Buffer.alloc(0);

const streamOf = (count: number): number => 2 * count + 1;
const block = (path: string, headers: readonly Field[] = []): Buffer =>
  plainBlock(requestFields({ method: 'POST', path, headers }));
const WAIT = block('/wait');
export const UPLOAD = block('/upload');
export const open = (stream: number, fields: Uint8Array, endStream = false): Buffer =>
  headersFrame(stream, fields, { endStream });

/** Four kilobytes that one byte stands for from the second time on. */
export const BOMB_FIELD = literal('x', 'y'.repeat(4000), { form: 'incremental' });
export const BOMB = Buffer.concat([WAIT, ...Array.from({ length: 16_000 }, () => indexed(62))]);

const RESETS = { debug: 'Too many streams are reset.', mostCalls: 1001 };
const FULL_FRAGMENT = plainBlock(Array.from({ length: 4 }, () => ['x', 'y'.repeat(4000)] as const));
const TINY_RESETS = { http2: true, h2RstBurst: 10, h2RstRate: 1 };

export const FLOODS: readonly Flood[] = [
  // Resets: by the peer, and such as it makes the server send.
  {
    name: 'Rapid Reset',
    round: (count) => [open(streamOf(count), WAIT, true), rstStreamFrame(streamOf(count))],
    ...RESETS,
  },
  {
    name: 'Rapid Reset, with h2RstBurst and h2RstRate small',
    round: (count) => [open(streamOf(count), WAIT, true), rstStreamFrame(streamOf(count))],
    ...RESETS,
    options: TINY_RESETS,
    mostCalls: 20,
  },
  {
    name: 'WINDOW_UPDATE of zero on stream after stream',
    round: (count) => [open(streamOf(count), UPLOAD), windowUpdateFrame(streamOf(count), 0)],
    ...RESETS,
  },
  {
    name: 'WINDOW_UPDATE beyond the largest window on stream after stream',
    round: (count) => [open(streamOf(count), UPLOAD), windowUpdateFrame(streamOf(count), 2 ** 31 - 1)],
    ...RESETS,
  },
  {
    name: 'HEADERS on half-closed streams',
    round: (count) => [open(streamOf(count), WAIT, true), open(streamOf(count), WAIT, true)],
    ...RESETS,
  },
  {
    name: 'DATA on half-closed streams',
    round: (count) => [open(streamOf(count), WAIT, true), dataFrame(streamOf(count), 'late')],
    ...RESETS,
  },
  {
    name: 'trailers that do not end their streams',
    round: (count) => [open(streamOf(count), UPLOAD), open(streamOf(count), plainBlock([['x', 'y']]))],
    ...RESETS,
  },
  {
    name: 'streams that depend on themselves',
    round: (count) => [
      headersFrame(streamOf(count), WAIT, { priority: { dependsOn: streamOf(count) }, endStream: true }),
    ],
    ...RESETS,
    mostCalls: 0,
  },
  {
    name: 'malformed requests',
    round: (count) => [open(streamOf(count), plainBlock([[':method', 'GET']]), true)],
    ...RESETS,
    mostCalls: 0,
  },
  {
    name: 'requests with fields in upper case, with h2RstBurst and h2RstRate small',
    round: (count) => [open(streamOf(count), block('/upload', [['X-Y', 'z']]), true)],
    ...RESETS,
    options: TINY_RESETS,
    mostCalls: 0,
  },
  {
    name: 'more DATA than content-length',
    round: (count) => [
      open(streamOf(count), block('/upload', [['content-length', '1']])),
      dataFrame(streamOf(count), 'two'),
    ],
    ...RESETS,
    options: TINY_RESETS,
    // These resets are counted a turn later: as many streams as may be open at once can begin before.
    mostCalls: 100,
  },
  {
    name: 'more DATA than content-length, with h2RstBurst large',
    round: (count) => [
      open(streamOf(count), block('/upload', [['content-length', '1']])),
      dataFrame(streamOf(count), 'two'),
    ],
    // node:http2 has a limit of its own.
    debug: 'Too many requests are malformed.',
    options: { http2: true, h2RstBurst: 5000 },
    mostCalls: 1100,
  },
  {
    name: 'empty HEADERS',
    round: (count) => [open(streamOf(count), NOTHING, true)],
    ...RESETS,
    mostCalls: 0,
  },
  {
    name: 'more streams than are allowed',
    round: (count) => [open(streamOf(count), WAIT)],
    ...RESETS,
    mostCalls: 100,
  },
  // Control frames.
  { name: 'PING', round: () => [pingFrame()], debug: 'Too many PING frames.', mostCalls: 0 },
  {
    name: 'PING that acknowledge nothing',
    round: () => [pingFrame('pingping', { ack: true })],
    debug: 'Too many PING frames.',
    mostCalls: 0,
  },
  { name: 'SETTINGS', round: () => [settingsFrame()], debug: 'Too many SETTINGS frames.', mostCalls: 0 },
  {
    name: 'SETTINGS that move the windows of a hundred streams',
    round: (count) =>
      count < 100
        ? [open(streamOf(count), WAIT)]
        : [settingsFrame([[SETTING.initialWindowSize, 65_535 + (count % 2)]])],
    debug: 'Too many SETTINGS frames.',
    mostCalls: 100,
  },
  {
    name: 'PRIORITY',
    round: (count) => [priorityFrame(streamOf(count), { dependsOn: 0 })],
    debug: 'Too many PRIORITY frames.',
    mostCalls: 0,
  },
  {
    name: 'frames of unknown types',
    round: () => [frame({ type: 0x42 })],
    debug: 'Too many frames without a use.',
    mostCalls: 0,
  },
  // DATA and its windows.
  {
    name: 'empty DATA',
    round: (count) => (count === 0 ? [open(1, UPLOAD)] : [dataFrame(1)]),
    debug: 'Too many empty DATA frames.',
    mostCalls: 1,
  },
  {
    name: 'DATA of nothing but padding',
    round: (count) => (count === 0 ? [open(1, UPLOAD)] : [dataFrame(1, '', { padding: 3 })]),
    debug: 'Too many empty DATA frames.',
    mostCalls: 1,
  },
  {
    name: 'WINDOW_UPDATE of the connection',
    round: () => [windowUpdateFrame(0, 1)],
    debug: 'Too many WINDOW_UPDATE frames.',
    mostCalls: 0,
  },
  // Header blocks.
  {
    name: 'header lists of 64 MB in 16 KB of indexes',
    round: (count) => [open(streamOf(count), count === 0 ? Buffer.concat([UPLOAD, BOMB_FIELD]) : BOMB, true)],
    ...RESETS,
    options: TINY_RESETS,
    mostCalls: 1,
  },
  {
    name: 'CONTINUATION, all of them empty',
    round: (count) => [
      count === 0
        ? headersFrame(1, NOTHING, { endHeaders: false })
        : continuationFrame(1, NOTHING, { endHeaders: false }),
    ],
    debug: 'Too many CONTINUATION frames.',
    mostCalls: 0,
  },
  {
    name: 'CONTINUATION, all of them full',
    round: (count) => [
      count === 0
        ? headersFrame(1, WAIT, { endHeaders: false })
        : continuationFrame(1, FULL_FRAGMENT, { endHeaders: false }),
    ],
    debug: 'The header block is too long.',
    mostCalls: 0,
  },
  {
    name: 'CONTINUATION, all of them full, with h2MaxHeaderListSize small',
    round: (count) => [
      count === 0
        ? headersFrame(1, WAIT, { endHeaders: false })
        : continuationFrame(1, FULL_FRAGMENT, { endHeaders: false }),
    ],
    debug: 'The header block is too long.',
    options: { http2: true, h2MaxHeaderListSize: 4096 },
    mostCalls: 0,
  },
  {
    name: 'HEADERS that are too long at once',
    round: (count) => [headersFrame(streamOf(count), Buffer.concat([WAIT, Buffer.alloc(30_000)]))],
    debug: 'The header block is too long.',
    options: { http2: true, h2MaxHeaderListSize: 4096, h2MaxFrameSize: 65_536 },
    mostCalls: 0,
  },
];
