/**
 * A connection that has switched protocols, against a socket whose kernel buffer the test fills and empties.
 */
import { describe, expect, test } from 'bun:test';
import type { Connection } from '../../src/connection/connection.ts';
import type { H1Exchange } from '../../src/connection/h1-exchange.ts';
import { Tunnel } from '../../src/connection/tunnel.ts';
import type { DisconnectReason } from '../../src/contract/handles.ts';
import { OutboundQueue } from '../../src/transport/outbound-queue.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { afterMicrotasks, stateOf } from '../support/settled.ts';

/** The socket below. It tells the tunnel when it is gone, as a connection does. */
class FakeConnection extends FakeSink {
  /** What is asked of it besides writes. */
  readonly asked: string[] = [];
  tunnel: Tunnel | undefined;

  pause(): void {
    this.asked.push('pause');
  }

  resume(): void {
    this.asked.push('resume');
  }

  end(): void {
    this.asked.push('end');
  }

  linger(): void {
    this.asked.push('linger');
  }

  abort(reason: DisconnectReason): void {
    this.asked.push(`abort ${reason}`);
    this.tunnel?.lost(reason);
  }
}

interface OpenTunnel {
  readonly tunnel: Tunnel;
  readonly connection: FakeConnection;
  /** What the session and the exchange are told: `bytes ab`, `fin`, `shutdown`, `disconnected …`, `finished`. */
  readonly told: string[];
  readonly deadlines: { now: number };
}

function open({
  queued = '',
  early = '',
  isInputEnded = false,
  onBytes = (_tunnel: Tunnel): void => undefined,
} = {}): OpenTunnel {
  const connection = new FakeConnection();
  const outbound = new OutboundQueue(new FakeSink(), {
    writeHighWatermark: 65_536,
    writeLowWatermark: 16_384,
  });
  outbound.putText(queued);
  const told: string[] = [];
  const deadlines = { now: 1 };
  const exchange = {
    context: { deadlines },
    observer: {
      bodyChunk(chunk: Uint8Array, more: boolean) {
        told.push(more ? `bytes ${Buffer.from(chunk).toString('latin1')}` : 'fin');
        if (more) onBytes(tunnel);
      },
      shutdown: () => told.push('shutdown'),
      disconnected: (reason: string) => told.push(`disconnected ${reason}`),
    },
    finish: () => told.push('finished'),
  };
  const tunnel: Tunnel = new Tunnel(
    connection as unknown as Connection,
    exchange as unknown as H1Exchange,
    outbound,
  );
  connection.tunnel = tunnel;
  tunnel.begin(Buffer.from(early, 'latin1'), isInputEnded);
  return { tunnel, connection, told, deadlines };
}

describe('the switch', () => {
  test('goes on reading, and hands on what had come ahead of it', () => {
    const { connection, told } = open({ early: 'ab', isInputEnded: true });
    expect([told, connection.asked]).toEqual([['bytes ab', 'fin'], ['resume']]);
  });

  test('sends its answer at the end of the turn, in one write with what follows at once', async () => {
    const { tunnel, connection } = open({ queued: 'HTTP/1.1 101 Switching Protocols\r\n\r\n' });
    tunnel.send('first');
    tunnel.send(Buffer.from('second'));
    expect(connection.asked).toEqual(['resume']);
    expect(connection.offers).toHaveLength(0);
    await afterMicrotasks();
    expect(connection.received).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\nfirstsecond');
    expect(connection.offers).toHaveLength(1);
  });

  test('sends its answer also when nothing follows', async () => {
    const { connection } = open({ queued: 'answer' });
    await afterMicrotasks();
    expect(connection.received).toBe('answer');
  });

  test('tells of nothing behind early bytes that end the tunnel', () => {
    const { told, connection } = open({
      early: 'bye',
      isInputEnded: true,
      onBytes: (tunnel) => void tunnel.end(),
    });
    expect(told).toEqual(['bytes bye', 'finished']);
    expect(connection.asked.filter((call) => /^(end|linger)/.test(call))).toHaveLength(1);
  });

  test('does not linger for a peer whose FIN came with the early bytes', () => {
    const { connection } = open({ early: 'bye', isInputEnded: true, onBytes: (tunnel) => void tunnel.end() });
    expect(connection.asked.at(-1)).toBe('end');
  });
});

describe('what arrives', () => {
  test('is handed on as it is, and noted', () => {
    const { tunnel, told, deadlines } = open();
    deadlines.now = 77;
    tunnel.received(Buffer.from('\0\xff', 'latin1'));
    tunnel.inputEnded();
    expect([told, tunnel.lastReceived]).toEqual([['bytes \0\xff', 'fin'], 77]);
  });

  test('is held back on demand', () => {
    const { tunnel, connection } = open();
    tunnel.pause();
    tunnel.resume();
    expect(connection.asked).toEqual(['resume', 'pause', 'resume']);
  });

  test('tells of shutdown', () => {
    const { tunnel, told } = open();
    tunnel.drain();
    expect(told).toEqual(['shutdown']);
  });
});

