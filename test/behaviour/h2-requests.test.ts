/**
 * What is special to requests and responses of HTTP/2: what the scope is made of, limits that are answered with a status, and
 * that the framing of HTTP/1.1 is nowhere.
 */
import { describe, expect, test } from 'bun:test';
import type { HttpScope } from '../../src/contract/scope.ts';
import { startH2Server } from '../support/h2-carrier-client.ts';
import { dataFrame } from '../support/h2/frames.ts';
import type { Field } from '../support/h2/hpack.ts';
import {
  h2Header,
  type H2Request,
  type H2Response,
  type RawH2Client,
  requestFields,
} from '../support/h2/raw-h2-client.ts';
import { until } from '../support/within.ts';
import { echoBody, echoPath, httpApp, readBody, reply } from './apps.ts';

/** A request on the stream that the test says. */
async function ask(client: RawH2Client, id: number, path: string): Promise<H2Response> {
  client.stream(id);
  client.sendSection(id, requestFields({ path }), { endStream: true });
  return await client.response(id);
}

async function expectGoesOn(client: RawH2Client): Promise<void> {
  expect((await client.request({ path: '/still' })).body.toString()).toBe('/still');
  expect([client.ending, client.goaways, client.peerFaults]).toEqual(['open', [], []]);
}

describe('the scope', () => {
  const scopeOf = async (request: H2Request): Promise<HttpScope> => {
    const scopes: HttpScope[] = [];
    await using server = await startH2Server(
      httpApp(async (scope, _receive, send) => {
        scopes.push(scope);
        await reply(send);
      }),
    );
    expect((await (await server.open()).request(request)).status).toBe(200);
    return scopes[0]!;
  };

  test(':authority becomes host, in front', async () => {
    const { headers, httpVersion } = await scopeOf({ authority: 'a.example:8080', headers: [['x', '1']] });
    expect([httpVersion, headers]).toEqual([
      '2',
      [
        ['host', 'a.example:8080'],
        ['x', '1'],
      ],
    ]);
  });

  test('a host that says the same as :authority stays where it is', async () => {
    const { headers } = await scopeOf({
      headers: [
        ['x', '1'],
        ['host', 'TEST'],
      ],
    });
    expect(headers.map(([name]) => name)).toEqual(['x', 'host']);
  });

  test('cookie crumbs are one field', async () => {
    const { headers } = await scopeOf({
      headers: [
        ['cookie', 'a=1'],
        ['x', 'y'],
        ['cookie', 'b=2'],
        ['cookie', 'c=3'],
      ],
    });
    expect(headers.slice(1)).toEqual([
      ['cookie', 'a=1; b=2; c=3'],
      ['x', 'y'],
    ]);
  });

  for (const method of [
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'QUERY',
    'M-SEARCH',
  ]) {
    test(`the method ${method}`, async () => {
      expect((await scopeOf({ method })).method).toBe(method);
    });
  }

  test('OPTIONS * has the path *', async () => {
    expect(await scopeOf({ method: 'OPTIONS', path: '*' })).toMatchObject({ path: '*', method: 'OPTIONS' });
  });
});

describe('bodies and trailers', () => {
  test('the pieces of a body arrive in order, and its trailers end it', async () => {
    await using server = await startH2Server(echoBody);
    const client = await server.open();
    const response = await client.request({ method: 'POST', body: 'hello', trailers: [['x-sum', '1']] });
    expect(response).toMatchObject({ status: 200, isComplete: true, body: Buffer.from('hello') });
    await expectGoesOnEcho(client);
  });

  const expectGoesOnEcho = async (client: RawH2Client): Promise<void> => {
    expect((await client.request({ method: 'POST', body: 'next' })).body.toString()).toBe('next');
  };

  test('trailers without a body are a request without a body', async () => {
    await using server = await startH2Server(echoBody);
    const response = await (await server.open()).request({ method: 'POST', trailers: [['x-sum', '1']] });
    expect(response).toMatchObject({ status: 200, isComplete: true, body: Buffer.alloc(0) });
  });

  test('an empty last DATA frame ends a body', async () => {
    await using server = await startH2Server(echoBody);
    const client = await server.open();
    const id = client.open({ method: 'POST' });
    await client.sendBody(id, 'hello', { endStream: false });
    await client.send(dataFrame(id, '', { endStream: true }));
    expect((await client.response(id)).body.toString()).toBe('hello');
  });

  test('padding is not content', async () => {
    await using server = await startH2Server(echoBody);
    const client = await server.open();
    const id = client.open({ method: 'POST', headers: [['content-length', '5']] });
    await client.send(dataFrame(id, 'hello', { endStream: true, padding: 200 }));
    expect((await client.response(id)).body.toString()).toBe('hello');
  });

  test('the app sees a piece before the next has been sent', async () => {
    await using server = await startH2Server(
      httpApp(async (_scope, receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        for (let more = true; more;) {
          const event = await receive();
          if (event.type !== 'http.request') return;
          ({ more } = event);
          await send({ type: 'http.response.body', body: event.body, more });
        }
      }),
    );
    const client = await server.open();
    const id = client.open({ method: 'POST' });
    await client.sendBody(id, 'ping', { endStream: false });
    await client.received(id, 4);
    await client.sendBody(id, 'pong');
    expect(await client.response(id)).toMatchObject({ isComplete: true, body: Buffer.from('pingpong') });
  });

  test('response trailers are a field section that ends the stream', async () => {
    await using server = await startH2Server(
      httpApp(async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200, trailers: true });
        await send({ type: 'http.response.body', body: 'content' });
        await send({ type: 'http.response.trailers', headers: [['X-Sum', '1']] });
      }),
    );
    const response = await (await server.open()).request();
    expect(response).toMatchObject({ isComplete: true, trailers: [['x-sum', '1']] });
    expect(response.body.toString()).toBe('content');
  });

  for (const [name, method, status] of [
    ['HEAD', 'HEAD', 200],
    ['204', 'GET', 204],
    ['304', 'GET', 304],
  ] as const) {
    test(`${name}: the head ends the stream, and no DATA comes`, async () => {
      await using server = await startH2Server(
        httpApp((_scope, _receive, send) => reply(send, status === 204 ? '' : 'content', { status })),
      );
      const client = await server.open();
      const response = await client.request({ method });
      expect(response).toMatchObject({ status, isComplete: true, body: Buffer.alloc(0) });
      expect(client.stream(1).pieces.filter(({ length }) => length > 0)).toEqual([]);
    });
  }

  test('fields of HTTP/1.1 connections do not reach the client', async () => {
    await using server = await startH2Server(
      httpApp((_scope, _receive, send) =>
        reply(send, 'x', {
          headers: [
            ['Connection', 'close'],
            ['keep-alive', 'timeout=5'],
            ['Transfer-Encoding', 'chunked'],
            ['upgrade', 'h2c'],
            ['proxy-connection', 'close'],
            ['X-Mine', '1'],
          ],
        }),
      ),
    );
    const client = await server.open();
    for (let i = 0; i < 2; i++) {
      const { headers } = await client.request();
      expect(headers.map(([name]) => name).sort()).toEqual(['content-length', 'date', 'server', 'x-mine']);
    }
  });
});

