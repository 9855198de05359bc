import { describe, expect, test } from 'bun:test';
import { Master } from '../../src/process/master.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordLog, type LogRecorder } from '../support/log-recorder.ts';
import { afterMicrotasks, stateOf } from '../support/settled.ts';
import { FakeLauncher, type FakeChild } from './fake-children.ts';

const SETTINGS = {
  workers: 2,
  heartbeatTimeout: 30,
  drainDelay: 0,
  shutdownTimeout: 30,
  lifespanShutdownTimeout: 10,
};

class Scene {
  readonly clock = new FakeClock();
  readonly recorder: LogRecorder = recordLog();
  readonly launcher: FakeLauncher;
  readonly master: Master;

  constructor(settings: Partial<typeof SETTINGS> = {}, launcher = new FakeLauncher()) {
    this.launcher = launcher;
    const { clock, recorder } = this;
    this.master = new Master({
      settings: { ...SETTINGS, ...settings },
      launcher,
      log: recorder.log,
      clock,
    });
  }

  /** All workers serve. */
  static async serving(settings: Partial<typeof SETTINGS> = {}, launcher?: FakeLauncher): Promise<Scene> {
    const scene = new Scene(settings, launcher);
    const started = scene.master.start();
    for (const child of scene.launcher.children) child.serve();
    await started;
    return scene;
  }

  get children(): readonly FakeChild[] {
    return this.launcher.children;
  }

  /** The workers that live, as `1 2`. */
  get numbers(): string {
    return this.launcher.living.map(({ workerNum }) => workerNum).join(' ');
  }

  async pass(milliseconds: number): Promise<void> {
    this.clock.advance(milliseconds);
    await afterMicrotasks();
  }

  said(text: string): boolean {
    return this.recorder.lines.some((line) => line.includes(text));
  }
}

describe('starting', () => {
  test('every worker gets what it is to do when it greets, and not before it can hear', () => {
    const { children, master } = new Scene();
    void master.start();
    expect(children.map(({ workerNum, sets, got }) => ({ workerNum, sets, got }))).toEqual([
      { workerNum: 1, sets: [0], got: [] },
      { workerNum: 2, sets: [1], got: [] },
    ]);
    children[0]!.say({ type: 'hello' });
    expect(children[0]!.got).toEqual(['start']);
  });

  test('it has started when every worker is ready', async () => {
    const scene = new Scene();
    const started = scene.master.start();
    scene.children[0]!.serve();
    expect(await stateOf(started)).toBe('pending');
    scene.children[1]!.serve();
    await started;
    expect(scene.recorder.lines).toEqual([
      'info worker 1 (pid 1001) is ready',
      'info worker 2 (pid 1002) is ready',
    ]);
  });

  test('when none can start it rejects, with each reason once', async () => {
    const scene = new Scene();
    const started = scene.master.start();
    for (const child of scene.children) child.fail('there is no database');
    await expect(started).rejects.toThrow('no worker could start: there is no database');
    await scene.pass(60_000);
    expect(scene.launcher.living).toEqual([]);
  });

  test('a worker that ends without a word is a failed start too', async () => {
    const scene = new Scene({ workers: 1 });
    const started = scene.master.start();
    scene.children[0]!.end(null, 'SIGSEGV');
    await expect(started).rejects.toThrow('no worker could start: its process was killed by SIGSEGV');
  });

  test('where no process can be started it rejects with the reason', async () => {
    const scene = new Scene();
    scene.launcher.refusal = new Error('out of memory');
    await expect(scene.master.start()).rejects.toThrow('no worker could start: out of memory');
  });

  test('one that fails is not tried again at once, and another accepts on its socket', async () => {
    const scene = new Scene();
    const started = scene.master.start();
    scene.children[0]!.serve();
    scene.children[1]!.fail('no disk');
    await started;
    expect(
      scene.said('error worker 2 failed to start: no disk; it is tried again in 10 s, and at SIGHUP'),
    ).toBe(true);
    await afterMicrotasks();
    expect(scene.launcher.last).toMatchObject({ workerNum: 1, sets: [0, 1] });
    scene.launcher.last.serve();
    await afterMicrotasks();
    expect(scene.children[0]!.got).toEqual(['start', 'stop']);
    scene.children[0]!.end();
    await scene.pass(9_999);
    expect(scene.numbers).toBe('1');
    await scene.pass(1);
    expect(scene.numbers).toBe('1 2');
    scene.launcher.last.fail('no disk');
    await scene.pass(19_999);
    expect(scene.said('it is tried again in 20 s')).toBe(true);
  });

  test('of a predecessor with fewer workers the sockets are shared', () => {
    const { children, master } = new Scene({ workers: 5 }, new FakeLauncher(2));
    void master.start();
    expect(children.map(({ sets }) => sets)).toEqual([[0], [1], [0], [1], [0]]);
  });

  test('sockets that a predecessor with more workers has left are shared out', () => {
    const { children, master } = new Scene({ workers: 2 }, new FakeLauncher(5));
    void master.start();
    expect(children.map(({ sets }) => sets)).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
  });
});

