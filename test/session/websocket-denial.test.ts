/**
 * A WebSocket handshake that the application answers with an ordinary response (`websocket.http.response`).
 */
import { describe, expect, test } from 'bun:test';
import { stateOf } from '../support/settled.ts';
import {
  accept,
  close,
  connectWebSocket,
  denial,
  denialBody,
  eventsToEnd,
  keepalive,
  openWebSocket,
  refusalOf,
  text,
} from '../support/websocket-session.ts';

describe('denying', () => {
  test('is an ordinary response, its body in pieces, and no disconnect follows', async () => {
    const { session, exchange } = connectWebSocket();
    await session.receive();
    await session.send(denial(401, { headers: [['www-authenticate', 'Basic']] }));
    expect(session.standing).toBe('started');
    await session.send(denialBody('one ', { more: true }));
    await session.send(denialBody(Uint8Array.of(0xff), { more: true }));
    await session.send(denialBody());
    expect(exchange.calls).toEqual(['respond 401', 'write one ', 'write \xff', 'end ']);
    expect(exchange.response?.headers.list).toEqual([['www-authenticate', 'Basic']]);
    expect([session.standing, await stateOf(session.receive())]).toEqual(['complete', 'pending']);
  });

  test('makes its sends wait for a client that is slow', async () => {
    const { session, exchange } = connectWebSocket();
    await session.send(denial(403));
    exchange.hold();
    const waiting = session.send(denialBody('x', { more: true }));
    expect(await stateOf(waiting)).toBe('pending');
    exchange.release();
    await waiting;
  });

  test('excludes the session: whichever is first wins', async () => {
    const { session } = connectWebSocket();
    await session.send(denial(403));
    for (const event of [accept(), text('x'), close(), keepalive(5), denial(404)]) {
      expect(await refusalOf(session, event)).toEndWith('is not allowed once the handshake is being denied');
    }
    await session.send(denialBody());
    expect(await refusalOf(session, denialBody('more'))).toBe(
      'websocket.http.response.body is not allowed after the handshake has been denied',
    );
  });

  test('is ignored once the session is open, or has been closed', async () => {
    const { session, exchange } = await openWebSocket();
    await session.send(denial(403));
    await session.send(denialBody('x'));
    await session.send(denial('nonsense'));
    expect([exchange.calls, session.standing]).toEqual([[], 'started']);
    await session.send(close());
    exchange.calls.length = 0;
    await session.send(denial(403));
    await session.send(denialBody('x'));
    expect(exchange.calls).toEqual([]);
  });

  const faults: [object, string][] = [
    [
      denial(undefined),
      'websocket.http.response.start: status must be an integer from 200 to 999, not undefined',
    ],
    [denial(101), 'websocket.http.response.start: status must be an integer from 200 to 999, not 101'],
    [denial('403'), 'websocket.http.response.start: status must be an integer from 200 to 999, not "403"'],
    [denial(403, { headers: 'x' }), 'websocket.http.response.start: headers must be an array of'],
    [denialBody('x'), 'websocket.http.response.body is not allowed before websocket.accept'],
  ];
  for (const [event, message] of faults) {
    test(`rejects with "${message}", writes nothing, and leaves the session as it was`, async () => {
      const { session, exchange } = connectWebSocket();
      expect(await refusalOf(session, event)).toStartWith(message);
      expect([exchange.calls, session.standing]).toEqual([[], 'initial']);
      await session.send(accept());
      // Too late, and ignored as ever.
      await session.send(denialBody('x', { more: true }));
      expect(exchange.calls).toEqual(['openTunnel']);
    });
  }

  test('rejects a body that is none', async () => {
    const { session, exchange } = connectWebSocket();
    await session.send(denial(403));
    expect(await refusalOf(session, denialBody(5))).toBe(
      'websocket.http.response.body: body must be a string or Uint8Array, not 5',
    );
    expect(await refusalOf(session, denialBody('x', { more: 1 }))).toBe(
      'websocket.http.response.body: more must be a boolean, not 1',
    );
    expect(exchange.calls).toEqual(['respond 403']);
  });

  test('that the client does not wait for ends with a disconnect', async () => {
    const socket = connectWebSocket();
    await socket.session.send(denial(403));
    await socket.session.send(denialBody('x', { more: true }));
    socket.session.disconnected('write_timeout');
    expect(await eventsToEnd(socket)).toEqual(['connect', 'disconnect 1006 write_timeout']);
    await socket.session.send(denialBody('y'));
    expect(socket.exchange.calls).toEqual(['respond 403', 'write x']);
  });
});