describe('what is sent', () => {
  test('in one turn leaves in one write', async () => {
    const { tunnel, connection } = open();
    await afterMicrotasks();
    for (let i = 0; i < 100; i++) tunnel.send(`${i},`);
    expect(connection.received).toBe('');
    await afterMicrotasks();
    expect(connection.offers).toHaveLength(1);
    expect(connection.received).toStartWith('0,1,2,');
  });

  test('leaves earlier where it is much', () => {
    const { tunnel, connection } = open();
    tunnel.send('x'.repeat(16_384));
    expect(connection.received).toHaveLength(0);
    tunnel.send('y');
    expect(connection.received).toHaveLength(16_385);
  });

  for (const size of [10, 100, 4096, 20_000, 60_000]) {
    test(`as ${size} bytes arrives as it was when it was sent, whatever becomes of its memory`, async () => {
      for (const room of [Infinity, 0, 7]) {
        const { tunnel, connection } = open();
        connection.room = room;
        const memory = Buffer.alloc(size, 'a');
        expect(tunnel.send(memory)).toBeUndefined();
        memory.fill('z');
        await afterMicrotasks();
        connection.room = Infinity;
        tunnel.writable();
        expect(connection.received).toBe('a'.repeat(size));
      }
    });
  }

  test('makes its sender wait above the high-water mark, until the kernel has taken enough', async () => {
    const { tunnel, connection } = open();
    connection.room = 0;
    expect(tunnel.send('x'.repeat(65_536))).toBeUndefined();
    const waiting = tunnel.send('y')!;
    expect([await stateOf(waiting), tunnel.hasBacklog]).toEqual(['pending', true]);
    connection.room = 40_000;
    tunnel.writable();
    expect(await stateOf(waiting)).toBe('pending');
    connection.room = Infinity;
    tunnel.writable();
    await waiting;
    expect([tunnel.hasBacklog, connection.received.length]).toEqual([false, 65_537]);
  });

  test('to a peer that takes everything is the turn of others now and then', async () => {
    const { tunnel } = open();
    let count = 0;
    let waiting: Promise<void> | undefined;
    while (waiting === undefined && count < 1000) {
      waiting = tunnel.send('x'.repeat(1000));
      count++;
    }
    expect(count).toBeLessThan(200);
    let isResolved = false;
    const resolved = waiting!.then(() => (isResolved = true));
    // Promises that are already resolved let nobody else in.
    for (let i = 0; i < 100; i++) await Promise.resolve();
    expect(isResolved).toBe(false);
    await resolved;
  });

  test('is progress only when the kernel takes some of it', () => {
    const { tunnel, connection, deadlines } = open();
    connection.room = 0;
    tunnel.send('x'.repeat(20_000));
    deadlines.now = 50;
    tunnel.writable();
    tunnel.send('more');
    expect(tunnel.lastSent).toBe(1);
    connection.room = 10;
    tunnel.writable();
    expect(tunnel.lastSent).toBe(50);
  });

  test('and is not taken in time breaks the connection off; no other deadline does', () => {
    const { tunnel, connection, told } = open();
    for (const deadline of ['idle', 'head', 'body', 'drain', 'stall', 'linger'] as const) {
      tunnel.expire(deadline);
    }
    expect(connection.asked).toEqual(['resume']);
    tunnel.expire('write');
    expect(connection.asked).toEqual(['resume', 'abort write_timeout']);
    expect(told).toEqual(['disconnected write_timeout', 'finished']);
  });
});

describe('the end', () => {
  test('comes behind what was sent, and then reads on for a while', () => {
    const { tunnel, connection, told } = open();
    tunnel.send('last');
    expect(tunnel.end()).toBeUndefined();
    expect([connection.received, connection.asked.at(-1), told]).toEqual(['last', 'linger', ['finished']]);
    expect(tunnel.phase).toBe('closed');
  });

  test('does not read on where the peer has ended as well', () => {
    const { tunnel, connection } = open();
    tunnel.inputEnded();
    void tunnel.end();
    expect(connection.asked.at(-1)).toBe('end');
  });

  test('waits until the kernel has everything', async () => {
    const { tunnel, connection, told } = open();
    connection.room = 0;
    tunnel.send('last');
    const waiting = tunnel.end()!;
    expect([await stateOf(waiting), tunnel.phase, told]).toEqual(['pending', 'closing', []]);
    expect(connection.asked).toEqual(['resume', 'resume']);
    connection.room = Infinity;
    tunnel.writable();
    await waiting;
    await afterMicrotasks();
    expect([connection.received, connection.asked.at(-1), told]).toEqual(['last', 'linger', ['finished']]);
  });

  test('is the last that the session hears, and takes nothing more', async () => {
    const { tunnel, connection, told } = open();
    connection.room = 0;
    tunnel.send('last');
    void tunnel.end();
    tunnel.received(Buffer.from('late'));
    tunnel.inputEnded();
    tunnel.drain();
    expect([tunnel.send('late'), tunnel.end()]).toEqual([undefined, undefined]);
    tunnel.lost('client_closed');
    await afterMicrotasks();
    expect(told).toEqual(['finished']);
    expect(connection.asked.filter((call) => /^(end|linger)/.test(call))).toEqual([]);
  });

  test('that the connection comes to by itself is told once, and lets everyone go on', async () => {
    const { tunnel, connection, told } = open();
    connection.room = 0;
    tunnel.send('x'.repeat(70_000));
    const waiting = tunnel.send('y')!;
    tunnel.lost('client_closed');
    await waiting;
    expect(told).toEqual(['disconnected client_closed', 'finished']);
    expect([tunnel.send('late'), tunnel.end(), tunnel.hasBacklog]).toEqual([undefined, undefined, false]);
    tunnel.pause();
    tunnel.resume();
    tunnel.abort('server_error');
    tunnel.received(Buffer.from('late'));
    expect([told.length, connection.asked]).toEqual([2, ['resume']]);
  });

  test('by breaking off hands the kernel what it takes', () => {
    const { tunnel, connection, told } = open();
    tunnel.send('frame');
    tunnel.flushStarted();
    expect(connection.received).toBe('frame');
    tunnel.abort('keepalive_timeout');
    expect(told).toEqual(['disconnected keepalive_timeout', 'finished']);
  });
});
