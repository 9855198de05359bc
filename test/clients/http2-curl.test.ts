import { join } from 'node:path';
import { expect } from 'bun:test';
import { needs, programPath } from '../support/program.ts';
import { RunningProgram, runProgram, type FinishedProgram } from '../support/running-program.ts';
import { onEachTransport, startHttp2 } from './http2-server.ts';
import { Upload } from './upload.ts';

const MEGABYTE = 1_000_000;
const EVENTS = ['-H', 'accept: text/event-stream'];

onEachTransport('curl', (transport) => {
  const withCurl = needs('curl');
  const command = [
    programPath('curl'),
    '-sS',
    '--max-time',
    '15',
    ...(transport.isSecure ? ['-k', '--http2'] : ['--http2-prior-knowledge']),
  ];

  const run = (...args: string[]): Promise<FinishedProgram> => runProgram([...command, ...args]);

  async function curl(...args: string[]): Promise<string> {
    const { exitCode, output } = await run(...args);
    if (exitCode !== 0) throw new Error(`curl ended with ${exitCode}: ${output}`);
    return output;
  }

  withCurl('gets a response, and its request is seen as it was sent', async () => {
    await using server = await startHttp2(transport);
    const headers = ['X_Odd: a', 'x-two: 1', 'x-two: 2'].flatMap((header) => ['-H', header]);
    const output = await curl('-i', ...headers, `${server.url}/a%20b?c=%20d`);
    const [head, body] = output.split('\r\n\r\n') as [string, string];
    expect(head).toStartWith('HTTP/2 200 \r\n');
    expect(head).toMatch(/^server: tsagi-server\r?$/m);
    expect(head).toMatch(/^date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r?$/m);
    expect(JSON.parse(body)).toMatchObject({
      method: 'GET',
      httpVersion: '2',
      path: '/a b',
      queryString: 'c=%20d',
    });
    const seen = (JSON.parse(body) as { headers: [string, string][] }).headers;
    expect(seen[0]).toEqual(['host', new URL(server.url).host]);
    expect(seen.filter(([name]) => name.startsWith('x'))).toEqual([
      ['x_odd', 'a'],
      ['x-two', '1'],
      ['x-two', '2'],
    ]);
  });

  withCurl('gets HEAD, 204 and 304 without content', async () => {
    await using server = await startHttp2(transport);
    const report = ['-w', '%{http_version} %{http_code} %{size_download}'];
    const head = await curl('-I', ...report, `${server.url}/download/5000`);
    expect(head).toMatch(/^content-length: 5000\r?$/m);
    expect(head).toEndWith('\r\n\r\n2 200 0');
    expect(await curl(...report, `${server.url}/status/204`)).toBe('2 204 0');
    expect(await curl(...report, `${server.url}/status/304`)).toBe('2 304 0');
  });

  withCurl('uploads several megabytes and gets them back', async () => {
    await using server = await startHttp2(transport);
    using upload = new Upload(8 * MEGABYTE);
    const data = ['--data-binary', `@${upload.file}`];
    expect(await curl(...data, `${server.url}/digest`)).toBe(upload.digest);
    const copy = join(upload.directory, 'copy');
    await curl(...data, '-o', copy, `${server.url}/echo`);
    expect(Buffer.compare(await Bun.file(copy).bytes(), upload.bytes)).toBe(0);
  });

  withCurl('is told to continue before it uploads', async () => {
    await using server = await startHttp2(transport);
    using upload = new Upload(2 * MEGABYTE);
    // Rather fail than give up waiting for the 100 and send all the same.
    const expecting = ['-H', 'expect: 100-continue', '--expect100-timeout', '30', '-i'];
    const output = await curl(...expecting, '--data-binary', `@${upload.file}`, `${server.url}/digest`);
    expect(output).toStartWith('HTTP/2 100 \r\n\r\nHTTP/2 200 \r\n');
    expect(output).toEndWith(upload.digest);
  });

  withCurl('does not upload what is too large, and is told so', async () => {
    await using server = await startHttp2(transport, '--max-body-size', '1m');
    using upload = new Upload(2 * MEGABYTE);
    const output = await curl('-i', '--data-binary', `@${upload.file}`, `${server.url}/digest`);
    expect(output).toStartWith('HTTP/2 413 \r\n');
  });

  // curl 7.88 fails at the second request on a connection with prior knowledge, whatever the server (CURLE_HTTP2).
  if (transport.isSecure) {
    withCurl('uses one connection for several requests, refused and failing ones among them', async () => {
      await using server = await startHttp2(transport, '--max-body-size', '1m');
      using upload = new Upload(2 * MEGABYTE);
      const report = ['-o', '/dev/null', '-w', '%{http_code} %{num_connects} %{exitcode}\n'];
      const next = (...args: string[]): string[] => ['--next', ...command.slice(1), ...report, ...args];
      const { output } = await run(
        ...report,
        `${server.url}/report`,
        ...next('--data-binary', `@${upload.file}`, `${server.url}/digest`),
        ...next('-s', `${server.url}/broken`),
        ...next('-I', `${server.url}/download/9`),
      );
      const lines = output.split('\n').filter((line) => /^\d+ \d+ \d+$/.test(line));
      expect(lines).toEqual(['200 1 0', '413 0 0', expect.stringMatching(/ 0 92$/), '200 0 0']);
    });
  }

  withCurl('downloads 100 MB whole', async () => {
    await using server = await startHttp2(transport);
    const report = ['-o', '/dev/null', '-w', '%{http_version} %{http_code} %{size_download}'];
    expect(await curl(...report, `${server.url}/download/100000000`)).toBe('2 200 100000000');
  });

  withCurl('gets trailers behind the content', async () => {
    await using server = await startHttp2(transport);
    const output = await curl('-i', '-d', 'content', `${server.url}/trailers`);
    expect(output).toEndWith('\r\n\r\ncontentx-size: 7\r\n');
  });

  withCurl('sees the stream reset when the application fails half-way', async () => {
    await using server = await startHttp2(transport);
    const { exitCode, output } = await run(`${server.url}/broken`);
    expect(exitCode).toBe(92);
    expect(output).toContain('HTTP/2 stream 1 was not closed cleanly: INTERNAL_ERROR (err 2)');
    expect(await curl('-d', 'goes on', `${server.url}/echo`)).toBe('goes on');
  });

  withCurl('gets an event stream, each event as it is sent', async () => {
    await using server = await startHttp2(transport);
    const ticks = await curl('-N', '-i', ...EVENTS, `${server.url}/ticks/2`);
    expect(ticks).toMatch(/^HTTP\/2 200 \r\n(?:.+\r\n)*content-type: text\/event-stream\r\n/);
    expect(ticks).toEndWith('\r\n\r\n: after 0\n\n' + tick(1) + tick(2));
    {
      await using stream = new RunningProgram([...command, '-N', ...EVENTS, `${server.url}/ticking`]);
      await stream.said(/data: tick 1\ndata: ü\n\n/);
    }
    await server.program.said(/sse \/ticking over HTTP\/2\n/);
    await server.program.said(/GET \/ticking ended: client_closed/);
  });

  withCurl('speaks HTTP/1.1 to the same port', async () => {
    await using server = await startHttp2(transport);
    const { output } = await runProgram([programPath('curl'), '-sSk', '--http1.1', `${server.url}/report`]);
    expect(JSON.parse(output)).toMatchObject({ httpVersion: '1.1' });
    if (transport.isSecure) return;
    // RFC 9113 3.1 has done away with the upgrade from HTTP/1.1; a client that still offers it is answered without it.
    const offer = [programPath('curl'), '-sS', '--http2', '-w', ' %{http_version}', `${server.url}/report`];
    expect((await runProgram(offer)).output).toMatch(/^\{.*"httpVersion":"1.1".*\} 1.1$/);
  });
});

function tick(id: number): string {
  return `event: tick\nid: ${id}\nretry: 20\ndata: tick ${id}\ndata: ü\n\n`;
}
