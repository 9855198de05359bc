import { describe, expect, test } from 'bun:test';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createStderrWriter, LOG_LEVELS } from '../../src/log/logger.ts';
import type { LoggerOptions } from '../../src/log/logger.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function collect(options: LoggerOptions = {}) {
  const entries: string[] = [];
  const log = createLogger({ write: (text) => entries.push(text), now: () => NOW, ...options });
  return { log, entries };
}

function sayAll(options: LoggerOptions): string[] {
  const { log, entries } = collect(options);
  for (const level of LOG_LEVELS) log[level]('x');
  return entries.map((entry) => entry.split(' ')[1]!);
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: no`), { code });
}

describe('levels', () => {
  test('an entry is time, level and message on one line', () => {
    const { log, entries } = collect();
    log.info('listening on http://127.0.0.1:5000');
    expect(entries).toEqual(['2026-01-02T03:04:05.678Z info listening on http://127.0.0.1:5000\n']);
  });

  test('without a level, debug messages are left out', () => {
    expect(sayAll({})).toEqual(['error', 'warn', 'info']);
  });

  test.each([
    ['error', ['error']],
    ['warn', ['error', 'warn']],
    ['info', ['error', 'warn', 'info']],
    ['debug', ['error', 'warn', 'info', 'debug']],
  ] as const)('level %s writes that level and the more urgent ones', (level, expected) => {
    expect(sayAll({ level })).toEqual([...expected]);
  });

  test('quiet writes errors only, whatever the level says', () => {
    expect(sayAll({ level: 'debug', quiet: true })).toEqual(['error']);
  });
});

describe('what a peer can put into a message', () => {
  const forged = 'bad header: a\r\n2026-01-02T03:04:05.678Z info all is well';

  test.each(['warn', 'info', 'debug'] as const)(
    'a line break in a message of level %s is escaped',
    (level) => {
      const { log, entries } = collect({ level: 'debug' });
      log[level](forged);
      expect(entries).toEqual([
        `2026-01-02T03:04:05.678Z ${level} bad header: a\\x0d\\x0a2026-01-02T03:04:05.678Z info all is well\n`,
      ]);
    },
  );

  test('a line break in an error stays, and what follows cannot be taken for an entry', () => {
    const { log, entries } = collect();
    log.error(forged);
    expect(entries).toEqual([
      '2026-01-02T03:04:05.678Z error bad header: a\\x0d\n  2026-01-02T03:04:05.678Z info all is well\n',
    ]);
  });

  test('the stack of an error is readable', () => {
    const { log, entries } = collect();
    log.error(new Error('boom').stack!);
    const [first, second] = entries[0]!.split('\n');
    expect(first).toBe('2026-01-02T03:04:05.678Z error Error: boom');
    expect(second).toMatch(/^ {6}at .*logger\.test\.ts/);
  });

  test.each([
    ['an escape sequence', '\x1b[2J', '\\x1b[2J'],
    ['NUL, tab, backspace', '\0\t\b', '\\x00\\x09\\x08'],
    ['DEL and C1', '\x7f\x85\x9b', '\\x7f\\x85\\x9b'],
    ['Unicode line breaks', '\u2028\u2029', '\\u2028\\u2029'],
    ['marks that reorder a line', '\u202e\u2066', '\\u202e\\u2066'],
  ])('%s is escaped on every level', (_name, message, expected) => {
    const { log, entries } = collect();
    log.error(message);
    log.info(message);
    expect(entries.map((entry) => entry.replace(/^\S+ \S+ /, ''))).toEqual([
      `${expected}\n`,
      `${expected}\n`,
    ]);
  });

  test('letters outside ASCII stay as they are', () => {
    const { log, entries } = collect();
    log.info('Größe 大 🙂');
    expect(entries[0]).toEndWith('info Größe 大 🙂\n');
  });
});

describe('a stderr that does not take it', () => {
  test('a writer that throws does not reach the caller', () => {
    const log = createLogger({
      write: () => {
        throw failure('EPIPE');
      },
    });
    expect(() => log.error('x')).not.toThrow();
  });

  test.each(['EPIPE', 'EBADF', 'EIO'])('after %s later messages are still tried', (code) => {
    let isBroken = true;
    const taken: string[] = [];
    const write = createStderrWriter((bytes) => {
      if (isBroken) throw failure(code);
      taken.push(Buffer.from(bytes).toString());
      return bytes.length;
    });
    write('lost\n');
    isBroken = false;
    write('kept\n');
    expect(taken).toEqual(['kept\n']);
  });

  test('a partial write is completed', () => {
    const taken: string[] = [];
    const write = createStderrWriter((bytes) => {
      taken.push(Buffer.from(bytes.subarray(0, 3)).toString());
      return Math.min(3, bytes.length);
    });
    write('abcdefgh\n');
    expect(taken).toEqual(['abc', 'def', 'gh\n']);
  });

  test('what a full pipe has not taken goes before the next message, with one try per message', () => {
    let room = 4;
    let tries = 0;
    let taken = '';
    const write = createStderrWriter((bytes) => {
      tries++;
      if (room === 0) throw failure('EAGAIN');
      const part = bytes.subarray(0, room);
      room -= part.length;
      taken += Buffer.from(part).toString();
      return part.length;
    });
    write('first\n');
    write('second\n');
    expect(tries).toBe(3);
    room = 1000;
    write('third\n');
    expect(taken).toBe('first\nsecond\nthird\n');
  });

  test('a pipe that stays full costs 64 KiB at most, and loses whole messages', () => {
    let isFull = true;
    let taken = '';
    const write = createStderrWriter((bytes) => {
      if (isFull) throw failure('EAGAIN');
      taken += Buffer.from(bytes).toString();
      return bytes.length;
    });
    const entry = `${'x'.repeat(999)}\n`;
    for (let i = 0; i < 200; i++) write(entry);
    isFull = false;
    write('now\n');
    expect(taken).toBe(`${entry.repeat(65)}now\n`);
  });

  test('a process whose stderr has no reader, or is closed, goes on', async () => {
    const module = join(import.meta.dir, '../../src/log/logger.ts');
    const script = `
      const { createLogger } = await import(${JSON.stringify(module)})
      if (process.argv[1] === 'closed') (await import('node:fs')).closeSync(2)
      const log = createLogger()
      log.error('one'); log.info('two')
      console.log('alive')
    `;
    const dir = mkdtempSync(join(tmpdir(), 'tsagi-log-'));
    const fifo = join(dir, 'stderr');
    expect(Bun.spawnSync(['mkfifo', fifo]).exitCode).toBe(0);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(fifo, constants.O_WRONLY);
    closeSync(reader);
    try {
      for (const state of ['unread', 'closed']) {
        const child = Bun.spawn([process.execPath, '-e', script, state], {
          stdio: ['ignore', 'pipe', writer],
        });
        expect(await child.stdout.text()).toBe('alive\n');
        expect(await child.exited).toBe(0);
      }
    } finally {
      closeSync(writer);
      rmSync(dir, { recursive: true });
    }
  });

  test('messages arrive on stderr in order and at once', async () => {
    const module = join(import.meta.dir, '../../src/log/logger.ts');
    const script = `
      const { createLogger } = await import(${JSON.stringify(module)})
      const log = createLogger({ level: 'debug', now: () => 0 })
      for (const level of ['debug', 'info', 'warn', 'error']) log[level]('said')
      process.kill(process.pid, 'SIGKILL')
    `;
    const child = Bun.spawn([process.execPath, '-e', script], { stdio: ['ignore', 'ignore', 'pipe'] });
    expect(await child.stderr.text()).toBe(
      ['debug', 'info', 'warn', 'error'].map((level) => `1970-01-01T00:00:00.000Z ${level} said\n`).join(''),
    );
  });
});