describe('a worker that dies', () => {
  test('is replaced at once when it has served for a while', async () => {
    const scene = await Scene.serving();
    await scene.pass(2_000);
    scene.children[1]!.end(null, 'SIGKILL');
    expect(scene.said('warn worker 2 (pid 1002) was killed by SIGKILL; its replacement starts now')).toBe(
      true,
    );
    expect(scene.numbers).toBe('1 2');
    scene.launcher.last.serve();
    await afterMicrotasks();
    expect(scene.said('info worker 2 (pid 1003) is ready')).toBe(true);
  });

  test('is replaced later and later while its replacements do not last either', async () => {
    const scene = await Scene.serving({ workers: 1 });
    const delays: number[] = [];
    for (let death = 0; death < 8; death++) {
      scene.launcher.last.end(1);
      let delay = 0;
      while (scene.launcher.living.length === 0) {
        await scene.pass(250);
        delay += 250;
      }
      delays.push(delay);
      scene.launcher.last.serve();
      await afterMicrotasks();
    }
    expect(delays).toEqual([250, 500, 1000, 2000, 2000, 2000, 2000, 2000]);
  });

  test('that ends with exit code 0 although nobody asked it to is replaced as well', async () => {
    const scene = await Scene.serving();
    await scene.pass(5_000);
    scene.children[0]!.end(0);
    expect(scene.said('worker 1 (pid 1001) ended with exit code 0; its replacement starts now')).toBe(true);
    expect(scene.numbers).toBe('2 1');
  });
});

describe('HUP', () => {
  test('replaces one after another, and each predecessor stays until its replacement is ready', async () => {
    const scene = await Scene.serving();
    const reloaded = scene.master.reload();
    await afterMicrotasks();
    expect(scene.numbers).toBe('1 2 1');
    expect(scene.children[0]!.got).toEqual(['start']);
    scene.launcher.last.serve();
    await afterMicrotasks();
    expect(scene.children[0]!.got).toEqual(['start', 'stop']);
    expect(scene.numbers).toBe('1 2 1 2');
    scene.launcher.last.serve();
    await reloaded;
    expect(scene.children[1]!.got).toEqual(['start', 'stop']);
    expect(scene.recorder.lines.at(-1)).toBe('info SIGHUP: all workers have been replaced');
    scene.children[0]!.end();
    expect(scene.recorder.lines.at(-1)).toBe('info worker 1 (pid 1001) has left');
    expect(scene.numbers).toBe('2 1 2');
  });

  test('keeps the old workers when the first new one fails', async () => {
    const scene = await Scene.serving();
    const reloaded = scene.master.reload();
    await afterMicrotasks();
    scene.launcher.last.fail('a syntax error');
    await reloaded;
    expect(scene.recorder.lines.at(-1)).toBe('error SIGHUP: the old workers stay: a syntax error');
    expect(scene.numbers).toBe('1 2');
    expect(scene.children.map(({ got }) => got)).toEqual([['start'], ['start'], ['start']]);
  });

  test('during another one is one more, and no more than that', async () => {
    const scene = await Scene.serving({ workers: 1 });
    void scene.master.reload();
    await afterMicrotasks();
    void scene.master.reload();
    const last = scene.master.reload();
    scene.launcher.last.serve();
    await afterMicrotasks();
    expect(scene.children).toHaveLength(3);
    scene.launcher.last.serve();
    await last;
    expect(scene.children).toHaveLength(3);
  });

  test('waits for a worker that is starting, and replaces it', async () => {
    const scene = await Scene.serving({ workers: 1 });
    await scene.pass(5_000);
    scene.children[0]!.end(1);
    const reloaded = scene.master.reload();
    await afterMicrotasks();
    expect(scene.children).toHaveLength(2);
    scene.children[1]!.serve();
    await afterMicrotasks();
    scene.children[2]!.serve();
    await reloaded;
    expect(scene.children[1]!.got).toEqual(['start', 'stop']);
  });

  test('starts at once what waits for its next attempt', async () => {
    const scene = new Scene({ heartbeatTimeout: 0 });
    const started = scene.master.start();
    scene.children[0]!.serve();
    scene.children[1]!.fail('no disk');
    await started;
    await afterMicrotasks();
    scene.launcher.last.serve();
    const reloaded = scene.master.reload();
    await afterMicrotasks();
    scene.launcher.last.serve();
    await afterMicrotasks();
    expect(scene.launcher.last.workerNum).toBe(2);
    scene.launcher.last.serve();
    await reloaded;
    const before = scene.children.length;
    await scene.pass(60_000);
    expect(scene.children).toHaveLength(before);
  });
});

