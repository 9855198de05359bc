import { expect, test } from 'bun:test';
import { startServer } from '../support/running-program.ts';

test('06-lifespan-state counts in one database, opened before it listens and closed before it exits', async () => {
  await using server = startServer('examples/06-lifespan-state/app.ts', ['--port', '0', '--lifespan', 'on']);
  const url = await server.url();
  expect(server.output.indexOf('database opened')).toBeGreaterThanOrEqual(0);
  expect(await (await fetch(`${url}/a`)).text()).toBe('visit 1 to /a\n');
  expect(await (await fetch(`${url}/a`)).text()).toBe('visit 2 to /a\n');
  expect(await (await fetch(`${url}/b`)).text()).toBe('visit 1 to /b\n');
  expect(server.output).not.toContain('database closed');
  server.kill('SIGTERM');
  const { exitCode, output } = await server.end();
  expect(exitCode).toBe(0);
  expect(output).toContain('database closed');
});
