import { Agent, get } from 'node:http';
import { describe, expect, test } from 'bun:test';
import { needs, programPath } from '../support/program.ts';
import { runProgram, startServer } from '../support/running-program.ts';

const APP = 'test/clients/app.ts';

function getText(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

describe('clients of Node', () => {
  needs('node')('node:http keeps one connection, and undici streams both ways', async () => {
    await using server = startServer(APP);
    const client = new URL('node-client.mjs', import.meta.url).pathname;
    const { exitCode, output } = await runProgram([programPath('node'), client, await server.url()]);
    expect({ exitCode, ...JSON.parse(output) }).toEqual({
      exitCode: 0,
      http: [
        { status: 200, text: 'body 0', reused: false },
        { status: 200, text: 'body 1', reused: true },
        { status: 200, text: 'body 2', reused: true },
        { status: 200, text: '', reused: true },
        { status: 200, text: 'xxx', reused: true },
      ],
      fetched: ['streamed by undici', 20_000_000],
    });
  });
});

describe('clients of Bun', () => {
  test('node:http with a keep-alive agent uses one connection', async () => {
    await using server = startServer(APP);
    const url = await server.url();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number>();
    for (let count = 0; count < 5; count++) {
      const seen = JSON.parse(await getText(url, agent)) as { client: [string, number] };
      ports.add(seen.client[1]);
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });

  test('fetch streams an upload and reads the echo while it uploads', async () => {
    await using server = startServer(APP);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const posting = fetch(`${await server.url()}/echo`, { method: 'POST', body: readable });
    await writer.write(Buffer.from('first'));
    const response = await posting;
    const reader = response.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('first');
    await writer.write(Buffer.from('second'));
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('second');
    await writer.close();
    expect((await reader.read()).done).toBe(true);
  });

  test('fetch gets 300 responses, 50 at a time, each its own', async () => {
    await using server = startServer(APP);
    const url = await server.url();
    for (let round = 0; round < 6; round++) {
      const paths = Array.from({ length: 50 }, (_, index) => `/${round}-${index}`);
      const seen = await Promise.all(
        paths.map(async (path) => ((await (await fetch(url + path)).json()) as { path: string }).path),
      );
      expect(seen).toEqual(paths);
    }
  });
});
