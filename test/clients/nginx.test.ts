import { join } from 'node:path';
import { describe, expect } from 'bun:test';
import { needs } from '../support/program.ts';
import { startServer } from '../support/running-program.ts';
import { NginxProxy } from './nginx-proxy.ts';
import { Upload } from './upload.ts';

const APP = 'test/clients/app.ts';
const LARGE = 20_000_000;

interface Seen {
  readonly path: string;
  readonly headers: [string, string][];
  readonly client?: [string, number];
}

async function carryOn(url: string): Promise<Seen[]> {
  using upload = new Upload(LARGE);
  const posted = await fetch(`${url}/digest`, { method: 'POST', body: upload.bytes });
  expect(await posted.text()).toBe(upload.digest);

  const download = await fetch(`${url}/download/${LARGE}`);
  expect((await download.arrayBuffer()).byteLength).toBe(LARGE);

  const seen: Seen[] = [];
  for (let round = 0; round < 10; round++) {
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, index) => fetch(`${url}/${round}/${index}`)),
    );
    for (const response of responses) {
      expect(response.status).toBe(200);
      seen.push((await response.json()) as Seen);
    }
  }
  expect(seen).toHaveLength(200);
  return seen;
}

describe('nginx in front', () => {
  needs('nginx')('hands on large bodies and 200 requests over TCP, none failing', async () => {
    await using server = startServer(APP, ['--port', '0', '--max-body-size', '0']);
    await using nginx = await NginxProxy.start(new URL(await server.url()).host);
    const seen = await carryOn(nginx.url);
    expect(seen[0]!.headers).toContainEqual(['x-forwarded-for', '127.0.0.1']);
    // nginx kept connections open and used them again: fewer of its ports than requests.
    expect(new Set(seen.map(({ client }) => client?.[1])).size).toBeLessThan(60);
    expect(nginx.complaints).toEqual([]);
  });

  needs('nginx')('hands on large bodies and 200 requests over a unix socket, none failing', async () => {
    using place = new Upload(0);
    const path = join(place.directory, 'server.sock');
    await using server = startServer(APP, ['--socket', path, '--max-body-size', '0']);
    await server.said(/listening on unix:/);
    await using nginx = await NginxProxy.start(`unix:${path}`);
    const seen = await carryOn(nginx.url);
    expect(seen[0]!.headers).toContainEqual(['x-forwarded-for', '127.0.0.1']);
    expect(seen[0]).not.toHaveProperty('client');
    expect(nginx.complaints).toEqual([]);
  });
});
