/**
 * Bun's own HTTP server with a handler per route. Every route is a function, never a static response: an application is
 * called for each request, as in the other peers.
 */
import { FILE_PATH, GREETING, PORT, READ_HEADERS, STREAM_BYTES, STREAM_CHUNK } from './work.ts';

const TEXT = { 'content-type': 'text/plain', server: 'bun' };
const BINARY = { 'content-type': 'application/octet-stream', server: 'bun' };

Bun.serve({
  hostname: '127.0.0.1',
  port: PORT,
  development: false,
  idleTimeout: 255,
  routes: {
    '/': () => new Response(GREETING, { headers: TEXT }),
    '/headers': (request) => {
      const isComplete = READ_HEADERS.every((name) => Boolean(request.headers.get(name)));
      return new Response(GREETING, { headers: TEXT, status: isComplete ? 200 : 400 });
    },
    '/echo': async (request) => new Response(await request.bytes(), { headers: BINARY }),
    '/stream': () => new Response(chunks(), { headers: BINARY }),
    '/file': () => new Response(Bun.file(FILE_PATH), { headers: BINARY }),
  },
});

function chunks(): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(STREAM_CHUNK);
      sent += STREAM_CHUNK.byteLength;
      if (sent >= STREAM_BYTES) controller.close();
    },
  });
}
