/**
 * Every way in which an application can take part in its own start and end, with a clock that the test turns.
 */
import { describe, expect, test } from 'bun:test';
import type { App, ReceiveFunction, SendFunction } from '../../src/contract/app.ts';
import type { LifespanScope } from '../../src/contract/scope.ts';
import { createLifespan, type Lifespan, type LifespanSettings } from '../../src/server/lifespan.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordLog } from '../support/log-recorder.ts';
import { afterMicrotasks, stateOf } from '../support/settled.ts';

const SETTINGS: LifespanSettings = {
  lifespan: 'auto',
  lifespanStartupTimeout: 60,
  lifespanShutdownTimeout: 10,
};

interface Open {
  readonly lifespan: Lifespan;
  readonly clock: FakeClock;
  readonly lines: readonly string[];
}

function open(app: App, settings: Partial<LifespanSettings> = {}): Open {
  const clock = new FakeClock();
  const { log, lines } = recordLog();
  return {
    lifespan: createLifespan({ app, settings: { ...SETTINGS, ...settings }, log, clock }),
    clock,
    lines,
  };
}

type Handler = (scope: LifespanScope, receive: ReceiveFunction, send: SendFunction) => Promise<void> | void;

const lifespanApp =
  (handle: Handler): App =>
  (scope, receive, send) => {
    if (scope.type !== 'lifespan') throw new Error(`unsupported scope: ${scope.type}`);
    return handle(scope, receive, send);
  };

/** Answers both events, and writes down what it was asked. */
function willing(seen: string[] = []): App {
  return lifespanApp(async (_scope, receive, send) => {
    for (const type of ['lifespan.startup.complete', 'lifespan.shutdown.complete'] as const) {
      seen.push((await receive()).type);
      await send({ type });
    }
  });
}

const httpOnly: App = (scope) => {
  throw new Error(`unsupported scope: ${scope.type}`);
};

async function refusal(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'accepted',
    (error: Error) => error.message,
  );
}

describe('an application that takes part', () => {
  for (const mode of ['auto', 'on'] as const) {
    test(`is asked to start and to stop, once each (${mode})`, async () => {
      const seen: string[] = [];
      const { lifespan, lines, clock } = open(willing(seen), { lifespan: mode });
      await lifespan.startup();
      expect(seen).toEqual(['lifespan.startup']);
      await lifespan.shutdown();
      await lifespan.shutdown();
      expect(seen).toEqual(['lifespan.startup', 'lifespan.shutdown']);
      expect([lines, clock.timers]).toEqual([[], 0]);
    });
  }

  test('gets a scope with the versions and the state, which it fills', async () => {
    let scope: LifespanScope | undefined;
    const { lifespan } = open(
      lifespanApp(async (given, receive, send) => {
        scope = given;
        await receive();
        given.state['db'] = 'open';
        await send({ type: 'lifespan.startup.complete' });
      }),
    );
    await lifespan.startup();
    expect(scope).toEqual({
      type: 'lifespan',
      tsagi: { version: '0.3', specVersion: '0.3', isWorker: false },
      state: { db: 'open' },
    });
    expect(lifespan.state).toEqual({ db: 'open' });
  });

  test('may answer before it receives', async () => {
    const { lifespan, lines } = open(
      lifespanApp(async (_scope, receive, send) => {
        await send({ type: 'lifespan.startup.complete' });
        expect((await receive()).type).toBe('lifespan.startup');
        expect((await receive()).type).toBe('lifespan.shutdown');
        await send({ type: 'lifespan.shutdown.complete' });
      }),
    );
    await lifespan.startup();
    await lifespan.shutdown();
    expect(lines).toEqual([]);
  });

  test('may return once it has started, and is then not asked to stop', async () => {
    const { lifespan, lines } = open(
      lifespanApp((_scope, _receive, send) => send({ type: 'lifespan.startup.complete' })),
    );
    await lifespan.startup();
    await afterMicrotasks();
    await lifespan.shutdown();
    expect(lines).toEqual([]);
  });
});

describe('startup.failed', () => {
  for (const mode of ['auto', 'on'] as const) {
    test(`prevents the start, with the application's reason (${mode})`, async () => {
      const { lifespan, clock } = open(
        lifespanApp((_scope, _receive, send) =>
          send({ type: 'lifespan.startup.failed', message: 'no licence' }),
        ),
        { lifespan: mode },
      );
      await expect(lifespan.startup()).rejects.toThrow('the application failed to start: no licence');
      expect(clock.timers).toBe(0);
    });
  }

  test('without a message says so', async () => {
    const { lifespan } = open(
      lifespanApp((_scope, _receive, send) => send({ type: 'lifespan.startup.failed' })),
    );
    await expect(lifespan.startup()).rejects.toThrow('the application failed to start: no reason given');
  });
});

