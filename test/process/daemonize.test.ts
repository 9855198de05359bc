/**
 * Daemons as their caller, a shell, and the kernel see them. Every one answers on a socket of its own with what it has become.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'bun:test';
import { needs, programPath } from '../support/program.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';
import { until, within } from '../support/within.ts';
import type { DaemonReport } from './daemon-program.ts';

const PROGRAM = new URL('daemon-program.ts', import.meta.url).pathname;

interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The caller's command line, for a shell. */
function commandLine(directory: TemporaryDirectory, ...wishes: string[]): string {
  return [process.execPath, PROGRAM, directory.join('socket'), ...wishes].join(' ');
}

/** Runs a line of shell to its end, and to the end of its output: whoever holds one of its pipes would hold this too. */
async function shell(
  line: string,
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Outcome> {
  const child = Bun.spawn(['sh', '-c', line], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const [stdout, stderr] = await within(
    Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]),
    'the end of the output',
  );
  return { exitCode: await child.exited, stdout, stderr };
}

function start(directory: TemporaryDirectory, ...wishes: string[]): Promise<Outcome> {
  return shell(commandLine(directory, ...wishes));
}

async function talk(directory: TemporaryDirectory, message: string): Promise<string> {
  const answer = Promise.withResolvers<string>();
  let text = '';
  await Bun.connect({
    unix: directory.join('socket'),
    socket: {
      open: (client) => void client.write(message),
      data: (_, bytes) => void (text += String(bytes)),
      close: () => answer.resolve(text),
    },
  });
  return await within(answer.promise, 'the answer of the daemon');
}

/** What the daemon says of itself, after which it ends. */
async function askAndEnd(directory: TemporaryDirectory): Promise<DaemonReport> {
  const report = JSON.parse(await talk(directory, 'report')) as DaemonReport;
  await talk(directory, 'end');
  return report;
}

const SAID = 'said with console.log\nsaid with process.stdout\n';

describe('a caller whose daemon serves', () => {
  test('ends with 0, has shown what was said until then, and keeps nobody waiting', async () => {
    using directory = temporaryDirectory();
    expect(await start(directory)).toEqual({
      exitCode: 0,
      stdout: SAID,
      stderr: 'said with process.stderr\n',
    });
    await askAndEnd(directory);
  });

  test('is one that a command substitution returns from', async () => {
    using directory = temporaryDirectory();
    const { stdout } = await shell(`said=$(${commandLine(directory, 'worker')} 2>&1); echo "$? $said"`);
    expect(stdout).toStartWith('0 said with console.log\n');
    await askAndEnd(directory);
  });

  test('shows all of what was said, however much', async () => {
    using directory = temporaryDirectory();
    const { stderr, exitCode } = await start(directory, 'long');
    expect(exitCode).toBe(0);
    expect(stderr).toEndWith('xthe end\n');
    expect(stderr.length).toBeGreaterThan(1_000_000);
    await askAndEnd(directory);
  });

  test('ends although a worker of the daemon has not let go of the pipes yet', async () => {
    using directory = temporaryDirectory();
    const { exitCode, stdout } = await start(directory, 'worker', 'deaf');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('said by the worker\n');
    await askAndEnd(directory);
  });
});

