import { expect, test } from 'bun:test';
import { needs } from '../support/program.ts';
import { startServer, type RunningProgram } from '../support/running-program.ts';
import { within } from '../support/within.ts';
import { startBrowser } from './browser.ts';

const APP = 'examples/11-job-runner/app.ts';

interface Job {
  readonly id: string;
  readonly status: string;
  readonly progress: number;
  readonly note: string;
  readonly result?: unknown;
  readonly error?: string;
}

interface Message {
  readonly event: string;
  readonly job?: Job;
  readonly jobs?: readonly Job[];
  readonly message?: string;
}

const LONG = { type: 'countdown', params: { seconds: 600 } };

async function call(server: RunningProgram, path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(`${await server.url()}${path}`, init);
}

async function create(server: RunningProgram, job: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return await call(server, '/api/jobs', { method: 'POST', headers, body: JSON.stringify(job) });
}

async function createOne(server: RunningProgram, job: unknown): Promise<Job> {
  const response = await create(server, job);
  expect(response.status).toBe(201);
  return (await response.json()) as Job;
}

async function show(server: RunningProgram, id: string): Promise<Job> {
  return (await (await call(server, `/api/jobs/${id}`)).json()) as Job;
}

const cancel = (server: RunningProgram, id: string): Promise<Response> =>
  call(server, `/api/jobs/${id}`, { method: 'DELETE' });

/** The stream of a job. Its first event is of the moment in which it begins. */
async function openStream(server: RunningProgram, id: string): Promise<Response> {
  return await call(server, `/api/jobs/${id}/events`, { headers: { accept: 'text/event-stream' } });
}

/** The whole stream of a job that ends: the event and the job of each block. */
async function eventsOf(stream: Response): Promise<{ event: string; job: Job }[]> {
  const text = await within(stream.text(), 'the end of the stream');
  return [...text.matchAll(/^event: ?(.*)\ndata: ?(.*)\n\n/gm)].map(([, event, data]) => ({
    event: event!,
    job: JSON.parse(data!) as Job,
  }));
}

/** The dashboard's messages, in order; `next` waits for the first that fits. */
class Dashboard {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  readonly #messages: Message[] = [];
  #wake: () => void = () => undefined;

