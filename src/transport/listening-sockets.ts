/**
 * All sockets that a server listens on: those it has inherited and those it binds itself. Where workers have queues of their
 * own, an address has one socket for each of them, in sets that are numbered from 0, and the kernel spreads new connections over them;
 * everything else is shared. A set that has once been opened stays open, because connections may wait in it.
 */
import { adopt, bind, bindTcp, type BindSettings, type BoundSocket, type ReleaseOptions } from './bind.ts';
import type { InheritedSockets } from './inherited-sockets.ts';
import type { ListenAddress, TcpAddress } from './listen-spec.ts';

export interface ListeningSettings extends BindSettings {
  readonly listeners: readonly ListenAddress[];
  /** Whether the addresses are the user's choice; if not, sockets that a supervisor has opened take their place. */
  readonly choosesAddresses: boolean;
  readonly certFile: string | undefined;
}

interface Place {
  /** Where it was asked for. */
  readonly address: ListenAddress;
  readonly sockets: BoundSocket[];
  /** Whether each set has a socket of its own here. */
  readonly hasSets: boolean;
}

export class ListeningSockets {
  readonly #settings: ListeningSettings;
  readonly #places: readonly Place[];

  /** Throws an Error that names the address that cannot be had; nothing stays open then but what was inherited. */
  static async open(settings: ListeningSettings, inherited: InheritedSockets): Promise<ListeningSockets> {
    const places: Place[] = [];
    try {
      for (const address of addressesOf(settings, inherited))
        places.push(await openPlace(address, settings, inherited));
    } catch (error) {
      // Whoever has handed a socket over still serves at its path.
      for (const socket of places.flatMap(({ sockets }) => sockets))
        socket.release({ keepPath: socket.isInherited });
      throw error;
    }
    return new ListeningSockets(settings, places);
  }

  private constructor(settings: ListeningSettings, places: readonly Place[]) {
    this.#settings = settings;
    this.#places = places;
  }

  /** How many sets there are; 0 where everything is shared. */
  get setCount(): number {
    return Math.max(0, ...this.#places.filter(({ hasSets }) => hasSets).map(({ sockets }) => sockets.length));
  }

  /** Each address once. */
  get urls(): readonly string[] {
    return this.#places.map(({ sockets }) => sockets[0]!.url);
  }

  get all(): readonly BoundSocket[] {
    return this.#places.flatMap(({ sockets }) => sockets);
  }

  /** What is shared, and the sockets of these sets; sets that there were not are opened. Throws where that fails. */
  of(sets: readonly number[]): readonly BoundSocket[] {
    const found: BoundSocket[] = [];
    for (const place of this.#places) {
      if (!place.hasSets) found.push(...place.sockets);
      else for (const set of sets) found.push(this.#open(place, set));
    }
    return found;
  }

  /** The paths of unix sockets stay where another process serves on. */
  release(options: ReleaseOptions = {}): void {
    for (const socket of this.all) socket.release(options);
  }

  #open({ sockets }: Place, set: number): BoundSocket {
    // The port may have been the kernel's choice; only TCP has sets.
    const address = sockets[0]!.address as TcpAddress;
    while (sockets.length <= set) sockets.push(bindTcp(address, this.#settings));
    return sockets[set]!;
  }
}

function addressesOf(settings: ListeningSettings, inherited: InheritedSockets): readonly ListenAddress[] {
  if (settings.choosesAddresses || inherited.unclaimed.every(({ isOwned }) => isOwned))
    return settings.listeners;
  const security = settings.certFile === undefined ? undefined : { isSecure: 'on-tcp' as const };
  return inherited.unclaimed.map(({ fd, firstFd = fd }): ListenAddress => ({
    type: 'fd',
    fd: firstFd,
    ...security,
  }));
}

async function openPlace(
  address: ListenAddress,
  settings: ListeningSettings,
  inherited: InheritedSockets,
): Promise<Place> {
  const claimed = inherited.claim(address);
  const sockets = claimed.map((socket) => adopt(socket, address.isSecure));
  // Sockets that a supervisor has opened cannot be multiplied.
  const isOurs = claimed.every(({ isOwned }) => isOwned);
  const hasSets = settings.reusePort && address.type === 'tcp' && isOurs;
  if (sockets.length === 0) sockets.push(await bind(address, settings));
  return { address, sockets, hasSets };
}
