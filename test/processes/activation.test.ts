/**
 * The real command on sockets that somebody else has opened: a launcher that hands them over as systemd does, with LISTEN_PID the
 * pid of the server itself, and systemd's own.
 */
import { existsSync, openSync, closeSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'bun:test';
import { certificateFile, keyFile } from '../support/certificates.ts';
import { openForeignSocket } from '../support/foreign-socket.ts';
import { needs, programPath } from '../support/program.ts';
import { RawClient, type Address } from '../support/raw-client.ts';
import { RunningProgram } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const COMMAND = [process.execPath, `${ROOT}bin/tsagi-server`];

const HAS_IPV6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

/** Says where it was reached, whom by, and what of systemd's variables it sees. */
const APP = `async (scope, receive, send) => {
  if (scope.type !== 'http') throw new Error('http only');
  const body = JSON.stringify({
    scheme: scope.scheme,
    server: scope.server,
    client: scope.client?.[0] ?? null,
    variables: Object.keys(process.env).filter((name) => name.startsWith('LISTEN_')),
  });
  await send({ type: 'http.response.start', status: 200, headers: [['content-length', String(body.length)]] });
  await send({ type: 'http.response.body', body });
}`;

interface Answer {
  readonly scheme: string;
  readonly server: readonly [string, number | null];
  readonly client: string | null;
  readonly variables: readonly string[];
}

interface Activation {
  readonly sockets: readonly { readonly fd: number }[];
  readonly names?: string;
  /** In shell; the server's own by default, none where it is empty. */
  readonly pid?: string;
  readonly args?: readonly string[];
}

/** Descriptors 3 and following, and a shell that becomes the server, so that its pid is the server's. */
function activate({ sockets, names, pid = '$$', args = [] }: Activation): RunningProgram {
  const variables = [
    `LISTEN_FDS=${sockets.length}`,
    ...(pid === '' ? [] : [`LISTEN_PID=${pid}`]),
    ...(names === undefined ? [] : [`LISTEN_FDNAMES=${names}`]),
  ];
  const script = `${variables.join(' ')} exec "$0" "$@"`;
  const command = ['sh', '-c', script, ...COMMAND, '-E', 'none', '-e', APP, ...args];
  return new RunningProgram(command, { descriptors: sockets.map(({ fd }) => fd) });
}

/** How many listeners it has is said line by line; this is said when it serves. */
function serving(program: RunningProgram): Promise<unknown> {
  return program.said(/listening on .*\n/);
}

async function ask(address: Address, security?: object): Promise<Answer> {
  const client = await RawClient.connect(address, security);
  const { body } = await client.request();
  client.close();
  return JSON.parse(body.toString()) as Answer;
}

async function stop(program: RunningProgram): Promise<void> {
  program.kill('SIGTERM');
  expect((await program.end()).exitCode).toBe(0);
}

const HOST = { hostname: '127.0.0.1' };

describe('without an option that says where to listen', () => {
  test('all sockets are served, and the app knows nothing of them', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    using tcp = openForeignSocket(HOST);
    using unix = openForeignSocket({ unix: path });
    await using server = activate({ sockets: [tcp, unix], names: 'web:local' });
    await server.said(new RegExp(`listening on unix:${path}\n`));
    expect(server.output).toContain(`listening on http://127.0.0.1:${tcp.port}\n`);
    expect(await ask({ host: '127.0.0.1', port: tcp.port })).toEqual({
      scheme: 'http',
      server: ['127.0.0.1', tcp.port],
      client: '127.0.0.1',
      variables: [],
    });
    expect(await ask({ path })).toEqual({
      scheme: 'http',
      server: [path, null],
      client: null,
      variables: [],
    });
    await stop(server);
    expect(server.output).not.toMatch(/ warn /);
  });

  test('who has connected before the server is there is served, and nobody is refused while it restarts', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    using tcp = openForeignSocket(HOST);
    using unix = openForeignSocket({ unix: path });
    const addresses: Address[] = [{ host: '127.0.0.1', port: tcp.port }, { path }];
    for (let generation = 0; generation < 2; generation++) {
      const early = await Promise.all(addresses.map((address) => RawClient.connect(address)));
      for (const client of early) void client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      await using server = activate({ sockets: [tcp, unix] });
      for (const client of early) expect((await client.response()).status).toBe(200);
      for (const client of early) client.close();
      await stop(server);
      expect(existsSync(path)).toBe(true);
    }
  });

  test('TCP speaks TLS where there is a certificate, and a unix socket does not', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    using tcp = openForeignSocket(HOST);
    using unix = openForeignSocket({ unix: path });
    const args = ['--ssl-cert', certificateFile('server'), '--ssl-key', keyFile('server')];
    await using server = activate({ sockets: [tcp, unix], args });
    await server.said(/listening on unix:/);
    expect(await ask({ host: '127.0.0.1', port: tcp.port }, {})).toMatchObject({ scheme: 'https' });
    expect(await ask({ path })).toMatchObject({ scheme: 'http' });
  });

  test('sockets for another process are not touched', async () => {
    using tcp = openForeignSocket(HOST);
    for (const pid of ['', '1']) {
      await using server = activate({ sockets: [tcp], pid, args: ['--port', '0'] });
      expect(new URL(await server.url()).port).not.toBe(String(tcp.port));
      await stop(server);
    }
  });

  test('workers share them', async () => {
    using tcp = openForeignSocket(HOST);
    await using server = activate({ sockets: [tcp], args: ['--workers', '2'] });
    await serving(server);
    for (let i = 0; i < 20; i++) {
      expect(await ask({ host: '127.0.0.1', port: tcp.port })).toMatchObject({ variables: [] });
    }
    await stop(server);
  });
});

