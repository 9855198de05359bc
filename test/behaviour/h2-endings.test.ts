/**
 * How streams and connections of HTTP/2 end: each end has its reason in `tsagi.connection`, a response that is not whole ends
 * in RST_STREAM and never in END_STREAM, and a connection that the server ends says so with GOAWAY (RFC 9113 5.4, 6.8).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'bun:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startH2Server } from '../support/h2-carrier-client.ts';
import {
  CODE,
  FLAG,
  type Frame,
  goawayFrame,
  pingFrame,
  PREFACE,
  rstStreamFrame,
  settingsFrame,
  TYPE,
} from '../support/h2/frames.ts';
import { RawH2Client } from '../support/h2/raw-h2-client.ts';
import { beginShutdown, pass, passUntil } from '../support/passing-time.ts';
import { RawClient } from '../support/raw-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until, within } from '../support/within.ts';
import { echoPath, httpApp, reply } from './apps.ts';

/** Waits on `/wait`, has begun its response on `/begun`, and keeps why requests ended. */
function waitingApp() {
  const reasons: string[] = [];
  const started = { count: 0 };
  const app = httpApp(async (scope, receive, send) => {
    if (!['/wait', '/begun'].includes(scope.path)) return reply(send, scope.path);
    const connection = scope['tsagi.connection'];
    connection.onDisconnect((reason) => reasons.push(`${reason} ${connection.signal.aborted}`));
    connection.onComplete(() => reasons.push('complete'));
    started.count += 1;
    if (scope.path === '/begun') {
      await send({ type: 'http.response.start', status: 200 });
      await send({ type: 'http.response.body', body: 'begun', more: true });
    }
    while ((await receive()).type !== 'http.disconnect');
  });
  return { app, reasons, started };
}

describe('the client ends a request', () => {
  for (const path of ['/wait', '/begun']) {
    for (const code of [CODE.cancel, CODE.noError, CODE.internalError]) {
      test(`RST_STREAM with code ${code} on ${path}: client_closed, and the connection goes on`, async () => {
        const { app, reasons, started } = waitingApp();
        await using server = await startH2Server(app);
        const client = await server.open();
        const id = client.open({ path }, { endStream: true });
        const other = client.open({ path: '/wait' }, { endStream: true });
        await until(() => started.count === 2, 'the app');
        await client.send(rstStreamFrame(id, code));
        await until(() => reasons.length > 0, 'the disconnect');
        expect((await client.request({ path: '/next' })).body.toString()).toBe('/next');
        expect([reasons, server.errors]).toEqual([['client_closed true'], []]);
        client.reset(other);
        await until(() => reasons.length === 2, 'the other');
      });
    }
  }

  for (const [name, leave] of [
    ['FIN', (client: RawH2Client) => client.halfClose()],
    ['a reset', (client: RawH2Client) => void client.socket.resetAndDestroy()],
    ['no more than a close', (client: RawH2Client) => client.close()],
  ] as const) {
    test(`a connection that ends with ${name} ends all of its requests: client_closed`, async () => {
      const { app, reasons, started } = waitingApp();
      await using server = await startH2Server(app);
      const client = await server.open();
      for (const path of ['/wait', '/begun', '/wait']) client.open({ path }, { endStream: true });
      await until(() => started.count === 3, 'the app');
      leave(client);
      await until(() => reasons.length === 3, 'the disconnects');
      expect(reasons).toEqual(Array(3).fill('client_closed true'));
      await until(() => server.server.connectionCount === 0, 'the connection to go');
      expect(server.errors).toEqual([]);
    });
  }

  test('a client that says GOAWAY is still served what it has asked for', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await startH2Server(
      httpApp(async (scope, _receive, send) => {
        await gate.promise;
        await reply(send, scope.path);
      }),
    );
    const client = await server.open();
    const id = client.open({ path: '/last' }, { endStream: true });
    await client.send(goawayFrame(0));
    await client.ping();
    gate.resolve();
    expect(await client.response(id)).toMatchObject({ isComplete: true, body: Buffer.from('/last') });
  });

  test('a client that vanishes within its preface, its SETTINGS or a field section leaves nothing behind', async () => {
    await using server = await startH2Server(echoPath);
    for (const bytes of [
      PREFACE.subarray(0, 1),
      PREFACE.subarray(0, 20),
      PREFACE,
      Buffer.concat([PREFACE, settingsFrame().subarray(0, 5)]),
      Buffer.concat([PREFACE, settingsFrame(), Buffer.of(0, 0, 9, 1, 4, 0, 0, 0, 1, 0x82)]),
    ]) {
      for (const way of ['close', 'reset', 'halfClose'] as const) {
        const client = await RawClient.connect(server.address);
        await client.send(bytes);
        await until(() => server.server.connectionCount === 1, 'the connection');
        client[way]();
        await until(() => server.server.connectionCount === 0 || way === 'halfClose', 'the connection to go');
        if (way === 'halfClose') await client.ended();
        client.close();
        await until(() => server.server.connectionCount === 0, 'the connection to go');
      }
    }
    expect(server.errors).toEqual([]);
  });
});

