/**
 * Those who listen: over a WebSocket at /chat, where they also speak, and over an event stream at /events. Each is a reader
 * of the log with a loop that awaits `send`, so one that is slow holds up its own loop alone.
 */
import type { ReceiveFunction, RequestScope, SendFunction, SseScope, WebSocketScope } from 'tsagi-server';
import { PublishError, roomOf, type ChatRoom } from './chat-room.ts';
import { BEGINNING, isMessageId, Reader } from './message-log.ts';

export const MAX_MESSAGE_BYTES = 16_384;

export async function serveEvents(
  scope: SseScope,
  receive: ReceiveFunction,
  send: SendFunction,
): Promise<void> {
  if (scope.path !== '/events') {
    await send({ type: 'sse.http.response.start', status: 404, headers: [['content-type', 'text/plain']] });
    await send({ type: 'sse.http.response.body', body: 'events are at /events\n' });
    return;
  }
  reportSlowness(scope);
  const room = roomOf(scope);
  const reader = new Reader(room.log, lastSeen(scope));
  void disconnected(receive).then(() => reader.end());

  await send({ type: 'sse.start' });
  // Below the time after which the load balancer takes the quiet for the end.
  await send({ type: 'sse.keepalive', interval: 15 });
  await send({ type: 'sse.send', event: 'hello', data: JSON.stringify(room.member) });
  for (let message = await reader.next(); message !== undefined; message = await reader.next()) {
    if (reader.takeMissed()) await send({ type: 'sse.send', event: 'missed', data: 'older messages' });
    const { id, ...said } = message;
    await send({ type: 'sse.send', id, data: JSON.stringify(said) });
  }
  // At shutdown the client is still there. It will find another worker or another node, where its last id counts as well.
  if (scope['tsagi.shutdown'].aborted) {
    await send({ type: 'sse.send', event: 'goodbye', data: JSON.stringify(room.member), retry: 500 });
  }
}

/** Resolves when the client goes or the server shuts down. */
async function disconnected(receive: ReceiveFunction): Promise<void> {
  while ((await receive()).type !== 'sse.disconnect');
}

/**
 * | from the server                                       | from the client       |
 * | ----------------------------------------------------- | --------------------- |
 * | `{ event: 'hello', node, worker }`                    | the text of a message |
 * | `{ event: 'message', id, text, node, worker }`        |                       |
 * | `{ event: 'missed' }`                                 |                       |
 * | `{ event: 'refused', text, reason }`                  |                       |
 */
export async function serveChat(
  scope: WebSocketScope,
  receive: ReceiveFunction,
  send: SendFunction,
): Promise<void> {
  await receive(); // websocket.connect
  // Before it is accepted, a close is a refusal with status 403.
  if (scope.path !== '/chat') return await send({ type: 'websocket.close' });
  await send({ type: 'websocket.accept' });

  reportSlowness(scope);
  const room = roomOf(scope);
  const reader = new Reader(room.log, lastSeen(scope));
  await sendJson(send, { event: 'hello', ...room.member });
  // Two loops side by side: one follows the log, the other the client, and its end is the end of both.
  await Promise.all([tell(reader, send), hear(room, receive, send).finally(() => reader.end())]);
}

async function tell(reader: Reader, send: SendFunction): Promise<void> {
  for (let message = await reader.next(); message !== undefined; message = await reader.next()) {
    if (reader.takeMissed()) await sendJson(send, { event: 'missed' });
    await sendJson(send, { event: 'message', ...message });
  }
}

/** The next message is read when this one is with Redis: a client that says much is held back. */
async function hear(room: ChatRoom, receive: ReceiveFunction, send: SendFunction): Promise<void> {
  for (;;) {
    const event = await receive();
    if (event.type !== 'websocket.receive') return; // websocket.disconnect
    const { text } = event;
    const reason = await publish(room, text);
    if (reason !== undefined) await sendJson(send, { event: 'refused', text: text?.slice(0, 100), reason });
  }
}

/** Why it could not be, if it could not. */
async function publish(room: ChatRoom, text: string | undefined): Promise<string | undefined> {
  if (text === undefined || text.trim() === '') return 'a message is a text of at least one letter';
  if (Buffer.byteLength(text) > MAX_MESSAGE_BYTES) return `a message has at most ${MAX_MESSAGE_BYTES} bytes`;
  try {
    await room.publish(text);
    return undefined;
  } catch (error) {
    if (error instanceof PublishError) return error.message;
    throw error;
  }
}

/**
 * The id of the last message that the client has seen: a browser that reconnects an EventSource names it in a field, others in
 * the query. None: it is new, and begins with the next message.
 */
function lastSeen(scope: RequestScope): string | undefined {
  const field = scope.headers.find(([name]) => name === 'last-event-id')?.[1];
  const id = field ?? new URLSearchParams(scope.queryString).get('after') ?? undefined;
  // One that is none of ours: the client has seen something else, and everything is new to it.
  return id === undefined || isMessageId(id) ? id : BEGINNING;
}

function reportSlowness(scope: RequestScope): void {
  const transport = scope['tsagi.transport'];
  const who = scope.client?.join(':') ?? 'a client';
  transport.onHighWater(() => console.log(`${who} is slow: ${transport.bufferedAmount} bytes wait for it`));
  transport.onDrain(() => console.log(`${who} goes on`));
}

async function sendJson(send: SendFunction, message: object): Promise<void> {
  await send({ type: 'websocket.send', text: JSON.stringify(message) });
}
