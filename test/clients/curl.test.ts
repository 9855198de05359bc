import { join } from 'node:path';
import { describe, expect, test } from 'bun:test';
import { needs, programPath } from '../support/program.ts';
import { runProgram, startServer } from '../support/running-program.ts';
import { Upload } from './upload.ts';

const APP = 'test/clients/app.ts';
const MEGABYTE = 1_000_000;

async function curl(...args: string[]): Promise<string> {
  const { exitCode, output } = await runProgram([programPath('curl'), '-sS', '--max-time', '15', ...args]);
  if (exitCode !== 0) throw new Error(`curl ended with ${exitCode}: ${output}`);
  return output;
}

describe('curl', () => {
  const withCurl = needs('curl');

  withCurl('gets a response over HTTP/1.1, and its request is seen as it was sent', async () => {
    await using server = startServer(APP);
    const url = await server.url();
    const output = await curl(
      '-i',
      '-H',
      'X_Odd: a',
      '-H',
      'x-two: 1',
      '-H',
      'x-two: 2',
      `${url}/a%20b?c=%20d`,
    );
    const [head, body] = output.split('\r\n\r\n') as [string, string];
    expect(head).toStartWith('HTTP/1.1 200 OK\r\n');
    expect(head).toMatch(/^server: tsagi-server\r?$/m);
    expect(head).toMatch(/^date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r?$/m);
    expect(JSON.parse(body)).toMatchObject({
      method: 'GET',
      httpVersion: '1.1',
      path: '/a b',
      queryString: 'c=%20d',
    });
    const names = (JSON.parse(body) as { headers: [string, string][] }).headers.filter(([name]) =>
      name.startsWith('x'),
    );
    expect(names).toEqual([
      ['x_odd', 'a'],
      ['x-two', '1'],
      ['x-two', '2'],
    ]);
  });

  withCurl('uses one connection for several requests', async () => {
    await using server = startServer(APP);
    const url = await server.url();
    const output = await curl(
      '-w',
      '\n%{num_connects}\n',
      `${url}/1`,
      `${url}/2`,
      `${url}/download/9`,
      `${url}/3`,
    );
    expect(output.split('\n').filter((line) => /^\d$/.test(line))).toEqual(['1', '0', '0', '0']);
  });

  withCurl('gets a response over HTTP/1.0, and the connection closed behind it', async () => {
    await using server = startServer(APP);
    const url = await server.url();
    const output = await curl('--http1.0', '-i', '-w', '\n%{num_connects}\n', `${url}/`, `${url}/`);
    expect(output).toContain('"httpVersion":"1.0"');
    expect(output).not.toContain('transfer-encoding');
    expect(output.split('\n').filter((line) => /^\d$/.test(line))).toEqual(['1', '1']);
  });

  withCurl('keeps a connection over HTTP/1.0 where it asks for that', async () => {
    await using server = startServer(APP);
    const url = await server.url();
    const keep = ['--http1.0', '-H', 'connection: keep-alive'];
    const output = await curl(...keep, '-i', '-w', '\n%{num_connects}\n', `${url}/`, `${url}/`);
    expect(output).toMatch(/^connection: keep-alive\r?$/m);
    expect(output.split('\n').filter((line) => /^\d$/.test(line))).toEqual(['1', '0']);
  });

  withCurl('gets a body without a length over HTTP/1.0, up to the end of the connection', async () => {
    await using server = startServer(APP);
    const output = await curl('--http1.0', '-i', '--data', 'to the end', `${await server.url()}/echo`);
    expect(output).toMatch(/^connection: close\r?$/m);
    expect(output).toEndWith('\r\n\r\nto the end');
  });

  withCurl('uploads several megabytes and gets them back', async () => {
    await using server = startServer(APP);
    using upload = new Upload(8 * MEGABYTE);
    const url = await server.url();
    expect(await curl('--data-binary', `@${upload.file}`, `${url}/digest`)).toBe(upload.digest);
    const copy = join(upload.directory, 'copy');
    await curl('--data-binary', `@${upload.file}`, '-o', copy, `${url}/echo`);
    expect(Buffer.compare(await Bun.file(copy).bytes(), upload.bytes)).toBe(0);
  });

  withCurl('uploads in chunks from a pipe', async () => {
    await using server = startServer(APP);
    using upload = new Upload(3 * MEGABYTE);
    const command = `${programPath('curl')} -sS -v --max-time 15 -T - ${await server.url()}/digest < ${upload.file}`;
    const { output } = await runProgram(['/bin/sh', '-c', command]);
    expect(output).toContain('Transfer-Encoding: chunked');
    expect(output).toContain(upload.digest);
  });

  withCurl('is told to continue before it uploads', async () => {
    await using server = startServer(APP);
    using upload = new Upload(2 * MEGABYTE);
    // Rather fail than give up waiting for the 100 and send all the same.
    const expecting = ['-H', 'expect: 100-continue', '--expect100-timeout', '30', '-i'];
    const output = await curl(
      ...expecting,
      '--data-binary',
      `@${upload.file}`,
      `${await server.url()}/digest`,
    );
    expect(output).toStartWith('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n');
    expect(output).toEndWith(upload.digest);
  });

  withCurl('does not upload what is too large, and is told so', async () => {
    await using server = startServer(APP, ['--port', '0', '--max-body-size', '1m']);
    using upload = new Upload(2 * MEGABYTE);
    const expecting = ['-H', 'expect: 100-continue', '--expect100-timeout', '30', '-i'];
    const output = await curl(
      ...expecting,
      '--data-binary',
      `@${upload.file}`,
      `${await server.url()}/digest`,
    );
    expect(output).toStartWith('HTTP/1.1 413 ');
    expect(output).toMatch(/^connection: close\r?$/m);
  });

  withCurl('gets the head alone for HEAD, 204 and 304, and goes on with the same connection', async () => {
    await using server = startServer(APP);
    const url = await server.url();
    const head = await curl(
      '-I',
      '-w',
      '%{num_connects} %{size_download}\n',
      `${url}/download/5000`,
      `${url}/`,
    );
    expect(head).toMatch(/^content-length: 5000\r?$/m);
    expect(head.split('\n').filter((line) => /^\d \d+$/.test(line))).toEqual(['1 0', '0 0']);
    const empty = await curl(
      '-w',
      '%{http_code} %{num_connects}\n',
      `${url}/status/204`,
      `${url}/status/304`,
    );
    expect(empty).toBe('204 1\n304 0\n');
  });

  withCurl('downloads 100 MB whole', async () => {
    await using server = startServer(APP);
    const url = `${await server.url()}/download/100000000`;
    expect(await curl('-o', '/dev/null', '-w', '%{http_code} %{size_download}', url)).toBe('200 100000000');
  });

  withCurl('comes over a unix socket', async () => {
    using upload = new Upload(MEGABYTE);
    const path = join(upload.directory, 'server.sock');
    await using server = startServer(APP, ['--socket', path]);
    await server.said(/listening on unix:/);
    expect(await curl('--unix-socket', path, '--data-binary', `@${upload.file}`, 'http://any/digest')).toBe(
      upload.digest,
    );
    const seen = JSON.parse(await curl('--unix-socket', path, 'http://any/')) as Record<string, unknown>;
    expect(seen).not.toHaveProperty('client');
  });
});

test('the app that the clients talk to is an app', async () => {
  await using server = startServer(APP);
  expect((await fetch(await server.url())).status).toBe(200);
});
