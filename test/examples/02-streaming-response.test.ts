import { expect, test } from 'bun:test';
import { startServer } from '../support/running-program.ts';

test('02-streaming-response sends each line as it is made, to the last', async () => {
  await using server = startServer('examples/02-streaming-response/app.ts');
  const response = await fetch(`${await server.url()}/all`);
  expect(response.headers.get('content-length')).toBeNull();
  const reader = response.body!.getReader();
  // The first line is here while the app is at work on the second.
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('line 1 of 10\n');
  expect(server.output).not.toContain('/all sent 10');
  let rest = '';
  const decoder = new TextDecoder();
  for (let read = await reader.read(); !read.done; read = await reader.read())
    rest += decoder.decode(read.value);
  expect(rest).toEndWith('line 9 of 10\nline 10 of 10\ndone\n');
  await server.said(/\/all complete/);
});

test('02-streaming-response stops its work when the client goes', async () => {
  await using server = startServer('examples/02-streaming-response/app.ts');
  const url = await server.url();
  const going = new AbortController();
  const response = await fetch(`${url}/short`, { signal: going.signal });
  const reader = response.body!.getReader();
  await reader.read();
  going.abort();
  const stopped = await server.said(/\/short stopped: client_closed/);

  // Another client gets every line, in the time in which the first would have got the rest of its own.
  expect(await (await fetch(`${url}/all`)).text()).toEndWith('line 10 of 10\ndone\n');
  server.kill('SIGTERM');
  const { exitCode, output } = await server.end();
  expect(exitCode).toBe(0);
  expect(output.slice(stopped.index + stopped[0].length)).not.toContain('/short');
  expect(output).not.toContain('/short sent 10');
  expect(output).not.toContain('error');
});
