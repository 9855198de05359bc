import { expect } from 'bun:test';
import { needs, programPath } from '../support/program.ts';
import { runProgram, type FinishedProgram } from '../support/running-program.ts';
import { onEachTransport, startHttp2 } from './http2-server.ts';
import { Upload } from './upload.ts';

/** Frames that nghttp has received, in its words: `HEADERS frame <length=38, flags=0x05, stream_id=13>`. */
function framesIn(output: string, name: string): { length: number; flags: number; stream: number }[] {
  const pattern = new RegExp(
    `recv ${name} frame <length=(\\d+), flags=0x([0-9a-f]{2}), stream_id=(\\d+)>`,
    'g',
  );
  return [...output.matchAll(pattern)].map(([, length, flags, stream]) => ({
    length: Number(length),
    flags: Number.parseInt(flags!, 16),
    stream: Number(stream),
  }));
}

const END_STREAM = 1;

onEachTransport('nghttp', (transport) => {
  const withNghttp = needs('nghttp');
  const nghttp = (...args: string[]): Promise<FinishedProgram> =>
    runProgram([programPath('nghttp'), '-y', '-t', '10s', ...args]);

  withNghttp('has 60 streams at once on one connection, and each ends with all of its content', async () => {
    await using server = await startHttp2(transport);
    const { output } = await nghttp(
      '-nv',
      '-m20',
      ...['1', '70000', '300000'].map((size) => `${server.url}/download/${size}`),
    );
    const sizes = new Map<number, number>();
    for (const { stream, length } of framesIn(output, 'DATA')) {
      sizes.set(stream, (sizes.get(stream) ?? 0) + length);
    }
    const count = (size: number): number => [...sizes.values()].filter((other) => other === size).length;
    expect([1, 70_000, 300_000].map(count)).toEqual([20, 20, 20]);
    expect(framesIn(output, 'DATA').filter(({ flags }) => flags & END_STREAM)).toHaveLength(60);
    expect([framesIn(output, 'RST_STREAM'), framesIn(output, 'GOAWAY')]).toEqual([[], []]);
    expect(output).not.toContain('not processed');
  });

  withNghttp('uploads a megabyte in padded frames, with trailers behind them', async () => {
    await using server = await startHttp2(transport);
    using upload = new Upload(1_000_000);
    const flags = ['-b', '100', '--trailer', 'x-sum: 1', '-d', upload.file];
    expect((await nghttp(...flags, `${server.url}/digest`)).output).toBe(upload.digest);
  });

  withNghttp('gets trailers in a last HEADERS frame', async () => {
    await using server = await startHttp2(transport);
    using upload = new Upload(20_000);
    const { output } = await nghttp('-nv', '-d', upload.file, `${server.url}/trailers`);
    expect(output).toContain(') x-size: 20000\n');
    expect(framesIn(output, 'HEADERS').map(({ flags }) => (flags & END_STREAM) !== 0)).toEqual([false, true]);
    expect(framesIn(output, 'DATA').some(({ flags }) => flags & END_STREAM)).toBe(false);
  });

  withNghttp('sends headers that need CONTINUATION frames', async () => {
    await using server = await startHttp2(transport);
    const { output } = await nghttp('--continuation', `${server.url}/report`);
    const { headers } = JSON.parse(output) as { headers: [string, string][] };
    const large = headers.filter(([name]) => name.startsWith('continuation-test-'));
    expect(large.map(([, value]) => value.length)).toEqual(Array<number>(6).fill(4096));
  });

  withNghttp('is told that its stream was reset, and not that its content ended', async () => {
    await using server = await startHttp2(transport);
    const { output } = await nghttp('-nv', `${server.url}/broken`);
    expect(framesIn(output, 'RST_STREAM')).toHaveLength(1);
    expect(output).toContain('(error_code=INTERNAL_ERROR(0x02))');
    expect(framesIn(output, 'DATA').some(({ flags }) => flags & END_STREAM)).toBe(false);
  });

  needs('h2load')(
    'h2load has no failing request of 60 000 over 50 connections with 32 streams each',
    async () => {
      await using server = await startHttp2(transport);
      const load = ['-n', '60000', '-c', '50', '-m', '32', `${server.url}/report`];
      const { exitCode, output } = await runProgram([programPath('h2load'), ...load]);
      expect(exitCode).toBe(0);
      expect(output).toContain('60000 done, 60000 succeeded, 0 failed, 0 errored, 0 timeout');
      expect(output).toContain('status codes: 60000 2xx, 0 3xx, 0 4xx, 0 5xx');
    },
  );

  needs('h2load')('h2load has no failing request of 3000 uploads of 20 KB', async () => {
    await using server = await startHttp2(transport);
    using upload = new Upload(20_000);
    const load = ['-n', '3000', '-c', '20', '-m', '10', '-d', upload.file, `${server.url}/digest`];
    const { output } = await runProgram([programPath('h2load'), ...load]);
    expect(output).toContain('3000 done, 3000 succeeded, 0 failed, 0 errored, 0 timeout');
    expect(output).toContain('status codes: 3000 2xx');
  });
});