describe('the app fails', () => {
  for (const way of ['throws', 'returns'] as const) {
    test(`an app that ${way} behind the start of its response: INTERNAL_ERROR, no END_STREAM, nothing behind it`, async () => {
      await using server = await startH2Server(
        httpApp(async (scope, _receive, send) => {
          if (scope.path !== '/bad') return reply(send, scope.path);
          await send({ type: 'http.response.start', status: 200 });
          await send({ type: 'http.response.body', body: 'part', more: true });
          if (way === 'throws') throw new Error('midway');
        }),
      );
      const client = await server.open();
      for (let i = 0; i < 3; i++) {
        const id = client.open({ path: '/bad' }, { endStream: true });
        expect(await client.response(id)).toMatchObject({
          status: 200,
          isComplete: false,
          resetCode: CODE.internalError,
        });
        expect((await client.request({ path: '/good' })).body.toString()).toBe('/good');
        const frames = client.frames.filter(({ stream }) => stream === id);
        expect(frames.at(-1)!.type).toBe(TYPE.rstStream);
        expect(frames.filter(({ type }) => type === TYPE.rstStream).length).toBe(1);
        expect(frames.some(({ type, flags }) => type <= TYPE.headers && (flags & 1) === 1)).toBe(false);
      }
      expect(server.errors.length).toBe(3);
    });
  }

  test('before the response: 500, and the connection goes on', async () => {
    await using server = await startH2Server(
      httpApp((scope, _receive, send) => {
        if (scope.path === '/bad') throw new Error('at once');
        return reply(send, scope.path);
      }),
    );
    const client = await server.open();
    expect(await client.request({ path: '/bad' })).toMatchObject({ status: 500, isComplete: true });
    expect((await client.request({ path: '/good' })).status).toBe(200);
  });
});

describe('deadlines', () => {
  test('an idle connection is closed with GOAWAY', async () => {
    await using server = await startH2Server(echoPath, { timeout: 0.1 });
    const client = await server.open();
    expect((await client.request()).status).toBe(200);
    expect(await client.ended()).toBe('fin');
    expect(client.goaway).toMatchObject({ code: CODE.noError });
    client.close();
    await until(() => server.server.connectionCount === 0, 'the connection to go');
  });

  test('one with a request in hand is not', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await startH2Server(
      httpApp(async (scope, _receive, send) => {
        if (scope.path === '/slow') await gate.promise;
        await reply(send, scope.path);
      }),
      { timeout: 0.1 },
    );
    const idle = await server.open();
    const client = await server.open();
    const id = client.open({ path: '/slow' }, { endStream: true });
    expect(await idle.ended()).toBe('fin');
    gate.resolve();
    expect((await client.response(id)).body.toString()).toBe('/slow');
  });

  test('a preface that does not get on is given up', async () => {
    await using server = await startH2Server(echoPath, { headerTimeout: 0.1 });
    const client = await RawClient.connect(server.address);
    await client.send(PREFACE.subarray(0, 10));
    await client.ended();
    client.close();
    await until(() => server.server.connectionCount === 0, 'the connection to go');
  });

  test('bodyTimeout: 408 and client_timeout, the stream alone', async () => {
    const { app, reasons } = waitingApp();
    await using server = await startH2Server(app, { bodyTimeout: 0.1 });
    const client = await server.open();
    const id = client.open({ method: 'POST', path: '/wait' });
    expect((await client.responseHead(id)).status).toBe(408);
    await until(() => reasons.length > 0, 'the disconnect');
    expect(reasons).toEqual(['client_timeout true']);
    expect((await client.request({ path: '/next' })).status).toBe(200);
  });

  test('requestTimeout: a stream on which nothing moves is reset with idle_timeout', async () => {
    const { app, reasons } = waitingApp();
    await using server = await startH2Server(app, { requestTimeout: 0.1 });
    const client = await server.open();
    const id = client.open({ path: '/begun' }, { endStream: true });
    expect((await client.response(id)).resetCode).toBe(CODE.cancel);
    await until(() => reasons.length > 0, 'the disconnect');
    expect(reasons).toEqual(['idle_timeout true']);
    expect((await client.request({ path: '/next' })).status).toBe(200);
  });

  test('writeTimeout: a stream whose window stays closed is reset, and others go on', async () => {
    const reason = Promise.withResolvers<string>();
    await using server = await startH2Server(
      httpApp(async (scope, _receive, send) => {
        if (scope.path !== '/bulk') return reply(send, scope.path);
        scope['tsagi.connection'].onDisconnect(reason.resolve);
        await reply(send, Buffer.alloc(1_000_000));
      }),
      { writeTimeout: 0.2 },
    );
    const client = await server.open({ refillsWindows: false });
    client.grant(0, 1_000_000);
    const id = client.open({ path: '/bulk' }, { endStream: true });
    expect(await client.response(id)).toMatchObject({ isComplete: false, resetCode: CODE.cancel });
    expect(await within(reason.promise, 'the reason')).toBe('write_timeout');
    expect((await client.request({ path: '/next' })).status).toBe(200);
  });
});