describe('TTIN and TTOU', () => {
  test('one more shares the sockets of another, which are being accepted on already', async () => {
    const scene = await Scene.serving();
    const done = scene.master.more();
    await afterMicrotasks();
    expect(scene.launcher.last).toMatchObject({ workerNum: 3, sets: [0] });
    scene.launcher.last.serve();
    await done;
    expect(scene.recorder.lines.at(-1)).toBe('info SIGTTIN: 3 workers');
  });

  test('one that shared its sockets just leaves', async () => {
    const scene = await Scene.serving();
    const more = scene.master.more();
    await afterMicrotasks();
    scene.launcher.last.serve();
    await more;
    await scene.master.fewer();
    expect(scene.children.map(({ got }) => got)).toEqual([['start'], ['start'], ['start', 'stop']]);
  });

  test('one fewer leaves its socket to another worker before it goes', async () => {
    const scene = await Scene.serving();
    const done = scene.master.fewer();
    await afterMicrotasks();
    expect(scene.launcher.last).toMatchObject({ workerNum: 1, sets: [0, 1] });
    expect(scene.children[1]!.got).toEqual(['start']);
    scene.launcher.last.serve();
    await done;
    expect(scene.children[0]!.got).toEqual(['start', 'stop']);
    expect(scene.children[1]!.got).toEqual(['start', 'stop']);
    expect(scene.recorder.lines.at(-1)).toBe('info SIGTTOU: 1 worker');
  });

  test('one fewer stays when nobody can take its socket over', async () => {
    const scene = await Scene.serving();
    const done = scene.master.fewer();
    await afterMicrotasks();
    scene.launcher.last.fail('broken');
    await done;
    expect(scene.said('error SIGTTOU: no other worker could take over; their number stays')).toBe(true);
    expect(scene.numbers).toBe('1 2');
    await scene.pass(5_000);
    scene.children[1]!.end(1);
    expect(scene.launcher.last).toMatchObject({ workerNum: 2, sets: [1] });
  });

  test('where all share their sockets one fewer just leaves', async () => {
    const scene = await Scene.serving({}, new FakeLauncher(0));
    await scene.master.fewer();
    expect(scene.children.map(({ got }) => got)).toEqual([['start'], ['start', 'stop']]);
  });

  test('a socket that was left to another goes back with the number', async () => {
    const scene = await Scene.serving();
    const fewer = scene.master.fewer();
    await afterMicrotasks();
    scene.launcher.last.serve();
    await fewer;
    const more = scene.master.more();
    await afterMicrotasks();
    expect(scene.launcher.last).toMatchObject({ workerNum: 2, sets: [1] });
    scene.launcher.last.serve();
    await more;
    const reloaded = scene.master.reload();
    await afterMicrotasks();
    expect(scene.launcher.last).toMatchObject({ workerNum: 1, sets: [0] });
    scene.launcher.last.serve();
    await afterMicrotasks();
    scene.launcher.last.serve();
    await reloaded;
  });

  test('the last worker stays', async () => {
    const scene = await Scene.serving({ workers: 1 });
    await scene.master.fewer();
    expect(scene.recorder.lines.at(-1)).toBe('warn SIGTTOU: the last worker stays');
    expect(scene.children[0]!.got).toEqual(['start']);
  });
});

describe('a worker that would like to be replaced', () => {
  test('stays until its replacement is ready', async () => {
    const scene = await Scene.serving();
    scene.children[0]!.say({ type: 'retire', reason: 'has taken 100 requests' });
    await afterMicrotasks();
    expect(scene.said('info worker 1 (pid 1001) has taken 100 requests: it is being replaced')).toBe(true);
    scene.launcher.last.serve();
    await afterMicrotasks();
    expect(scene.children[0]!.got).toEqual(['start', 'stop']);
  });

  test('waits while another is being replaced', async () => {
    const scene = await Scene.serving();
    for (const child of scene.children) child.say({ type: 'retire', reason: 'is too large' });
    await afterMicrotasks();
    expect(scene.children).toHaveLength(3);
    scene.launcher.last.serve();
    await afterMicrotasks();
    expect(scene.children).toHaveLength(4);
  });

  test('stays when its replacement fails', async () => {
    const scene = await Scene.serving({ workers: 1 });
    scene.children[0]!.say({ type: 'retire', reason: 'is too large' });
    await afterMicrotasks();
    scene.launcher.last.fail('no disk');
    await afterMicrotasks();
    expect(scene.recorder.lines.at(-1)).toBe(
      'error worker 1 (pid 1001) stays: its replacement failed to start: no disk',
    );
    expect(scene.children[0]!.got).toEqual(['start']);
  });
});