describe('expect: 100-continue', () => {
  test('100 goes out when the app first reads, once, and then the response', async () => {
    await using server = await startH2Server(echoBody);
    const client = await server.open();
    const id = client.open({ method: 'POST', headers: [['expect', '100-continue']] });
    await until(() => client.stream(id).informational.length > 0, 'the interim response');
    await client.sendBody(id, 'hello');
    const response = await client.response(id);
    expect([response.status, response.body.toString()]).toEqual([200, 'hello']);
    expect(response.informational).toEqual([[[':status', '100']]]);
  });

  test('an app that answers without reading sends no 100', async () => {
    await using server = await startH2Server(echoPath);
    const client = await server.open();
    const id = client.open({ method: 'POST', path: '/at-once', headers: [['expect', '100-continue']] });
    const response = await client.responseHead(id);
    expect([response.status, response.informational]).toEqual([200, []]);
    await client.sendBody(id, '');
  });

  test('another expectation is answered with 417', async () => {
    await using server = await startH2Server(echoPath);
    const client = await server.open();
    const response = await client.request({ method: 'POST', headers: [['expect', 'magic']], body: 'x' });
    expect(response.status).toBe(417);
    await expectGoesOn(client);
  });
});

describe('limits', () => {
  test('maxBodySize: 413 by the declared length, and by what arrives', async () => {
    const reasons: string[] = [];
    await using server = await startH2Server(
      httpApp(async (scope, receive, send) => {
        if (scope.path === '/still') return reply(send, scope.path);
        void scope['tsagi.connection'].disconnected.then((reason) => reasons.push(reason));
        await readBody(receive).catch(() => undefined);
      }),
      { maxBodySize: 1000 },
    );
    const client = await server.open();
    const length: Field[] = [['content-length', '1001']];
    expect((await client.request({ method: 'POST', headers: length, body: Buffer.alloc(1001) })).status).toBe(
      413,
    );
    expect(reasons).toEqual([]);
    expect((await client.request({ method: 'POST', body: Buffer.alloc(1001) })).status).toBe(413);
    await until(() => reasons.length === 1, 'the disconnect');
    expect(reasons).toEqual(['body_too_large']);
    await expectGoesOn(client);
  });

  test('414, 431 and 400, and the connection goes on', async () => {
    await using server = await startH2Server(echoPath, { maxRequestLine: 100, maxHeaderCount: 5 });
    const client = await server.open();
    expect((await client.request({ path: `/${'x'.repeat(200)}` })).status).toBe(414);
    const many = Array.from({ length: 6 }, (_, i): Field => [`x-${i}`, '1']);
    expect((await client.request({ headers: many })).status).toBe(431);
    expect((await client.request({ path: '/%zz' })).status).toBe(400);
    await expectGoesOn(client);
  });

  test('limitConcurrency: 503 with retry-after for the stream too many, the others go on', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await startH2Server(
      httpApp(async (scope, _receive, send) => {
        if (scope.path === '/slow') await gate.promise;
        await reply(send, scope.path);
      }),
      { limitConcurrency: 1 },
    );
    const client = await server.open();
    const slow = client.open({ path: '/slow' }, { endStream: true });
    const refused = await client.request();
    expect([refused.status, Number(h2Header(refused, 'retry-after')) > 0]).toEqual([503, true]);
    gate.resolve();
    expect((await client.response(slow)).body.toString()).toBe('/slow');
    await expectGoesOn(client);
  });

  test('CONNECT without a protocol: 501', async () => {
    await using server = await startH2Server(echoPath);
    const client = await server.open();
    client.sendSection(1, [
      [':method', 'CONNECT'],
      [':authority', 'elsewhere:443'],
    ]);
    expect((await client.responseHead(1)).status).toBe(501);
    expect((await ask(client, 3, '/still')).body.toString()).toBe('/still');
  });
});
