/**
 * Binding addresses: what is found there before, what is there while bound, and what is left afterwards.
 */
import { describe, expect, spyOn, test } from 'bun:test';
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { bind, type BoundSocket } from '../../src/transport/bind.ts';
import type { ListenAddress } from '../../src/transport/listen-spec.ts';
import { needs, programPath } from '../support/program.ts';
import { runProgram } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { within } from '../support/within.ts';

const HAS_IPV6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

const SETTINGS = { listenerBacklog: 16, reusePort: false };

function bindUnix(path: string, mode?: number): Promise<BoundSocket> {
  return bind({ type: 'unix', path, ...(mode === undefined ? {} : { mode }) }, SETTINGS);
}

/** The reason why an address cannot be had. */
async function refusal(address: ListenAddress): Promise<string> {
  const bound = await bind(address, SETTINGS).catch((error: Error) => error);
  if (bound instanceof Error) return bound.message;
  bound.release();
  return 'bound';
}

/** The code with which connecting fails, or `connected`. */
function knock(address: { path: string } | { host: string; port: number }): Promise<string> {
  const outcome = new Promise<string>((resolve) => {
    const socket = connect(address, () => {
      resolve('connected');
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
  });
  return within(outcome, `an answer from ${JSON.stringify(address)}`);
}

/** Leaves a socket file behind that nobody listens on. */
async function leaveStale(path: string): Promise<void> {
  const bound = await bindUnix(`${path}.old`);
  renameSync(`${path}.old`, path);
  bound.release();
  expect(lstatSync(path).isSocket()).toBe(true);
}

function listening(server: Server, where: object): Promise<void> {
  return new Promise((resolve) => server.listen(where, resolve));
}

describe('a unix socket', () => {
  test('takes connections under its path as soon as it is bound, though nobody accepts', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    const bound = await bindUnix(path);
    expect([bound.url, await knock({ path })]).toEqual([`unix:${path}`, 'connected']);
    bound.release();
  });

  test('has the mode that was asked for', async () => {
    using directory = temporaryDirectory();
    const bound = await bindUnix(directory.join('a.sock'), 0o620);
    expect(lstatSync(directory.join('a.sock')).mode & 0o777).toBe(0o620);
    bound.release();
  });

  test('has that mode whatever the umask is, and no more from its first moment on', async () => {
    using directory = temporaryDirectory();
    const modes: number[] = [];
    const open = Bun.listen;
    // The name that it has before it is ready can be found too.
    const spy = spyOn(Bun, 'listen').mockImplementation(((options: { unix: string }) => {
      const listener = open(options as never);
      modes.push(lstatSync(options.unix).mode & 0o777);
      return listener;
    }) as never);
    const before = process.umask(0);
    try {
      for (const [umask, mode] of [
        [0o000, 0o600],
        [0o077, 0o666],
        [0o777, 0o620],
      ] as const) {
        process.umask(umask);
        const path = directory.join(mode.toString(8));
        const bound = await bindUnix(path, mode);
        modes.push(lstatSync(path).mode & 0o777);
        expect(process.umask()).toBe(umask);
        bound.release();
      }
    } finally {
      process.umask(before);
      spy.mockRestore();
    }
    expect(modes).toEqual([0o600, 0o600, 0o666, 0o666, 0o620, 0o620]);
  });

  test('has what the umask leaves where no mode was asked for', async () => {
    using directory = temporaryDirectory();
    const before = process.umask(0o027);
    try {
      const bound = await bindUnix(directory.join('a.sock'));
      expect(lstatSync(directory.join('a.sock')).mode & 0o777).toBe(0o750);
      bound.release();
    } finally {
      process.umask(before);
    }
  });

  test('keeps its path at a release for a successor', async () => {
    using directory = temporaryDirectory();
    const bound = await bindUnix(directory.join('a.sock'));
    bound.release({ keepPath: true });
    expect(readdirSync(directory.path)).toEqual(['a.sock']);
  });

  test('is the only thing in its directory while bound, and nothing is left afterwards', async () => {
    using directory = temporaryDirectory();
    const bound = await bindUnix(directory.join('a.sock'), 0o600);
    expect(readdirSync(directory.path)).toEqual(['a.sock']);
    bound.release();
    expect(readdirSync(directory.path)).toEqual([]);
  });

  test('replaces a stale one', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    await leaveStale(path);
    expect(await knock({ path })).toBe('ECONNREFUSED');
    const bound = await bindUnix(path);
    expect(await knock({ path })).toBe('connected');
    bound.release();
  });

  test('does not replace one that another process listens on', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    const other = createServer();
    await listening(other, { path });
    expect(await refusal({ type: 'unix', path })).toBe(
      `cannot listen on ${path}: another process listens there; stop it or choose another path`,
    );
    expect(await knock({ path })).toBe('connected');
    expect(readdirSync(directory.path)).toEqual(['a.sock']);
    other.close();
  });

  test('does not replace what is no socket', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('data');
    writeFileSync(path, 'precious');
    expect(await refusal({ type: 'unix', path })).toBe(
      `cannot listen on ${path}: a file that is no socket is there; remove it or choose another path`,
    );
    expect(await Bun.file(path).text()).toBe('precious');
    mkdirSync(directory.join('folder'));
    expect(await refusal({ type: 'unix', path: directory.join('folder') })).toContain('no socket is there');
  });

  test('is removed at its release, but not when a successor has taken the path over', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    const first = await bindUnix(path);
    // As another server does that replaces the path without asking whether somebody listens.
    const successor = await bindUnix(directory.join('next.sock'));
    renameSync(directory.join('next.sock'), path);
    first.release();
    expect(await knock({ path })).toBe('connected');
    successor.release();
  });

  test('may have been removed by somebody else before its release', async () => {
    using directory = temporaryDirectory();
    const bound = await bindUnix(directory.join('a.sock'));
    renameSync(directory.join('a.sock'), directory.join('b.sock'));
    expect(() => bound.release()).not.toThrow();
    expect(existsSync(directory.join('b.sock'))).toBe(true);
  });

  for (const nameLength of [1, 2, 12, 17, 18, 50]) {
    test(`works with a path of 107 bytes whose name has ${nameLength}`, async () => {
      using directory = temporaryDirectory();
      const filler = 107 - directory.path.length - 2 - nameLength;
      const folder = directory.join('d'.repeat(filler));
      mkdirSync(folder);
      const path = `${folder}/${'s'.repeat(nameLength)}`;
      expect(Buffer.byteLength(path)).toBe(107);
      const bound = await bindUnix(path);
      expect(readdirSync(folder)).toEqual(['s'.repeat(nameLength)]);
      expect(await knock({ path })).toBe('connected');
      bound.release();
      expect(readdirSync(folder)).toEqual([]);
    });
  }

  test('works with a relative path', async () => {
    using directory = temporaryDirectory();
    const before = process.cwd();
    process.chdir(directory.path);
    try {
      const bound = await bindUnix('./a.sock');
      expect(await knock({ path: directory.join('a.sock') })).toBe('connected');
      bound.release();
      expect(readdirSync(directory.path)).toEqual([]);
    } finally {
      process.chdir(before);
    }
  });

  test('needs its directory', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('absent/a.sock');
    expect(await refusal({ type: 'unix', path })).toBe(
      `cannot listen on ${path}: there is no such directory`,
    );
    writeFileSync(directory.join('file'), '');
    const below = directory.join('file/a.sock');
    expect(await refusal({ type: 'unix', path: below })).toBe(
      `cannot listen on ${below}: there is no such directory`,
    );
  });
});

