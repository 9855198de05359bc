/**
 * A program that goes into the background, and answers there on a unix socket with what it is by then. Its arguments are the
 * socket's path and what else it is to do: `worker` has it start another process first, `lonely` has it wait until its caller has gone, `fail`, `die`, `hang` and `finish` are
 * starts that come to nothing.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { releaseStandardStreams } from '../../src/os/standard-streams.ts';
import { DaemonLink, startDaemon } from '../../src/process/daemonize.ts';

export interface DaemonReport {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly group: number;
  /** 0 without one. */
  readonly terminal: number;
  readonly directory: string;
  readonly umask: number;
  /** What each descriptor refers to. */
  readonly descriptors: Readonly<Record<string, string>>;
  readonly worker?: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly signals: readonly string[];
}

/** Milliseconds. */
const LIFETIME = 20_000;

const [socket = '', ...wishes] = process.argv.slice(2);
const wants = (wish: string): boolean => wishes.includes(wish);

if (process.env['DAEMON_TEST_WORKER'] !== undefined) await work();
else await start();

async function start(): Promise<void> {
  const link = DaemonLink.fromEnvironment(process.env);
  if (link !== undefined) return await serve(link);
  const command = [process.execPath, import.meta.path, ...process.argv.slice(2)];
  const { exitCode } = await startDaemon(command, {
    env: process.env,
    descriptors: wants('descriptor') ? [5] : [],
  });
  process.exit(exitCode);
}

async function serve(link: DaemonLink): Promise<void> {
  // A test that fails leaves it behind.
  setTimeout(() => process.exit(0), LIFETIME).unref();
  console.log('said with console.log');
  process.stdout.write('said with process.stdout\n');
  process.stderr.write('said with process.stderr\n');
  if (wants('long')) console.error(`${'x'.repeat(1_000_000)}the end`);
  if (wants('fail')) process.exit(Number(Boolean(console.error('cannot listen'))) + 3);
  if (wants('finish')) process.exit(0);
  if (wants('die')) process.kill(process.pid, 'SIGKILL');
  if (wants('hang')) return void setInterval(() => {}, 60_000);
  if (wants('lonely')) await new Promise<void>((resolve) => process.once('disconnect', () => resolve()));
  const signals: string[] = [];
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => signals.push(signal));
  const worker = wants('worker') ? await startWorker() : undefined;
  listen(async () => ({ ...report(), signals, ...(worker ? { worker: await worker.ask() } : {}) }));
  link.ready();
  console.log('said too late');
}

function listen(describe: () => Promise<DaemonReport>): void {
  Bun.listen({
    unix: socket,
    socket: {
      async data(client, bytes) {
        if (String(bytes) === 'end') process.exit(0);
        // These must do no harm where nobody reads them.
        console.log('x'.repeat(100_000));
        process.stdout.write('x'.repeat(100_000));
        process.stderr.write('x'.repeat(100_000));
        client.end(JSON.stringify(await describe()));
      },
    },
  });
}

function report(): DaemonReport {
  // After the name in parentheses: state, parent, group, session, terminal (proc_pid_stat(5)).
  const stat = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .map(Number);
  return {
    pid: process.pid,
    parent: stat[1]!,
    group: stat[2]!,
    session: stat[3]!,
    terminal: stat[4]!,
    directory: process.cwd(),
    umask: process.umask(),
    descriptors: descriptors(),
    variables: { LISTEN_PID: process.env['LISTEN_PID'], TSAGI_DAEMON: process.env['TSAGI_DAEMON'] },
    signals: [],
  };
}

function descriptors(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      found[fd] = readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // The one that the directory was read through.
    }
  }
  return found;
}

interface Worker {
  ask(): Promise<Record<string, string>>;
}

async function startWorker(): Promise<Worker> {
  let next = Promise.withResolvers<unknown>();
  const child = Bun.spawn([process.execPath, import.meta.path], {
    env: { ...process.env, DAEMON_TEST_WORKER: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
    ipc: (message) => next.resolve(message),
  });
  await next.promise;
  if (!wants('deaf')) child.send('release');
  return {
    async ask() {
      next = Promise.withResolvers<unknown>();
      child.send('report');
      return (await next.promise) as Record<string, string>;
    },
  };
}

async function work(): Promise<void> {
  delete process.env['DAEMON_TEST_WORKER'];
  process.on('message', (message) => {
    if (message === 'release') releaseStandardStreams();
    else process.send?.(descriptors());
  });
  process.on('disconnect', () => process.exit(0));
  process.stdout.write('said by the worker\n');
  process.send?.('up');
}
