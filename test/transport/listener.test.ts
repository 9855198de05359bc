/**
 * A listener that stops and starts again: what has connected in between is there, and what was open goes on.
 */
import type { Buffer } from 'node:buffer';
import { expect, test } from 'bun:test';
import { bind } from '../../src/transport/bind.ts';
import { Listener } from '../../src/transport/listener.ts';
import type { ListenAddress } from '../../src/transport/listen-spec.ts';
import { TransportSocket } from '../../src/transport/socket.ts';
import { needs, programPath } from '../support/program.ts';
import { RawClient, type Address } from '../support/raw-client.ts';
import { runProgram } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/within.ts';

/** Sends back what it gets, and remembers what it was told. */
class EchoSocket extends TransportSocket {
  readonly events: string[] = [];

  received(chunk: Buffer): void {
    this.events.push(`received ${chunk.toString()}`);
    this.write(chunk);
  }

  writable(): void {
    this.events.push('writable');
  }

  inputEnded(): void {
    this.events.push('inputEnded');
    this.write('bye');
    this.end();
  }

  closed(): void {
    this.events.push('closed');
  }
}

interface EchoListener extends Disposable {
  readonly listener: Listener;
  readonly sockets: EchoSocket[];
  connect(): Promise<RawClient>;
}

const TCP: ListenAddress = { type: 'tcp', host: '127.0.0.1', port: 0 };

/** Bound, and not accepting yet. */
async function echoListener(where: ListenAddress = TCP): Promise<EchoListener> {
  const bound = await bind(where, { listenerBacklog: 16, reusePort: false });
  const sockets: EchoSocket[] = [];
  const listener = new Listener(
    bound,
    (raw) => {
      const socket = new EchoSocket(raw);
      sockets.push(socket);
      return socket;
    },
    { listenerBacklog: 16 },
  );
  const { address: real } = bound;
  const address: Address = real.type === 'unix' ? { path: real.path } : { host: real.host, port: real.port };
  return {
    listener,
    sockets,
    connect: () => RawClient.connect(address),
    [Symbol.dispose]: () => listener.release(),
  };
}

async function echoes(client: RawClient, text: string): Promise<void> {
  void client.send(text);
  await client.received(text);
}

test('who connects before the start is served after it', async () => {
  using it = await echoListener();
  const client = await it.connect();
  void client.send('early');
  expect(it.sockets).toHaveLength(0);
  it.listener.start();
  await client.received('early');
  expect(it.sockets).toHaveLength(1);
  client.close();
});

for (const kind of ['TCP', 'a unix socket'] as const) {
  test(`on ${kind}, who connects while it is stopped waits for the next start, and who was there goes on`, async () => {
    using directory = temporaryDirectory();
    using it = await echoListener(kind === 'TCP' ? TCP : { type: 'unix', path: directory.join('a') });
    it.listener.start();
    const before = await it.connect();
    await echoes(before, 'one');
    it.listener.stop();
    const between = await it.connect();
    void between.send('two');
    await echoes(before, 'three');
    expect([it.sockets.length, between.unread]).toEqual([1, '']);
    it.listener.start();
    await between.received('two');
    const after = await it.connect();
    await echoes(after, 'four');
    expect(it.sockets).toHaveLength(3);
    for (const client of [before, between, after]) client.close();
  });
}

test('it can stop and start many times, and starting or stopping twice is once', async () => {
  using it = await echoListener();
  for (let round = 0; round < 20; round++) {
    it.listener.start();
    it.listener.start();
    it.listener.stop();
    it.listener.stop();
  }
  it.listener.start();
  const client = await it.connect();
  await echoes(client, 'still here');
  client.close();
});

test('who has been waiting when it is released is refused', async () => {
  const it = await echoListener();
  const waiting = await it.connect();
  it.listener.release();
  expect(await waiting.ended()).not.toBe('open');
  expect(waiting.unread).toBe('');
  await expect(it.connect()).rejects.toThrow('ECONNREFUSED');
});

test('a socket hears of bytes, of the FIN, and of its end last and once', async () => {
  using it = await echoListener();
  it.listener.start();
  const client = await it.connect();
  await echoes(client, 'hello');
  client.halfClose();
  await client.received('bye');
  expect(await client.ended()).toBe('fin');
  const socket = it.sockets[0]!;
  await until(() => socket.events.includes('closed'), 'the socket to close');
  expect(socket.events).toEqual(['received hello', 'inputEnded', 'closed']);
});

test('what is written to a socket as text leaves as one byte per char', async () => {
  using it = await echoListener();
  it.listener.start();
  const client = await it.connect();
  await echoes(client, 'a');
  it.sockets[0]!.write('\xe9\xff\x80');
  await client.received('\xe9\xff\x80');
  client.close();
});

test('a socket that is paused reads nothing until it resumes', async () => {
  using it = await echoListener();
  it.listener.start();
  const client = await it.connect();
  await echoes(client, 'a');
  const socket = it.sockets[0]!;
  socket.pause();
  await client.send('held');
  const other = await it.connect();
  await echoes(other, 'b');
  expect(socket.events).not.toContain('received held');
  socket.resume();
  await client.received('held');
  client.close();
  other.close();
});

test('a socket that is reset shows its peer that it did not end in order', async () => {
  using it = await echoListener();
  it.listener.start();
  const client = await it.connect();
  await echoes(client, 'a');
  it.sockets[0]!.reset();
  expect(await client.ended()).toBe('reset');
});

needs('ss')('the queue of connections has the length that was asked for, also after a pause', async () => {
  using it = await echoListener();
  const { address } = it.listener.bound;
  if (address.type !== 'tcp') throw new Error('TCP only');
  const queue = async (): Promise<number> => {
    const flags = ['-ltnH', `sport = :${address.port}`];
    const { output } = await runProgram([programPath('ss'), ...flags]);
    return Number(output.split(/\s+/)[2]);
  };
  for (let round = 0; round < 2; round++) {
    it.listener.start();
    expect(await queue()).toBe(16);
    it.listener.stop();
  }
});
