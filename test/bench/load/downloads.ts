/** One download from one server: its rate, the CPU time that the server spent on it, and how far its memory grew. */
import { join } from 'node:path';
import type { Children } from '../children.ts';
import type { RunningPeer } from '../peers.ts';
import { peakResidentBytes, residentBytes, resetPeak } from '../process-costs.ts';
import type { Sample } from '../samples.ts';
import { runUnderLoad, sharesOf } from './under-load.ts';

const GIB = 2 ** 30;
const CLIENT = join(import.meta.dir, 'download-client.ts');

/** Resident bytes of each server before its first download: growth counts from there, over all rounds. */
const baselines = new WeakMap<RunningPeer, number>();

/** The sample's value is GiB per second, its CPU time is per GiB. */
export async function runDownload(
  peer: RunningPeer,
  work: { path: string; bytes: number },
  children: Children,
): Promise<Sample> {
  const baseline = baselines.get(peer) ?? residentBytes(peer.pid);
  baselines.set(peer, baseline);
  resetPeak(peer.pid);
  const command = [process.execPath, CLIENT, String(peer.port), work.path, String(work.bytes)];
  const run = await runUnderLoad(peer, command, children);
  if (run.exitCode !== 0) throw new Error(`the download of ${work.path} broke off`);
  const gibibytes = work.bytes / GIB;
  return {
    value: gibibytes / Number(run.output),
    cpu: run.serverSeconds / gibibytes,
    ...sharesOf(run),
    growth: peakResidentBytes(peer.pid) - baseline,
    faults: [],
  };
}
