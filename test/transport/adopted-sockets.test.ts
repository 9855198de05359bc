/**
 * Taking over sockets that somebody else has opened: what is known of them, and what is left of them afterwards.
 */
import { closeSync, existsSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'bun:test';
import { adopt, bind } from '../../src/transport/bind.ts';
import { inspectSocket } from '../../src/transport/inherited-sockets.ts';
import type { ListenAddress } from '../../src/transport/listen-spec.ts';
import { openForeignSocket } from '../support/foreign-socket.ts';
import { needs, programPath } from '../support/program.ts';
import { runProgram } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { within } from '../support/within.ts';

const SETTINGS = { listenerBacklog: 16, reusePort: false };
const PLACE = { hostname: '127.0.0.1' };

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

test('a socket of TCP is told by its address, and closed at its release', async () => {
  const { fd, port } = openForeignSocket(PLACE);
  const bound = await bind({ type: 'fd', fd }, SETTINGS);
  expect(bound).toMatchObject({
    url: `http://127.0.0.1:${port}`,
    address: { type: 'tcp', host: '127.0.0.1', port, isSecure: false },
    isInherited: true,
    isOwned: false,
    knownAs: { firstFd: fd, name: undefined },
  });
  expect(await knock({ host: '127.0.0.1', port })).toBe('connected');
  bound.release();
  expect(await knock({ host: '127.0.0.1', port })).toBe('ECONNREFUSED');
});

test('a socket of unix keeps its path, which is not ours', async () => {
  using directory = temporaryDirectory();
  const path = directory.join('a.sock');
  const { fd } = openForeignSocket({ unix: path });
  const bound = await bind({ type: 'fd', fd }, SETTINGS);
  expect([bound.url, await knock({ path })]).toEqual([`unix:${path}`, 'connected']);
  bound.release();
  expect(readdirSync(directory.path)).toEqual(['a.sock']);
  expect(await knock({ path })).toBe('ECONNREFUSED');
});

test('a socket of unix that a predecessor has handed over goes with its path, unless a successor takes it', async () => {
  using directory = temporaryDirectory();
  const address = { type: 'unix', path: directory.join('a.sock') } as const;
  for (const keepPath of [true, false]) {
    const { fd } = openForeignSocket({ unix: address.path });
    adopt({ fd, name: undefined, address, isOwned: true }).release({ keepPath });
    expect(existsSync(address.path)).toBe(keepPath);
    rmSync(address.path, { force: true });
  }
});

test('a socket of unix that a predecessor has handed over leaves the path to whoever has taken it since', async () => {
  using directory = temporaryDirectory();
  const address = { type: 'unix', path: directory.join('a.sock') } as const;
  const { fd } = openForeignSocket({ unix: address.path });
  const bound = adopt({ fd, name: undefined, address, isOwned: true });
  const next = await bind({ type: 'unix', path: directory.join('next.sock') }, SETTINGS);
  renameSync(directory.join('next.sock'), address.path);
  bound.release();
  expect(await knock(address)).toBe('connected');
  next.release();
});

test('a socket speaks TLS as it is told, or if it is of TCP', () => {
  using directory = temporaryDirectory();
  using tcp = openForeignSocket(PLACE);
  using unix = openForeignSocket({ unix: directory.join('a.sock') });
  for (const [socket, use, isSecure] of [
    [tcp, undefined, false],
    [tcp, true, true],
    [tcp, 'on-tcp', true],
    [unix, true, true],
    [unix, 'on-tcp', false],
  ] as const) {
    expect(adopt(inspectSocket(socket.fd), use).address.isSecure).toBe(isSecure);
  }
  expect(adopt(inspectSocket(tcp.fd), true).url).toBe(`https://127.0.0.1:${tcp.port}`);
});

needs('ss')('a socket keeps the length of its queue', async () => {
  using socket = openForeignSocket({ ...PLACE, backlog: 7 });
  await bind({ type: 'fd', fd: socket.fd }, SETTINGS);
  const { output } = await runProgram([programPath('ss'), '-Hltn', `sport = :${socket.port}`]);
  expect(output.trim().split(/\s+/)[2]).toBe('7');
});

test('what is no listening socket is refused, with the descriptor and what it is', async () => {
  using directory = temporaryDirectory();
  const fd = openSync(directory.path, 'r');
  expect(await refusal({ type: 'fd', fd })).toBe(
    `cannot listen on fd:${fd}: descriptor ${fd} is a directory; a listening socket is needed`,
  );
  closeSync(fd);
  expect(await refusal({ type: 'fd', fd: 100_000 })).toBe(
    'cannot listen on fd:100000: descriptor 100000 is not open; a listening socket is needed',
  );
  expect(await refusal({ type: 'named', name: 'web' })).toBe(
    'cannot listen on fd:web: no socket of that name was handed to this process (LISTEN_FDNAMES); ' +
      'give its number, or the name that the socket unit says in FileDescriptorName=',
  );
});
