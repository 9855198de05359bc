import { expect, test } from 'bun:test';
import { startServer } from '../support/running-program.ts';

test('01-hello-http answers every request with its greeting', async () => {
  await using server = startServer('examples/01-hello-http/app.ts');
  const response = await fetch(await server.url());
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(await response.text()).toBe('Hello from TSAGI');
});
