/**
 * `tsagi.connection` and `tsagi.transport`: what they report, in which order, and that a callback that throws stops nobody.
 */
import { describe, expect, test } from 'bun:test';
import { RequestConnection, ScopeTransport } from '../../src/session/scope-handles.ts';
import { FakeOutbound } from '../support/fake-exchange.ts';
import { recordLog } from '../support/log-recorder.ts';
import { stateOf } from '../support/settled.ts';

describe('a request that completes', () => {
  test('calls onComplete in order, and nothing of the other kind', async () => {
    const connection = new RequestConnection(recordLog().log);
    const seen: string[] = [];
    connection.onDisconnect(() => void seen.push('disconnect'));
    connection.onComplete(() => void seen.push('first'));
    connection.onComplete(() => void seen.push('second'));
    const { signal, disconnected } = connection;
    connection.complete();
    expect(seen).toEqual(['first', 'second']);
    expect([connection.isConnected, connection.disconnectReason, signal.aborted]).toEqual([
      true,
      undefined,
      false,
    ]);
    expect(await stateOf(disconnected)).toBe('pending');
  });

  test('stays complete, whatever comes later', () => {
    const connection = new RequestConnection(recordLog().log);
    let calls = 0;
    connection.onComplete(() => void calls++);
    connection.complete();
    connection.complete();
    connection.disconnect('client_closed');
    expect([calls, connection.isConnected, connection.disconnectReason]).toEqual([1, true, undefined]);
  });

  test('calls onComplete at once when registered late, and onDisconnect never', () => {
    const connection = new RequestConnection(recordLog().log);
    connection.complete();
    const seen: string[] = [];
    connection.onComplete(() => void seen.push('complete'));
    connection.onDisconnect(() => void seen.push('disconnect'));
    expect(seen).toEqual(['complete']);
  });
});

describe('a request that ends abnormally', () => {
  test('sets the state first, then the signal, then calls back in order with the reason', async () => {
    const connection = new RequestConnection(recordLog().log);
    const seen: unknown[] = [];
    const { signal, disconnected } = connection;
    signal.addEventListener('abort', () =>
      seen.push(['signal', connection.isConnected, connection.disconnectReason]),
    );
    connection.onDisconnect((reason) => seen.push(['first', reason, signal.aborted]));
    connection.onDisconnect((reason) => seen.push(['second', reason]));
    connection.onComplete(() => seen.push(['complete']));
    connection.disconnect('write_timeout');
    expect(seen).toEqual([
      ['signal', false, 'write_timeout'],
      ['first', 'write_timeout', true],
      ['second', 'write_timeout'],
    ]);
    expect(await disconnected).toBe('write_timeout');
  });

  test('keeps its first reason, and happens once', () => {
    const connection = new RequestConnection(recordLog().log);
    let calls = 0;
    connection.onDisconnect(() => void calls++);
    connection.disconnect('client_closed');
    connection.disconnect('server_shutdown');
    connection.complete();
    expect([calls, connection.disconnectReason]).toEqual([1, 'client_closed']);
  });

  test('is known to whoever asks late', async () => {
    const connection = new RequestConnection(recordLog().log);
    connection.disconnect('idle_timeout');
    const seen: string[] = [];
    connection.onDisconnect((reason) => void seen.push(reason));
    connection.onComplete(() => void seen.push('complete'));
    expect(seen).toEqual(['idle_timeout']);
    expect(connection.signal.aborted).toBe(true);
    expect(await connection.disconnected).toBe('idle_timeout');
  });

  test('gives the signal a reason that fetch and the like throw as an AbortError', () => {
    const connection = new RequestConnection(recordLog().log);
    connection.disconnect('client_closed');
    const reason = connection.signal.reason as DOMException;
    expect([reason.name, reason.message]).toEqual(['AbortError', 'the request ended: client_closed']);
  });

  test('has one signal and one promise, however often they are asked for', () => {
    const connection = new RequestConnection(recordLog().log);
    const { signal, disconnected } = connection;
    connection.disconnect('client_closed');
    expect(connection.signal).toBe(signal);
    expect(connection.disconnected).toBe(disconnected);
  });
});

test('a callback that throws is logged with its name, and the next is called', () => {
  const { log, lines } = recordLog();
  const seen: string[] = [];
  for (const end of ['complete', 'disconnect'] as const) {
    const connection = new RequestConnection(log);
    const register = end === 'complete' ? 'onComplete' : 'onDisconnect';
    connection[register](() => {
      throw new Error(`from ${register}`);
    });
    connection[register](() => void seen.push(register));
    if (end === 'complete') connection.complete();
    else connection.disconnect('client_closed');
  }
  expect(seen).toEqual(['onComplete', 'onDisconnect']);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toStartWith('error a callback given to onComplete threw: Error: from onComplete');
  expect(lines[1]).toStartWith('error a callback given to onDisconnect threw: Error: from onDisconnect');
});

describe('the transport', () => {
  test('reports what the queue has, at the moment it is asked', () => {
    const outbound = new FakeOutbound();
    const transport = new ScopeTransport(outbound, recordLog().log);
    expect([transport.bufferedAmount, transport.highWaterMark, transport.lowWaterMark]).toEqual([
      0, 1000, 200,
    ]);
    outbound.bufferedAmount = 77;
    expect(transport.bufferedAmount).toBe(77);
  });

  test('registers and unregisters with the queue', () => {
    const outbound = new FakeOutbound();
    const transport = new ScopeTransport(outbound, recordLog().log);
    let calls = 0;
    const unregister = [transport.onHighWater(() => void calls++), transport.onDrain(() => void calls++)];
    for (const listener of [...outbound.highListeners, ...outbound.drainListeners]) listener();
    expect(calls).toBe(2);
    for (const stop of unregister) stop();
    expect([outbound.highListeners.size, outbound.drainListeners.size]).toEqual([0, 0]);
  });

  test('keeps what a callback throws from the queue, and logs it', () => {
    const { log, lines } = recordLog();
    const outbound = new FakeOutbound();
    new ScopeTransport(outbound, log).onDrain(() => {
      throw new Error('from onDrain');
    });
    for (const listener of outbound.drainListeners) expect(listener).not.toThrow();
    expect(lines[0]).toStartWith('error a callback given to onDrain threw: Error: from onDrain');
  });
});
