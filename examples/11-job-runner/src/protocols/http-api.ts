/**
 * The HTTP API: `/api/types`, `/api/jobs` and `/api/jobs/ID`. Everything else is a file of the page.
 */
import type { HttpScope, ReceiveFunction, SendFunction } from 'tsagi-server';
import { JOB_TYPES, JobRefusal, planJob } from '../jobs/job-types.ts';
import { queueOf } from '../lifespan.ts';
import { sendPublicFile } from './public-files.ts';
import { failure, readJson, sendReply, type Reply } from './reply.ts';

/** What one method does with one resource; `undefined` when the client has gone. `id` is that of the path, if it has one. */
type Handler = (scope: HttpScope, receive: ReceiveFunction, id: string) => Promise<Reply | undefined> | Reply;

interface Resource {
  readonly path: RegExp;
  readonly methods: Readonly<Record<string, Handler>>;
}

const RESOURCES: readonly Resource[] = [
  { path: /^\/api\/types$/, methods: { GET: listTypes } },
  { path: /^\/api\/jobs$/, methods: { GET: listJobs, POST: createJob } },
  { path: /^\/api\/jobs\/(\d+)$/, methods: { GET: showJob, DELETE: cancelJob } },
];

export async function serveHttp(
  scope: HttpScope,
  receive: ReceiveFunction,
  send: SendFunction,
): Promise<void> {
  if (!scope.path.startsWith('/api/')) return await sendPublicFile(scope, send);
  const reply = await answer(scope, receive);
  if (reply !== undefined) await sendReply(send, reply);
}

async function answer(scope: HttpScope, receive: ReceiveFunction): Promise<Reply | undefined> {
  for (const { path, methods } of RESOURCES) {
    const match = path.exec(scope.path);
    if (match === null) continue;
    // A HEAD is a GET whose content the server does not send.
    const method = scope.method === 'HEAD' ? 'GET' : scope.method;
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (handler !== undefined) return await handler(scope, receive, match[1] ?? '');
    return failure(405, `not with ${Object.keys(methods).join(' or ')}`, [
      ['allow', Object.keys(methods).join(', ')],
    ]);
  }
  if (/^\/api\/jobs\/\d+\/events$/.test(scope.path)) return failure(406, 'only as text/event-stream');
  return failure(404, 'nothing here');
}

function listTypes(): Reply {
  return { status: 200, json: JOB_TYPES };
}

function listJobs(scope: HttpScope): Reply {
  return { status: 200, json: queueOf(scope).list() };
}

async function createJob(scope: HttpScope, receive: ReceiveFunction): Promise<Reply | undefined> {
  const input = await readJson(scope, receive);
  if (input === undefined) return undefined;
  if ('refusal' in input) return input.refusal;
  const plan = planJob(input.json);
  if (plan instanceof JobRefusal) return failure(400, plan.message);
  const job = queueOf(scope).add(plan);
  if (job === undefined) return failure(503, 'the queue is full', [['retry-after', '10']]);
  return { status: 201, json: job, headers: [['location', `/api/jobs/${job.id}`]] };
}

function showJob(scope: HttpScope, _receive: ReceiveFunction, id: string): Reply {
  const job = queueOf(scope).get(id);
  return job === undefined ? failure(404, 'no such job') : { status: 200, json: job };
}

function cancelJob(scope: HttpScope, _receive: ReceiveFunction, id: string): Reply {
  const queue = queueOf(scope);
  if (queue.get(id) === undefined) return failure(404, 'no such job');
  if (!queue.cancel(id)) return failure(409, 'the job has ended');
  return { status: 200, json: queue.get(id) };
}
