/** One run of h2load against one server: what it counted, what failed, and the CPU time that the server spent. */
import type { Children } from '../children.ts';
import { H2LOAD } from '../machine.ts';
import type { RunningPeer } from '../peers.ts';
import type { Sample } from '../samples.ts';
import { runUnderLoad, sharesOf } from './under-load.ts';

export interface H2loadWork {
  connections: number;
  /** Requests in flight on each connection. */
  streams: number;
  seconds: number;
}

const COUNTED = /^requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$/m;

/** The sample's value is requests per second, its CPU time is per request. */
export async function runH2load(peer: RunningPeer, work: H2loadWork, children: Children): Promise<Sample> {
  if (H2LOAD === null) throw new Error('no h2load: apt-get install nghttp2-client');
  const flags = `-c${work.connections} -m${work.streams} -D${work.seconds}`.split(' ');
  const run = await runUnderLoad(peer, [H2LOAD, ...flags, `http://127.0.0.1:${peer.port}/`], children);
  const [done = 0, succeeded = 0, ...lost] = (COUNTED.exec(run.output) ?? []).slice(1).map(Number);
  if (done === 0) throw new Error(`h2load counted nothing: ${run.output.trim()}`);
  const failed = done - succeeded + lost.reduce((sum, count) => sum + count, 0);
  return {
    value: done / work.seconds,
    cpu: run.serverSeconds / done,
    ...sharesOf(run),
    faults: failed === 0 ? [] : [`${failed} requests failed`],
  };
}
