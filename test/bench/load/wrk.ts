/** One run of wrk against one server: what it counted, what it complained about, and the CPU time that the server spent. */
import { join } from 'node:path';
import type { Children } from '../children.ts';
import type { RunningPeer } from '../peers.ts';
import type { Sample } from '../samples.ts';
import { runUnderLoad, sharesOf } from './under-load.ts';

export interface WrkWork {
  path: string;
  connections: number;
  seconds: number;
  /** A file beside this one. */
  script?: string | undefined;
  headers?: readonly string[] | undefined;
}

const COUNTED = /(\d+) requests in ([\d.]+)(ms|s|m),/;
const FAULTS = [/Socket errors: .*/, /Non-2xx or 3xx responses: \d+/];
const SECONDS_PER = { ms: 0.001, s: 1, m: 60 } as const;

/** The sample's value is requests per second, its CPU time is per request. */
export async function runWrk(peer: RunningPeer, work: WrkWork, children: Children): Promise<Sample> {
  const command = [
    ...`wrk -t1 -c${work.connections} -d${work.seconds}s --timeout 10s`.split(' '),
    ...(work.script === undefined ? [] : ['-s', join(import.meta.dir, work.script)]),
    ...(work.headers ?? []).flatMap((header) => ['-H', header]),
    `http://127.0.0.1:${peer.port}${work.path}`,
  ];
  const run = await runUnderLoad(peer, command, children);
  const [, count = '0', time = '0', unit = 's'] = COUNTED.exec(run.output) ?? [];
  const requests = Number(count);
  const elapsed = Number(time) * SECONDS_PER[unit as keyof typeof SECONDS_PER];
  if (!(requests > 0 && elapsed > 0)) throw new Error(`wrk counted nothing: ${run.output.trim()}`);
  return {
    value: requests / elapsed,
    cpu: run.serverSeconds / requests,
    ...sharesOf(run),
    faults: FAULTS.flatMap((pattern) => pattern.exec(run.output)?.[0] ?? []),
  };
}
