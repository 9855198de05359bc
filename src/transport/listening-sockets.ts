/**
 * All sockets that a server listens on: those it has inherited and those it binds itself. Where workers have queues of their
 * own, an address has one socket for each of them, in sets that are numbered from 0, and the kernel spreads new connections over them;
 * everything else is shared. The sets are opened at the start and stay open: a socket that nobody accepts on any more, or does not
 * accept on yet, would let its share of the clients wait.
 */
import { adopt, bind, bindTcp, type BindSettings, type BoundSocket, type ReleaseOptions } from './bind.ts';
import type { InheritedSockets } from './inherited-sockets.ts';
import type { ListenAddress, TcpAddress } from './listen-spec.ts';

export interface ListeningSettings extends BindSettings {
  readonly listeners: readonly ListenAddress[];
  /** Whether the addresses are the user's choice; if not, sockets that a supervisor has opened take their place. */
  readonly choosesAddresses: boolean;
  readonly certFile: string | undefined;
  /** How many processes serve; with 0 and 1 it is this one. */
  readonly workers: number;
}

interface Place {
  /** Where it was asked for. */
  readonly address: ListenAddress;
  readonly sockets: BoundSocket[];
  /** Whether each set has a socket of its own here. */
  readonly hasSets: boolean;
}

export class ListeningSockets {
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
    return new ListeningSockets(places);
  }

  private constructor(places: readonly Place[]) {
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

  /** What is shared, and the sockets of these sets. Where an address has fewer sockets than others have, sets share them. */
  of(sets: readonly number[]): readonly BoundSocket[] {
    const found = this.#places.flatMap(({ sockets, hasSets }) =>
      hasSets ? sets.map((set) => sockets[set % sockets.length]!) : sockets,
    );
    return Array.from(new Set(found));
  }

  /** The paths of unix sockets stay where another process serves on. */
  release(options: ReleaseOptions = {}): void {
    for (const socket of this.all) socket.release(options);
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
  // Sockets that a supervisor has opened cannot be multiplied.
  const isOurs = claimed.every(({ isOwned }) => isOwned);
  const hasSets = settings.reusePort && address.type === 'tcp' && isOurs;
  if (claimed.length > 0) {
    return { address, sockets: claimed.map((socket) => adopt(socket, address.isSecure)), hasSets };
  }
  const sockets = hasSets ? bindSets(address, settings) : [await bind(address, settings)];
  return { address, sockets, hasSets };
}

/** One socket for each worker. */
function bindSets(address: TcpAddress, settings: ListeningSettings): BoundSocket[] {
  const { workers } = settings;
  // SO_REUSEPORT would let a second server of the same user have its share of the clients, and nobody would notice.
  if (workers > 1) bindTcp(address, { ...settings, reusePort: false }).release();
  const first = bindTcp(address, settings);
  const sockets = [first];
  try {
    // The port may have been the kernel's choice.
    while (sockets.length < workers) sockets.push(bindTcp(first.address as TcpAddress, settings));
  } catch (error) {
    for (const socket of sockets) socket.release();
    throw error;
  }
  return sockets;
}
