/**
 * What waits to be received on a websocket scope.
 */
import { describe, expect, test } from 'bun:test';
import type { WebSocketScopeReceiveEvent } from '../../src/contract/receive-events.ts';
import { MessageInbox } from '../../src/session/message-inbox.ts';
import { afterMicrotasks, stateOf } from '../support/settled.ts';
import { describeEvent } from '../support/websocket-session.ts';

const text = (content: string): WebSocketScopeReceiveEvent => ({ type: 'websocket.receive', text: content });
const bytes = (size: number): WebSocketScopeReceiveEvent => ({
  type: 'websocket.receive',
  bytes: new Uint8Array(size),
});
const DISCONNECT = { type: 'websocket.disconnect', code: 1006, reason: 'client_closed' } as const;
const LAST = 'receive: websocket.disconnect was the last event';

async function take(inbox: MessageInbox): Promise<string> {
  return describeEvent(await inbox.next());
}

describe('what is received', () => {
  test('is connect, then messages in their order, then the disconnect', async () => {
    const inbox = new MessageInbox(32);
    for (const message of [text('a'), bytes(2), text('')]) inbox.push(message);
    inbox.end(DISCONNECT);
    const seen: string[] = [];
    for (let i = 0; i < 5; i++) seen.push(await take(inbox));
    expect(seen).toEqual(['connect', 'text a', 'binary 0000', 'text ', 'disconnect 1006 client_closed']);
  });

  test('goes to those who wait in the order in which they asked', async () => {
    const inbox = new MessageInbox(32);
    const waiting = Array.from({ length: 4 }, () => take(inbox));
    inbox.push(text('a'));
    inbox.push(text('b'));
    inbox.end(DISCONNECT);
    expect(await Promise.all(waiting)).toEqual([
      'connect',
      'text a',
      'text b',
      'disconnect 1006 client_closed',
    ]);
  });

  test('is nothing as long as there is nothing', async () => {
    const inbox = new MessageInbox(32);
    await inbox.next();
    const waiting = inbox.next();
    expect(await stateOf(waiting)).toBe('pending');
    inbox.push(text('at last'));
    expect(await waiting).toEqual(text('at last'));
  });
});

describe('the disconnect', () => {
  test('is the last event: who asks for another is rejected', async () => {
    const inbox = new MessageInbox(32);
    inbox.end(DISCONNECT);
    await inbox.next();
    await inbox.next();
    for (let i = 0; i < 2; i++) await expect(inbox.next()).rejects.toThrow(LAST);
  });

  test('is the last event: who waits behind the one that gets it is rejected', async () => {
    const inbox = new MessageInbox(32);
    await inbox.next();
    const [first, second] = [inbox.next(), inbox.next()];
    inbox.end(DISCONNECT);
    expect(await first).toEqual(DISCONNECT);
    expect(await stateOf(second)).toBe('rejected');
  });

  test('harms nobody who asked and does not listen: a rejection that nobody hears would end the process', async () => {
    const inbox = new MessageInbox(32);
    const unheard: unknown[] = [];
    const note = (error: unknown): void => void unheard.push(error);
    process.on('unhandledRejection', note);
    try {
      for (let i = 0; i < 4; i++) void inbox.next();
      inbox.end(DISCONNECT);
      void inbox.next();
      for (let i = 0; i < 3; i++) await afterMicrotasks();
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(unheard).toEqual([]);
  });

  test('comes once, and nothing comes behind it', async () => {
    const inbox = new MessageInbox(32);
    inbox.end(DISCONNECT);
    inbox.end({ ...DISCONNECT, code: 1000 });
    inbox.push(text('late'));
    expect([await take(inbox), await take(inbox)]).toEqual(['connect', 'disconnect 1006 client_closed']);
    await expect(inbox.next()).rejects.toThrow(LAST);
  });
});

describe('the inbox is full', () => {
  test('when as many messages wait as there may, and no more so when one is taken', async () => {
    const inbox = new MessageInbox(3);
    await inbox.next();
    const seen: boolean[] = [];
    for (let i = 0; i < 3; i++) {
      seen.push(inbox.isFull);
      inbox.push(text('x'));
    }
    seen.push(inbox.isFull);
    await inbox.next();
    expect([...seen, inbox.isFull]).toEqual([false, false, false, true, false]);
  });

  test('when 1 MiB waits, in however few messages', async () => {
    const inbox = new MessageInbox(32);
    inbox.push(bytes(1_048_575));
    expect(inbox.isFull).toBe(false);
    inbox.push(text('x'));
    expect(inbox.isFull).toBe(true);
    await inbox.next();
    expect(inbox.isFull).toBe(true);
    await inbox.next();
    expect(inbox.isFull).toBe(false);
    await inbox.next();
    for (let i = 0; i < 4; i++) inbox.push(text('x'.repeat(262_144)));
    expect(inbox.isFull).toBe(true);
  });

  test('by no number of messages where that is 0, only by their bytes', () => {
    const inbox = new MessageInbox(0);
    for (let i = 0; i < 10_000; i++) inbox.push(text('x'));
    expect(inbox.isFull).toBe(false);
    inbox.push(bytes(1_048_576));
    expect(inbox.isFull).toBe(true);
  });

  test('never by messages that go straight to who waits for them', async () => {
    const inbox = new MessageInbox(1);
    await inbox.next();
    const waiting = inbox.next();
    inbox.push(bytes(2_000_000));
    expect(inbox.isFull).toBe(false);
    await waiting;
  });
});

describe('once the application has ended', () => {
  test('no message is kept', () => {
    const inbox = new MessageInbox(2);
    inbox.push(bytes(2_000_000));
    inbox.discard();
    expect(inbox.isFull).toBe(false);
    for (let i = 0; i < 10; i++) inbox.push(bytes(2_000_000));
    inbox.end(DISCONNECT);
    expect(inbox.isFull).toBe(false);
  });

  test('what it left running learns of the disconnect, whether it waits for it or comes for it', async () => {
    const waiting = new MessageInbox(32);
    await waiting.next();
    const last = waiting.next();
    waiting.discard();
    waiting.end(DISCONNECT);
    expect(await last).toEqual(DISCONNECT);
    const coming = new MessageInbox(32);
    coming.push(text('a'));
    coming.discard();
    coming.end(DISCONNECT);
    expect(await coming.next()).toEqual(DISCONNECT);
    await expect(coming.next()).rejects.toThrow(LAST);
  });
});
