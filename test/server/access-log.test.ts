import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessLog } from '../../src/server/access-log.ts';
import type { AccessLogOptions, AccessRecord } from '../../src/server/access-log.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), 'tsagi-access-'));
  file = join(dir, 'access.log');
});
afterEach(() => {
  jest.useRealTimers();
  fs.rmSync(dir, { recursive: true });
});

function record(path: string): AccessRecord {
  const rest = { client: null, method: 'GET', query: '', httpVersion: '1.1', status: 200, bytes: 0 };
  return { ...rest, path, durationMs: 0, time: 0, requestHeaders: [], responseHeaders: [] };
}

/** An access log of bare paths, and what it wrote: one string per write. */
function collect(): { log: AccessLog; writes: string[] } {
  const writes: string[] = [];
  return { log: new AccessLog({ format: '%U', write: (text) => writes.push(text) }), writes };
}

function logAll(log: AccessLog, ...paths: string[]): void {
  for (const path of paths) log.log(record(path));
}

function flushEach(log: AccessLog, ...paths: string[]): void {
  for (const path of paths) {
    log.log(record(path));
    log.flush();
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: no`), { code });
}

/** A descriptor that takes `room` bytes, `perCall` at a time, and then fails with `code`. */
function fakeDescriptor(options: Partial<AccessLogOptions> = {}) {
  const state = {
    room: Infinity,
    perCall: Infinity,
    code: 'EAGAIN',
    taken: '',
    calls: 0,
    said: [] as string[],
  };
  const log = new AccessLog({
    format: '%U',
    writeBytes: (_fd, bytes) => {
      state.calls++;
      if (state.room === 0) throw failure(state.code);
      const part = bytes.subarray(0, Math.min(state.room, state.perCall));
      state.room -= part.length;
      state.taken += Buffer.from(part).toString();
      return part.length;
    },
    onError: (message) => state.said.push(message),
    ...options,
  });
  return { log, state };
}

describe('batching', () => {
  test('lines wait for each other and leave in one write when the interval is over', () => {
    jest.useFakeTimers();
    const { log, writes } = collect();
    log.log(record('/1'));
    jest.advanceTimersByTime(99);
    log.log(record('/2'));
    expect(writes).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(writes).toEqual(['/1\n/2\n']);
    log.close();
  });

  test('a timer runs only while something waits', () => {
    jest.useFakeTimers();
    const { log } = collect();
    expect(jest.getTimerCount()).toBe(0);
    logAll(log, '/1', '/2');
    expect(jest.getTimerCount()).toBe(1);
    log.flush();
    expect(jest.getTimerCount()).toBe(0);
    log.log(record('/3'));
    jest.advanceTimersByTime(100);
    expect(jest.getTimerCount()).toBe(0);
    log.log(record('/4'));
    log.close();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('64 KiB leave at once', () => {
    const { log, writes } = collect();
    const line = `/${'x'.repeat(1022)}`;
    for (let i = 0; i < 63; i++) log.log(record(line));
    expect(writes).toEqual([]);
    log.log(record(line));
    expect(writes).toEqual([`${line}\n`.repeat(64)]);
    log.close();
  });

  test('a flush with nothing to say writes nothing', () => {
    const { log, writes } = collect();
    log.flush();
    log.reopen();
    log.close();
    expect(writes).toEqual([]);
  });

  test('closing writes what waits; later lines are dropped, and closing again does nothing', () => {
    const { log, writes } = collect();
    log.log(record('/1'));
    log.close();
    flushEach(log, '/2');
    log.reopen();
    log.close();
    expect(writes).toEqual(['/1\n']);
  });

  test('lines that wait do not keep the process alive, and without a file they go to stderr', async () => {
    const module = join(import.meta.dir, '../../src/server/access-log.ts');
    const script = `
      const { AccessLog } = await import(${JSON.stringify(module)})
      const log = new AccessLog({ format: '%U', flushInterval: 3_600_000 })
      const record = { client: null, method: 'GET', query: '', requestHeaders: [], responseHeaders: [] }
      log.log({ ...record, path: '/flushed' })
      log.flush()
      log.log({ ...record, path: '/waits' })
    `;
    const child = Bun.spawn([process.execPath, '-e', script], { stdio: ['ignore', 'ignore', 'pipe'] });
    expect(await child.stderr.text()).toBe('/flushed\n');
    expect(await child.exited).toBe(0);
  });

  test('a format that does not exist is refused before a file is touched', () => {
    expect(() => new AccessLog({ format: 'nope', file })).toThrow(RangeError);
    expect(fs.existsSync(file)).toBe(false);
  });
});

describe('a file', () => {
  test('is appended to', () => {
    fs.writeFileSync(file, 'before\n');
    const log = new AccessLog({ format: '%U', file });
    log.log(record('/1'));
    log.close();
    expect(fs.readFileSync(file, 'utf8')).toBe('before\n/1\n');
  });

  test('is created for owner and group only', () => {
    const umask = process.umask(0o022);
    try {
      new AccessLog({ format: '%U', file }).close();
    } finally {
      process.umask(umask);
    }
    expect(fs.statSync(file).mode & 0o777).toBe(0o640);
  });

  test('that cannot be opened is an error that names it', () => {
    const missing = join(dir, 'missing', 'access.log');
    const open = (file: string) => () => new AccessLog({ format: '%U', file });
    expect(open(missing)).toThrow(`cannot open the access log ${missing}: ENOENT`);
    expect(open(dir)).toThrow(`cannot open the access log ${dir}: EISDIR`);
  });

  test('that was renamed is left at a reopen, with what was logged until then', () => {
    const log = new AccessLog({ format: '%U', file });
    log.log(record('/1'));
    fs.renameSync(file, `${file}.1`);
    log.log(record('/2'));
    log.reopen();
    log.log(record('/3'));
    log.close();
    expect(fs.readFileSync(`${file}.1`, 'utf8')).toBe('/1\n/2\n');
    expect(fs.readFileSync(file, 'utf8')).toBe('/3\n');
  });

  test('is found again at a reopen after a change of directory', () => {
    const before = process.cwd();
    process.chdir(dir);
    try {
      const log = new AccessLog({ format: '%U', file: 'access.log' });
      fs.renameSync('access.log', 'access.log.1');
      process.chdir('/');
      log.reopen();
      log.log(record('/1'));
      log.close();
    } finally {
      process.chdir(before);
    }
    expect(fs.readFileSync(join(dir, 'access.log'), 'utf8')).toBe('/1\n');
  });

  test('stays in use where the new one cannot be opened, and that is said', () => {
    const logs = join(dir, 'logs');
    fs.mkdirSync(logs);
    file = join(logs, 'access.log');
    const said: string[] = [];
    const log = new AccessLog({ format: '%U', file, onError: (message) => said.push(message) });
    fs.renameSync(logs, join(dir, 'moved'));
    log.reopen();
    log.log(record('/1'));
    log.close();
    expect(said).toEqual([expect.stringContaining(`cannot open the access log ${file}: ENOENT`)]);
    expect(fs.readFileSync(join(dir, 'moved', 'access.log'), 'utf8')).toBe('/1\n');
  });

  test('reopening leaves no descriptor behind', () => {
    const open = () => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    const log = new AccessLog({ format: '%U', file });
    for (let i = 0; i < 20; i++) log.reopen();
    log.close();
    expect(open()).toBe(before);
  });

  test('on a full disk fails once in the eyes of the caller, and never by throwing', () => {
    const said: string[] = [];
    const log = new AccessLog({ format: '%U', file: '/dev/full', onError: (message) => said.push(message) });
    flushEach(log, '/1', '/2', '/3');
    expect(said).toEqual([expect.stringContaining('cannot write the access log to /dev/full: ENOSPC')]);
    expect(log.writeErrors).toBe(3);
    expect(log.droppedLines).toBe(0);
    log.close();
    expect(log.droppedLines).toBe(3);
    expect(said.slice(1)).toEqual(['access log lines lost: 3, which /dev/full did not take']);
  });
});

describe('a target that does not take everything', () => {
  test('a partial write is completed at once', () => {
    const { log, state } = fakeDescriptor();
    state.perCall = 4;
    flushEach(log, '/abcdefgh');
    expect(state.taken).toBe('/abcdefgh\n');
    expect(state.calls).toBe(3);
    log.close();
  });

  test.each(['EAGAIN', 'EINTR', 'ENOSPC', 'EDQUOT'])('what %s left over is tried again, in order', (code) => {
    jest.useFakeTimers();
    const { log, state } = fakeDescriptor();
    Object.assign(state, { room: 4, code });
    flushEach(log, '/one');
    expect(state.calls).toBe(2); // one that took a part, one that took nothing: no spinning
    jest.advanceTimersByTime(100); // tried once per interval, without a new line
    expect(state.calls).toBe(3);
    expect(state.taken).toBe('/one');
    log.log(record('/two'));
    state.room = Infinity;
    jest.advanceTimersByTime(100);
    expect(state.taken).toBe('/one\n/two\n');
    expect(jest.getTimerCount()).toBe(0);
    expect(log.droppedLines).toBe(0);
    log.close();
  });

  test('a pipe that is full for a while is no error', () => {
    const { log, state } = fakeDescriptor();
    state.room = 0;
    flushEach(log, '/1');
    state.room = Infinity;
    log.close();
    expect(state.said).toEqual([]);
    expect(log.writeErrors).toBe(0);
    expect(state.taken).toBe('/1\n');
  });

  test('a write that takes nothing is not repeated at once', () => {
    const { log, state } = fakeDescriptor();
    state.perCall = 0;
    flushEach(log, '/1');
    expect(state.calls).toBe(1);
    log.close();
  });

  test('a real pipe that is full gets every line in the end, whole', () => {
    const fifo = join(dir, 'pipe');
    expect(Bun.spawnSync(['mkfifo', fifo]).exitCode).toBe(0);
    const pipe = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
    const log = new AccessLog({ format: '%U', writeBytes: (_fd, bytes) => fs.writeSync(pipe, bytes) });
    let expected = '';
    for (let i = 0; i < 3000; i++) {
      const path = `/${i}/${'x'.repeat(i % 97)}`;
      log.log(record(path));
      expected += `${path}\n`;
    }
    let received = '';
    const chunk = Buffer.alloc(50_000);
    while (received.length < expected.length) {
      log.flush();
      received += chunk.toString('latin1', 0, fs.readSync(pipe, chunk));
    }
    expect(received).toBe(expected);
    expect(log.droppedLines).toBe(0);
    log.close();
    fs.closeSync(pipe);
  });

  test('more than 1 MiB behind, the oldest lines go, whole, and their number is said once it is known', () => {
    const { log, state } = fakeDescriptor();
    const path = (i: number) => `/${String(i).padStart(1022, '0')}`;
    state.room = 10; // the first line is out in part: it must be finished, not dropped
    for (let i = 0; i < 1024 + 128; i++) log.log(record(path(i)));
    expect(state.said).toEqual([]);
    state.room = Infinity;
    log.flush();
    const kept = [0, ...Array.from({ length: 1023 }, (_, i) => 129 + i)];
    expect(state.taken).toBe(kept.map((i) => `${path(i)}\n`).join(''));
    expect(log.droppedLines).toBe(128);
    expect(state.said).toEqual(['access log lines lost: 128, which stderr did not take']);
    log.log(record('/1'));
    log.close();
    expect(state.said.length).toBe(1);
  });

  test.each(['EPIPE', 'EBADF', 'EIO'])('%s loses the batch, and only that', (code) => {
    jest.useFakeTimers();
    const { log, state } = fakeDescriptor();
    Object.assign(state, { room: 6, code });
    logAll(log, '/one', '/two');
    flushEach(log, '/three');
    expect(jest.getTimerCount()).toBe(0); // nothing is kept for a target that is gone
    expect(log.droppedLines).toBe(2);
    flushEach(log, '/lost');
    state.room = Infinity;
    logAll(log, '/four');
    log.close();
    expect(state.taken).toBe('/one\n/\n/four\n'); // the torn line is ended before the next begins
    expect(state.said).toEqual([
      `cannot write the access log to stderr: ${code}: no`,
      'access log lines lost: 3, which stderr did not take',
    ]);
  });

  test('errors are said again after a reopen', () => {
    const { log, state } = fakeDescriptor();
    Object.assign(state, { room: 0, code: 'EIO' });
    flushEach(log, '/1', '/2', '/3');
    log.reopen();
    flushEach(log, '/1');
    expect(state.said).toEqual([
      'cannot write the access log to stderr: EIO: no',
      'access log lines lost: 3, which stderr did not take',
      'cannot write the access log to stderr: EIO: no',
    ]);
    expect([log.writeErrors, log.droppedLines]).toEqual([4, 4]);
    log.close();
  });

  test('a line that is half in the old file does not go on in the new one', () => {
    const { log, state } = fakeDescriptor({ file });
    state.room = 6;
    logAll(log, '/one', '/two', '/three');
    log.reopen();
    state.room = Infinity;
    log.close();
    expect(state.taken).toBe('/one\n//three\n'); // "/" is the last the old file got, "/three" the first of the new
    expect(log.droppedLines).toBe(1);
  });

  test('a writer that throws loses its batch, is reported once, and gets the next', () => {
    const said: string[] = [];
    const write = jest.fn(() => {
      if (write.mock.calls.length <= 2) throw new Error('not now');
    });
    const log = new AccessLog({ format: '%U', write, onError: (message) => said.push(message) });
    flushEach(log, '/1', '/2', '/3');
    log.close();
    expect(write.mock.calls as unknown[][]).toEqual([['/1\n'], ['/2\n'], ['/3\n']]);
    expect(said).toEqual([
      'cannot write the access log to its writer: not now',
      'access log lines lost: 2, which its writer did not take',
    ]);
  });

  test('an onError that throws does not reach the caller', () => {
    const { log, state } = fakeDescriptor({
      onError: () => {
        throw new Error('stderr is gone too');
      },
    });
    Object.assign(state, { room: 0, code: 'EPIPE' });
    log.log(record('/1'));
    expect(() => log.close()).not.toThrow();
    expect(log.droppedLines).toBe(1);
  });
});