describe('an application without lifespan', () => {
  const unwilling: [string, App, string][] = [
    ['throws', httpOnly, 'Error: unsupported scope: lifespan'],
    ['rejects', () => Promise.reject(new TypeError('no\nsuch thing')), 'TypeError: no'],
    ['throws what is no error', () => Promise.reject('words'), 'words'],
    ['returns', () => undefined, 'it returned without an answer'],
    ['returns later', async (_scope, receive) => void (await receive()), 'it returned without an answer'],
  ];
  for (const [name, app, why] of unwilling) {
    test(`that ${name} is served without it in mode auto`, async () => {
      const { lifespan, lines, clock } = open(app);
      await lifespan.startup();
      expect(lines).toEqual([`info the application does not support lifespan (${why}); serving it without`]);
      await lifespan.shutdown();
      expect([lines.length, clock.timers]).toEqual([1, 0]);
    });

    test(`that ${name} is not served in mode on`, async () => {
      const { lifespan, lines } = open(app, { lifespan: 'on' });
      const message = await refusal(lifespan.startup());
      expect(message).toStartWith(`the application does not support lifespan, and lifespan is on: ${why}`);
      expect([lines, message.includes('\n')]).toEqual([[], false]);
    });
  }

  test('that throws in mode on is told where: its own place, and none of the server', async () => {
    const { lifespan } = open(httpOnly, { lifespan: 'on' });
    expect(await refusal(lifespan.startup())).toMatch(
      /unsupported scope: lifespan \(\/\S+\/test\/server\/lifespan\.test\.ts:\d+:\d+\)$/,
    );
  });

  test('is not even called in mode off', async () => {
    let calls = 0;
    const { lifespan, lines } = open(() => void calls++, { lifespan: 'off' });
    await lifespan.startup();
    await lifespan.shutdown();
    expect([calls, lines, lifespan.state]).toEqual([0, [], {}]);
  });
});

describe('an application that does not answer startup', () => {
  const silent = lifespanApp(async (_scope, receive) => {
    await receive();
    await new Promise(() => {});
  });

  for (const mode of ['auto', 'on'] as const) {
    test(`is given up after the timeout (${mode})`, async () => {
      const { lifespan, clock } = open(silent, { lifespan: mode, lifespanStartupTimeout: 2.5 });
      const starting = lifespan.startup();
      clock.advance(2499);
      expect(await stateOf(starting)).toBe('pending');
      clock.advance(1);
      await expect(starting).rejects.toThrow(
        'the application did not answer lifespan.startup within 2.5 s (lifespanStartupTimeout)',
      );
    });
  }

  test('is waited for without end when the timeout is 0', async () => {
    const { lifespan, clock } = open(silent, { lifespanStartupTimeout: 0 });
    const starting = lifespan.startup();
    clock.advance(1e9);
    expect([await stateOf(starting), clock.timers]).toEqual(['pending', 0]);
  });

  test('is not asked to stop', async () => {
    const { lifespan, clock, lines } = open(silent);
    const starting = lifespan.startup();
    clock.advance(60_000);
    await expect(starting).rejects.toThrow();
    await lifespan.shutdown();
    expect(lines).toEqual([]);
  });
});

/** Starts, and ends as the test says. */
function ending(end: Handler): App {
  return lifespanApp(async (scope, receive, send) => {
    await receive();
    await send({ type: 'lifespan.startup.complete' });
    await end(scope, receive, send);
  });
}

