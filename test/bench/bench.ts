/** What every row of one bench run shares: the flags, the processes, and who takes part. */
import type { Children } from './children.ts';
import type { Flags } from './flags.ts';
import { absenceOf, startPeer } from './peers.ts';
import type { BenchProtocol, PeerName, RunningPeer } from './peers.ts';
import type { RowReport } from './report.ts';

export interface Bench {
  flags: Flags;
  children: Children;
  /** The 1 GiB file behind `/file`. */
  filePath: string;
  /** Says on standard error what is going on; the report alone goes to standard output. */
  progress(text: string): void;
}

export interface Row {
  name: string;
  run(bench: Bench): Promise<RowReport>;
}

/** The servers of one row. Whichever cannot go on leaves with its reason, and the row goes on without it. */
export class Field {
  readonly #bench: Bench;
  readonly #protocol: BenchProtocol;
  readonly #running = new Map<PeerName, RunningPeer>();
  /** One sentence for each server that is not, or no longer, in the row. */
  readonly departures: string[] = [];
  #names: readonly PeerName[];

  constructor(names: readonly PeerName[], bench: Bench, protocol: BenchProtocol = 'http/1.1') {
    this.#bench = bench;
    this.#protocol = protocol;
    this.#names = names.filter((name) => bench.flags.peers.includes(name));
    for (const name of this.#names) {
      const absence = absenceOf(name);
      if (absence !== undefined) this.#leave(name, 'skipped', absence);
    }
  }

  get names(): readonly PeerName[] {
    return this.#names;
  }

  /** The server, started at its first use and then kept. */
  async server(name: PeerName): Promise<RunningPeer> {
    const { children, filePath } = this.#bench;
    const peer =
      this.#running.get(name) ?? (await startPeer(name, children, { filePath, protocol: this.#protocol }));
    this.#running.set(name, peer);
    return peer;
  }

  async stop(name: PeerName): Promise<void> {
    const peer = this.#running.get(name);
    this.#running.delete(name);
    if (peer !== undefined) await this.#bench.children.stop(peer.child);
  }

  async stopAll(): Promise<void> {
    for (const name of this.#running.keys()) await this.stop(name);
  }

  /** Runs a step for every server in turn; a server whose step throws leaves the row. */
  async each(step: (name: PeerName) => Promise<void>): Promise<void> {
    for (const name of this.#names) {
      try {
        await step(name);
      } catch (error) {
        this.#leave(name, 'failed', error instanceof Error ? error.message : String(error));
        await this.stop(name);
      }
    }
  }

  #leave(name: PeerName, how: 'skipped' | 'failed', reason: string): void {
    this.#names = this.#names.filter((present) => present !== name);
    this.departures.push(`${name} ${how}: ${reason}`);
    this.#bench.progress(`${name} ${how}: ${reason}`);
  }
}
