/**
 * Files as response bodies: pieces under back-pressure, declared lengths, and files and pipes that fall short.
 */
import { describe, expect, test } from 'bun:test';
import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { body, length, openSession, refusal, sendAll, start, trailers } from '../support/http-session.ts';
import { afterMicrotasks, stateOf } from '../support/settled.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('a file', () => {
  test('that is small leaves with the end', async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join('a'), 'content');
    const { session, exchange } = openSession();
    await sendAll(session, start(length(7)), { type: 'http.response.body', file: directory.join('a') });
    expect(exchange.calls).toEqual(['respond 200', 'end content']);
  });

  test('that is large leaves in pieces, each when the client has taken the one before', async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join('a'), Buffer.alloc(600_000, 'x'));
    const { session, exchange } = openSession();
    await session.send(start());
    exchange.hold();
    const waiting = session.send({ type: 'http.response.body', file: directory.join('a') });
    while (exchange.calls.length < 2) await afterMicrotasks();
    expect(await stateOf(waiting)).toBe('pending');
    expect(exchange.calls).toEqual(['respond 200', 'write 262144 bytes']);
    exchange.release();
    await waiting;
    expect(exchange.calls.slice(2)).toEqual(['write 262144 bytes', 'write 75712 bytes', 'end']);
  });

  test('holds the wire until it is done', async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join('a'), Buffer.alloc(600_000, 'x'));
    const { session } = openSession();
    await session.send(start());
    const waiting = session.send({ type: 'http.response.body', file: directory.join('a') });
    expect(await refusal(session, body('x'))).toBe(
      'http.response.body is not allowed while a file is being sent',
    );
    await waiting;
    expect(session.standing).toBe('complete');
  });

  test('that is absent rejects, and another body can be sent in its place', async () => {
    const { session, exchange } = openSession();
    await session.send(start());
    await expect(session.send({ type: 'http.response.body', file: '/absent/file' })).rejects.toThrow(
      'ENOENT',
    );
    await session.send(body('instead'));
    expect(exchange.calls).toEqual(['respond 200', 'end instead']);
  });

  test('that is longer than the declared content-length rejects before any of it leaves', async () => {
    using directory = temporaryDirectory();
    for (const [size, threshold] of [
      [10, 65_536],
      [600_000, 0],
    ] as const) {
      writeFileSync(directory.join('a'), Buffer.alloc(size, 'x'));
      const { session, exchange } = openSession({}, { syncFileThreshold: threshold });
      await session.send(start(length(5)));
      expect(await refusal(session, { type: 'http.response.body', file: directory.join('a') })).toBe(
        `http.response.body: ${size - 5} bytes more than the declared content-length`,
      );
      await session.send(body('short'));
      expect(exchange.calls).toEqual(['respond 200', 'end short']);
    }
  });

  test('that gets shorter while it is sent breaks the response off and rejects', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('a');
    writeFileSync(path, Buffer.alloc(1_000_000, 'x'));
    const { session, exchange } = openSession();
    await session.send(start(length(1_000_000)));
    exchange.hold();
    const waiting = session.send({ type: 'http.response.body', file: path });
    while (exchange.calls.length < 2) await afterMicrotasks();
    truncateSync(path, 10);
    exchange.release();
    await expect(waiting).rejects.toThrow(/^the file ended \d+ bytes early$/);
    expect(exchange.calls.at(-1)).toBe('abort server_error');
    expect(exchange.calls).not.toContain('end');
  });

  test('is no longer read once the client has gone, and the send resolves', async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join('a'), Buffer.alloc(1_000_000, 'x'));
    const { session, exchange } = openSession();
    await session.send(start());
    exchange.hold();
    const waiting = session.send({ type: 'http.response.body', file: directory.join('a') });
    while (exchange.calls.length < 2) await afterMicrotasks();
    session.disconnected('client_closed');
    exchange.release();
    await waiting;
    expect(exchange.calls).toEqual(['respond 200', 'write 262144 bytes']);
  });

  test('is not read at all for HEAD, and its length still counts', async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join('a'), 'content');
    const { session, exchange } = openSession({ method: 'HEAD' });
    await sendAll(session, start(length(7)), { type: 'http.response.body', file: directory.join('a') });
    expect(exchange.calls).toEqual(['respond 200', 'end']);
    expect([exchange.content, exchange.response?.hasContent]).toEqual(['', false]);
  });

  test('may be followed by trailers', async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join('a'), 'content');
    const { session, exchange } = openSession();
    await sendAll(session, start({ trailers: true }), {
      type: 'http.response.body',
      file: directory.join('a'),
    });
    await session.send(trailers([['x', 'y']]));
    expect(exchange.calls).toEqual(['respond 200', 'write content', 'end']);
  });

  test('that is a pipe and ends short of the length that was asked for breaks the response off', async () => {
    using directory = temporaryDirectory();
    const path = directory.join('pipe');
    expect(Bun.spawnSync(['mkfifo', path]).exitCode).toBe(0);
    // Open for both, it does not wait for another end to be opened (fifo(7)).
    const writer = openSync(path, 'r+');
    const reader = openSync(path, 'r');
    writeSync(writer, 'five.');
    closeSync(writer);
    const { session, exchange, context } = openSession();
    await sendAll(session, start(length(100)), { type: 'http.response.body', fh: reader, length: 100 });
    closeSync(reader);
    expect(exchange.calls).toEqual(['respond 200', 'write five.', 'abort server_error']);
    expect(context.lines[0]).toContain('95 bytes short of its content-length');
  });
});
