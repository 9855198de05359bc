/**
 * Requests that are malformed cost a stream and not the connection, and no application hears of those that are known to be
 * before their body (RFC 9113 8.1.1, 8.2, 8.3).
 */
import { describe, expect, test } from 'bun:test';
import { startH2Server } from '../support/h2-carrier-client.ts';
import { CODE } from '../support/h2/frames.ts';
import type { Field } from '../support/h2/hpack.ts';
import { type H2Response, type RawH2Client, requestFields } from '../support/h2/raw-h2-client.ts';
import { within } from '../support/within.ts';
import { echoPath, httpApp, reply } from './apps.ts';

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

describe('malformed requests are stream errors', () => {
  const pseudo = (fields: Record<string, string | undefined>): Field[] =>
    Object.entries({
      ':method': 'GET',
      ':scheme': 'http',
      ':authority': 'test',
      ':path': '/',
      ...fields,
    }).filter((field): field is [string, string] => field[1] !== undefined);
  const plain = pseudo({});
  const cases: [name: string, fields: Field[]][] = [
    ['a name in upper case', [...plain, ['X-Upper', '1']]],
    ['a blank in a name', [...plain, ['x y', '1']]],
    ['LF in a value', [...plain, ['x', 'a\nb']]],
    ['CR in a value', [...plain, ['x', 'a\rb']]],
    ['NUL in a value', [...plain, ['x', 'a\0b']]],
    ['a blank at the start of a value', [...plain, ['x', ' a']]],
    ['a blank at the end of a value', [...plain, ['x', 'a ']]],
    ['a tab at the end of a value', [...plain, ['x', 'a\t']]],
    ['connection', [...plain, ['connection', 'close']]],
    ['keep-alive', [...plain, ['keep-alive', '1']]],
    ['proxy-connection', [...plain, ['proxy-connection', 'close']]],
    ['transfer-encoding', [...plain, ['transfer-encoding', 'chunked']]],
    ['upgrade', [...plain, ['upgrade', 'websocket']]],
    ['te other than trailers', [...plain, ['te', 'gzip']]],
    ['no method', pseudo({ ':method': undefined })],
    ['no path', pseudo({ ':path': undefined })],
    ['no scheme', pseudo({ ':scheme': undefined })],
    ['an empty path', pseudo({ ':path': '' })],
    ['a path without a slash', pseudo({ ':path': 'a' })],
    ['a method twice', [...plain, [':method', 'GET']]],
    ['a path twice', [...plain, [':path', '/']]],
    ['an unknown pseudo-header field', [...plain, [':version', '2']]],
    ['a pseudo-header field of responses', [...plain, [':status', '200']]],
    ['a pseudo-header field behind another field', [['x', '1'], ...plain]],
    ['host and :authority that differ', [...plain, ['host', 'other']]],
    ['two hosts', [...pseudo({ ':authority': undefined }), ['host', 'a'], ['host', 'a']]],
    ['a content-length that is none', [...plain, ['content-length', 'x']]],
    ['two that differ', [...plain, ['content-length', '1'], ['content-length', '2']]],
    [':protocol without CONNECT', pseudo({ ':protocol': 'websocket' })],
    ['CONNECT with a path', pseudo({ ':method': 'CONNECT', ':scheme': undefined })],
  ];
  for (const [name, fields] of cases) {
    test(`${name}: PROTOCOL_ERROR, the app is not called, and the connection goes on`, async () => {
      const paths: string[] = [];
      await using server = await startH2Server((scope, receive, send) => {
        if (scope.type === 'http') paths.push(scope.path);
        return echoPath(scope, receive, send);
      });
      const client = await server.open();
      expect((await ask(client, 1, '/before')).status).toBe(200);
      client.sendSection(3, fields, { endStream: true });
      expect(await client.response(3)).toMatchObject({ status: 0, resetCode: CODE.protocolError });
      expect((await ask(client, 5, '/still')).body.toString()).toBe('/still');
      expect([client.ending, client.goaways, client.peerFaults]).toEqual(['open', [], []]);
      expect([paths, server.errors]).toEqual([['/before', '/still'], []]);
    });
  }

  // open: a stream error would be enough, but node:http2 of Bun 1.4.5 gives up on the connection.
  test('an empty name: GOAWAY with COMPRESSION_ERROR', async () => {
    await using server = await startH2Server(echoPath);
    const client = await server.open();
    client.sendSection(1, [...plain, ['', '1']], { endStream: true });
    expect(await client.ended()).toBe('fin');
    expect(client.goaway).toMatchObject({ code: CODE.compressionError });
    expect((await server.request({ target: '/others' })).body.toString()).toBe('/others');
  });

  test('te: trailers is well-formed', async () => {
    await using server = await startH2Server(echoPath);
    expect((await (await server.open()).request({ headers: [['te', 'trailers']] })).status).toBe(200);
  });
});

describe('content-length (RFC 9113 8.1.1)', () => {
  for (const [name, declared, body] of [
    ['more DATA than declared', '3', 'hello'],
    ['less DATA than declared', '9', 'hello'],
    ['DATA where none is declared', '0', 'x'],
  ] as const) {
    test(`${name}: PROTOCOL_ERROR, the app learns of it, and the connection goes on`, async () => {
      const reason = Promise.withResolvers<string>();
      await using server = await startH2Server(
        httpApp(async (scope, receive, send) => {
          if (scope.path === '/still') return reply(send, scope.path);
          void scope['tsagi.connection'].disconnected.then(reason.resolve);
          while ((await receive()).type !== 'http.disconnect');
        }),
      );
      const client = await server.open();
      const response = await client.request({
        method: 'POST',
        headers: [['content-length', declared]],
        body,
      });
      expect(response).toMatchObject({ status: 0, resetCode: CODE.protocolError });
      expect(await within(reason.promise, 'the reason')).toBe('protocol_error');
      await expectGoesOn(client);
    });
  }

  test('a length that is declared with END_STREAM at once: PROTOCOL_ERROR', async () => {
    await using server = await startH2Server(echoPath);
    const client = await server.open();
    const response = await client.request({ method: 'POST', headers: [['content-length', '5']] });
    expect(response).toMatchObject({ resetCode: CODE.protocolError });
    await expectGoesOn(client);
  });
});
