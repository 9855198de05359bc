/**
 * What the tests of the cluster chat put together: a Redis of their own, nodes, HAProxy in front with the example's own
 * configuration, and clients. Each is disposed of like any other program.
 */
import { freePort } from '../support/free-port.ts';
import { programPath } from '../support/program.ts';
import { RunningProgram } from '../support/running-program.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';
import { Haproxy } from '../support/haproxy.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const EXAMPLE = `${ROOT}examples/13-cluster-broadcast`;

/** A Redis that keeps nothing, and that comes back at the same address. */
export class TestRedis implements AsyncDisposable {
  readonly port = freePort();
  readonly url = `redis://127.0.0.1:${this.port}`;
  readonly #directory: TemporaryDirectory = temporaryDirectory();
  #process: RunningProgram | undefined;

  static async start(): Promise<TestRedis> {
    const redis = new TestRedis();
    await redis.start();
    return redis;
  }

  async start(): Promise<void> {
    const where = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.#directory.path];
    const nothingKept = ['--save', '', '--appendonly', 'no'];
    this.#process = new RunningProgram([programPath('redis-server'), ...where, ...nothingKept]);
    await this.#process.said(/Ready to accept connections/);
  }

  async stop(): Promise<void> {
    this.#process!.kill('SIGTERM');
    await this.#process!.end();
  }

  /** It takes connections, as the kernel does that for it, and answers nothing. */
  freeze(): void {
    this.#process!.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process!.kill('SIGCONT');
  }

  async ask(command: string, ...words: string[]): Promise<unknown> {
    const client = new Bun.RedisClient(this.url, { autoReconnect: false });
    try {
      return await client.send(command, words);
    } finally {
      client.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await this.#process?.[Symbol.asyncDispose]();
    this.#directory[Symbol.dispose]();
  }
}

export interface NodeOptions {
  readonly name: string;
  readonly redis: string;
  /** Without: a single process. */
  readonly workers?: number;
}

/** One node of the cluster: the real command, on a free port. */
export function startNode({ name, redis, workers }: NodeOptions): RunningProgram {
  const args = workers === undefined ? [] : ['--workers', String(workers)];
  return new RunningProgram(
    [process.execPath, `${ROOT}bin/tsagi-server`, `${EXAMPLE}/app.ts`, '--port', '0', ...args],
    { cwd: ROOT, env: { NODE_NAME: name, REDIS_URL: redis } },
  );
}

export interface Proxy extends AsyncDisposable {
  readonly url: string;
}

/** HAProxy in front of two nodes, as the example has it, but for the addresses. */
export async function startHaproxy(nodes: readonly [string, string]): Promise<Proxy> {
  const address = `127.0.0.1:${freePort()}`;
  let config = await Bun.file(`${EXAMPLE}/haproxy.cfg`).text();
  const addresses = { '8080': address, '5001': new URL(nodes[0]).host, '5002': new URL(nodes[1]).host };
  for (const [port, mine] of Object.entries(addresses)) {
    if (!config.includes(`127.0.0.1:${port}`)) throw new Error(`haproxy.cfg does not name port ${port}`);
    config = config.replace(`127.0.0.1:${port}`, mine);
  }
  const haproxy = await Haproxy.start(config);
  return { url: `http://${address}`, [Symbol.asyncDispose]: () => haproxy[Symbol.asyncDispose]() };
}
