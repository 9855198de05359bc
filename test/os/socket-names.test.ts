/**
 * What the kernel says of descriptors, next to what opened them.
 */
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'bun:test';
import { descriptorKind, socketName, takesIPv4Too } from '../../src/os/socket-names.ts';
import { needs, programPath } from '../support/program.ts';
import { runProgram } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

interface OpenListener extends Disposable {
  readonly fd: number;
  readonly port: number;
}

function listenAt(where: object): OpenListener {
  return Bun.listen({ ...where, socket: { data() {} } } as never) as unknown as OpenListener;
}

const INTERFACES = Object.entries(networkInterfaces()).flatMap(([name, list = []]) =>
  list.map((address) => ({ name, ...address })),
);
const HAS_IPV6 = INTERFACES.some(({ address }) => address === '::1');
const LINK_LOCAL = INTERFACES.find(({ address }) => address.startsWith('fe80:'));

describe('the address of a socket', () => {
  test('is that of IPv4', () => {
    using listener = listenAt({ hostname: '127.0.0.1', port: 0 });
    expect(socketName(listener.fd)).toEqual({ family: 'ipv4', host: '127.0.0.1', port: listener.port });
  });

  test.skipIf(!HAS_IPV6)('is that of IPv6, in its shortest form', () => {
    for (const host of ['::1', '::']) {
      using listener = listenAt({ hostname: host, port: 0 });
      expect(socketName(listener.fd)).toEqual({ family: 'ipv6', host, port: listener.port });
    }
  });

  test.skipIf(LINK_LOCAL === undefined)('names the interface where it belongs to one', () => {
    const host = `${LINK_LOCAL!.address}%${LINK_LOCAL!.name}`;
    using listener = listenAt({ hostname: host, port: 0 });
    expect(socketName(listener.fd)).toEqual({ family: 'ipv6', host, port: listener.port });
  });

  test('is the path of a unix socket, whatever its length', () => {
    using directory = temporaryDirectory();
    for (const length of [1, 20, 106 - directory.path.length]) {
      const path = directory.join('s'.repeat(length));
      using listener = listenAt({ unix: path });
      expect(socketName(listener.fd)).toEqual({ family: 'unix', path });
    }
  });

  test.skipIf(process.platform !== 'linux')('shows an abstract name with an @', () => {
    const name = `tsagi-test-${process.pid}`;
    using listener = listenAt({ unix: `\0${name}` });
    expect(socketName(listener.fd)).toEqual({ family: 'unix', path: `@${name}` });
  });

  test('is nothing where there is no socket', () => {
    const fd = openSync('/dev/null', 'r');
    expect(socketName(fd)).toBeUndefined();
    closeSync(fd);
    expect(socketName(fd)).toBeUndefined();
  });
});

test.skipIf(!HAS_IPV6)('an IPv6 socket says whether it takes IPv4 too', () => {
  const of = (where: object) => {
    using listener = listenAt({ port: 0, ...where });
    return takesIPv4Too(listener.fd);
  };
  expect(of({ hostname: '::' })).toBe(true);
  expect(of({ hostname: '::', ipv6Only: true })).toBe(false);
  expect(of({ hostname: '::1' })).toBe(false);
  expect(of({ hostname: '0.0.0.0' })).toBe(false);
});

describe('a descriptor', () => {
  test('is a file, a directory, a device, or closed', () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join('file'), '');
    mkdirSync(directory.join('folder'));
    const kinds = ['file', 'folder', '/dev/null'].map((name) => {
      const fd = openSync(name.startsWith('/') ? name : directory.join(name), 'r');
      const kind = descriptorKind(fd);
      closeSync(fd);
      return [kind, descriptorKind(fd)];
    });
    expect(kinds).toEqual([
      ['file', 'closed'],
      ['directory', 'closed'],
      ['device', 'closed'],
    ]);
  });

  needs('mkfifo')('is a pipe', async () => {
    using directory = temporaryDirectory();
    await runProgram([programPath('mkfifo'), directory.join('pipe')]);
    const fd = openSync(directory.join('pipe'), 'r+');
    expect(descriptorKind(fd)).toBe('pipe');
    closeSync(fd);
  });

  test('is a listening socket or a connection, of TCP or unix', async () => {
    using directory = temporaryDirectory();
    for (const where of [{ hostname: '127.0.0.1', port: 0 }, { unix: directory.join('s') }]) {
      using listener = listenAt(where);
      expect(descriptorKind(listener.fd)).toBe('listening socket');
      const target = 'unix' in where ? { unix: where.unix } : { hostname: '127.0.0.1', port: listener.port };
      const client = (await Bun.connect({ ...target, socket: { data() {} } } as never)) as unknown as {
        readonly fd: number;
        terminate(): void;
      };
      expect(descriptorKind(client.fd)).toBe('connected socket');
      client.terminate();
    }
  });

  test('is a datagram socket', async () => {
    const socket = await Bun.udpSocket({ hostname: '127.0.0.1' });
    const fd = (socket as unknown as { fd?: number }).fd;
    const kinds = Array.from({ length: 64 }, (_, i) => descriptorKind(i));
    expect(fd === undefined ? kinds : [descriptorKind(fd)]).toContain('datagram socket');
    socket.close();
  });
});
