import { connect } from 'node:net';
import { expect, test } from 'bun:test';
import { startServer } from '../support/running-program.ts';

/** What comes back, as a byte string, for text that is sent as UTF-8. */
async function exchange(port: string, request: string): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(Buffer.from(request));
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('latin1');
}

const utf8 = (byteString: string): string => Buffer.from(byteString, 'latin1').toString('utf8');

test('12-utf8 takes and gives text in path, query, headers and body', async () => {
  await using server = startServer('examples/12-utf8/app.ts');
  const { port } = new URL(await server.url());
  const body = 'Größe 42 €';
  const answer = await exchange(
    port,
    `POST /gr%C3%BC%C3%9Fe/%E4%B8%96%E7%95%8C?name=%E2%82%AC+uro HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n` +
      `x-name: Jürgen\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const [head, content] = answer.split('\r\n\r\n') as [string, string];
  expect(utf8(/^x-greeting: (.*)\r$/m.exec(head)![1]!)).toBe('Grüße, Jürgen 👋');
  expect(head).toContain(`content-length: ${content.length}`);
  expect(JSON.parse(utf8(content))).toEqual({
    path: '/grüße/世界',
    rawPath: '/gr%C3%BC%C3%9Fe/%E4%B8%96%E7%95%8C',
    query: { name: '€ uro' },
    header: 'Jürgen',
    body,
  });
});

test('12-utf8 puts a character together whose bytes arrive apart', async () => {
  await using server = startServer('examples/12-utf8/app.ts');
  const pieces = [...Buffer.from('日本語 👋')].map((byte) => Uint8Array.of(byte));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
  });
  const response = await fetch(await server.url(), { method: 'POST', body });
  expect(((await response.json()) as { body: string }).body).toBe('日本語 👋');
});