const isPing = ({ type, flags }: Frame): boolean => type === TYPE.ping && (flags & FLAG.ack) === 0;

describe('graceful shutdown', () => {
  test('GOAWAY first, then the streams in hand, then the connection closes', async () => {
    const gate = Promise.withResolvers<void>();
    let signal: AbortSignal | undefined;
    await using server = await startH2Server(
      httpApp(async (scope, _receive, send) => {
        signal = scope['tsagi.shutdown'];
        await gate.promise;
        await reply(send, scope.path);
      }),
      { shutdownTimeout: 20 },
    );
    const client = await server.open();
    const idle = await server.open();
    const ids = ['/a', '/b'].map((path) => client.open({ path }, { endStream: true }));
    await until(() => signal !== undefined, 'the app');
    await client.ping();
    const stopping = server.server.shutdown();
    expect(await idle.ended()).toBe('fin');
    expect(idle.goaway).toMatchObject({ code: CODE.noError });
    await client.seen(({ type }) => type === TYPE.goaway, 'GOAWAY');
    expect([signal!.aborted, client.goaway!.code]).toEqual([true, CODE.noError]);
    expect(client.goaway!.lastStream).toBeGreaterThanOrEqual(ids[1]!);
    gate.resolve();
    for (const id of ids) expect((await client.response(id)).isComplete).toBe(true);
    expect(await client.ended()).toBe('fin');
    client.close();
    await within(stopping, 'the end of the shutdown', 2000);
    expect(server.server.connectionCount).toBe(0);
  });

  /** A server with a request in hand on a client that does not answer PING by itself, told to stop. */
  const stopping = async (clock: FakeClock) => {
    const gate = Promise.withResolvers<void>();
    const server = await startH2Server(
      httpApp(async (scope, _receive, send) => {
        if (scope.path === '/slow') await gate.promise;
        await reply(send, scope.path);
      }),
      { shutdownTimeout: 20, clock },
    );
    const client = await server.open({ answersPings: false });
    const slow = client.open({ path: '/slow' }, { endStream: true });
    await client.ping();
    const { stopped } = await beginShutdown(server, clock);
    await client.seen(isPing, 'the PING of the server');
    const ack = pingFrame(client.frames.find(isPing)!.payload, { ack: true });
    return { server, client, slow, gate, stopped, ack };
  };

  test('streams that are opened before its PING is acknowledged are served, also in the same bytes', async () => {
    const clock = new FakeClock();
    const { server, client, slow, gate, stopped, ack } = await stopping(clock);
    expect(client.goaways).toEqual([{ lastStream: 2 ** 31 - 1, code: CODE.noError, debug: '' }]);
    expect((await client.request({ path: '/early' })).body.toString()).toBe('/early');
    client.socket.cork();
    const last = client.open({ path: '/last' }, { endStream: true });
    void client.send(ack);
    client.socket.uncork();
    expect(await client.response(last)).toMatchObject({ isComplete: true, body: Buffer.from('/last') });
    await until(() => client.goaways.length === 2, 'the second GOAWAY');
    expect(client.goaway).toEqual({ lastStream: last, code: CODE.noError, debug: '' });
    const late = client.open({ path: '/late' }, { endStream: true });
    expect(await client.response(late)).toMatchObject({ status: 0, resetCode: CODE.refusedStream });
    gate.resolve();
    expect((await client.response(slow)).body.toString()).toBe('/slow');
    expect(await client.ended()).toBe('fin');
    client.close();
    await passUntil(clock, stopped);
    expect([server.errors, client.peerFaults]).toEqual([[], []]);
    await server[Symbol.asyncDispose]();
  });

  test('an idle connection ends as soon as its PING is acknowledged, though a request come with it', async () => {
    const clock = new FakeClock();
    const { server, client, slow, gate, stopped, ack } = await stopping(clock);
    gate.resolve();
    expect((await client.response(slow)).isComplete).toBe(true);
    client.socket.cork();
    const last = client.open({ path: '/last' }, { endStream: true });
    void client.send(ack);
    client.socket.uncork();
    expect((await client.response(last)).body.toString()).toBe('/last');
    expect(await client.ended()).toBe('fin');
    expect(client.goaway).toMatchObject({ lastStream: last });
    client.close();
    await passUntil(clock, stopped);
    await server[Symbol.asyncDispose]();
  });

  test('a client that does not acknowledge it, or something else, gets the last GOAWAY after a second', async () => {
    const clock = new FakeClock();
    const { server, client, slow, gate, stopped } = await stopping(clock);
    await client.send(pingFrame('whatever', { ack: true }));
    await pass(clock, 800);
    expect((await client.request({ path: '/early' })).body.toString()).toBe('/early');
    expect(client.goaways.length).toBe(1);
    await pass(clock, 500);
    await until(() => client.goaways.length === 2, 'the second GOAWAY');
    expect(client.goaway).toMatchObject({ lastStream: slow + 2, code: CODE.noError });
    gate.resolve();
    expect((await client.response(slow)).isComplete).toBe(true);
    expect(await client.ended()).toBe('fin');
    client.close();
    await passUntil(clock, stopped);
    await server[Symbol.asyncDispose]();
  });

  test('a client that has connected and not spoken yet is served, and told', async () => {
    const clock = new FakeClock();
    await using server = await startH2Server(echoPath, { shutdownTimeout: 20, clock });
    const client = await RawH2Client.connect(server.address, { answersPings: false });
    await until(() => server.server.connectionCount === 1, 'the connection');
    const { stopped } = await beginShutdown(server, clock);
    await pass(clock, 800);
    await client.start();
    expect(client.frames[0]!.type).toBe(TYPE.settings);
    expect((await client.request({ path: '/first' })).body.toString()).toBe('/first');
    expect(client.goaways).toMatchObject([{ lastStream: 2 ** 31 - 1 }]);
    await passUntil(clock, client.ended());
    expect(client.goaway).toMatchObject({ lastStream: 1, code: CODE.noError });
    client.close();
    await passUntil(clock, stopped);
  });

  test('what is in hand at the deadline is cut off: server_shutdown', async () => {
    const { app, reasons, started } = waitingApp();
    await using server = await startH2Server(app, { shutdownTimeout: 0.1 });
    const client = await server.open();
    client.open({ path: '/begun' }, { endStream: true });
    await until(() => started.count === 1, 'the app');
    await within(server.server.shutdown(), 'the end of the shutdown', 2000);
    expect(reasons).toEqual(['server_shutdown true']);
    await client.ended();
    expect(client.stream(1).isComplete).toBe(false);
  });
});

test('each request has a line in the access log, with HTTP/2, also one that is reset', async () => {
  using directory = temporaryDirectory();
  const file = directory.join('access.log');
  const { app, reasons } = waitingApp();
  await using server = await startH2Server(app, { accessLog: file, accessLogFormat: '%m %U %H %s %B' });
  const lines = (): string[] => readFileSync(file, 'latin1').trim().split('\n');
  const client = await server.open();
  await client.request({ path: '/one' });
  await client.request({ method: 'HEAD', path: '/head' });
  const id = client.open({ path: '/begun' }, { endStream: true });
  await client.received(id, 5);
  client.reset(id);
  await until(() => reasons.length === 1, 'the disconnect');
  await client.request({ path: '/%zz' });
  await until(() => lines().length === 4, 'four lines');
  expect(lines()).toEqual([
    'GET /one HTTP/2 200 4',
    'HEAD /head HTTP/2 200 0',
    'GET /begun HTTP/2 200 5',
    '- - HTTP/2 400 49',
  ]);
});
