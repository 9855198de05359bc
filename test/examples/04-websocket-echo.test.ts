import { expect, test } from 'bun:test';
import { startServer, type RunningProgram } from '../support/running-program.ts';
import { within } from '../support/within.ts';

const APP = 'examples/04-websocket-echo/app.ts';

const SAMPLES: readonly (string | Uint8Array)[] = [
  '',
  'hello',
  'Größe 42 € 👋',
  'x'.repeat(200_000),
  Uint8Array.of(),
  Uint8Array.of(0, 255, 128),
  Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) % 256),
];

async function open(server: RunningProgram, path: string, protocols: string[] = []): Promise<WebSocket> {
  const { host } = new URL(await server.url());
  const socket = new WebSocket(`ws://${host}${path}`, protocols);
  socket.binaryType = 'arraybuffer';
  const opened = new Promise<WebSocket>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(socket));
    socket.addEventListener('close', () => reject(new Error(`no session at ${path}`)));
  });
  return await within(opened, 'the session');
}

function messages(socket: WebSocket, count: number): Promise<unknown[]> {
  const received: unknown[] = [];
  const all = new Promise<unknown[]>((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      received.push(data instanceof ArrayBuffer ? new Uint8Array(data) : data);
      if (received.length === count) resolve(received);
    });
  });
  return within(all, `${count} messages`);
}

function closed(socket: WebSocket): Promise<CloseEvent> {
  const close = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
  return within(close, 'the close');
}

test('04-websocket-echo gives back every message, in order and of its kind', async () => {
  await using server = startServer(APP);
  const socket = await open(server, '/');
  const echoes = messages(socket, SAMPLES.length);
  for (const sample of SAMPLES) socket.send(sample as string);
  expect(await echoes).toEqual([...SAMPLES]);
  const close = closed(socket);
  socket.close(4321, 'enough');
  const { code, wasClean } = await close;
  expect([code, wasClean]).toEqual([4321, true]);
});

test('04-websocket-echo takes the subprotocol that it knows, and goes without where none is', async () => {
  await using server = startServer(APP);
  expect((await open(server, '/echo', ['chat', 'echo.example'])).protocol).toBe('echo.example');
  expect((await open(server, '/echo')).protocol).toBe('');
});

test('04-websocket-echo denies other paths with a response', async () => {
  await using server = startServer(APP);
  const response = await fetch(`${await server.url()}/elsewhere`, {
    headers: {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    },
  });
  expect(response.status).toBe(404);
  expect(await response.text()).toBe('nothing to echo at /elsewhere\n');
  expect(server.output).not.toContain('error');
});

test('04-websocket-echo tells its clients when the server goes', async () => {
  await using server = startServer(APP);
  const socket = await open(server, '/');
  const echo = messages(socket, 1);
  socket.send('still there');
  expect(await echo).toEqual(['still there']);
  const close = closed(socket);
  server.kill('SIGTERM');
  expect((await close).code).toBe(1001);
  expect((await server.end()).exitCode).toBe(0);
});