describe('an address', () => {
  test('that a socket has takes that one, and the others are reported', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    using first = openForeignSocket(HOST);
    using second = openForeignSocket(HOST);
    using unix = openForeignSocket({ unix: path });
    const args = ['--listen', `127.0.0.1:${second.port}`, '--listen', '127.0.0.1:0'];
    await using server = activate({ sockets: [first, second, unix], names: 'a:b:c', args });
    await server.said(new RegExp(`warn .*inherited socket a .*127.0.0.1:${first.port}`));
    await server.said(/warn .*inherited socket c /);
    await serving(server);
    expect(server.output).not.toMatch(/inherited socket b /);
    expect(await ask({ host: '127.0.0.1', port: second.port })).toMatchObject({ variables: [] });
    await stop(server);
  });

  test('that is a path takes the socket there, which stays', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    using unix = openForeignSocket({ unix: path });
    await using server = activate({ sockets: [unix], args: ['--socket', path] });
    await serving(server);
    expect(await ask({ path })).toMatchObject({ server: [path, null] });
    await stop(server);
    expect(existsSync(path)).toBe(true);
  });

  test('that is a descriptor or a name takes those', async () => {
    using first = openForeignSocket(HOST);
    using second = openForeignSocket(HOST);
    using third = openForeignSocket(HOST);
    const sockets = [first, second, third];
    const args = ['--listen', 'fd:5', '--listen', 'fd:web'];
    await using server = activate({ sockets, names: 'web:admin:other', args });
    await server.said(new RegExp(`listening on http://127.0.0.1:${first.port}\n`));
    await server.said(new RegExp(`listening on http://127.0.0.1:${third.port}\n`));
    await server.said(new RegExp(`warn .*inherited socket admin .*127.0.0.1:${second.port}`));
    for (const { port } of [first, third]) await ask({ host: '127.0.0.1', port });
    await stop(server);
  });

  test('that is a descriptor needs no variables', async () => {
    using tcp = openForeignSocket(HOST);
    const command = [...COMMAND, '-E', 'none', '-e', APP, '--listen', 'fd:3'];
    await using server = new RunningProgram(command, { descriptors: [tcp.fd] });
    expect(await server.url()).toBe(`http://127.0.0.1:${tcp.port}`);
    expect(await ask({ host: '127.0.0.1', port: tcp.port })).toMatchObject({ client: '127.0.0.1' });
    await stop(server);
  });
});

describe('what cannot be served ends the start', () => {
  const outcome = async (activation: Activation): Promise<[number, string]> => {
    await using server = activate(activation);
    const { exitCode, output } = await server.end();
    return [exitCode, output];
  };

  test('a descriptor that is no listening socket', async () => {
    const fd = openSync('/dev/null', 'r');
    const reason = 'is a terminal or another device; a listening socket is needed';
    const [exitCode, output] = await outcome({ sockets: [{ fd }], names: 'web' });
    expect(output).toContain(`descriptor 3 (web) ${reason}`);
    const byNumber = await outcome({ sockets: [{ fd }], pid: '', args: ['--listen', 'fd:3'] });
    expect(byNumber[1]).toContain(`cannot listen on fd:3: descriptor 3 ${reason}`);
    expect([exitCode, byNumber[0]]).toEqual([1, 1]);
    closeSync(fd);
  });

  test('a name that nobody has', async () => {
    using tcp = openForeignSocket(HOST);
    const [exitCode, output] = await outcome({ sockets: [tcp], names: 'a', args: ['--listen', 'fd:b'] });
    expect(output).toContain('cannot listen on fd:b: no socket of that name was handed to this process');
    expect(exitCode).toBe(1);
  });

  test('one socket named twice', async () => {
    using tcp = openForeignSocket(HOST);
    const args = ['--listen', 'fd:a', '--listen', 'fd:3'];
    const [exitCode, output] = await outcome({ sockets: [tcp], names: 'a', args });
    expect(output).toContain('cannot listen on fd:3: another address names the same inherited socket');
    expect(exitCode).toBe(1);
  });
});

