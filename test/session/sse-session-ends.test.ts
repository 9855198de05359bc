/**
 * The ways in which an event stream ends, and what the application is told of each.
 */
import { describe, expect, test } from 'bun:test';
import { afterMicrotasks, stateOf } from '../support/settled.ts';
import {
  CLOSE,
  comment,
  data,
  decline,
  keepalive,
  openSse,
  openStream,
  refusalOf,
  START,
} from '../support/sse-session.ts';

describe('sse.close', () => {
  test('ends the stream, resolves when the client has it, and only then tells the application', async () => {
    const { session, exchange } = await openStream();
    await session.receive();
    const told = session.receive();
    await session.send(data('last'));
    exchange.hold();
    const closing = session.send(CLOSE);
    expect(exchange.calls.at(-1)).toBe('end');
    expect([await stateOf(closing), await stateOf(told)]).toEqual(['pending', 'pending']);
    exchange.release();
    await closing;
    expect(await told).toEqual({ type: 'sse.disconnect', reason: 'x-app-closed' });
  });

  test('gives its reason back', async () => {
    const { session } = await openStream();
    await session.send({ ...CLOSE, reason: 'x-done' });
    expect(await session.receive()).toEqual({ type: 'sse.disconnect', reason: 'x-done' });
  });

  test('twice is once, and other events are refused behind it', async () => {
    const { session, exchange } = await openStream();
    await session.send(CLOSE);
    await session.send({ ...CLOSE, reason: 'again' });
    for (const event of [START, data('x'), comment('x'), keepalive(1), decline()])
      expect(await refusalOf(session, event)).toContain('is not allowed after sse.close');
    expect(exchange.calls).toEqual(['respond 200', 'end']);
  });
});

describe('a client that has gone', () => {
  test('is told with its reason, once and for good, and every send does nothing', async () => {
    const { session, exchange, clock } = await openStream({ sseIdleTimeout: 10 });
    await session.send(keepalive(1));
    await session.receive();
    const waiting = session.receive();
    session.disconnected('write_timeout');
    for (const receiver of [waiting, session.receive()])
      expect(await receiver).toEqual({ type: 'sse.disconnect', reason: 'write_timeout' });
    for (const event of [data('x'), data(5), CLOSE, null])
      expect(await refusalOf(session, event)).toBe('accepted');
    expect([session.standing, session.finish(), clock.timers]).toEqual(['gone', undefined, 0]);
    expect(exchange.calls).toEqual(['respond 200']);
  });

  test('while the stream is closed has gone', async () => {
    const { session, exchange } = await openStream();
    exchange.hold();
    const closing = session.send(CLOSE);
    session.disconnected('client_closed');
    exchange.release();
    await closing;
    expect(await session.receive()).toEqual({ type: 'sse.disconnect', reason: 'client_closed' });
  });
});

describe('an application that returns', () => {
  test('ends its stream', async () => {
    const { session, exchange } = await openStream();
    await session.send(data('x'));
    expect(session.finish()).toBeUndefined();
    expect([exchange.calls.at(-1), session.standing]).toEqual(['end', 'complete']);
  });

  test('without a start, or in the middle of declining, has failed', async () => {
    const { session } = openSse();
    expect(session.finish()).toBe('without a response');
    await session.send(decline());
    expect(session.finish()).toBe('before its response was complete; connection closed');
  });
});

describe('an application that fails', () => {
  test('before the start is answered for', async () => {
    const { session, exchange } = openSse();
    session.fail();
    expect([exchange.calls[0], session.standing]).toEqual(['respond 500', 'complete']);
    expect(await refusalOf(session, START)).toContain('not allowed');
  });

  test('in its stream or response has that broken off, and its alarms stopped', async () => {
    const { session, exchange, clock } = await openStream({ sseIdleTimeout: 10 });
    session.fail();
    expect([exchange.calls, clock.timers]).toEqual([['respond 200', 'abort server_error'], 0]);
    const other = openSse();
    await other.session.send(decline());
    other.session.fail();
    expect(other.exchange.calls).toEqual(['respond 403', 'abort server_error']);
  });
});

describe('a shutdown', () => {
  test('is told, leaves time for a goodbye, and ends the stream in order', async () => {
    const { session, exchange } = await openStream();
    await session.receive();
    const goodbye = session.receive().then(async ({ type }) => await session.send(data(`bye ${type}`)));
    session.shutdown();
    await goodbye;
    await afterMicrotasks();
    expect(exchange.calls).toEqual(['respond 200', 'write data: bye sse.disconnect\n\n', 'end']);
    expect(await session.receive()).toEqual({ type: 'sse.disconnect', reason: 'server_shutdown' });
    for (const event of [data('late'), CLOSE]) expect(await refusalOf(session, event)).toBe('accepted');
    expect([exchange.calls.length, session.standing]).toEqual([3, 'gone']);
  });

  test('ends a stream once, whoever is first', async () => {
    const { session, exchange } = await openStream();
    session.shutdown();
    session.finish();
    await afterMicrotasks();
    expect(exchange.calls).toEqual(['respond 200', 'end']);
    session.shutdown();
    await afterMicrotasks();
    expect(exchange.calls).toEqual(['respond 200', 'end']);
  });

  test('does not keep an application from answering, and a stream that begins then is short', async () => {
    const controller = new AbortController();
    const { session, exchange } = openSse({}, { shutdownSignal: controller.signal });
    controller.abort();
    session.shutdown();
    await afterMicrotasks();
    expect(exchange.calls).toEqual([]);
    await session.send(START);
    await session.send(data('x'));
    await afterMicrotasks();
    expect(exchange.calls).toEqual(['respond 200', 'write data: x\n\n', 'end']);
    expect(await session.receive()).toEqual({ type: 'sse.disconnect', reason: 'server_shutdown' });
  });
});
