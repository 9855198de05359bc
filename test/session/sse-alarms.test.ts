/**
 * What an event stream does by itself, on a clock that the test turns.
 */
import { describe, expect, test } from 'bun:test';
import { CLOSE, comment, data, keepalive, openSse, openStream, START } from '../support/sse-session.ts';

const counted = (content: string, part: string): number => content.split(part).length - 1;

describe('keepalive', () => {
  test('sends a comment in every interval', async () => {
    const { session, exchange, clock } = await openStream();
    await session.send(keepalive(5, { comment: 'still here' }));
    clock.advance(4999);
    expect(exchange.content).toBe('');
    clock.advance(1);
    expect(exchange.content).toBe(': still here\n\n');
    clock.advance(20_000);
    expect(exchange.content).toBe(': still here\n\n'.repeat(5));
  });

  test('sends an empty comment where none is given, and takes fractions of a second', async () => {
    const { session, exchange, clock } = await openStream();
    await session.send(keepalive(0.25));
    clock.advance(500);
    expect(exchange.content).toBe(':\n\n:\n\n');
  });

  test('cannot be made to write anything but comments', async () => {
    const { session, exchange, clock } = await openStream();
    await session.send(keepalive(1, { comment: 'a\n\ndata: b' }));
    clock.advance(1000);
    expect(exchange.content).toBe(': a\n:\n: data: b\n\n');
  });

  test('is what it was last set to, and 0 turns it off', async () => {
    const { session, exchange, clock } = await openStream();
    await session.send(keepalive(1, { comment: 'first' }));
    await session.send(keepalive(3, { comment: 'second' }));
    clock.advance(3000);
    expect(exchange.content).toBe(': second\n\n');
    await session.send(keepalive(0));
    clock.advance(60_000);
    expect([exchange.content, clock.timers]).toEqual([': second\n\n', 0]);
  });

  test('that is set before the stream begins runs from its beginning', async () => {
    const { session, exchange, clock } = openSse();
    await session.send(keepalive(2));
    clock.advance(10_000);
    expect(exchange.calls).toEqual([]);
    await session.send(START);
    clock.advance(2000);
    expect(exchange.content).toBe(':\n\n');
  });

  test('leaves out a client that is behind, and comes back to it', async () => {
    const { session, exchange, clock } = await openStream();
    await session.send(keepalive(1));
    exchange.outbound.bufferedAmount = exchange.outbound.lowWaterMark + 1;
    clock.advance(5000);
    expect(exchange.content).toBe('');
    exchange.outbound.bufferedAmount = exchange.outbound.lowWaterMark;
    clock.advance(1000);
    expect(exchange.content).toBe(':\n\n');
  });

  test('takes the longest interval for what it is', async () => {
    const { session, exchange, clock } = await openStream();
    await session.send(keepalive(Number.MAX_VALUE));
    clock.advance(86_400_000);
    expect(exchange.content).toBe('');
  });

  const ends: [string, (opened: Awaited<ReturnType<typeof openStream>>) => unknown][] = [
    ['sse.close', ({ session }) => session.send(CLOSE)],
    ['the return of the application', ({ session }) => session.finish()],
    ['its failure', ({ session }) => session.fail()],
    ['the client', ({ session }) => session.disconnected('client_closed')],
  ];
  for (const [name, end] of ends) {
    test(`ends with ${name}`, async () => {
      const opened = await openStream({ sseIdleTimeout: 30 });
      await opened.session.send(keepalive(1));
      await end(opened);
      const calls = [...opened.exchange.calls];
      opened.clock.advance(100_000);
      expect([opened.exchange.calls, opened.clock.timers]).toEqual([calls, 0]);
    });
  }
});

describe('a stream into which nothing is sent for the idle timeout', () => {
  test('is ended in order, and the application is told', async () => {
    const { session, exchange, clock } = await openStream({ sseIdleTimeout: 30 });
    clock.advance(29_999);
    expect(session.standing).toBe('started');
    clock.advance(1);
    expect([exchange.calls, session.standing]).toEqual([['respond 200', 'end'], 'gone']);
    expect(await session.receive()).toEqual({ type: 'sse.disconnect', reason: 'idle_timeout' });
    await session.send(data('late'));
    expect([exchange.calls.length, clock.timers]).toEqual([2, 0]);
  });

  test('is broken off where the client has not taken what was sent before', async () => {
    const { session, exchange, clock } = await openStream({ sseIdleTimeout: 30 });
    exchange.outbound.bufferedAmount = 1;
    clock.advance(30_000);
    expect(exchange.calls).toEqual(['respond 200', 'abort idle_timeout']);
    expect(await session.receive()).toEqual({ type: 'sse.disconnect', reason: 'idle_timeout' });
  });

  test('does not count as idle while events, comments or keepalives are sent', async () => {
    for (const event of [data('x'), comment('y')]) {
      const { session, exchange, clock } = await openStream({ sseIdleTimeout: 30 });
      for (let i = 0; i < 5; i++) {
        clock.advance(20_000);
        await session.send(event);
      }
      expect(exchange.calls).not.toContain('end');
      clock.advance(29_999);
      expect(exchange.calls).not.toContain('end');
      clock.advance(1);
      expect(exchange.calls.at(-1)).toBe('end');
    }
    const { session, exchange, clock } = await openStream({ sseIdleTimeout: 30 });
    await session.send(keepalive(20));
    clock.advance(300_000);
    expect([counted(exchange.content, ':\n\n'), session.standing]).toEqual([15, 'started']);
  });

  test('counts from the start of the stream', async () => {
    const { session, exchange, clock } = openSse({}, { sseIdleTimeout: 30 });
    clock.advance(100_000);
    expect(exchange.calls).toEqual([]);
    await session.send(START);
    clock.advance(29_999);
    expect(session.standing).toBe('started');
  });

  test('may be quiet for ever where there is no idle timeout', async () => {
    const { session, clock } = await openStream({ sseIdleTimeout: 0 });
    clock.advance(1e9);
    expect([session.standing, clock.timers]).toEqual(['started', 0]);
  });
});
