import { describe, expect } from 'bun:test';
import { needs, programPath } from '../support/program.ts';
import { RunningProgram, runProgram, startServer } from '../support/running-program.ts';
import { sharedBrowser } from './shared-browser.ts';

const APP = 'test/clients/live-app.ts';
const ACCEPT = ['-H', 'accept: text/event-stream'];

/** What the application sends for ticks, as it is on the wire. */
function ticks(first: number, count: number): string {
  const event = (id: number): string => `event: tick\nid: ${id}\nretry: 20\ndata: tick ${id}\ndata: ü\n\n`;
  const events = Array.from({ length: count }, (_, index) => event(first + index));
  return `: after ${first - 1}\n\n${events.join('')}`;
}

interface Answer {
  readonly status: string;
  readonly fields: Map<string, string>;
  readonly body: string;
}

/** One that ends properly: curl fails for a body that is cut short. */
async function curl(...args: string[]): Promise<Answer> {
  const { exitCode, output } = await runProgram([
    programPath('curl'),
    '-sSN',
    '-i',
    '--max-time',
    '10',
    ...args,
  ]);
  if (exitCode !== 0) throw new Error(`curl ended with ${exitCode}: ${output}`);
  const end = output.indexOf('\r\n\r\n');
  const [status = '', ...lines] = output.slice(0, end).split('\r\n');
  const fields = new Map(lines.map((line) => line.split(': ', 2) as [string, string]));
  return { status, fields, body: output.slice(end + 4) };
}

describe('curl on an event stream', () => {
  const withCurl = needs('curl');

  withCurl('gets it in chunks over HTTP/1.1, and its end', async () => {
    await using server = startServer(APP);
    const url = `${await server.url()}/ticks/3`;
    const { status, fields, body } = await curl(...ACCEPT, '-H', 'last-event-id: 7', url);
    expect(status).toBe('HTTP/1.1 200 OK');
    expect(Object.fromEntries(fields)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'transfer-encoding': 'chunked',
      connection: 'keep-alive',
    });
    expect(body).toBe(ticks(8, 3));
  });

  withCurl('gets it over HTTP/1.0 up to the end of the connection', async () => {
    await using server = startServer(APP);
    const { fields, body } = await curl('--http1.0', ...ACCEPT, `${await server.url()}/ticks/2`);
    expect(fields.get('connection')).toBe('close');
    expect(fields.has('transfer-encoding')).toBe(false);
    expect(fields.has('content-length')).toBe(false);
    expect(body).toBe(ticks(1, 2));
  });

  withCurl('gets it in answer to POST, with what it has posted', async () => {
    await using server = startServer(APP);
    const { body } = await curl(...ACCEPT, '--data-binary', 'one\ntwo', `${await server.url()}/posted`);
    expect(body).toBe('data: one\ndata: two\n\n');
  });

  withCurl('gets the head alone for HEAD, and the connection is kept', async () => {
    await using server = startServer(APP);
    const url = `${await server.url()}/ticking`;
    const { status, fields, body } = await curl(...ACCEPT, '-I', '-w', '%{num_connects} ', url, url);
    expect(status).toBe('HTTP/1.1 200 OK');
    expect(fields.get('content-type')).toBe('text/event-stream');
    expect(body).toMatch(/^1 HTTP.*\r\n\r\n0 $/s);
    await server.said(/HEAD \/ticking ended: x-head/);
  });

  withCurl('gets another response where the application declines, and keeps the connection', async () => {
    await using server = startServer(APP);
    const url = await server.url();
    const { status, body } = await curl(
      ...ACCEPT,
      '-w',
      ' %{num_connects}',
      `${url}/declined`,
      `${url}/declined`,
    );
    expect(status).toBe('HTTP/1.1 403 Forbidden');
    expect(body).toStartWith('no events for you 1HTTP/1.1 403');
    expect(body).toEndWith('no events for you 0');
  });

  withCurl('sees each event as it is sent, and the application hears when it goes', async () => {
    await using server = startServer(APP);
    const url = `${await server.url()}/ticking`;
    {
      await using stream = new RunningProgram([programPath('curl'), '-sN', ...ACCEPT, url]);
      await stream.said(/data: tick 1\ndata: ü\n\n/);
    }
    await server.said(/GET \/ticking ended: client_closed/);
  });
});

describe('EventSource of Chromium', () => {
  const browser = sharedBrowser();

  needs('chromium')(
    'gets named events, comes back for more, gives up where declined, and closes',
    async () => {
      await using server = startServer(APP);
      const { page, failures } = await (await browser()).open(await server.url());
      const named = [1, 2, 3, 4, 5].map((id) => [String(id), `tick ${id}\nü`]);
      // Two ticks a stream: 1 and 2, 3 and 4, 5.
      expect(await page.evaluate('eventScenarios.comesBack()')).toEqual({ seen: named, opened: 3, state: 2 });
      expect(await page.evaluate('eventScenarios.closes()')).toEqual(named.slice(0, 1));
      await server.said(/GET \/ticking ended: client_closed/);
      expect(await page.evaluate('eventScenarios.declined()')).toBe(2);
      expect(failures).toEqual([expect.stringContaining('403')]);
    },
  );

  needs('chromium')('sees its stream end when the server goes, and would come back', async () => {
    await using server = startServer(APP);
    const { page } = await (await browser()).open(await server.url());
    // One whose terminator is missing would be a failed request.
    const finished = page.waitForEvent('requestfinished', (request) => request.url().endsWith('/ticking'));
    const state = page.evaluate('eventScenarios.stays()');
    await server.said(/GET \/ticking began/);
    server.kill('SIGTERM');
    expect(await state).toBe(0);
    await finished;
    await server.said(/GET \/ticking ended: server_shutdown/);
    expect((await server.end()).exitCode).toBe(0);
  });
});