describe('a daemon that serves', () => {
  test('leads a session without a terminal, and is nobody’s child', async () => {
    using directory = temporaryDirectory();
    await start(directory);
    const report = await askAndEnd(directory);
    expect(report).toMatchObject({ session: report.pid, group: report.pid, terminal: 0 });
    expect(report.parent).not.toBe(process.pid);
  });

  test('keeps nothing of the caller open, nor do its workers', async () => {
    using directory = temporaryDirectory();
    await start(directory, 'worker');
    const { descriptors, worker } = await askAndEnd(directory);
    expect(descriptors).toMatchObject({ 0: '/dev/null', 1: '/dev/null', 2: '/dev/null' });
    expect(worker).toMatchObject({ 0: '/dev/null', 1: '/dev/null', 2: '/dev/null' });
    const open = [...Object.values(descriptors), ...Object.values(worker!)];
    expect(open.filter((target) => target.startsWith('pipe:') || target.includes('/dev/pts'))).toEqual([]);
  });

  test('gets none of the caller’s other descriptors', async () => {
    using directory = temporaryDirectory();
    await shell(`${commandLine(directory)} 3</etc/passwd 9</etc/group`);
    const { descriptors } = await askAndEnd(directory);
    expect(Object.values(descriptors).filter((target) => target.startsWith('/etc/'))).toEqual([]);
  });

  test('works where the caller stood, with the caller’s umask', async () => {
    using directory = temporaryDirectory();
    await shell(`umask 027; ${commandLine(directory)}`, { cwd: directory.path });
    expect(await askAndEnd(directory)).toMatchObject({ directory: directory.path, umask: 0o027 });
  });

  test('goes on writing to a file that its output was sent to', async () => {
    using directory = temporaryDirectory();
    const { stdout, stderr } = await shell(`${commandLine(directory)} > ${directory.join('log')}`);
    expect(stdout).toBe('');
    expect(stderr).toBe('said with process.stderr\n');
    const { descriptors } = await askAndEnd(directory);
    expect(descriptors).toMatchObject({ 1: directory.join('log'), 2: '/dev/null' });
    expect(readFileSync(directory.join('log'), 'utf8')).toStartWith(`${SAID}said too late\nxxx`);
  });

  test('does not hear a signal to the caller’s group', async () => {
    using directory = temporaryDirectory();
    const caller = Bun.spawn(['sh', '-c', `${commandLine(directory)}; echo served; read line`], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let said = '';
    for await (const piece of caller.stdout) {
      said += Buffer.from(piece).toString();
      if (said.includes('served\n')) break;
    }
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.kill(-caller.pid, signal);
    await within(caller.exited, 'the end of the caller');
    expect(await askAndEnd(directory)).toMatchObject({ signals: [] });
  });

  test('goes on when its caller is killed before it serves', async () => {
    using directory = temporaryDirectory();
    const caller = Bun.spawn([process.execPath, PROGRAM, directory.join('socket'), 'lonely'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    for await (const piece of caller.stderr) {
      if (String(Buffer.from(piece)).endsWith('said with process.stderr\n')) caller.kill('SIGKILL');
    }
    await until(() => existsSync(directory.join('socket')), 'the socket of the daemon');
    expect(await askAndEnd(directory)).toMatchObject({ descriptors: { 1: '/dev/null', 2: '/dev/null' } });
  });

  test('does not see the variable that made it one', async () => {
    using directory = temporaryDirectory();
    await start(directory);
    expect((await askAndEnd(directory)).variables).toEqual({});
  });
});

describe('descriptors for the daemon', () => {
  test('keep their numbers', async () => {
    using directory = temporaryDirectory();
    await shell(`${commandLine(directory, 'descriptor')} 5</etc/passwd`);
    const { descriptors } = await askAndEnd(directory);
    expect(descriptors).toMatchObject({ 5: '/etc/passwd' });
  });

  test('that a service manager gave to the caller are for the daemon', async () => {
    using directory = temporaryDirectory();
    const line = `export LISTEN_FDS=2 LISTEN_PID=$$; exec ${commandLine(directory)} 3</etc/passwd 4</etc/group`;
    await shell(line);
    const { descriptors, variables, pid } = await askAndEnd(directory);
    expect(descriptors).toMatchObject({ 3: '/etc/passwd', 4: '/etc/group' });
    expect(variables).toEqual({ LISTEN_PID: String(pid) });
  });
});

describe('a caller whose daemon does not come to serve', () => {
  test('ends with 1, and its error has been shown', async () => {
    using directory = temporaryDirectory();
    expect(await start(directory, 'fail')).toEqual({
      exitCode: 1,
      stdout: SAID,
      stderr: 'said with process.stderr\ncannot listen\n',
    });
  });

  test('shows all of the error, however long', async () => {
    using directory = temporaryDirectory();
    const { stderr } = await start(directory, 'long', 'fail');
    expect(stderr).toEndWith('xthe end\ncannot listen\n');
    expect(stderr.length).toBeGreaterThan(1_000_000);
  });

  test('says itself what the daemon could not say', async () => {
    using directory = temporaryDirectory();
    const killed = await start(directory, 'die');
    expect(killed.exitCode).toBe(1);
    expect(killed.stderr).toEndWith('tsagi-server: the daemon was ended by SIGKILL before it served\n');
    const finished = await start(directory, 'finish');
    expect(finished.exitCode).toBe(1);
    expect(finished.stderr).toEndWith('tsagi-server: the daemon ended with exit code 0 before it served\n');
  });

  test('adds nothing to an error that went into a file', async () => {
    using directory = temporaryDirectory();
    const { exitCode } = await shell(`${commandLine(directory, 'fail')} 2> ${directory.join('errors')}`);
    expect(exitCode).toBe(1);
    expect(readFileSync(directory.join('errors'), 'utf8')).toBe('said with process.stderr\ncannot listen\n');
  });

  test('takes it along when it is told to end before that', async () => {
    using directory = temporaryDirectory();
    const caller = Bun.spawn([process.execPath, PROGRAM, directory.join('socket'), 'hang'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    for await (const piece of caller.stderr) {
      said += Buffer.from(piece).toString();
      if (said.endsWith('said with process.stderr\n')) caller.kill('SIGINT');
    }
    expect(await within(caller.exited, 'the end of the caller')).toBe(1);
    expect(said).toEndWith('tsagi-server: the daemon was ended by SIGTERM before it served\n');
  });
});

needs('script')('a daemon outlives the terminal that it was started on', async () => {
  using directory = temporaryDirectory();
  // script(1) gives its command a terminal of its own, and hangs up when that has ended.
  const line = `${programPath('script')} -qec '${commandLine(directory)}' /dev/null`;
  const { stdout } = await shell(line);
  expect(stdout.replaceAll('\r', '')).toContain(SAID);
  const { terminal, descriptors, signals } = await askAndEnd(directory);
  expect({ terminal, signals }).toEqual({ terminal: 0, signals: [] });
  expect(descriptors).toMatchObject({ 0: '/dev/null', 1: '/dev/null', 2: '/dev/null' });
});