describe('the heartbeat', () => {
  test('a worker that is not heard of for too long is killed and replaced', async () => {
    const scene = await Scene.serving();
    for (let second = 0; second < 60; second++) {
      scene.children[0]!.say({ type: 'beat' });
      await scene.pass(1_000);
    }
    expect(scene.children[1]!.got).toEqual(['start', 'SIGKILL']);
    expect(
      scene.said(
        'error worker 2 (pid 1002) has been blocked for longer than 30 s (heartbeatTimeout) and is killed',
      ),
    ).toBe(true);
    expect(scene.numbers).toBe('1 2');
  });

  test('a worker that starts slowly is left alone', async () => {
    const scene = new Scene();
    const started = scene.master.start();
    await scene.pass(300_000);
    expect(scene.launcher.living).toHaveLength(2);
    for (const child of scene.children) child.serve();
    await started;
  });

  test('time in which the master did not run is nobody’s silence', async () => {
    const scene = await Scene.serving();
    scene.clock.block(600_000);
    await scene.pass(10_000);
    expect(scene.launcher.living).toHaveLength(2);
  });

  test('0 turns it off', async () => {
    const scene = await Scene.serving({ heartbeatTimeout: 0 });
    await scene.pass(600_000);
    expect(scene.launcher.living).toHaveLength(2);
  });
});

describe('stopping', () => {
  test('every worker is told to leave, and it has stopped when the last has ended', async () => {
    const scene = await Scene.serving();
    const stopped = scene.master.stop({ isDelayed: true });
    expect(scene.children.map(({ got }) => got)).toEqual([
      ['start', 'stop later'],
      ['start', 'stop later'],
    ]);
    scene.children[0]!.end();
    expect(await stateOf(stopped)).toBe('pending');
    scene.children[1]!.end();
    await stopped;
    expect(scene.clock.timers).toBe(0);
  });

  test('one that does not leave in time is killed', async () => {
    const scene = await Scene.serving({ workers: 1 });
    const stopped = scene.master.stop({ isDelayed: false });
    for (let second = 0; second < 44; second++) {
      scene.children[0]!.say({ type: 'beat' });
      await scene.pass(1_000);
    }
    expect(await stateOf(stopped)).toBe('pending');
    await scene.pass(1_000);
    await stopped;
    expect(scene.said('warn worker 1 (pid 1001) has not left within 45 s and is killed')).toBe(true);
  });

  test('while workers start they are told as soon as they can hear', async () => {
    const scene = new Scene();
    const started = scene.master.start();
    const stopped = scene.master.stop({ isDelayed: false });
    await started;
    scene.children[0]!.say({ type: 'hello' });
    expect(scene.children[0]!.got).toEqual(['stop', 'start', 'stop']);
    for (const child of scene.children) child.end();
    await stopped;
  });

  test('during a restart both the old workers and the new one leave, and nothing more is started', async () => {
    const scene = await Scene.serving();
    void scene.master.reload();
    await afterMicrotasks();
    const stopped = scene.master.stop({ isDelayed: false });
    expect(scene.children.map(({ got }) => got.at(-1))).toEqual(['stop', 'stop', 'stop']);
    for (const child of scene.children) child.end();
    await stopped;
    await scene.pass(60_000);
    expect(scene.children).toHaveLength(3);
  });

  test('a death during it brings no replacement', async () => {
    const scene = await Scene.serving();
    const stopped = scene.master.stop({ isDelayed: false });
    scene.children[0]!.end(null, 'SIGKILL');
    expect(scene.said('warn worker 1 (pid 1001) was killed by SIGKILL while it was leaving')).toBe(true);
    scene.children[1]!.end();
    await stopped;
    expect(scene.children).toHaveLength(2);
  });

  test('at once means that all are killed', async () => {
    const scene = await Scene.serving();
    scene.master.kill();
    expect(scene.launcher.living).toEqual([]);
  });
});
