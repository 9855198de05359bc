/**
 * The servers that are measured: how each is started, and why one is left out. All listen on a port that the bench run
 * picked, and all are ready once they answer `GET /`.
 */
import { existsSync, openSync, closeSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import type { Children, ServerChild } from './children.ts';
import { descriptorLimit, NGHTTPD, NGINX, NODE, UVICORN_PYTHON, WS_VERSION } from './machine.ts';
import { GREETING } from './peers/work.ts';

const PEERS_DIRECTORY = join(import.meta.dir, 'peers');
const COMMAND = join(import.meta.dir, '../../bin/tsagi-server');
const STARTUP_MS = 15_000;
const PROBE_INTERVAL_MS = 20;

/** What a row's load generator speaks. HTTP/2 is by prior knowledge, without TLS. */
export type BenchProtocol = 'http/1.1' | 'h2';

interface Launch {
  protocol: BenchProtocol;
  port: number;
  /** The run's scratch directory. */
  directory: string;
  filePath: string;
}

interface PeerProgram {
  /** Why this machine cannot run it; undefined where it can. */
  absent?: string | undefined;
  command(launch: Launch): string[];
}

export const PEERS = {
  tsagi: {
    absent: existsSync(COMMAND) ? undefined : 'no bin/tsagi-server',
    // The default of 1000 connections is below what the rows with many connections open.
    command: ({ port, protocol }) => [
      process.execPath,
      COMMAND,
      `${join(PEERS_DIRECTORY, 'tsagi-app.ts')}:app`,
      ...words(
        `--env production --host 127.0.0.1 --port ${port} --max-connections ${descriptorLimit() - 100}`,
      ),
      ...(protocol === 'h2' ? ['--http2'] : []),
    ],
  },
  ceiling: { command: () => bunPeer('ceiling.ts') },
  'ceiling-pipelined': { command: () => bunPeer('ceiling-pipelined.ts') },
  'bun-serve': { command: () => bunPeer('bun-serve.ts') },
  'node-http': {
    absent: NODE === null ? 'no node' : undefined,
    command: () => [NODE ?? '', join(PEERS_DIRECTORY, 'node-http.mjs')],
  },
  'ws-node': {
    absent: NODE === null ? 'no node' : WS_VERSION === undefined ? 'no package ws' : undefined,
    command: () => [NODE ?? '', join(PEERS_DIRECTORY, 'ws-node.mjs')],
  },
  'node-http2': {
    absent: NODE === null ? 'no node' : undefined,
    command: () => [NODE ?? '', join(PEERS_DIRECTORY, 'node-http2.mjs')],
  },
  'node-http2-stream': {
    absent: NODE === null ? 'no node' : undefined,
    command: () => [NODE ?? '', join(PEERS_DIRECTORY, 'node-http2.mjs'), 'stream'],
  },
  'bun-http2': { command: () => bunPeer('node-http2.mjs') },
  'bun-http2-stream': { command: () => [...bunPeer('node-http2.mjs'), 'stream'] },
  nghttpd: {
    absent: NGHTTPD === null ? 'no nghttpd' : undefined,
    command: (launch) => [
      NGHTTPD ?? '',
      ...words('--no-tls --address 127.0.0.1 --htdocs'),
      writeGreetingFile(launch),
      String(launch.port),
    ],
  },
  nginx: {
    absent: NGINX === null ? 'no nginx' : undefined,
    command: (launch) => [
      NGINX ?? '',
      '-c',
      writeNginxConfig(launch),
      '-p',
      launch.directory,
      '-g',
      'daemon off; master_process off;',
    ],
  },
  uvicorn: {
    absent: UVICORN_PYTHON === undefined ? 'no uvicorn with httptools and uvloop' : undefined,
    command: ({ port }) => [
      UVICORN_PYTHON ?? '',
      ...words(`-m uvicorn uvicorn-app:app --host 127.0.0.1 --port ${port} --http httptools --loop uvloop`),
      ...words(
        '--log-level warning --no-access-log --no-proxy-headers --lifespan off --timeout-keep-alive 300',
      ),
      '--app-dir',
      PEERS_DIRECTORY,
    ],
  },
} as const satisfies Record<string, PeerProgram>;

export type PeerName = keyof typeof PEERS;

export const PEER_NAMES = Object.keys(PEERS) as PeerName[];

/** Why this machine cannot run the peer; undefined where it can. */
export function absenceOf(name: PeerName): string | undefined {
  const program: PeerProgram = PEERS[name];
  return program.absent;
}

export interface RunningPeer {
  name: PeerName;
  port: number;
  pid: number;
  child: ServerChild;
}

export interface PeerWork {
  filePath: string;
  protocol: BenchProtocol;
}

export async function startPeer(
  name: PeerName,
  children: Children,
  { filePath, protocol }: PeerWork,
): Promise<RunningPeer> {
  const port = pickPort();
  const program: PeerProgram = PEERS[name];
  const command = program.command({ port, directory: children.directory, filePath, protocol });
  const env = {
    BENCH_PORT: String(port),
    BENCH_FILE: filePath,
    BENCH_PROTOCOL: protocol,
    PYTHONDONTWRITEBYTECODE: '1',
    NODE_ENV: 'production',
  };
  const logPath = join(children.directory, `${name}.log`);
  const logFd = openSync(logPath, 'w');
  const child = children.startServer(command, env, logFd);
  closeSync(logFd);
  const deadline = performance.now() + STARTUP_MS;
  const answers = protocol === 'h2' ? answersHttp2 : answersHttp1;
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await children.stop(child);
      throw new Error(`no answer on port ${port}; ${firstError(readFileSync(logPath, 'utf8'))}`);
    }
    await Bun.sleep(PROBE_INTERVAL_MS);
  }
  return { name, port, pid: child.pid, child };
}

function words(text: string): string[] {
  return text.split(' ');
}

/** The line of a server's output that most likely says what was wrong. */
function firstError(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'it printed nothing').trim();
}

function bunPeer(file: string): string[] {
  return [process.execPath, join(PEERS_DIRECTORY, file)];
}

async function answersHttp1(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    return (await response.text()) !== '' && response.ok;
  } catch {
    return false;
  }
}

async function answersHttp2(port: number): Promise<boolean> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    return await new Promise((resolve) => {
      session.on('error', () => resolve(false));
      const stream = session.request({ ':path': '/' });
      stream.on('error', () => resolve(false));
      stream.on('response', ({ ':status': status }) => resolve(status === 200));
      stream.resume();
    });
  } finally {
    session.destroy();
  }
}

/**
 * A free port below the range that the kernel gives to clients (32768 and up on Linux), so that none of the thousands of
 * connections of other rows can take it before the peer binds it.
 */
export function pickPort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Bun.listen({ hostname: '127.0.0.1', port, socket: { data: () => {} } }).stop(true);
      return port;
    } catch {
      // Taken: the next one.
    }
  }
}

/** What nghttpd gives out for `/`. */
function writeGreetingFile({ directory }: Launch): string {
  const root = join(directory, 'greeting');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'index.html'), GREETING);
  return root;
}

function writeNginxConfig({ port, directory, filePath }: Launch): string {
  const path = join(directory, 'nginx.conf');
  const config = readFileSync(join(PEERS_DIRECTORY, 'nginx.conf'), 'utf8')
    .replaceAll('@PORT@', String(port))
    .replaceAll('@DIRECTORY@', directory)
    .replaceAll('@FILE@', filePath)
    .replaceAll('@DESCRIPTORS@', String(Math.min(descriptorLimit(), 65_536)));
  writeFileSync(path, config);
  return path;
}
