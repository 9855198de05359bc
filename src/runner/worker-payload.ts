/**
 * How the master describes its sockets to a worker. Descriptors are numbered anew there, in the order of the list.
 */
import { FIRST_DESCRIPTOR } from '../process/child.ts';
import type { Payload } from '../process/messages.ts';
import { releaseOf, type BoundSocket } from '../transport/bind.ts';
import type { SocketAddress } from '../transport/listen-spec.ts';

interface DescribedSocket {
  readonly address: SocketAddress;
  readonly url: string;
}

export function describeSocket({ address, url }: BoundSocket): DescribedSocket {
  return { address, url };
}

/** The sockets of a worker. Their paths are the master's. */
export function socketsOf(payload: Payload): readonly BoundSocket[] {
  return (payload['sockets'] as readonly DescribedSocket[]).map(({ address, url }, index) => {
    const fd = FIRST_DESCRIPTOR + index;
    return { fd, address, url, isInherited: true, isOwned: false, release: releaseOf(fd) };
  });
}
