/**
 * A server's start and end: what it holds, in which order, and what it leaves when a start fails.
 */
import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { App } from '../../src/contract/app.ts';
import type { ServerOptions } from '../../src/config/settings.ts';
import { readSettings } from '../../src/runner/read-settings.ts';
import { Server } from '../../src/server/server.ts';
import { echoPath } from '../behaviour/apps.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordLog } from '../support/log-recorder.ts';
import { RawClient } from '../support/raw-client.ts';
import { afterMicrotasks, stateOf } from '../support/settled.ts';
import { startServer } from '../support/start-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until, within } from '../support/within.ts';

function create(app: App, options: ServerOptions = {}, clock?: FakeClock) {
  const { log, lines } = recordLog();
  const settings = readSettings({ accessLog: false, lifespan: 'off', shutdownTimeout: 1, ...options });
  return { server: new Server(app, settings, log, clock), lines };
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'accepted',
    (error: Error) => error.message,
  );
}

/** Whether something listens on a port of this machine. */
async function answers(port: number): Promise<boolean> {
  const client = await RawClient.connect({ host: '127.0.0.1', port }).catch(() => undefined);
  client?.close();
  return client !== undefined;
}

/** A port that was free a moment ago. */
function freePort(): number {
  using listener = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  return listener.port!;
}

describe('a server', () => {
  test('starts once: a second listen is refused while it starts, runs and has stopped', async () => {
    const { server } = create(echoPath, { port: 0 });
    const starting = server.listen();
    expect(await refusal(server.listen())).toBe('the server has been started already (it is starting)');
    await starting;
    expect(await refusal(server.listen())).toBe('the server has been started already (it is running)');
    await server.shutdown();
    expect(await refusal(server.listen())).toBe('the server has been started already (it is stopped)');
  });

  test('listens on several addresses at once, and names each with its real port', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a.sock');
    const { server } = create(echoPath, { listen: ['127.0.0.1:0', path, '127.0.0.1:0'] });
    await server.listen();
    const urls = server.listeners.map(({ url }) => url);
    expect(urls[1]).toBe(`unix:${path}`);
    expect(urls[0]).toBe(`http://127.0.0.1:${server.port}`);
    expect(urls[2]).not.toBe(urls[0]);
    for (const url of [urls[0]!, urls[2]!]) expect(await (await fetch(`${url}/x`)).text()).toBe('/x');
    expect(await (await fetch('http://localhost/y', { unix: path })).text()).toBe('/y');
    await server.shutdown();
    expect([server.listeners, server.port, existsSync(path)]).toEqual([[], undefined, false]);
  });

  test('without a TCP address has no port', async () => {
    using directory = temporaryDirectory();
    const { server } = create(echoPath, { socket: directory.join('a.sock') });
    await server.listen();
    expect([server.port, server.isRunning]).toEqual([undefined, true]);
    await server.shutdown();
  });

  test('that was never started has nothing to stop', async () => {
    const { server } = create(echoPath, { port: 0 });
    await server.shutdown();
    expect(server.isRunning).toBe(false);
  });

  test('says how many connections it takes: what was asked for, or what the descriptors leave', async () => {
    expect(create(echoPath, { maxConnections: 7 }).server.effectiveMaxConnections).toBe(7);
    const all = create(echoPath, { maxConnections: 0 }).server.effectiveMaxConnections;
    const { server, lines } = create(echoPath, { port: 0, maxConnections: 2_000_000_000 });
    expect(server.effectiveMaxConnections).toBe(Math.min(all, 2_000_000_000));
    await server.listen();
    await server.shutdown();
    const warning = `warn maxConnections is 2000000000, but the descriptor limit allows ${all}; raise it with ulimit -n`;
    expect(lines).toEqual(all < 2_000_000_000 ? [warning] : []);
  });
});

describe('a start that fails', () => {
  test('releases what was bound before the address that cannot be had', async () => {
    using directory = temporaryDirectory();
    using taken = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
    const [port, path] = [freePort(), directory.join('a.sock')];
    const listen = [`127.0.0.1:${port}`, path, `127.0.0.1:${taken.port}`];
    const { server } = create(echoPath, { listen });
    expect(await refusal(server.listen())).toStartWith(`cannot listen on 127.0.0.1:${taken.port}: `);
    expect([await answers(port), readdirSync(directory.path)]).toEqual([false, []]);
    expect([server.isRunning, server.listeners]).toEqual([false, []]);
    const { server: next } = create(echoPath, { port });
    await next.listen();
    await next.shutdown();
  });

  test('because the application does not start releases the ports', async () => {
    const port = freePort();
    const app: App = async (scope, _receive, send) => {
      if (scope.type === 'lifespan') await send({ type: 'lifespan.startup.failed', message: 'no licence' });
    };
    const { server } = create(app, { port, lifespan: 'auto' });
    expect(await refusal(server.listen())).toBe('the application failed to start: no licence');
    expect([await answers(port), server.isRunning]).toEqual([false, false]);
  });

  test('because the access log cannot be opened binds nothing and does not ask the application', async () => {
    using directory = temporaryDirectory();
    const [socket, file] = [directory.join('a.sock'), directory.join('absent/access.log')];
    let calls = 0;
    const { server } = create(() => void calls++, { socket, accessLog: file, lifespan: 'auto' });
    const message = await refusal(server.listen());
    expect(message).toStartWith(`cannot open the access log ${file}: ENOENT`);
    expect([calls, existsSync(socket)]).toEqual([0, false]);
  });

  test('because an address is taken does not ask the application', async () => {
    using taken = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
    let calls = 0;
    const { server } = create(() => void calls++, { port: taken.port!, lifespan: 'auto' });
    expect(await refusal(server.listen())).toContain('already in use');
    expect(calls).toBe(0);
  });
});