describe('a TCP address', () => {
  const local = { type: 'tcp', host: '127.0.0.1', port: 0 } as const;

  test('with port 0 gets a free port, which its URL names', async () => {
    const [first, second] = [await bind(local, SETTINGS), await bind(local, SETTINGS)];
    const ports = [first, second].map(({ address }) => (address.type === 'tcp' ? address.port : 0));
    expect(ports[0]).toBeGreaterThan(0);
    expect(ports[1]).not.toBe(ports[0]);
    expect(first.url).toBe(`http://127.0.0.1:${ports[0]}`);
    first.release();
    second.release();
  });

  test('takes connections though nobody accepts, and refuses them after its release', async () => {
    const bound = await bind(local, SETTINGS);
    const port = Number(new URL(bound.url).port);
    expect(await knock({ host: '127.0.0.1', port })).toBe('connected');
    bound.release();
    expect(await knock({ host: '127.0.0.1', port })).toBe('ECONNREFUSED');
  });

  test('that is taken is refused with what to do', async () => {
    const other = createServer();
    await listening(other, { host: '127.0.0.1', port: 0 });
    const { port } = other.address() as AddressInfo;
    expect(await refusal({ ...local, port })).toBe(
      `cannot listen on 127.0.0.1:${port}: the address is already in use; ` +
        'stop the other server or choose another port',
    );
    other.close();
  });

  test('can be bound again as soon as it has been released', async () => {
    const bound = await bind(local, SETTINGS);
    const { address } = bound;
    bound.release();
    expect(await refusal(address)).toBe('bound');
  });

  test('is shared with others that also ask for it, with reusePort', async () => {
    const settings = { ...SETTINGS, reusePort: true };
    const first = await bind(local, settings);
    const second = await bind(first.address, settings);
    expect(second.url).toBe(first.url);
    first.release();
    second.release();
  });

  test.skipIf(!HAS_IPV6)('of IPv6 stands in brackets in its URL', async () => {
    const bound = await bind({ type: 'tcp', host: '::1', port: 0 }, SETTINGS);
    const port = Number(new URL(bound.url).port);
    expect(bound.url).toBe(`http://[::1]:${port}`);
    expect(await knock({ host: '::1', port })).toBe('connected');
    bound.release();
  });

  test.skipIf(!HAS_IPV6)('of all addresses takes IPv4 as well, unless it is to be IPv6 only', async () => {
    for (const isIPv6Only of [false, true]) {
      const bound = await bind({ type: 'tcp', host: '::', port: 0, isIPv6Only }, SETTINGS);
      const port = Number(new URL(bound.url).port);
      expect(bound.url).toBe(`http://[::]:${port}`);
      expect(await knock({ host: '::1', port })).toBe('connected');
      expect(await knock({ host: '127.0.0.1', port })).toBe(isIPv6Only ? 'ECONNREFUSED' : 'connected');
      if (isIPv6Only) {
        const beside = await bind({ type: 'tcp', host: '0.0.0.0', port }, SETTINGS);
        expect(await knock({ host: '127.0.0.1', port })).toBe('connected');
        beside.release();
      }
      bound.release();
    }
  });

  test('that this machine does not have is refused by name', async () => {
    // 192.0.2.0/24 is for documentation (RFC 5737).
    expect(await refusal({ type: 'tcp', host: '192.0.2.1', port: 0 })).toStartWith(
      'cannot listen on 192.0.2.1:0: ',
    );
  });

  needs('ss')('holds as many connections as the backlog says until they are accepted', async () => {
    const bound = await bind(local, { ...SETTINGS, listenerBacklog: 5 });
    const { port } = new URL(bound.url);
    const { output } = await runProgram([programPath('ss'), '-Hltn', `sport = :${port}`]);
    // Of a listening socket the third column is the length of its queue (ss(8)).
    expect(output.trim().split(/\s+/)[2]).toBe('5');
    bound.release();
  });
});
