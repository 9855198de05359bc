import { describe, expect, test } from 'bun:test';
import { createServer, OptionError, type App, type CreateServerOptions } from '../../src/index.ts';

const app: App = async (scope, _receive, send) => {
  if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
  await send({ type: 'http.response.start', status: 200 });
  await send({ type: 'http.response.body', body: 'embedded' });
};

const silent = { app, port: 0, quiet: true, accessLog: false } satisfies CreateServerOptions;

describe('options', () => {
  const refused: [unknown, string][] = [
    [{}, 'option app must be an app function (scope, receive, send), not undefined'],
    [{ app: {} }, 'option app must be an app function (scope, receive, send), not {}'],
    [{ app, port: '80' }, 'option port must be a port number from 0 to 65535, not "80"'],
    [{ app, prot: 80 }, 'unknown option prot; the nearest known one is port'],
    [{ app, accessLogFormat: '%Z' }, 'option accessLogFormat: unknown access log atom "%Z"'],
    [{ app, accessLogFormat: 'clff' }, 'option accessLogFormat: unknown access log format "clff"'],
  ];
  for (const [options, message] of refused) {
    test(`is refused: ${message}`, () => {
      const create = () => createServer(options as CreateServerOptions);
      expect(create).toThrow(OptionError);
      expect(create).toThrow(message);
    });
  }

  test('without an object there is a TypeError', () => {
    expect(() => createServer(undefined as unknown as CreateServerOptions)).toThrow(TypeError);
    expect(() => createServer(app as unknown as CreateServerOptions)).toThrow(TypeError);
  });
});

describe("a server in a program of one's own", () => {
  test('listens, says where, serves, and stops', async () => {
    const server = createServer(silent);
    expect([server.isRunning, server.port, server.listeners]).toEqual([false, undefined, []]);
    await server.listen();
    expect(server.isRunning).toBe(true);
    const { port } = server;
    expect(server.listeners as unknown[]).toEqual([
      { type: 'tcp', url: `http://127.0.0.1:${port}`, isSecure: false, host: '127.0.0.1', port },
    ]);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('embedded');
    await server.shutdown();
    expect(server.isRunning).toBe(false);
    expect(server.connectionCount).toBe(0);
  });

  test('takes no signals for itself', async () => {
    const count = () => ['SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGHUP'].map((name) => process.listenerCount(name));
    const before = count();
    const server = createServer(silent);
    await server.listen();
    expect(count()).toEqual(before);
    await server.shutdown();
  });

  test('starts once: a second listen rejects, during and after its life', async () => {
    const server = createServer(silent);
    const first = server.listen();
    await expect(server.listen()).rejects.toThrow('this server was started before');
    await first;
    await expect(server.run()).rejects.toThrow('this server was started before');
    await server.shutdown();
    await expect(server.listen()).rejects.toThrow('this server was started before');
  });

  test('a taken port rejects with the address', async () => {
    using other = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
    const server = createServer({ ...silent, port: other.port! });
    await expect(server.listen()).rejects.toThrow(`cannot listen on 127.0.0.1:${other.port}`);
    await server.shutdown();
    expect(server.isRunning).toBe(false);
  });

  test('shutdown may come twice, or before any start', async () => {
    await createServer(silent).shutdown();
    const server = createServer(silent);
    await server.listen();
    const [first, second] = [server.shutdown(), server.shutdown()];
    expect(first).toBe(second);
    await first;
  });

  test('maxConnections is bounded by what the process may open', () => {
    expect(createServer({ ...silent, maxConnections: 7 }).effectiveMaxConnections).toBe(7);
    const most = createServer({ ...silent, maxConnections: 1_000_000_000 }).effectiveMaxConnections;
    expect(most).toBeLessThan(1_000_000_000);
    expect(most).toBeGreaterThan(0);
  });
});

test('run resolves when the server has been shut down, and gives the signals back', async () => {
  const before = process.listenerCount('SIGTERM');
  const server = createServer(silent);
  const running = server.run();
  expect(process.listenerCount('SIGTERM')).toBe(before + 1);
  await server.shutdown();
  await running;
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
