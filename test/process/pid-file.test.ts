/**
 * What is in the pid file, and beside it, whatever was there before.
 */
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'bun:test';
import { PidFile } from '../../src/process/pid-file.ts';
import { runProgram } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The pid of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = Bun.spawn([process.execPath, '-e', '']);
  await child.exited;
  return child.pid;
}

const OWN = `${process.pid}\n`;

describe('a pid file that is claimed', () => {
  test('names this process for everybody, and nothing else is left beside it', () => {
    using directory = temporaryDirectory();
    const before = process.umask(0o077);
    try {
      PidFile.claim(directory.join('server.pid'));
    } finally {
      process.umask(before);
    }
    expect(readFileSync(directory.join('server.pid'), 'utf8')).toBe(OWN);
    expect(statSync(directory.join('server.pid')).mode & 0o777).toBe(0o644);
    expect(readdirSync(directory.path)).toEqual(['server.pid']);
  });

  test('replaces that of a dead process', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('server.pid');
    writeFileSync(path, `${await deadPid()}\n`);
    PidFile.claim(path);
    expect(readFileSync(path, 'utf8')).toBe(OWN);
    expect(readdirSync(directory.path)).toEqual(['server.pid']);
  });

  test.each([
    ['empty', ''],
    ['with its own number, as every start in a container finds it', OWN],
  ])('replaces one that is %s', (_, text) => {
    using directory = temporaryDirectory();
    const path = directory.join('server.pid');
    writeFileSync(path, text);
    PidFile.claim(path);
    expect(readFileSync(path, 'utf8')).toBe(OWN);
  });

  test('is refused while a live process holds it, by an error that names both', () => {
    using directory = temporaryDirectory();
    const path = directory.join('server.pid');
    writeFileSync(path, `${process.ppid}\n`);
    expect(() => PidFile.claim(path)).toThrow(
      `pid: ${path} is held by process ${process.ppid}, which is running: stop it first, ` +
        'or remove the file if that is another program',
    );
    expect(readFileSync(path, 'utf8')).toBe(`${process.ppid}\n`);
    expect(readdirSync(directory.path)).toEqual(['server.pid']);
  });

  test.skipIf(process.getuid?.() !== 0)('is refused to a user who may not signal its holder', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('server.pid');
    writeFileSync(path, `${process.pid}\n`);
    const code = `
      const { PidFile } = await import(${JSON.stringify(new URL('../../src/process/pid-file.ts', import.meta.url).pathname)});
      (await import('node:fs')).chmodSync(${JSON.stringify(directory.path)}, 0o777);
      process.setuid(65534);
      try { PidFile.claim(${JSON.stringify(path)}); console.log('claimed'); } catch (error) { console.log(error.message); }`;
    const { output } = await runProgram([process.execPath, '-e', code]);
    expect(output).toContain(`is held by process ${process.pid}, which is running`);
  });

  test('may be taken from the predecessor in a hot restart', () => {
    using directory = temporaryDirectory();
    const path = directory.join('server.pid');
    writeFileSync(path, `${process.ppid}\n`);
    PidFile.claim(path, { mayTakeFrom: process.ppid });
    expect(readFileSync(path, 'utf8')).toBe(OWN);
  });

  test.each(['export const app = 1;\n', '12 13\n', '-1\n', '0\n'])(
    'is refused where the file holds %p, which stays',
    (text) => {
      using directory = temporaryDirectory();
      const path = directory.join('app.ts');
      writeFileSync(path, text);
      expect(() => PidFile.claim(path)).toThrow(`pid: ${path} holds something else than a pid`);
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );

  test('is an error that names it where there is no such directory, or it is one', () => {
    using directory = temporaryDirectory();
    expect(() => PidFile.claim(directory.join('none/server.pid'))).toThrow(
      `pid: ${directory.join('none/server.pid')} cannot be written: ENOENT`,
    );
    mkdirSync(directory.join('server.pid'));
    expect(() => PidFile.claim(directory.join('server.pid'))).toThrow('server.pid cannot be written: EISDIR');
  });

  test('does not write through a link that somebody has put beside it', () => {
    using directory = temporaryDirectory();
    const path = directory.join('server.pid');
    writeFileSync(directory.join('victim'), 'precious');
    symlinkSync(directory.join('victim'), `${path}.${process.pid}`);
    PidFile.claim(path);
    expect(readFileSync(directory.join('victim'), 'utf8')).toBe('precious');
    expect(readFileSync(path, 'utf8')).toBe(OWN);
  });
});

describe('a pid file that is released', () => {
  test('is gone, also after the working directory has changed', () => {
    using directory = temporaryDirectory();
    const before = process.cwd();
    process.chdir(directory.path);
    try {
      const file = PidFile.claim('server.pid');
      expect(file.path).toBe(directory.join('server.pid'));
      process.chdir('/');
      file.release();
    } finally {
      process.chdir(before);
    }
    expect(readdirSync(directory.path)).toEqual([]);
  });

  test('stays when it names another process by now', () => {
    using directory = temporaryDirectory();
    const file = PidFile.claim(directory.join('server.pid'));
    writeFileSync(file.path, `${process.ppid}\n`);
    file.release();
    expect(readFileSync(file.path, 'utf8')).toBe(`${process.ppid}\n`);
  });

  test('may be gone before, and be released twice', () => {
    using directory = temporaryDirectory();
    const file = PidFile.claim(directory.join('server.pid'));
    file.release();
    file.release();
    expect(readdirSync(directory.path)).toEqual([]);
  });
});
