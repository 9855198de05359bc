/**
 * The response half as the other scope types use it: under other names, and with a body that may be left out.
 */
import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { HttpResponse } from '../../src/session/http-response.ts';
import { FakeExchange } from '../support/fake-exchange.ts';
import { sessionContext } from '../support/session-context.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function open() {
  const exchange = new FakeExchange();
  const context = sessionContext();
  return { exchange, context, response: new HttpResponse(exchange, context) };
}

const START = { type: 'sse.http.response.start', status: 404 };
const BODY = 'sse.http.response.body';

describe('a response', () => {
  test('goes from initial over started to complete', async () => {
    const { exchange, response } = open();
    const states: string[] = [response.state];
    response.start({ ...START, headers: [['a', 'b']] });
    states.push(response.state);
    await response.body({ type: BODY, body: 'one', more: true });
    states.push(response.state);
    await response.body({ type: BODY, body: 'two' });
    states.push(response.state);
    expect(states).toEqual(['initial', 'started', 'started', 'complete']);
    expect(exchange.calls).toEqual(['respond 404', 'write one', 'end two']);
    expect(exchange.response).toMatchObject({ hasContent: true, hasTrailers: false, isStream: false });
  });

  test('is told as ended before its end leaves, and as completed when the client has it', async () => {
    const seen: string[] = [];
    class Watched extends HttpResponse {
      protected override ended(): void {
        seen.push(`ended ${this.exchange.outbound.bufferedAmount}`);
      }
      protected override completed(): void {
        seen.push('completed');
      }
    }
    const exchange = new FakeExchange();
    const response = new Watched(exchange, sessionContext());
    response.start(START);
    exchange.hold();
    const waiting = response.body({ type: BODY, body: 'x' });
    expect(seen).toEqual(['ended 0']);
    exchange.release();
    await waiting;
    expect(seen).toEqual(['ended 0', 'completed']);
  });

  test('sends files, and is pending meanwhile', async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join('a'), Buffer.alloc(300_000, 'x'));
    const { exchange, response } = open();
    response.start(START);
    const sending = response.body({ type: BODY, file: directory.join('a') });
    expect(response.pending).toBe(sending!);
    await sending;
    expect([response.pending, response.state]).toEqual([undefined, 'complete']);
    expect(exchange.content).toHaveLength(300_000);
  });

  test('that is broken off is aborted, and complete', () => {
    const { exchange, response } = open();
    response.start(START);
    response.breakOff();
    expect([exchange.calls, response.state]).toEqual([['respond 404', 'abort server_error'], 'complete']);
  });
});

describe('an optional body', () => {
  test('that is left out is empty', async () => {
    const { exchange, response } = open();
    response.start({ ...START, type: 'websocket.http.response.start' });
    await response.optionalBody({ type: 'websocket.http.response.body' });
    expect(exchange.calls).toEqual(['respond 404', 'end ']);
  });

  test('is never a file', async () => {
    const { exchange, response } = open();
    response.start({ ...START, type: 'websocket.http.response.start' });
    await response.optionalBody({ type: 'websocket.http.response.body', file: '/etc/passwd', body: 'x' });
    expect(exchange.calls).toEqual(['respond 404', 'end x']);
  });
});

describe('a refusal names the event as it was sent', () => {
  const refused: [string, (response: HttpResponse) => unknown, string][] = [
    [
      'a status',
      (response) => response.start({ type: 'x.start', status: '200' }),
      'x.start: status must be an integer from 200 to 999, not "200"',
    ],
    [
      'a header',
      (response) => response.start({ type: 'x.start', status: 200, headers: [['a', 1]] }),
      'x.start: headers[0] (a) must be a byte string without CR, LF and NUL, not 1',
    ],
    [
      'a body',
      (response) => response.body({ type: 'x.body', body: 1 }),
      'x.body: body must be a string or Uint8Array (or file or fh in its place), not 1',
    ],
    [
      'a body that may be left out',
      (response) => response.optionalBody({ type: 'x.body', body: null }),
      'x.body: body must be a string or Uint8Array, not null',
    ],
    [
      'more',
      (response) => response.body({ type: 'x.body', body: '', more: 1 }),
      'x.body: more must be a boolean, not 1',
    ],
    [
      'two contents',
      (response) => response.body({ type: 'x.body', body: '', file: '/x' }),
      'x.body: exactly one of body, file and fh may be given',
    ],
    [
      'an offset',
      (response) => response.body({ type: 'x.body', file: '/x', offset: -1 }),
      'x.body: offset must be a non-negative integer, not -1',
    ],
    [
      'a handle',
      (response) => response.body({ type: 'x.body', fh: 'x' }),
      'x.body: fh must be an open FileHandle or file descriptor, not "x"',
    ],
    [
      'too much',
      (response) => {
        response.start({ type: 'x.start', status: 200, headers: [['content-length', '1']] });
        return response.body({ type: 'x.body', body: 'abc' });
      },
      'x.body: 2 bytes more than the declared content-length',
    ],
  ];
  for (const [name, attempt, message] of refused) {
    test(name, () => {
      const { response } = open();
      if (name.includes('body') || name === 'more') response.start(START);
      expect(() => attempt(response)).toThrow(new TypeError(message));
    });
  }
});
