import { expect, test } from 'bun:test';
import { RunningProgram, startServer } from '../support/running-program.ts';

interface Times {
  readonly head: number;
  readonly workDone: number;
  readonly text: string;
}

async function times(server: RunningProgram): Promise<Times> {
  const response = await fetch(await server.url());
  const head = Date.now();
  const text = await response.text();
  return { head, workDone: Number(/ at (\d+)/.exec(text)![1]), text };
}

test('07-extension-fullflush sends the head before it goes to work', async () => {
  const entry = new URL('../../examples/07-extension-fullflush/server.ts', import.meta.url).pathname;
  await using server = new RunningProgram([process.execPath, entry], { env: { PORT: '0' } });
  const { head, workDone, text } = await times(server);
  expect(text).toEndWith('head flushed before the work\n');
  expect(head).toBeLessThan(workDone);
});

test('07-extension-fullflush answers all the same where the server does not offer the extension', async () => {
  await using server = startServer('examples/07-extension-fullflush/app.ts');
  const { text } = await times(server);
  expect(text).toEndWith('head not flushed: fullflush is not offered\n');
});
