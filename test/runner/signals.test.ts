import { afterEach, expect, test } from 'bun:test';
import { handleSignals } from '../../src/runner/signals.ts';

// The signals are real: this process sends them to itself and waits for the action.
const said: string[] = [];
let wake: (() => void) | undefined;
let giveBack: (() => void) | undefined;

function say(what: string): void {
  said.push(what);
  wake?.();
}

function start({ hasTls = false, hasWorkers = false } = {}): void {
  said.length = 0;
  giveBack = handleSignals({
    stop: (signal) => say(`stop ${signal}`),
    endAtOnce: () => say('end at once'),
    reopenLogs: () => say('reopen logs'),
    reload: hasTls ? () => say('reload certificates') : undefined,
    workers: hasWorkers
      ? { more: () => say('one more'), fewer: () => say('one fewer'), restart: () => say('restart') }
      : undefined,
    warn: (message) => say(`warn ${message.split(' ')[0]}`),
  });
}

async function sendAndSee(signal: NodeJS.Signals): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<void>();
  wake = resolve;
  process.kill(process.pid, signal);
  await promise;
  return said.at(-1);
}

afterEach(() => giveBack?.());

test('the first INT stops, the second ends at once', async () => {
  start();
  expect(await sendAndSee('SIGINT')).toBe('stop SIGINT');
  expect(await sendAndSee('SIGINT')).toBe('end at once');
});

test('TERM stops, and a second TERM changes nothing', async () => {
  start();
  expect(await sendAndSee('SIGTERM')).toBe('stop SIGTERM');
  process.kill(process.pid, 'SIGTERM');
  expect(await sendAndSee('SIGUSR1')).toBe('reopen logs');
  expect(said).toEqual(['stop SIGTERM', 'reopen logs']);
});

test('USR1 reopens the logs each time', async () => {
  start();
  expect(await sendAndSee('SIGUSR1')).toBe('reopen logs');
  expect(await sendAndSee('SIGUSR1')).toBe('reopen logs');
});

test('HUP reads certificates anew where there are any', async () => {
  start({ hasTls: true });
  expect(await sendAndSee('SIGHUP')).toBe('reload certificates');
  expect(said).toEqual(['reload certificates']);
});

for (const signal of ['SIGHUP', 'SIGTTIN', 'SIGTTOU', 'SIGUSR2'] as const) {
  test(`${signal} gives a warning and nothing else`, async () => {
    start();
    expect(await sendAndSee(signal)).toBe(`warn ${signal}`);
    expect(said).toEqual([`warn ${signal}`]);
  });
}

test('signals are given back', () => {
  const count = () =>
    ['SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGHUP'].map((signal) => process.listenerCount(signal));
  const before = count();
  start();
  expect(count()).toEqual(before.map((listeners) => listeners + 1));
  giveBack?.();
  expect(count()).toEqual(before);
});

test('TTIN, TTOU and USR2 are for workers, until the end has begun', async () => {
  start({ hasWorkers: true });
  expect(await sendAndSee('SIGTTIN')).toBe('one more');
  expect(await sendAndSee('SIGTTOU')).toBe('one fewer');
  expect(await sendAndSee('SIGUSR2')).toBe('restart');
  expect(await sendAndSee('SIGTERM')).toBe('stop SIGTERM');
  process.kill(process.pid, 'SIGTTIN');
  expect(await sendAndSee('SIGUSR1')).toBe('reopen logs');
  expect(said).toEqual(['one more', 'one fewer', 'restart', 'stop SIGTERM', 'reopen logs']);
});
