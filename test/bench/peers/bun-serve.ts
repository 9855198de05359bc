/**
 * Bun's own HTTP server with a handler per route. Every route is a function, never a static response: an application is
 * called for each request, as in the other peers.
 */
import { Fanout } from './fanout.ts';
import {
  EVENT_DATA,
  FILE_PATH,
  GREETING,
  IS_HTTP2,
  PORT,
  READ_HEADERS,
  STREAM_BYTES,
  STREAM_CHUNK,
} from './work.ts';

const TEXT = { 'content-type': 'text/plain', server: 'bun' };
const BINARY = { 'content-type': 'application/octet-stream', server: 'bun' };
const EVENTS = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', server: 'bun' };

/** An event is encoded once, not once for each stream. */
const EVENT = new TextEncoder().encode(`data: ${EVENT_DATA}\n\n`);
/** Bytes; as many as tsagi-server lets wait for each client. */
const EVENTS_AHEAD = new ByteLengthQueuingStrategy({ highWaterMark: 65_536 });
const fanout = new Fanout();

Bun.serve({
  hostname: '127.0.0.1',
  port: PORT,
  development: false,
  http2: IS_HTTP2,
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
    '/events': () => new Response(events(), { headers: EVENTS }),
    '/publish': () => {
      fanout.publish();
      return new Response(GREETING, { headers: TEXT });
    },
    '/ws': (request, server) =>
      server.upgrade(request) ? undefined : new Response(GREETING, { status: 400, headers: TEXT }),
  },
  websocket: { message: (socket, message) => void socket.send(message) },
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

/** One stream of events; it takes the next one at once unless its queue is full, and then when it is asked for more. */
function events(): ReadableStream<Uint8Array> {
  let hasRoom = Promise.withResolvers<void>();
  let unsubscribe = (): void => {};
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        controller.enqueue(EVENT);
        unsubscribe = fanout.subscribe(() => {
          controller.enqueue(EVENT);
          if ((controller.desiredSize ?? 0) > 0) return undefined;
          hasRoom = Promise.withResolvers();
          return hasRoom.promise;
        });
      },
      pull: () => hasRoom.resolve(),
      cancel() {
        unsubscribe();
        hasRoom.resolve();
      },
    },
    EVENTS_AHEAD,
  );
}
