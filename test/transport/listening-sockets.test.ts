import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { InheritedSockets } from '../../src/transport/inherited-sockets.ts';
import type { ListenAddress } from '../../src/transport/listen-spec.ts';
import { ListeningSockets, type ListeningSettings } from '../../src/transport/listening-sockets.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';

const LOOPBACK: ListenAddress = { type: 'tcp', host: '127.0.0.1', port: 0 };

let directory: TemporaryDirectory;
let open: ListeningSockets[] = [];

beforeEach(() => {
  directory = temporaryDirectory();
});

afterEach(() => {
  for (const sockets of open) sockets.release();
  open = [];
  directory[Symbol.dispose]();
});

async function listen(
  settings: Partial<ListeningSettings>,
  inherited = new InheritedSockets([]),
): Promise<ListeningSockets> {
  const sockets = await ListeningSockets.open(
    {
      listeners: [LOOPBACK],
      listenerBacklog: 16,
      reusePort: true,
      choosesAddresses: true,
      certFile: undefined,
      workers: 2,
      ...settings,
    },
    inherited,
  );
  open.push(sockets);
  return sockets;
}

/** As a predecessor hands them over. */
function handedOver(sockets: ListeningSockets): InheritedSockets {
  return new InheritedSockets(
    sockets.all.map(({ fd, address }) => ({ fd, name: undefined, address, isOwned: true })),
  );
}

function portOf({ address }: { readonly address: ListenAddress }): number | undefined {
  return address.type === 'tcp' ? address.port : undefined;
}

function connects(port: number | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: port ?? 0 });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

describe('with a socket for each worker', () => {
  test('an address has as many sockets as there are workers, all on one port', async () => {
    const sockets = await listen({ workers: 3 });
    expect(sockets.setCount).toBe(3);
    expect(new Set(sockets.all.map(({ fd }) => fd)).size).toBe(3);
    expect(new Set(sockets.all.map(portOf)).size).toBe(1);
    expect(sockets.of([0, 2])).toEqual([sockets.all[0]!, sockets.all[2]!]);
  });

  test('a second server cannot have a share of the port', async () => {
    const first = await listen({ workers: 2 });
    const listeners = [{ ...LOOPBACK, port: portOf(first.all[0]!)! } as ListenAddress];
    await expect(listen({ workers: 2, listeners })).rejects.toThrow('the address is already in use');
  });

  test('a unix socket is shared all the same', async () => {
    const path = directory.join('a.sock');
    const sockets = await listen({ listeners: [LOOPBACK, { type: 'unix', path }] });
    const unix = (set: number) => sockets.of([set]).find(({ address }) => address.type === 'unix');
    expect(unix(0)).toBe(unix(1)!);
    expect(sockets.urls).toEqual([`http://127.0.0.1:${portOf(sockets.all[0]!)}`, `unix:${path}`]);
  });

  test('a successor gets every set, and shares them among more workers or fewer', async () => {
    const before = await listen({ workers: 3 });
    const listeners = [{ ...LOOPBACK, port: portOf(before.all[0]!)! } as ListenAddress];
    const after = await listen({ workers: 5, listeners }, handedOver(before));
    expect(after.setCount).toBe(3);
    expect(after.of([0, 1, 2]).map(({ fd }) => fd)).toEqual(before.all.map(({ fd }) => fd));
    // Its descriptors are the same here, where both are in one process.
    open = [after];
  });

  test('beside an address that is new to a successor, an old one has fewer sockets, and sets share them', async () => {
    const before = await listen({ workers: 1 });
    const listeners = [{ ...LOOPBACK, port: portOf(before.all[0]!)! } as ListenAddress, LOOPBACK];
    const after = await listen({ workers: 2, listeners }, handedOver(before));
    expect(after.setCount).toBe(2);
    const [old, ...fresh] = after.all;
    expect(after.of([0])).toEqual([old!, fresh[0]!]);
    expect(after.of([1])).toEqual([old!, fresh[1]!]);
    expect(after.of([0, 1])).toEqual([old!, ...fresh]);
    open = [after];
  });
});

test('without sockets of their own all workers share one, and a successor shares all that there were', async () => {
  const before = await listen({});
  const after = await listen(
    { reusePort: false, listeners: [{ ...LOOPBACK, port: portOf(before.all[0]!)! } as ListenAddress] },
    handedOver(before),
  );
  expect(after.setCount).toBe(0);
  expect(after.of([]).map(({ fd }) => fd)).toEqual(before.all.map(({ fd }) => fd));
  open = [after];
});

test('when one address cannot be had, none stays open', async () => {
  const taken = await listen({ reusePort: false });
  const path = directory.join('a.sock');
  const listeners: ListenAddress[] = [
    { type: 'unix', path },
    { ...LOOPBACK, port: portOf(taken.all[0]!)! } as ListenAddress,
  ];
  await expect(listen({ listeners, reusePort: false })).rejects.toThrow('the address is already in use');
  expect(existsSync(path)).toBe(false);
});

test('released sockets refuse, and their paths are gone unless another process serves on', async () => {
  const paths = [directory.join('a.sock'), directory.join('b.sock')];
  const [first, second] = [
    await listen({ listeners: [LOOPBACK, { type: 'unix', path: paths[0]! }] }),
    await listen({ listeners: [LOOPBACK, { type: 'unix', path: paths[1]! }] }),
  ];
  open = [];
  const port = portOf(first.all[0]!);
  expect(await connects(port)).toBe(true);
  first.release();
  second.release({ keepPath: true });
  expect(await connects(port)).toBe(false);
  expect(paths.map((path) => existsSync(path))).toEqual([false, true]);
});
