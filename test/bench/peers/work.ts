/**
 * What every TypeScript peer answers with, in one place, so that all of them put about the same bytes on the wire.
 * node-http.mjs, nginx.conf and uvicorn-app.py repeat these values in their own languages.
 */

/** 16 bytes, the answer to `/` and `/headers`. */
export const GREETING = 'Hello from TSAGI';

/** The three of the twenty request headers that `/headers` reads; it answers 400 where one is missing. */
export const READ_HEADERS = ['x-request-id', 'authorization', 'accept-language'] as const;

/** The steps of `/work` before it answers: about a millisecond of one core. */
export const WORK_STEPS = 600_000;

/** `/stream` sends this many bytes in pieces of `STREAM_CHUNK`. */
export const STREAM_BYTES = 2 ** 30;

/** One piece of `/stream`; the same bytes each time, so that making them costs no peer anything. */
export const STREAM_CHUNK = new Uint8Array(65_536).fill(0x78);

/** The file behind `/file`, `STREAM_BYTES` long; the bench run creates it. */
export const FILE_PATH = process.env['BENCH_FILE'] ?? '';

/** Stands nowhere else in an event, in its framing or in that of HTTP, so events can be counted by it. */
export const EVENT_END = '!';

/** What `/events` sends: with `data: ` and two line breaks 100 bytes. */
export const EVENT_DATA = 'x'.repeat(91) + EVENT_END;

/** The port that the bench run picked for this peer. */
export const PORT = Number(process.env['BENCH_PORT'] ?? 0);

/** Whether clients come with HTTP/2. */
export const IS_HTTP2 = process.env['BENCH_PROTOCOL'] === 'h2';
