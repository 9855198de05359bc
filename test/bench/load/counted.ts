/** One run of a load client of this directory that counts messages: their rate, and the CPU time that each cost the server. */
import { join } from 'node:path';
import type { Children } from '../children.ts';
import type { RunningPeer } from '../peers.ts';
import type { Sample } from '../samples.ts';
import { runUnderLoad, sharesOf } from './under-load.ts';

export interface CountedWork {
  /** A file beside this one; it gets the port, the seconds and then `args`. */
  client: string;
  args: readonly (string | number)[];
  seconds: number;
}

/** The sample's value is messages per second, its CPU time is per message. */
export async function runCounted(
  peer: RunningPeer,
  { client, args, seconds }: CountedWork,
  children: Children,
): Promise<Sample> {
  const command = [
    process.execPath,
    join(import.meta.dir, client),
    ...[peer.port, seconds, ...args].map(String),
  ];
  const run = await runUnderLoad(peer, command, children);
  if (run.exitCode !== 0) throw new Error(run.output.trim());
  const counted = JSON.parse(run.output) as { count: number; seconds: number };
  if (counted.count === 0) throw new Error('no message came back');
  return {
    value: counted.count / counted.seconds,
    cpu: run.serverSeconds / counted.count,
    ...sharesOf(run),
    faults: [],
  };
}
