/**
 * The dashboard's WebSocket, `/dashboard`. A client is told the state of everything when it comes, and then each change of any
 * job; it may send commands to create and to cancel jobs. Messages are JSON.
 *
 * | from the server                               | from the client                      |
 * | --------------------------------------------- | ------------------------------------ |
 * | `{ event: 'state', jobs, types, maxRunning }` | `{ command: 'create', type, params }` |
 * | `{ event: 'job', job }`                       | `{ command: 'cancel', id }`          |
 * | `{ event: 'removed', id }`                    |                                      |
 * | `{ event: 'refused', message }`               |                                      |
 */
import type { ReceiveFunction, SendFunction, WebSocketScope } from 'tsagi-server';
import { Changes } from '../changes.ts';
import { JOB_TYPES, JobRefusal, planJob } from '../jobs/job-types.ts';
import { queueOf } from '../lifespan.ts';
import type { JobQueue } from '../queue.ts';
import { MAX_RUNNING } from '../worker.ts';
import { MAX_INPUT_BYTES } from './reply.ts';

export async function serveDashboard(
  scope: WebSocketScope,
  receive: ReceiveFunction,
  send: SendFunction,
): Promise<void> {
  await receive(); // websocket.connect
  // Before it is accepted, a close is a refusal with status 403.
  if (scope.path !== '/dashboard' || !isFromOwnPage(scope)) return await send({ type: 'websocket.close' });
  await send({ type: 'websocket.accept' });

  const queue = queueOf(scope);
  const changes = new Changes(queue);
  const state = { event: 'state', jobs: queue.list(), types: JOB_TYPES, maxRunning: MAX_RUNNING };
  await sendJson(send, state);
  // Two loops side by side: one follows the jobs, the other the client, and its end is the end of both.
  await Promise.all([
    tellChanges(queue, changes, send),
    obey(queue, receive, send).finally(() => changes.end()),
  ]);
}

async function tellChanges(queue: JobQueue, changes: Changes, send: SendFunction): Promise<void> {
  for (let id = await changes.next(); id !== undefined; id = await changes.next()) {
    const job = queue.get(id);
    await sendJson(send, job === undefined ? { event: 'removed', id } : { event: 'job', job });
  }
}

async function obey(queue: JobQueue, receive: ReceiveFunction, send: SendFunction): Promise<void> {
  for (;;) {
    const event = await receive();
    if (event.type !== 'websocket.receive') return; // websocket.disconnect
    const refusal = execute(queue, event.text);
    if (refusal !== undefined) await sendJson(send, { event: 'refused', message: refusal });
  }
}

/** Does what a message says; returns what is wrong with it, if anything is. What comes of it is told as a change. */
function execute(queue: JobQueue, text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_INPUT_BYTES) return 'a command is a short text';
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return 'the command is not JSON';
  }
  if (typeof message !== 'object' || message === null) return 'a command is an object';
  const { command, id, ...job } = message as Record<string, unknown>;
  if (command === 'create') {
    const plan = planJob(job);
    if (plan instanceof JobRefusal) return plan.message;
    return queue.add(plan) === undefined ? 'the queue is full' : undefined;
  }
  if (command === 'cancel') {
    return typeof id === 'string' && queue.cancel(id) ? undefined : 'no such job waits or runs';
  }
  return 'command must be create or cancel';
}

/** Browsers let any page open a WebSocket to anywhere, and say which page it is. Other clients have no origin. */
function isFromOwnPage(scope: WebSocketScope): boolean {
  const valueOf = (wanted: string): string | undefined =>
    scope.headers.find(([name]) => name === wanted)?.[1];
  const origin = valueOf('origin');
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === valueOf('host'));
}

async function sendJson(send: SendFunction, message: object): Promise<void> {
  await send({ type: 'websocket.send', text: JSON.stringify(message) });
}
