/**
 * Which sockets are found in the environment and on descriptors, and which address gets which. Those of the environment are
 * descriptors 3 and following, so that part runs in a child process that has them there.
 */
import { closeSync, mkdirSync, openSync, symlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'bun:test';
import {
  InheritedSockets,
  inspectSocket,
  type InheritedSocket,
} from '../../src/transport/inherited-sockets.ts';
import { parseListenSpec, type ListenAddress, type SocketAddress } from '../../src/transport/listen-spec.ts';
import { openForeignSocket } from '../support/foreign-socket.ts';
import { runProgram } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MODULE = new URL('../../src/transport/inherited-sockets.ts', import.meta.url).pathname;

const HAS_IPV6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

function socketAt(fd: number, address: SocketAddress, name?: string): InheritedSocket {
  return { fd, name, address, isOwned: false };
}

const tcp = (host: string, port: number): SocketAddress => ({ type: 'tcp', host, port });
const unix = (path: string): SocketAddress => ({ type: 'unix', path });

/** The descriptors that an address gets. */
function claim(sockets: InheritedSockets, spec: string): number[] {
  return sockets.claim(parseListenSpec(spec) as ListenAddress).map(({ fd }) => fd);
}

interface Found {
  readonly sockets: readonly InheritedSocket[];
  readonly error: string | undefined;
  /** What of the environment begins with LISTEN_. */
  readonly left: readonly string[];
}

/** What a process finds that is started with these descriptors and variables; `$$` is its own pid. */
async function findIn(env: Readonly<Record<string, string>>, descriptors: readonly number[]): Promise<Found> {
  const script = `
    import { InheritedSockets } from '${MODULE}';
    let sockets = [], error;
    try { sockets = InheritedSockets.fromEnvironment(process.env, process.pid).unclaimed } catch (e) { error = e.message }
    const left = Object.keys(process.env).filter((name) => name.startsWith('LISTEN_'));
    console.log(JSON.stringify({ sockets, error, left }));`;
  const variables = Object.entries(env).map(([name, value]) => `export ${name}="${value}"; `);
  const command = `${variables.join('')}exec "$0" -e "$1"`;
  const { output } = await runProgram(['sh', '-c', command, process.execPath, script], { descriptors });
  return JSON.parse(output) as Found;
}

describe('the environment', () => {
  test('tells of sockets by their number, names them, and is cleared', async () => {
    using directory = temporaryDirectory();
    using first = openForeignSocket({ hostname: '127.0.0.1' });
    using second = openForeignSocket({ unix: directory.join('a.sock') });
    const env = { LISTEN_FDS: '2', LISTEN_PID: '$$', LISTEN_FDNAMES: 'web:admin', LISTEN_PIDFDID: '1' };
    expect(await findIn(env, [first.fd, second.fd])).toEqual({
      sockets: [
        { fd: 3, name: 'web', address: tcp('127.0.0.1', first.port), isOwned: false },
        { fd: 4, name: 'admin', address: unix(directory.join('a.sock')), isOwned: false },
      ],
      left: [],
    } as never);
  });

  test.skipIf(process.platform !== 'linux')(
    'tells of sockets that programs which are started do not get',
    async () => {
      using socket = openForeignSocket({ hostname: '127.0.0.1' });
      const script = `
      import { readFileSync } from 'node:fs';
      import { InheritedSockets } from '${MODULE}';
      const flags = () => Number.parseInt(/flags:\\s+(\\d+)/.exec(readFileSync('/proc/self/fdinfo/3', 'utf8'))[1], 8);
      const before = flags();
      InheritedSockets.fromEnvironment({ LISTEN_FDS: '1', LISTEN_PID: '7' }, 7);
      console.log((before & 0o2000000) !== 0, (flags() & 0o2000000) !== 0);`;
      const { output } = await runProgram([process.execPath, '-e', script], { descriptors: [socket.fd] });
      expect(output).toBe('false true\n');
    },
  );

  test('may leave names out', async () => {
    using first = openForeignSocket({ hostname: '127.0.0.1' });
    using second = openForeignSocket({ hostname: '127.0.0.1' });
    const nameless = await findIn({ LISTEN_FDS: '2', LISTEN_PID: '$$' }, [first.fd, second.fd]);
    expect(nameless.sockets.map(({ fd, name }) => [fd, name])).toEqual([
      [3, undefined],
      [4, undefined],
    ]);
    const env = { LISTEN_FDS: '2', LISTEN_PID: '$$', LISTEN_FDNAMES: ':b' };
    const half = await findIn(env, [first.fd, second.fd]);
    expect(half.sockets.map(({ fd, name }) => [fd, name])).toEqual([
      [3, undefined],
      [4, 'b'],
    ]);
  });

  test('that is meant for another process is cleared, and nothing more', async () => {
    using socket = openForeignSocket({ hostname: '127.0.0.1' });
    for (const LISTEN_PID of ['1', '', '$$0', 'x']) {
      const found = await findIn({ LISTEN_FDS: '1', LISTEN_PID, LISTEN_FDNAMES: 'a' }, [socket.fd]);
      expect([found.sockets, found.error, found.left]).toEqual([[], undefined, []]);
    }
  });

  test('that makes no sense is refused, with the variable that is to blame', async () => {
    using socket = openForeignSocket({ hostname: '127.0.0.1' });
    const errorOf = async (env: Record<string, string>) => {
      const { error, left } = await findIn({ LISTEN_PID: '$$', ...env }, [socket.fd]);
      expect(left).toEqual([]);
      return error;
    };
    for (const text of ['-1', 'one', '1.5', '99999999999']) {
      expect(await errorOf({ LISTEN_FDS: text })).toBe(
        `the environment variable LISTEN_FDS must be a number of descriptors, not "${text}"`,
      );
    }
    expect(await errorOf({ LISTEN_FDS: '1', LISTEN_FDNAMES: 'a:b' })).toBe(
      'the environment variable LISTEN_FDNAMES has 2 names for the 1 descriptors of LISTEN_FDS; ' +
        'give one for each, with colons between them',
    );
    // Of a process just started, what is not handed over may already be something of Bun's own.
    expect(await errorOf({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' })).toMatch(
      /^descriptor 4 \(b\) is (not open|no socket); a listening socket is needed$/,
    );
  });

  test('that says nothing gives nothing', () => {
    const env = { LISTEN_FDS: '', LISTEN_PID: '7', PATH: '/bin' };
    expect(InheritedSockets.fromEnvironment(env, 7).unclaimed).toEqual([]);
    expect(InheritedSockets.fromEnvironment({ LISTEN_FDS: '0', LISTEN_PID: '7' }, 7).unclaimed).toEqual([]);
    expect(env as object).toEqual({ PATH: '/bin' });
  });
});

describe('an address gets', () => {
  const sockets = () =>
    new InheritedSockets([
      socketAt(3, tcp('127.0.0.1', 80), 'web'),
      socketAt(4, tcp('::1', 80), 'web'),
      socketAt(5, tcp('127.0.0.1', 81), 'admin'),
      socketAt(6, unix('/run/a.sock')),
    ]);

  test('the socket that is bound to it, once', () => {
    const all = sockets();
    expect(claim(all, '127.0.0.1:80')).toEqual([3]);
    expect(claim(all, '[::1]:80')).toEqual([4]);
    expect(claim(all, '/run/a.sock')).toEqual([6]);
    expect(claim(all, '127.0.0.1:82')).toEqual([]);
    expect(claim(all, '/run/b.sock')).toEqual([]);
    expect(all.unclaimed.map(({ fd }) => fd)).toEqual([5]);
  });

  test('the descriptor, or all that have the name', () => {
    const all = sockets();
    expect(claim(all, 'fd:web')).toEqual([3, 4]);
    expect(claim(all, 'fd:5')).toEqual([5]);
    expect(claim(all, 'fd:7')).toEqual([]);
    expect(claim(all, 'fd:other')).toEqual([]);
  });

  test('the descriptor by the number that its first process knew it by', () => {
    const all = new InheritedSockets([
      { ...socketAt(3, tcp('127.0.0.1', 80)), firstFd: 4 },
      { ...socketAt(4, tcp('127.0.0.1', 81)), firstFd: 3 },
      { ...socketAt(5, tcp('127.0.0.1', 82)), firstFd: 5 },
      { ...socketAt(6, tcp('127.0.0.1', 83)), isOwned: true },
    ]);
    expect(claim(all, 'fd:6')).toEqual([]);
    expect(claim(all, 'fd:3')).toEqual([4]);
    expect(claim(all, 'fd:4')).toEqual([3]);
  });

  test('nothing where another one has got it', () => {
    const all = sockets();
    claim(all, 'fd:3');
    for (const spec of ['fd:3', '127.0.0.1:80']) {
      expect(() => claim(all, spec)).toThrow(
        `cannot listen on ${spec}: another address names the same inherited socket; name it once`,
      );
    }
    expect(claim(all, 'fd:web')).toEqual([4]);
    expect(() => claim(all, 'fd:web')).toThrow('cannot listen on fd:web: another address');
  });

  test('with port 0 what a predecessor had, all sockets of one port, and nothing of others', () => {
    const owned = (fd: number, port: number) => ({ ...socketAt(fd, tcp('127.0.0.1', port)), isOwned: true });
    const all = new InheritedSockets([
      socketAt(3, tcp('127.0.0.1', 3999)),
      owned(4, 4000),
      owned(5, 4001),
      owned(6, 4000),
    ]);
    expect(claim(all, '127.0.0.1:0')).toEqual([4, 6]);
    expect(claim(all, '127.0.0.1:0')).toEqual([5]);
    expect(claim(all, '127.0.0.1:0')).toEqual([]);
    expect(claim(all, '127.0.0.1:3999')).toEqual([3]);
  });

  test('the same when it is written differently', () => {
    const loopback = () =>
      new InheritedSockets([socketAt(3, tcp('::1', 80)), socketAt(4, tcp('127.0.0.1', 80))]);
    expect(claim(loopback(), '[0:0:0:0:0:0:0:1]:80')).toEqual([3]);
    expect(claim(loopback(), 'localhost:80')).toEqual([4]);
    expect(claim(loopback(), 'no-such-host.invalid:80')).toEqual([]);
    const zoned = new InheritedSockets([
      socketAt(3, tcp('fe80::1%a', 80)),
      socketAt(4, tcp('fe80::1%b', 80)),
    ]);
    expect(claim(zoned, '[fe80:0::1%b]:80')).toEqual([4]);
  });

  test('a unix socket also by a path with symbolic links, or a relative one', () => {
    using directory = temporaryDirectory();
    mkdirSync(directory.join('run'));
    symlinkSync('run', directory.join('link'));
    const all = () => new InheritedSockets([socketAt(3, unix(directory.join('run/a')))]);
    expect(claim(all(), directory.join('link/a'))).toEqual([3]);
    expect(claim(all(), directory.join('run/../run/a'))).toEqual([3]);
    expect(claim(all(), directory.join('link/b'))).toEqual([]);
  });

  test.skipIf(!HAS_IPV6)('for 0.0.0.0 also the socket of `::` that takes IPv4 too, and no other', () => {
    using dual = openForeignSocket({ hostname: '::' });
    using only = openForeignSocket({ hostname: '::', ipv6Only: true });
    const all = () => new InheritedSockets([inspectSocket(dual.fd), inspectSocket(only.fd)]);
    expect(claim(all(), `0.0.0.0:${dual.port}`)).toEqual([dual.fd]);
    expect(claim(all(), `0.0.0.0:${only.port}`)).toEqual([]);
    expect(claim(all(), `[::]:${only.port}`)).toEqual([only.fd]);
    expect(claim(all(), `127.0.0.1:${dual.port}`)).toEqual([]);
  });
});

describe('a descriptor', () => {
  test('that is a listening socket tells its address', () => {
    using directory = temporaryDirectory();
    using first = openForeignSocket({ hostname: '127.0.0.1' });
    using second = openForeignSocket({ unix: directory.join('a') });
    expect(inspectSocket(first.fd, 'web')).toEqual(socketAt(first.fd, tcp('127.0.0.1', first.port), 'web'));
    expect(inspectSocket(second.fd)).toEqual(socketAt(second.fd, unix(directory.join('a'))));
  });

  test('that is something else is refused by what it is', () => {
    using directory = temporaryDirectory();
    const refusal = (path: string) => {
      const fd = openSync(path, 'r');
      try {
        inspectSocket(fd);
      } catch (error) {
        return (error as Error).message.replace(String(fd), 'N');
      } finally {
        closeSync(fd);
      }
      return 'taken';
    };
    expect(refusal('/dev/null')).toBe(
      'descriptor N is a terminal or another device; a listening socket is needed',
    );
    expect(refusal(directory.path)).toBe('descriptor N is a directory; a listening socket is needed');
    expect(refusal(import.meta.path)).toBe('descriptor N is a file; a listening socket is needed');
    expect(() => inspectSocket(100_000, 'web')).toThrow(
      'descriptor 100000 (web) is not open; a listening socket is needed',
    );
  });

  test('that is a connection names the setting of systemd that gives connections', async () => {
    using listening = openForeignSocket({ hostname: '127.0.0.1' });
    const handlers = { data() {} };
    const client = await Bun.connect({ hostname: '127.0.0.1', port: listening.port, socket: handlers });
    const { fd } = client as unknown as { fd: number };
    expect(() => inspectSocket(fd)).toThrow(
      `descriptor ${fd} is a connection; a listening socket is needed (of systemd: Accept=no)`,
    );
    client.terminate();
  });
});