describe('systemd-socket-activate', () => {
  needs('systemd-socket-activate')('hands its sockets over at the first connection', async () => {
    using directory = temporaryDirectory();
    const paths = [directory.join('a.sock'), directory.join('b.sock')] as const;
    const listeners = ['-l', paths[0], '-l', paths[1], '--fdname', 'a:b'];
    for (const [args, served] of [
      [[], paths],
      [['--listen', 'fd:b'], paths.slice(1)],
      [['--socket', paths[0]], paths.slice(0, 1)],
    ] as const) {
      const server = ['--', ...COMMAND, '-E', 'none', '-e', APP, ...args];
      await using program = new RunningProgram([
        programPath('systemd-socket-activate'),
        ...listeners,
        ...server,
      ]);
      await program.said(/Listening on .*b\.sock as 4/);
      for (const path of served) {
        expect(await ask({ path })).toEqual({
          scheme: 'http',
          server: [path, null],
          client: null,
          variables: [],
        });
      }
      await stop(program);
      expect(program.output.match(/listening on /g)).toHaveLength(served.length);
      expect(paths.map((path) => existsSync(path))).toEqual([true, true]);
    }
  });

  needs('systemd-socket-activate')('passes on what it was started with itself', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    using tcp = openForeignSocket(HOST);
    const command = [
      programPath('systemd-socket-activate'),
      '-l',
      path,
      '--',
      ...COMMAND,
      '-E',
      'none',
      '-e',
      APP,
    ];
    const script = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"';
    await using program = new RunningProgram(['sh', '-c', script, ...command], { descriptors: [tcp.fd] });
    await program.said(/Listening on .*a\.sock as 4/);
    expect(await ask({ host: '127.0.0.1', port: tcp.port })).toMatchObject({ variables: [] });
    expect(await ask({ path })).toMatchObject({ server: [path, null] });
    await stop(program);
  });

  needs('systemd-socket-activate')('with --accept is told what to change', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    const launcher = [programPath('systemd-socket-activate'), '--accept', '-l', path];
    await using program = new RunningProgram([...launcher, '--', ...COMMAND, '-E', 'none', '-e', APP]);
    await program.said(/Listening on/);
    const client = await RawClient.connect({ path });
    await program.said(
      /descriptor 3 .*is a connection; a listening socket is needed \(of systemd: Accept=no\)/,
    );
    client.close();
  });
});

describe.skipIf(!HAS_IPV6)('IPv6', () => {
  const start = (listen: readonly string[]) =>
    new RunningProgram([
      ...COMMAND,
      '-E',
      'none',
      '-e',
      APP,
      ...listen.flatMap((spec) => ['--listen', spec]),
    ]);

  test('is served at its own address', async () => {
    await using server = start(['[::1]:0']);
    const { port } = new URL(await server.url());
    expect(await server.url()).toBe(`http://[::1]:${port}`);
    expect(await ask({ host: '::1', port: Number(port) })).toMatchObject({
      server: ['::1', Number(port)],
      client: '::1',
    });
    await expect(RawClient.connect({ host: '127.0.0.1', port: Number(port) })).rejects.toThrow(
      'ECONNREFUSED',
    );
  });

  test('at all addresses serves IPv4 as well, whose clients keep their addresses', async () => {
    await using server = start(['[::]:0']);
    const port = Number(new URL(await server.url()).port);
    expect(await ask({ host: '::1', port })).toMatchObject({ server: ['::1', port], client: '::1' });
    expect(await ask({ host: '127.0.0.1', port })).toMatchObject({
      server: ['127.0.0.1', port],
      client: '127.0.0.1',
    });
  });

  test('is handed over like IPv4', async () => {
    using both = openForeignSocket({ hostname: '::' });
    await using server = activate({ sockets: [both], args: ['--listen', `0.0.0.0:${both.port}`] });
    await serving(server);
    const overIPv4 = await ask({ host: '127.0.0.1', port: both.port });
    expect(overIPv4).toMatchObject({ client: '127.0.0.1' });
    expect(await ask({ host: '::1', port: both.port })).toMatchObject({ client: '::1' });
  });
});

describe('a hot restart', () => {
  const addresses = [['--listen', 'fd:web'], ['--listen', 'fd:3'], []];
  test.each(addresses.map((args) => [args.join(' ') || 'no option', args] as const))(
    'with %s goes on with the inherited socket',
    async (_name, args) => {
      using web = openForeignSocket(HOST);
      await using master = activate({ sockets: [web], names: 'web', args: ['-w', '2', ...args] });
      await serving(master);
      master.kill('SIGUSR2');
      const [, successor] = await master.said(/the new master \(pid (\d+)\) is ready/);
      await master.exited;
      expect(await ask({ host: '127.0.0.1', port: web.port })).toMatchObject({
        server: ['127.0.0.1', web.port],
      });
      process.kill(Number(successor), 'SIGTERM');
      // Its output is the successor's too.
      expect((await master.end()).exitCode).toBe(0);
    },
  );
});