  constructor(url: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/dashboard`);
    this.socket.addEventListener('message', ({ data }) => {
      this.#messages.push(JSON.parse(String(data)) as Message);
      this.#wake();
    });
    this.closed = new Promise((resolve) =>
      this.socket.addEventListener('close', ({ code }) => resolve(code)),
    );
  }

  async next(what: string, fits: (message: Message) => boolean): Promise<Message> {
    return await within(this.#search(fits), what);
  }

  command(command: object): void {
    this.socket.send(JSON.stringify(command));
  }

  async #search(fits: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      for (let message = this.#messages.shift(); message; message = this.#messages.shift()) {
        if (fits(message)) return message;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

test('11-job-runner does jobs and streams how far they are', async () => {
  await using server = startServer(APP);
  const others = [
    await createOne(server, LONG),
    await createOne(server, LONG),
    await createOne(server, LONG),
  ];
  const { id } = await createOne(server, { type: 'primes', params: { limit: 300_000 } });
  const stream = await openStream(server, id);
  await cancel(server, others[0]!.id);
  const events = await eventsOf(stream);
  expect(events[0]).toMatchObject({ event: 'progress', job: { status: 'queued', progress: 0 } });
  expect(events.pop()).toMatchObject({
    event: 'end',
    job: { status: 'done', progress: 1, result: { count: 25_997, largest: 299_993 } },
  });
  const steps = events.map(({ job }) => job.progress);
  expect(steps).toEqual(steps.toSorted((one, other) => one - other));
  // Who comes when it has ended is told just that.
  expect((await eventsOf(await openStream(server, id))).map(({ event }) => event)).toEqual(['end']);
});

test('11-job-runner runs three jobs at a time and the others in their turn', async () => {
  await using server = startServer(APP);
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) ids.push((await createOne(server, LONG)).id);
  const statuses = async (): Promise<string[]> =>
    await Promise.all(ids.map(async (id) => (await show(server, id)).status));
  expect(await statuses()).toEqual(['running', 'running', 'running', 'queued', 'queued']);

  const dashboard = new Dashboard(await server.url());
  await dashboard.next('the state', ({ event }) => event === 'state');
  expect((await cancel(server, ids[3]!)).status).toBe(200);
  expect((await cancel(server, ids[1]!)).status).toBe(200);
  await dashboard.next('the last job running', ({ job }) => job?.id === ids[4] && job?.status === 'running');
  expect(await statuses()).toEqual(['running', 'cancelled', 'running', 'cancelled', 'running']);
  expect((await cancel(server, ids[1]!)).status).toBe(409);
  expect((await cancel(server, '999')).status).toBe(404);
});

test('11-job-runner says of a job that fails why', async () => {
  await using server = startServer(APP);
  const { id } = await createOne(server, { type: 'flaky', params: { steps: 3, risk: 100 } });
  expect((await eventsOf(await openStream(server, id))).at(-1)).toMatchObject({
    event: 'end',
    job: { status: 'failed', error: 'step 1 went wrong' },
  });
  expect(server.output).not.toContain('error');
});

test('11-job-runner refuses what it cannot run', async () => {
  await using server = startServer(APP);
  const refused = [
    [],
    null,
    { type: 'constructor' },
    { type: 'countdown', params: { seconds: 0 } },
    { type: 'countdown', params: { seconds: '5' } },
    { type: 'countdown', params: { minutes: 5 } },
    { type: 'primes', params: [] },
    { type: 'primes', params: { limit: 1e9 } },
  ];
  for (const job of refused) expect((await create(server, job)).status).toBe(400);
  expect((await create(server, { type: 'primes', padding: 'x'.repeat(20_000) })).status).toBe(413);

  const statusOf = async (path: string, init?: RequestInit): Promise<number> =>
    (await call(server, path, init)).status;
  const headers = { 'content-type': 'application/json' };
  expect(await statusOf('/api/jobs', { method: 'POST', headers, body: '{' })).toBe(400);
  expect(await statusOf('/api/jobs', { method: 'POST', body: '{}' })).toBe(415);
  expect(await statusOf('/api/jobs', { method: 'PUT' })).toBe(405);
  expect(await statusOf('/api/jobs/7')).toBe(404);
  expect(await statusOf('/api/jobs/7/events', { headers: { accept: 'text/event-stream' } })).toBe(404);
  expect(await statusOf('/src/queue.ts')).toBe(404);
  expect(await (await call(server, '/api/jobs')).json()).toEqual([]);
});

test('11-job-runner shows a dashboard everything and obeys it', async () => {
  await using server = startServer(APP);
  const { id } = await createOne(server, LONG);
  const dashboard = new Dashboard(await server.url());
  const { jobs } = await dashboard.next('the state', ({ event }) => event === 'state');
  expect(jobs!.map((job) => job.id)).toEqual([id]);

  dashboard.command({ command: 'cancel', id });
  const isCancelled = ({ job }: Message): boolean => job?.id === id && job.status === 'cancelled';
  await dashboard.next('the cancelled job', isCancelled);
  dashboard.command({ command: 'create', type: 'primes', params: { limit: 100 } });
  const { job } = await dashboard.next('a job that is done', (message) => message.job?.status === 'done');
  expect(job!.result).toEqual({ count: 25, largest: 97 });
  for (const command of [
    { command: 'cancel', id },
    { command: 'create', type: 'none' },
    { command: 'sing' },
    [],
  ]) {
    dashboard.command(command);
    await dashboard.next('a refusal', ({ event, message }) => event === 'refused' && message !== '');
  }
  dashboard.socket.close();
  await within(dashboard.closed, 'the close');
});

test('11-job-runner opens its dashboard to no page of another site', async () => {
  await using server = startServer(APP);
  const response = await call(server, '/dashboard', {
    headers: {
      origin: 'http://elsewhere.example',
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    },
  });
  expect(response.status).toBe(403);
});

test('11-job-runner ends its streams, its sessions and its worker when the server stops', async () => {
  await using server = startServer(APP, ['--port', '0', '--lifespan', 'on']);
  const { id } = await createOne(server, LONG);
  const dashboard = new Dashboard(await server.url());
  await dashboard.next('the state', ({ event }) => event === 'state');
  const stream = await openStream(server, id);
  server.kill('SIGTERM');
  expect(await within(dashboard.closed, 'the close')).toBe(1001);
  expect(await within(stream.text(), 'the end of the stream')).toContain('event: progress');
  const { exitCode, output } = await server.end();
  expect(exitCode).toBe(0);
  expect(output).toContain('the worker has stopped');
  expect(output).not.toContain('error');
});

needs('chromium')('11-job-runner shows in a page how jobs go on', async () => {
  await using server = startServer(APP);
  await using browser = await startBrowser();
  const { page, failures } = await browser.open(await server.url());
  const items = page.locator('#jobs li');
  await page.getByText('connected', { exact: true }).waitFor();

  await page.getByLabel('Seconds').fill('600');
  await page.getByRole('button', { name: 'Start' }).click();
  await items.filter({ hasText: 'running' }).waitFor();
  await createOne(server, { type: 'primes', params: { limit: 1000 } });
  const primes = items.filter({ hasText: '2 Primes' });
  await primes.getByText('count 168, largest 997').waitFor();
  expect(await primes.getByRole('progressbar').getAttribute('value')).toBe('1');

  const countdown = items.filter({ hasText: '1 Countdown' });
  await countdown.getByRole('button', { name: 'Watch' }).click();
  await page.locator('#watched li').getByText('s to go').first().waitFor();
  await countdown.getByRole('button', { name: 'Cancel' }).click();
  await countdown.getByText('cancelled').first().waitFor();
  await page.locator('#watched li').getByText('cancelled').first().waitFor();
  await page.getByText('0 of 3 running, 0 queued, 1 done, 0 failed, 1 cancelled').waitFor();
  expect(failures).toEqual([]);
});
