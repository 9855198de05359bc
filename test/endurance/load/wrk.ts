/**
 * Runs wrk, kept off the server's core, and reads what it counted. Errors are what the bars speak of, so all kinds of them are one number.
 */
import { WRK, type Cores } from '../../bench/machine.ts';

export interface WrkCounts {
  readonly requests: number;
  /** Of sockets, timeouts, and answers other than 2xx and 3xx. */
  readonly errors: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

export interface WrkRun {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
}

const MILLISECONDS = { us: 0.001, ms: 1, s: 1000, m: 60_000 } as const;

export async function runWrk(run: WrkRun, cores: Cores | undefined): Promise<WrkCounts> {
  if (WRK === null) throw new Error('wrk is needed: apt-get install wrk');
  const { url, connections, seconds } = run;
  const pinning = cores === undefined ? [] : ['taskset', '-c', String(cores.load)];
  const load = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '5s', url];
  const child = Bun.spawn([...pinning, WRK, ...load], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
  const output = await child.stdout.text();
  await child.exited;
  return readCounts(output);
}

function readCounts(output: string): WrkCounts {
  const requests = Number(/(\d+) requests in/.exec(output)?.[1] ?? 0);
  if (requests === 0) throw new Error(`wrk counted nothing: ${output.trim()}`);
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output);
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0);
  const errors = (sockets?.slice(1) ?? []).reduce((sum, count) => sum + Number(count), refused);
  return {
    requests,
    errors,
    p50: milliseconds(/^ +50% +(\S+)/m.exec(output)?.[1]),
    p99: milliseconds(/^ +99% +(\S+)/m.exec(output)?.[1]),
    longest: milliseconds(/Latency\s+\S+\s+\S+\s+(\d\S*)/.exec(output)?.[1]),
  };
}

function milliseconds(text = ''): number {
  const [, number, unit = ''] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? [];
  return number === undefined ? Number.NaN : Number(number) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
}
