/**
 * One port, two protocols: the first bytes tell which is spoken, in whatever pieces they come (RFC 9113 3.3, 3.4).
 */
import { expect, test } from 'bun:test';
import { startH2Server } from '../support/h2-carrier-client.ts';
import { PREFACE, settingsFrame } from '../support/h2/frames.ts';
import { RawH2Client } from '../support/h2/raw-h2-client.ts';
import { RawClient } from '../support/raw-client.ts';
import { startServer } from '../support/start-server.ts';
import { until } from '../support/within.ts';
import { httpApp, reply } from './apps.ts';

const app = httpApp((scope, _receive, send) =>
  reply(send, `${scope.httpVersion} ${scope.method} ${scope.path}`),
);

test('a preface that comes byte by byte, and SETTINGS likewise', async () => {
  await using server = await startH2Server(app);
  const client = await RawH2Client.connect(server.address);
  client.socket.setNoDelay(true);
  for (const byte of Buffer.concat([PREFACE, settingsFrame()])) await client.send(Uint8Array.of(byte));
  expect((await client.request({ path: '/slowly' })).body.toString()).toBe('2 GET /slowly');
  client.close();
});

test('HTTP/1.1 on the same port, also where a method begins as the preface does', async () => {
  await using server = await startH2Server(app);
  for (const method of ['GET', 'P', 'PR', 'PRI', 'PRIX', 'POST', 'PUT', 'PATCH', 'PROPFIND']) {
    const client = await RawClient.connect(server.address);
    const text = `${method} /x HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n`;
    if (method.startsWith('PR')) for (const char of text) await client.send(char);
    else await client.send(text);
    expect((await client.response()).body.toString()).toBe(`1.1 ${method} /x`);
    expect((await client.request({ target: '/again' })).body.toString()).toBe('1.1 GET /again');
    client.close();
  }
});

test('something that is the preface but for its last byte is a bad request of HTTP/1.1', async () => {
  await using server = await startH2Server(app);
  const client = await RawClient.connect(server.address);
  await client.send(`${PREFACE.toString('latin1', 0, 20)}X`);
  await client.send('\r\n\r\n');
  expect((await client.response()).status).toBeWithin(400, 506);
  client.close();
});

test('an upgrade to h2c is ignored, as its client must expect', async () => {
  await using server = await startH2Server(app);
  const client = await RawClient.connect(server.address);
  const response = await client.request({
    headers: [
      ['connection', 'Upgrade, HTTP2-Settings'],
      ['upgrade', 'h2c'],
      ['http2-settings', 'AAMAAABkAAQAoAAAAAIAAAAA'],
    ],
  });
  expect([response.status, response.body.toString()]).toEqual([200, '1.1 GET /']);
  expect((await client.request({ target: '/next' })).body.toString()).toBe('1.1 GET /next');
  client.close();
});

test('without the option the preface is a request that HTTP/1.1 does not know', async () => {
  await using server = await startServer(app);
  const client = await server.connect();
  await client.send(PREFACE);
  expect((await client.response()).status).toBe(505);
});

test('clients of both at once, and none left at the end', async () => {
  await using server = await startH2Server(app);
  for (let round = 0; round < 3; round++) {
    const h1 = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(server.address)));
    const h2 = await Promise.all(Array.from({ length: 10 }, () => server.open()));
    const answers = await Promise.all([...h1.map((it) => it.request()), ...h2.map((it) => it.request())]);
    expect(answers.map(({ body }) => body.toString().slice(0, 3).trim())).toEqual([
      ...Array<string>(10).fill('1.1'),
      ...Array<string>(10).fill('2 G'),
    ]);
    for (const client of [...h1, ...h2]) client.close();
    await until(() => server.server.connectionCount === 0, 'the connections to go');
  }
});