test('the access log is opened by the start, and not by making a server', async () => {
  using directory = temporaryDirectory();
  const file = directory.join('access.log');
  const { server } = create(echoPath, { port: 0, accessLog: file, accessLogFormat: '%m %U' });
  expect(existsSync(file)).toBe(false);
  await server.listen();
  await (await fetch(`http://127.0.0.1:${server.port}/logged`)).text();
  await server.shutdown();
  expect(readFileSync(file, 'utf8')).toBe('GET /logged\n');
});

describe('the application', () => {
  /** Says what it was asked, and answers requests with that. */
  function telling(seen: string[], startup: Promise<void>): App {
    return async (scope, receive, send) => {
      if (scope.type !== 'lifespan') return await echoPath(scope, receive, send);
      seen.push((await receive()).type);
      await startup;
      await send({ type: 'lifespan.startup.complete' });
      seen.push((await receive()).type);
      await send({ type: 'lifespan.shutdown.complete' });
    };
  }

  test('has started before anything is accepted; who has connected meanwhile is served then', async () => {
    const gate = Promise.withResolvers<void>();
    const port = freePort();
    const { server } = create(telling([], gate.promise), { port, lifespan: 'on' });
    const starting = server.listen();
    await until(() => server.listeners.length > 0, 'the port to be bound');
    const early = await RawClient.connect({ host: '127.0.0.1', port });
    void early.send('GET /early HTTP/1.1\r\nhost: a\r\n\r\n');
    await afterMicrotasks();
    expect([server.isRunning, server.connectionCount]).toEqual([false, 0]);
    gate.resolve();
    await starting;
    expect((await early.response()).body.toString()).toBe('/early');
    early.close();
    await server.shutdown();
  });

  test('is asked to stop when the connections have drained', async () => {
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const lifespan = telling(seen, Promise.resolve());
    await using it = await startServer(
      async (scope, receive, send) => {
        if (scope.type === 'lifespan') return await lifespan(scope, receive, send);
        started.resolve();
        await gate.promise;
        seen.push('answered');
        return await echoPath(scope, receive, send);
      },
      { lifespan: 'on', shutdownTimeout: 10 },
    );
    const client = await it.connect();
    const answer = client.request({ target: '/slow' });
    await started.promise;
    const stopping = it.server.shutdown();
    gate.resolve();
    expect((await answer).body.toString()).toBe('/slow');
    await within(stopping, 'the end of the shutdown');
    expect(seen).toEqual(['lifespan.startup', 'answered', 'lifespan.shutdown']);
  });
});

describe('drainDelay', () => {
  test('is told to the app as soon as it begins', async () => {
    const clock = new FakeClock();
    const ready: App = async (scope, _, send) => {
      if (scope.type !== 'http') throw new Error('http only');
      await send({ type: 'http.response.start', status: scope['tsagi.shutdown'].aborted ? 503 : 200 });
      await send({ type: 'http.response.body', body: '' });
    };
    const { server } = create(ready, { port: 0, drainDelay: 5 }, clock);
    await server.listen();
    const status = async () => (await fetch(`http://127.0.0.1:${server.port}/ready`)).status;
    expect(await status()).toBe(200);
    const stopping = server.shutdown();
    expect(await status()).toBe(503);
    clock.advance(5000);
    await until(() => !server.isRunning, 'the end of the delay');
    while ((await stateOf(stopping)) === 'pending') clock.advance(10);
  });

  test('keeps the listeners open until it is over', async () => {
    const clock = new FakeClock();
    const { server } = create(echoPath, { port: 0, drainDelay: 5 }, clock);
    await server.listen();
    const { port } = server;
    const stopping = server.shutdown();
    clock.advance(4999);
    expect([await stateOf(stopping), server.isRunning]).toEqual(['pending', true]);
    expect(await (await fetch(`http://127.0.0.1:${port}/still`)).text()).toBe('/still');
    clock.advance(1);
    await until(() => !server.isRunning, 'the end of the delay');
    await within(
      (async () => {
        while ((await stateOf(stopping)) === 'pending') clock.advance(10);
      })(),
      'the end of the shutdown',
    );
    expect(await answers(port!)).toBe(false);
  });
});

describe('connections over maxConnections', () => {
  test('beyond 64 that are being told so are dropped without a word, and room comes back', async () => {
    await using it = await startServer(echoPath, { maxConnections: 1 });
    const inside = await it.connect();
    await inside.request();
    const extra: RawClient[] = [];
    // Those that are told stay open from this side, so that their number does not fall.
    for (let i = 0; i < 70; i++) extra.push(await it.connect());
    await until(
      () => extra.every((client) => client.ending !== 'open' || client.unread !== ''),
      'every verdict',
    );
    const told = extra.filter((client) => client.unread.startsWith('HTTP/1.1 503 '));
    const dropped = extra.filter((client) => client.unread === '');
    expect([told.length, dropped.length]).toEqual([64, 6]);
    expect((await inside.request({ target: '/inside' })).body.toString()).toBe('/inside');
    for (const client of [inside, ...extra]) client.close();
    await until(() => it.server.connectionCount === 0, 'the connections to close');
    expect((await it.request()).status).toBe(200);
  });
});
