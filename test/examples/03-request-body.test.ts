import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { expect, test } from 'bun:test';
import { startServer } from '../support/running-program.ts';

const SERVE = ['--port', '0', '--max-body-size', '0'];

function sampleBytes(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) % 256);
}

test('03-request-body sums up an upload that arrives in pieces', async () => {
  await using server = startServer('examples/03-request-body/app.ts', SERVE);
  const bytes = sampleBytes(3_000_000);
  const pieces = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 70_000) controller.enqueue(bytes.subarray(at, at + 70_000));
      controller.close();
    },
  });
  const response = await fetch(`${await server.url()}/digest`, { method: 'POST', body: pieces });
  const sum = createHash('sha256').update(bytes).digest('hex');
  expect(await response.text()).toBe(`3000000 bytes, sha256 ${sum}\n`);
});

test('03-request-body echoes what it gets, byte for byte', async () => {
  await using server = startServer('examples/03-request-body/app.ts', SERVE);
  const bytes = sampleBytes(1_000_000);
  const response = await fetch(await server.url(), { method: 'POST', body: bytes });
  expect(Buffer.compare(new Uint8Array(await response.arrayBuffer()), bytes)).toBe(0);
});

test('03-request-body reads no faster than its client, and keeps little of what it has read', async () => {
  await using server = startServer('examples/03-request-body/app.ts', SERVE);
  const { port } = new URL(await server.url());
  const size = 64 * 1024 * 1024;
  const socket = connect(Number(port), '127.0.0.1');
  // It sends everything at once, and reads nothing yet.
  socket.pause();
  socket.write(`POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${size}\r\n\r\n`);
  const allTaken = new Promise<string>((resolve) => {
    socket.write(Buffer.alloc(size, 'x'), () => resolve('all taken'));
  });
  const isHeldBack = server.said(/the client reads slowly/).then(() => 'held back');
  expect(await Promise.race([isHeldBack, allTaken])).toBe('held back');

  let received = 0;
  for await (const piece of socket) received += (piece as Buffer).length;
  expect(received).toBeGreaterThan(size);
  const [, echoed, waiting] = await server.said(/echoed (\d+) bytes, with at most (\d+) waiting/);
  expect(Number(echoed)).toBe(size);
  // The high-water mark of 64 KiB, and the one piece that went over it, up to what one read from a socket gives.
  expect(Number(waiting)).toBeGreaterThan(65_536);
  expect(Number(waiting)).toBeLessThan(1_000_000);
});
