/**
 * What a service manager is told, as it arrives at its socket.
 */
import { describe, expect, test } from 'bun:test';
import { createServiceNotifier, type ServiceNotifier } from '../../src/process/sd-notify.ts';
import { DatagramReceiver } from '../support/datagram-receiver.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordLog, type LogRecorder } from '../support/log-recorder.ts';
import { needs, programPath } from '../support/program.ts';
import { runProgram } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PID = 4711;

interface Setup extends Disposable {
  readonly manager: DatagramReceiver;
  readonly notifier: ServiceNotifier;
  readonly recorder: LogRecorder;
}

function setUp(variables: Record<string, string> = {}): Setup {
  const directory = temporaryDirectory();
  const address = directory.join('notify');
  const manager = new DatagramReceiver(address);
  const recorder = recordLog();
  const env = { NOTIFY_SOCKET: address, ...variables };
  const notifier = createServiceNotifier(env, { log: recorder.log, pid: PID });
  return {
    manager,
    notifier,
    recorder,
    [Symbol.dispose]: () => {
      manager[Symbol.dispose]();
      directory[Symbol.dispose]();
    },
  };
}

describe('the service manager is told', () => {
  test('that the service is ready, with a status', () => {
    using setup = setUp();
    setup.notifier.ready();
    setup.notifier.ready('listening on http://127.0.0.1:80');
    expect(setup.manager.takeAll()).toEqual(['READY=1', 'READY=1\nSTATUS=listening on http://127.0.0.1:80']);
  });

  test('that it stops, who it is, and a status of its own', () => {
    using setup = setUp();
    setup.notifier.stopping();
    setup.notifier.mainPid(123);
    setup.notifier.status('draining');
    expect(setup.manager.takeAll()).toEqual(['STOPPING=1', 'MAINPID=123', 'STATUS=draining']);
  });

  test('who it is, together with a beat where there is a watchdog', () => {
    using setup = setUp({ WATCHDOG_USEC: '30000000' });
    setup.notifier.mainPid(123);
    expect(setup.manager.takeAll()).toEqual(['MAINPID=123\nWATCHDOG=1']);
  });

  test('nothing else by a status that has several lines', () => {
    using setup = setUp();
    setup.notifier.status('one\nMAINPID=1\r\ntwo');
    expect(setup.manager.takeAll()).toEqual(['STATUS=one MAINPID=1 two']);
  });

  needs('python3')('that it reloads, with the time that every process of the machine has', async () => {
    using setup = setUp();
    const clock = async (): Promise<bigint> => {
      const code = 'import time; print(time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)';
      return BigInt((await runProgram([programPath('python3'), '-c', code])).output.trim());
    };
    const before = await clock();
    setup.notifier.reloading();
    const after = await clock();
    const [, time] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(setup.manager.take() ?? '') ?? [];
    expect(BigInt(time!)).toBeGreaterThanOrEqual(before);
    expect(BigInt(time!)).toBeLessThanOrEqual(after);
  });
});

describe('the watchdog', () => {
  test('is fed at once and then at half of its time, until the end', () => {
    using setup = setUp({ WATCHDOG_USEC: '3000000', WATCHDOG_PID: String(PID) });
    const clock = new FakeClock();
    setup.notifier.startWatchdog(clock);
    expect(setup.manager.takeAll()).toEqual(['WATCHDOG=1']);
    clock.advance(1499);
    expect(setup.manager.takeAll()).toEqual([]);
    clock.advance(1);
    expect(setup.manager.takeAll()).toEqual(['WATCHDOG=1']);
    clock.advance(3000);
    expect(setup.manager.takeAll()).toEqual(['WATCHDOG=1', 'WATCHDOG=1']);
    setup.notifier.close();
    clock.advance(10_000);
    expect(setup.manager.takeAll()).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  test('is fed once, however often it is started', () => {
    using setup = setUp({ WATCHDOG_USEC: '2000000' });
    const clock = new FakeClock();
    setup.notifier.startWatchdog(clock);
    setup.notifier.startWatchdog(clock);
    clock.advance(1000);
    expect(setup.manager.takeAll()).toEqual(['WATCHDOG=1', 'WATCHDOG=1']);
  });

  test.each([
    ['of another process', { WATCHDOG_USEC: '2000000', WATCHDOG_PID: '1' }],
    ['without a time', {}],
    ['with a time that is none', { WATCHDOG_USEC: 'soon' }],
    ['that is turned off', { WATCHDOG_USEC: '0' }],
  ])('%s is not fed', (_, variables: Record<string, string>) => {
    using setup = setUp(variables);
    const clock = new FakeClock();
    setup.notifier.startWatchdog(clock);
    clock.advance(100_000);
    expect(setup.manager.takeAll()).toEqual([]);
  });
});

describe('the environment', () => {
  test('is free of the variables afterwards, and a successor gets those that hold for it', () => {
    const env = { NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '2000000', WATCHDOG_PID: String(PID), PATH: '/bin' };
    const { log } = recordLog();
    const notifier = createServiceNotifier(env, { log, pid: PID });
    expect(env as Record<string, string>).toEqual({ PATH: '/bin' });
    expect(notifier.successorEnvironment).toEqual({ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '2000000' });
  });

  test('without a socket makes a notifier that does nothing', () => {
    const { log, lines } = recordLog();
    const clock = new FakeClock();
    const env: Record<string, string> = { WATCHDOG_USEC: '2000000' };
    const notifier = createServiceNotifier(env, { log });
    notifier.ready('status');
    notifier.reloading();
    notifier.stopping();
    notifier.startWatchdog(clock);
    notifier.close();
    expect(env).toEqual({});
    expect(notifier.successorEnvironment).toEqual({});
    expect(clock.timers).toBe(0);
    expect(lines).toEqual([]);
  });
});

describe('a service manager that cannot be reached', () => {
  test('is one warning, and the server goes on', () => {
    using directory = temporaryDirectory();
    const { log, lines } = recordLog();
    const env = { NOTIFY_SOCKET: directory.join('gone') };
    const notifier = createServiceNotifier(env, { log });
    notifier.ready();
    notifier.reloading();
    notifier.stopping();
    expect(lines).toEqual([
      `warn the service manager cannot be told (NOTIFY_SOCKET): nothing can be sent to ${directory.join('gone')}: ENOENT: no such file or directory`,
    ]);
  });

  test('is one warning too where its address is of no kind that is known', () => {
    const { log, lines } = recordLog();
    createServiceNotifier({ NOTIFY_SOCKET: 'vsock:2:1234' }, { log }).ready();
    expect(lines).toEqual([expect.stringContaining('vsock:2:1234 is neither an absolute path')]);
  });
});
