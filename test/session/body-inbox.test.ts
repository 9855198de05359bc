/**
 * What an application receives, against an exchange that writes down what is asked of it.
 */
import { describe, expect, test } from 'bun:test';
import type {
  HttpDisconnectEvent,
  HttpRequestEvent,
  SseDisconnectEvent,
  SseRequestEvent,
} from '../../src/contract/receive-events.ts';
import { BodyInbox } from '../../src/session/body-inbox.ts';
import { FakeExchange } from '../support/fake-exchange.ts';
import { stateOf } from '../support/settled.ts';

type HttpInbox = BodyInbox<HttpRequestEvent, HttpDisconnectEvent>;

function open(hasBody: boolean): { exchange: FakeExchange; inbox: HttpInbox } {
  const exchange = new FakeExchange({ hasBody });
  return { exchange, inbox: new BodyInbox(exchange, 'http.request') };
}

/** The next event in short: `body+` with more to come, `body.` at the end, or `disconnect`. */
async function next(inbox: HttpInbox): Promise<string> {
  const event = await inbox.next();
  if (event.type === 'http.disconnect') return 'disconnect';
  return `${Buffer.from(event.body).toString()}${event.more ? '+' : '.'}`;
}

const DISCONNECT = { type: 'http.disconnect' } as const;

describe('a request without a body', () => {
  test('gives one empty event, then nothing until the end', async () => {
    const { inbox, exchange } = open(false);
    expect(await inbox.next()).toEqual({ type: 'http.request', body: new Uint8Array(0), more: false });
    const waiting = inbox.next();
    expect(await stateOf(waiting)).toBe('pending');
    inbox.end(DISCONNECT);
    expect([await waiting, exchange.calls]).toEqual([DISCONNECT, []]);
  });

  test('does not wait for a body that is not to come', () => {
    const { inbox } = open(false);
    void inbox.next();
    void inbox.next();
    expect([inbox.isWaiting, inbox.isRead]).toEqual([false, true]);
  });
});

describe('a request with a body', () => {
  test('gives its pieces in order, whether they come before they are asked for or after', async () => {
    const { inbox } = open(true);
    inbox.push(Buffer.from('one'), true);
    inbox.push(Buffer.from('two'), true);
    expect([await next(inbox), await next(inbox)]).toEqual(['one+', 'two+']);
    const waiting = [next(inbox), next(inbox)];
    inbox.push(Buffer.from('three'), true);
    inbox.push(new Uint8Array(0), false);
    expect(await Promise.all(waiting)).toEqual(['three+', '.']);
  });

  test('serves several that wait in the order in which they asked', async () => {
    const { inbox } = open(true);
    const waiting = [next(inbox), next(inbox), next(inbox)];
    inbox.push(Buffer.from('a'), true);
    inbox.push(Buffer.from('b'), false);
    expect(await Promise.all(waiting.slice(0, 2))).toEqual(['a+', 'b.']);
    inbox.end(DISCONNECT);
    expect(await waiting[2]!).toBe('disconnect');
  });

  test('asks the client to go on once, when the application first asks and has nothing', async () => {
    const { inbox, exchange } = open(true);
    void inbox.next();
    void inbox.next();
    expect(exchange.calls).toEqual(['continue']);
    inbox.push(Buffer.from('a'), true);
    inbox.push(Buffer.from('b'), true);
    void inbox.next();
    expect(exchange.calls).toEqual(['continue']);
  });

  test('asks the client nothing when the body is there already', async () => {
    const { inbox, exchange } = open(true);
    inbox.push(Buffer.from('all'), false);
    expect([await next(inbox), exchange.calls]).toEqual(['all.', []]);
  });

  test('tells whether the application waits for it now, and whether it has ever asked', async () => {
    const { inbox } = open(true);
    expect([inbox.isWaiting, inbox.isRead]).toEqual([false, false]);
    const waiting = inbox.next();
    expect([inbox.isWaiting, inbox.isRead]).toEqual([true, true]);
    inbox.push(Buffer.from('a'), true);
    await waiting;
    expect([inbox.isWaiting, inbox.isRead]).toEqual([false, true]);
    void inbox.next();
    inbox.push(Buffer.from('b'), false);
    void inbox.next();
    expect(inbox.isWaiting).toBe(false);
  });
});

describe('more than is read', () => {
  test('pauses the client above 64 KiB and lets it go on below', async () => {
    const { inbox, exchange } = open(true);
    inbox.push(Buffer.alloc(65_536), true);
    expect(exchange.calls).toEqual([]);
    inbox.push(Buffer.from('x'), true);
    expect(exchange.calls).toEqual(['pauseBody']);
    await inbox.next();
    expect(exchange.calls).toEqual(['pauseBody', 'resumeBody']);
    await inbox.next();
    expect(exchange.calls).toEqual(['pauseBody', 'resumeBody']);
  });

  test('does not pause for a large piece that goes straight to who waits for it', async () => {
    const { inbox, exchange } = open(true);
    const waiting = inbox.next();
    inbox.push(Buffer.alloc(200_000), true);
    await waiting;
    expect(exchange.calls.filter((call) => call === 'pauseBody')).toEqual([]);
  });
});

describe('the end', () => {
  test('is for everybody who waits, and for everybody who asks afterwards', async () => {
    const { inbox } = open(true);
    const waiting = [inbox.next(), inbox.next()];
    inbox.end(DISCONNECT);
    waiting.push(inbox.next(), inbox.next());
    for (const receiver of waiting) expect(await receiver).toEqual(DISCONNECT);
  });

  test('lets go of what nobody has read, and takes nothing more', async () => {
    const { inbox, exchange } = open(true);
    inbox.push(Buffer.alloc(10), true);
    inbox.end(DISCONNECT);
    inbox.push(Buffer.alloc(100_000), true);
    expect([await next(inbox), exchange.calls]).toEqual(['disconnect', []]);
  });

  test('gives each receiver an event of its own', async () => {
    const { inbox } = open(false);
    inbox.end(DISCONNECT);
    expect(await inbox.next()).not.toBe(await inbox.next());
  });

  test('is the first one that was given', async () => {
    const inbox = new BodyInbox<SseRequestEvent, SseDisconnectEvent>(new FakeExchange(), 'sse.request');
    inbox.end({ type: 'sse.disconnect', reason: 'client_closed' });
    inbox.end({ type: 'sse.disconnect', reason: 'server_shutdown' });
    for (let i = 0; i < 2; i++)
      expect(await inbox.next()).toEqual({ type: 'sse.disconnect', reason: 'client_closed' });
  });
});

describe('on an sse scope', () => {
  test('pieces and the end have the types of that scope', async () => {
    const exchange = new FakeExchange({ hasBody: true });
    const inbox = new BodyInbox<SseRequestEvent, SseDisconnectEvent>(exchange, 'sse.request');
    inbox.push(Buffer.from('a'), true);
    inbox.push(new Uint8Array(0), false);
    expect(await inbox.next()).toEqual({ type: 'sse.request', body: Buffer.from('a'), more: true });
    expect(await inbox.next()).toEqual({ type: 'sse.request', body: new Uint8Array(0), more: false });
    const empty = new BodyInbox<SseRequestEvent, SseDisconnectEvent>(new FakeExchange(), 'sse.request');
    expect(await empty.next()).toEqual({ type: 'sse.request', body: new Uint8Array(0), more: false });
  });
});
