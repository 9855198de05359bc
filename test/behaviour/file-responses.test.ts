/**
 * Files as response bodies: whole or in part, small or large, from a path, a BunFile or an open handle, and what happens
 * when the file or the client is not there.
 */
import { afterAll, describe, expect, test } from 'bun:test';
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResponseContent, SendEvent } from '../../src/contract/send-events.ts';
import { header } from '../support/raw-client.ts';
import { until, within } from '../support/within.ts';
import { httpApp, reply } from './apps.ts';
import { CARRIERS, onEach } from './carriers.ts';

const folder = mkdtempSync(join(tmpdir(), 'tsagi-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i + 4 <= size; i += 4) bytes.writeUInt32LE(Math.imul(i, 2654435761) >>> 0, i);
  return bytes;
}

const small = pattern(1000);
const large = pattern(3_000_000);
const smallPath = file('small', small);
const largePath = file('large', large);
const emptyPath = file('empty', '');
const hugePath = file('huge', Buffer.alloc(32_000_000, 'h'));

/** Descriptors of this process that are open on `path`. */
function openOn(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;
}

const sendContent = (content: object) => ({ type: 'http.response.body', ...content }) as unknown as SendEvent;

const answering = (content: object, headers: readonly (readonly [string, string])[] = []) =>
  httpApp(async (_scope, _receive, send) => {
    await send({ type: 'http.response.start', status: 200, headers });
    await send(sendContent(content));
  });

interface Part {
  readonly offset?: number;
  readonly length?: number;
}

const PARTS: readonly Part[] = [
  {},
  { offset: 0 },
  { offset: 10 },
  { length: 10 },
  { offset: 990, length: 5 },
  { offset: 500, length: 1_000_000_000 },
  { offset: 1000 },
  { offset: 5_000_000_000 },
  { offset: 7, length: 0 },
  { offset: 1, length: 200_000 },
];

onEach(CARRIERS, (carrier) => {
  const files = [
    ['small', smallPath, small],
    ['large', largePath, large],
    ['empty', emptyPath, Buffer.alloc(0)],
  ] as const;
  for (const [name, path, content] of files) {
    describe(`a ${name} file`, () => {
      const ways: [string, () => ResponseContent][] = [
        ['by path', () => ({ file: path })],
        ['as a BunFile', () => ({ file: Bun.file(path) })],
      ];
      for (const part of PARTS) {
        const { offset = 0, length = Infinity } = part;
        const expected = content.subarray(offset, Math.min(content.length, offset + length));
        for (const [way, make] of ways) {
          test(`${way}, ${JSON.stringify(part)}`, async () => {
            await using server = await carrier.start(answering({ ...make(), ...part }));
            const client = await server.connect();
            for (let i = 0; i < 2; i++) {
              const response = await client.request();
              expect(response.isComplete).toBe(true);
              expect(response.body.equals(expected)).toBe(true);
            }
            expect(openOn(path)).toBe(0);
          });
        }

        test(`by handle, ${JSON.stringify(part)}`, async () => {
          await using handle = await open(path);
          await using server = await carrier.start(answering({ fh: handle, ...part }));
          expect((await server.request()).body.equals(expected)).toBe(true);
          expect((await server.request()).body.equals(expected)).toBe(true);
          expect((await handle.stat()).size).toBe(content.length);
        });
      }

      test('by descriptor, which stays open', async () => {
        const fd = openSync(path, 'r');
        try {
          await using server = await carrier.start(answering({ fh: fd }));
          expect((await server.request()).body.equals(content)).toBe(true);
          expect(fstatSync(fd).size).toBe(content.length);
        } finally {
          closeSync(fd);
        }
      });

      test('to HEAD sends no content and the connection goes on', async () => {
        const headers = [['content-length', String(content.length)]] as const;
        await using server = await carrier.start(answering({ file: path }, headers));
        const client = await server.connect();
        const head = await client.request({ method: 'HEAD' });
        expect([header(head, 'content-length'), head.body.length]).toEqual([String(content.length), 0]);
        expect((await client.request()).body.equals(content)).toBe(true);
        expect(openOn(path)).toBe(0);
      });

      test('with a declared length is not chunked', async () => {
        const headers = [['content-length', String(content.length)]] as const;
        await using server = await carrier.start(answering({ file: path }, headers));
        const response = await server.request();
        const framing = carrier.protocol === 'h1' ? 'length' : 'none';
        expect([response.framing, response.body.equals(content)]).toEqual([framing, true]);
      });
    });
  }

  test('a file behind other pieces ends the response, whatever `more` says', async () => {
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: 'head ', more: true });
        await send(sendContent({ file: smallPath, length: 4, more: true }));
      }),
    );
    const expected = Buffer.concat([Buffer.from('head '), small.subarray(0, 4)]);
    expect(await server.request()).toMatchObject({ isComplete: true, body: expected });
  });

  test('an app that returns without waiting for its large file has sent it all the same', async () => {
    await using server = await carrier.start(
      httpApp((_scope, _receive, send) => {
        void send({ type: 'http.response.start', status: 200 });
        void send({ type: 'http.response.body', file: largePath });
      }),
    );
    const response = await server.request();
    expect([response.isComplete, response.body.equals(large)]).toEqual([true, true]);
    expect(server.errors).toEqual([]);
  });

  for (const [name, missing] of [
    ['a missing path', join(folder, 'nothing')],
    ['a missing BunFile', Bun.file(join(folder, 'nothing'))],
    ['a directory', folder],
  ] as const) {
    test(`${name} rejects, and the app can still send something else`, async () => {
      let code: unknown;
      await using server = await carrier.start(
        httpApp(async (_scope, _receive, send) => {
          await send({ type: 'http.response.start', status: 200 });
          await send({ type: 'http.response.body', file: missing }).catch((error: { code?: string }) => {
            ({ code } = error);
          });
          await send({ type: 'http.response.body', body: 'instead' });
        }),
      );
      expect(await server.request()).toMatchObject({ isComplete: true, body: Buffer.from('instead') });
      expect(code).toBe(name === 'a directory' ? 'EISDIR' : 'ENOENT');
    });
  }

  test('a file larger than the declared content-length rejects and the wire is right', async () => {
    let message = '';
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200, headers: [['content-length', '5']] });
        await send({ type: 'http.response.body', file: smallPath }).catch(
          (error: Error) => ({ message } = error),
        );
        await send({ type: 'http.response.body', file: smallPath, length: 5 });
      }),
    );
    expect((await server.request()).body.equals(small.subarray(0, 5))).toBe(true);
    expect(message).toBe('http.response.body: 995 bytes more than the declared content-length');
    expect(openOn(smallPath)).toBe(0);
  });

  test('a file smaller than the declared content-length breaks the connection', async () => {
    await using server = await carrier.start(answering({ file: smallPath }, [['content-length', '2000']]));
    const client = await server.connect();
    expect((await client.request()).isComplete).toBe(false);
    expect(await client.ended()).toBe(carrier.brokenOff);
    expect(server.errors[0]).toContain('1000 bytes short');
  });

  test('nothing else can be sent while a file is', async () => {
    let message = '';
    await using server = await carrier.start(
      httpApp(async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        const sending = send({ type: 'http.response.body', file: largePath });
        await send({ type: 'http.response.body', body: 'between' }).catch(
          (error: Error) => ({ message } = error),
        );
        await sending;
      }),
    );
    expect((await server.request()).body.equals(large)).toBe(true);
    expect(message).toBe('http.response.body is not allowed while a file is being sent');
  });

  test('a client that goes midway: the file is closed, the send resolves, nothing is logged as an error', async () => {
    const over = Promise.withResolvers<string>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', file: hugePath });
        over.resolve(String(scope['tsagi.connection'].disconnectReason));
      }),
    );
    const client = await server.connect();
    void client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await until(() => client.bytesReceived > 100_000, 'part of the file');
    client.pause();
    expect(openOn(hugePath)).toBe(1);
    client.reset();
    expect(await within(over.promise, 'the end of the send')).toBe('client_closed');
    await until(() => openOn(hugePath) === 0, 'the file to be closed');
    expect(server.errors).toEqual([]);
  });

  test('a client that does not read holds the file back within the watermarks', async () => {
    let buffered = 0;
    const sending = Promise.withResolvers<void>();
    await using server = await carrier.start(
      httpApp(async (scope, _receive, send) => {
        if (scope.path === '/fence') return reply(send);
        const transport = scope['tsagi.transport'];
        transport.onHighWater(() => {
          buffered = Math.max(buffered, transport.bufferedAmount);
          sending.resolve();
        });
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', file: hugePath });
      }),
    );
    const client = await server.connect();
    client.pause();
    void client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await within(sending.promise, 'the high-water mark');
    for (let i = 0; i < 20; i++) await server.request({ target: '/fence' });
    expect(buffered).toBeLessThan(65536 + 256 * 1024 + 100);
    expect(client.bytesReceived).toBeLessThan(1_000_000);
    client.resume();
    expect((await client.response()).body.length).toBe(32_000_000);
  });
});
