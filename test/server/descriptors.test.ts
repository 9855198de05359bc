/**
 * A process that has run out of descriptors: the real command under a low limit, with an application that takes all that
 * are left and gives them back when it is told to.
 */
import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { RawClient } from '../support/raw-client.ts';
import { RunningProgram } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { within } from '../support/within.ts';

const COMMAND = new URL('../../bin/tsagi-server', import.meta.url).pathname;

const APP = `
import { closeSync, openSync } from 'node:fs';
const held = [];
export default async (scope, receive, send) => {
  if (scope.type !== 'http') throw new Error('http only');
  if (scope.path === '/take') {
    try {
      for (;;) held.push(openSync('/dev/null', 'r'));
    } catch {}
  }
  if (scope.path === '/give') for (const fd of held.splice(0)) closeSync(fd);
  await send({ type: 'http.response.start', status: 200, headers: [['content-length', '2']] });
  await send({ type: 'http.response.body', body: 'ok' });
};
`;

/** Clock ticks, a hundredth of a second each, that a process has spent (proc_pid_stat(5), fields 14 and 15). */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

test.skipIf(process.platform !== 'linux')(
  'out of descriptors, accepting pauses without spinning, says so once, and goes on when some are free',
  async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join('app.ts'), APP);
    const command = `ulimit -n 160 && exec "$0" "$@" -p 0 -E none`;
    await using server = new RunningProgram([
      'sh',
      '-c',
      command,
      process.execPath,
      COMMAND,
      directory.join('app.ts'),
    ]);
    const address = { host: '127.0.0.1', port: Number(new URL(await server.url()).port) };
    const pid = Number((await server.said(/pid (\d+)/))[1]);

    const inside = await RawClient.connect(address);
    expect((await inside.request({ target: '/take' })).status).toBe(200);
    const waiting: RawClient[] = [];
    for (let i = 0; i < 20; i++) waiting.push(await RawClient.connect(address));
    for (const client of waiting) void client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await within(server.said(/error out of file descriptors: accepting is paused/), 'the word of it');

    // CPU is spent in time, so time has to pass here; requests on an open connection go on meanwhile.
    const before = cpuTicks(pid);
    for (let i = 0; i < 15; i++) {
      expect((await inside.request()).status).toBe(200);
      await Bun.sleep(100);
    }
    expect(cpuTicks(pid) - before).toBeLessThan(30);
    expect(waiting.map(({ unread }) => unread)).toEqual(waiting.map(() => ''));

    expect((await inside.request({ target: '/give' })).status).toBe(200);
    for (const client of waiting) expect((await client.response()).status).toBe(200);
    await server.said(/info file descriptors are free again: accepting goes on/);
    const later = await RawClient.connect(address);
    expect((await later.request()).status).toBe(200);
    expect(server.output.match(/out of file descriptors/g)).toHaveLength(1);
    for (const client of [inside, later, ...waiting]) client.close();
  },
);
