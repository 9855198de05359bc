/**
 * Bytes of an application that it changes as soon as `send` has resolved: what the client gets is what was sent.
 */
import { expect, test } from 'bun:test';
import { httpApp } from '../behaviour/apps.ts';
import { startServer } from '../support/start-server.ts';

const SIZES = [1, 64, 65, 1000, 16_000, 17_000, 200_000];

for (const framing of ['with a length', 'in chunks'] as const) {
  test(`a body ${framing} that is changed after its send has resolved arrives as it was`, async () => {
    await using server = await startServer(
      httpApp(async (scope, _receive, send) => {
        const size = Number(scope.path.slice(1));
        const memory = Buffer.alloc(size, 'a');
        const headers: [string, string][] =
          framing === 'in chunks' ? [] : [['content-length', String(2 * size)]];
        await send({ type: 'http.response.start', status: 200, headers });
        await send({ type: 'http.response.body', body: memory, more: true });
        memory.fill('b');
        await send({ type: 'http.response.body', body: memory });
        memory.fill('z');
      }),
    );
    for (const size of SIZES) {
      const response = await server.request({ target: `/${size}` });
      expect(response.body.toString() === 'a'.repeat(size) + 'b'.repeat(size)).toBe(true);
    }
  });
}

test('a body in one piece that waits for the end of the turn arrives as it was', async () => {
  await using server = await startServer(
    httpApp(async (scope, _receive, send) => {
      const memory = Buffer.alloc(Number(scope.path.slice(1)), 'a');
      await send({ type: 'http.response.start', status: 200 });
      await send({ type: 'http.response.body', body: memory });
      memory.fill('z');
    }),
  );
  for (const size of SIZES) {
    const response = await server.request({ target: `/${size}` });
    expect(response.body.toString() === 'a'.repeat(size)).toBe(true);
  }
});