describe('the end', () => {
  const failing: [string, Handler, string[]][] = [
    [
      'that fails with a reason is logged',
      async (_scope, receive, send) => {
        await receive();
        await send({ type: 'lifespan.shutdown.failed', message: 'disk full' });
      },
      ['error the application failed to shut down: disk full'],
    ],
    [
      'that fails without one is logged',
      async (_scope, receive, send) => {
        await receive();
        await send({ type: 'lifespan.shutdown.failed' });
      },
      ['error the application failed to shut down: no reason given'],
    ],
    [
      'without an answer is none when the call returns',
      async (_scope, receive) => void (await receive()),
      [],
    ],
  ];
  for (const [name, handle, expected] of failing) {
    test(name, async () => {
      const { lifespan, lines, clock } = open(ending(handle));
      await lifespan.startup();
      await lifespan.shutdown();
      expect([lines, clock.timers]).toEqual([expected, 0]);
    });
  }

  test('of a call that throws at shutdown is logged, and does not wait for the timeout', async () => {
    const { lifespan, lines } = open(
      ending(async (_scope, receive) => {
        await receive();
        throw new Error('while closing');
      }),
    );
    await lifespan.startup();
    await lifespan.shutdown();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toStartWith("error the application's lifespan call failed: Error: while closing");
  });

  test('is bounded by the timeout', async () => {
    const { lifespan, lines, clock } = open(
      ending(() => new Promise(() => {})),
      {
        lifespanShutdownTimeout: 1.5,
      },
    );
    await lifespan.startup();
    const stopping = lifespan.shutdown();
    clock.advance(1499);
    expect(await stateOf(stopping)).toBe('pending');
    clock.advance(1);
    await stopping;
    expect(lines).toEqual(['error the application did not answer lifespan.shutdown within 1.5 s; going on']);
  });

  test('is waited for without end when the timeout is 0', async () => {
    const { lifespan, clock } = open(
      ending(() => new Promise(() => {})),
      { lifespanShutdownTimeout: 0 },
    );
    await lifespan.startup();
    const stopping = lifespan.shutdown();
    clock.advance(1e9);
    expect(await stateOf(stopping)).toBe('pending');
  });
});

test('a call that throws after startup is logged, and the server goes on and stops without it', async () => {
  const { lifespan, lines } = open(ending(() => Promise.reject(new Error('background task'))));
  await lifespan.startup();
  await afterMicrotasks();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toStartWith("error the application's lifespan call failed: Error: background task");
  await lifespan.shutdown();
  expect(lines).toHaveLength(1);
});

test('a call that throws right behind its answer has started all the same', async () => {
  const { lifespan, lines } = open(
    lifespanApp((_scope, _receive, send) => {
      void send({ type: 'lifespan.startup.complete' });
      throw new Error('right behind');
    }),
  );
  await lifespan.startup();
  expect(lines[0]).toStartWith("error the application's lifespan call failed: Error: right behind");
});

describe('an answer that nobody waits for', () => {
  const wrong: [string, unknown, string][] = [
    ['a second time', { type: 'lifespan.startup.complete' }, 'lifespan.startup.complete is not allowed now'],
    [
      'as a failure behind the answer',
      { type: 'lifespan.startup.failed' },
      'lifespan.startup.failed is not allowed now',
    ],
    [
      'of the end before that',
      { type: 'lifespan.shutdown.complete' },
      'lifespan.shutdown.complete is not allowed',
    ],
    [
      'of another scope',
      { type: 'http.response.start' },
      'unknown event type "http.response.start" on a lifespan',
    ],
    ['of no type', {}, 'unknown event type undefined on a lifespan scope'],
    ['that is nothing', null, 'unknown event type undefined on a lifespan scope'],
    ['of the name of a method', { type: 'toString' }, 'unknown event type "toString" on a lifespan scope'],
  ];
  for (const [name, event, message] of wrong) {
    test(`is rejected: ${name}`, async () => {
      let refused = '';
      const { lifespan, lines } = open(
        ending(async (_scope, receive, send) => {
          refused = await refusal(send(event as never));
          await receive();
          await send({ type: 'lifespan.shutdown.complete' });
        }),
      );
      await lifespan.startup();
      await lifespan.shutdown();
      expect(refused).toContain(message);
      expect(lines).toEqual([]);
    });
  }

  test('is rejected: a second time at the end, and behind a failure', async () => {
    const refused: string[] = [];
    const failing = open(
      lifespanApp(async (_scope, _receive, send) => {
        void send({ type: 'lifespan.startup.failed', message: 'first' });
        refused.push(await refusal(send({ type: 'lifespan.startup.complete' })));
      }),
    );
    await expect(failing.lifespan.startup()).rejects.toThrow('first');
    const { lifespan } = open(
      ending(async (_scope, receive, send) => {
        await receive();
        void send({ type: 'lifespan.shutdown.complete' });
        refused.push(await refusal(send({ type: 'lifespan.shutdown.failed' })));
      }),
    );
    await lifespan.startup();
    await lifespan.shutdown();
    await afterMicrotasks();
    expect(refused).toEqual([
      'lifespan.startup.complete is not allowed now: nothing asks for it',
      'lifespan.shutdown.failed is not allowed now: nothing asks for it',
    ]);
  });

  test('is rejected: with a message that is no string', async () => {
    let refused = '';
    const { lifespan } = open(
      lifespanApp(async (_scope, _receive, send) => {
        refused = await refusal(send({ type: 'lifespan.startup.failed', message: 5 } as never));
        await send({ type: 'lifespan.startup.complete' });
      }),
    );
    await lifespan.startup();
    expect(refused).toBe('lifespan.startup.failed: message must be a string');
  });
});
