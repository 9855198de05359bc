/**
 * A WebSocket session on a fake exchange and a clock that the test turns, with short names for what its peer sends and
 * sees, and for what its application receives.
 */
import { inflateRawSync } from 'node:zlib';
import { expect } from 'bun:test';
import { Alarms } from '../../src/clock/alarms.ts';
import type { DisconnectReason } from '../../src/contract/handles.ts';
import type { WebSocketScopeReceiveEvent } from '../../src/contract/receive-events.ts';
import { WebSocketSession } from '../../src/session/websocket-session.ts';
import type { ExtensionOffer } from '../../src/wire/websocket/extensions.ts';
import type { Handshake } from '../../src/wire/websocket/handshake.ts';
import { FakeClock } from './fake-clock.ts';
import type { Chunk } from '../../src/session/exchange.ts';
import { FakeExchange } from './fake-exchange.ts';
import { sessionContext, type TestSessionContext, type TestSessionOptions } from './session-context.ts';
import { readServerFrames, type ServerFrame } from './websocket-frames.ts';

/** An exchange that reports an abort back, as a connection does, and counts what the client does not take. */
export class TunnelExchange extends FakeExchange {
  onAbort: ((reason: DisconnectReason) => void) | undefined;
  /** While the client takes nothing, what is written adds up in `outbound`. */
  isStalled = false;

  override write(chunk: Chunk, second?: Chunk): Promise<void> | undefined {
    if (this.isStalled) this.outbound.bufferedAmount += chunk.length + (second?.length ?? 0);
    return super.write(chunk, second);
  }

  override abort(reason: DisconnectReason): void {
    super.abort(reason);
    this.onAbort?.(reason);
  }
}

export interface TestWebSocketOptions extends TestSessionOptions {
  readonly handshake?: Partial<Handshake>;
}

export interface TestWebSocket {
  readonly exchange: TunnelExchange;
  readonly context: TestSessionContext;
  readonly clock: FakeClock;
  readonly session: WebSocketSession;
}

/** The client has asked, and the application has not answered. */
export function connectWebSocket(options: TestWebSocketOptions = {}): TestWebSocket {
  const { handshake, clock = new FakeClock(), ...settings } = options;
  const exchange = new TunnelExchange({ rawPath: '/chat', hasUpgrade: true });
  const context = sessionContext({ clock, ...settings });
  const asked: Handshake = { acceptKey: 'accept-key', subprotocols: [], extensions: [], ...handshake };
  const session = new WebSocketSession(exchange, context, asked);
  exchange.onAbort = (reason) => session.disconnected(reason);
  return { exchange, context, clock, session };
}

/** The application has taken `websocket.connect` and accepted. */
export async function openWebSocket(options: TestWebSocketOptions = {}): Promise<TestWebSocket> {
  const socket = connectWebSocket(options);
  expect(await socket.session.receive()).toEqual({ type: 'websocket.connect' });
  await socket.session.send(accept());
  socket.exchange.calls.length = 0;
  return socket;
}

/** What a client that knows permessage-deflate offers. */
export const DEFLATE_OFFER: ExtensionOffer = { name: 'permessage-deflate', parameters: [] };

/** The same with permessage-deflate agreed upon. */
export function openDeflating(options: TestWebSocketOptions = {}): Promise<TestWebSocket> {
  return openWebSocket({ wsCompression: true, handshake: { extensions: [DEFLATE_OFFER] }, ...options });
}

/** Alarms, and the clock that they run on. */
export function fakeAlarms(): { clock: FakeClock; alarms: Alarms } {
  const clock = new FakeClock();
  return { clock, alarms: new Alarms(clock) };
}

// What the application sends.

export const accept = (fields: object = {}): object => ({ type: 'websocket.accept', ...fields });
export const text = (content: unknown): object => ({ type: 'websocket.send', text: content });
export const bytes = (content: unknown): object => ({ type: 'websocket.send', bytes: content });
export const close = (code?: unknown, reason?: unknown): object => ({
  type: 'websocket.close',
  ...(code === undefined ? {} : { code }),
  ...(reason === undefined ? {} : { reason }),
});
export const keepalive = (interval: unknown, timeout?: unknown): object => ({
  type: 'websocket.keepalive',
  interval,
  ...(timeout === undefined ? {} : { timeout }),
});
export const denial = (status: unknown, fields: object = {}): object => ({
  type: 'websocket.http.response.start',
  status,
  ...fields,
});
export const denialBody = (body?: unknown, fields: object = {}): object => ({
  type: 'websocket.http.response.body',
  ...(body === undefined ? {} : { body }),
  ...fields,
});

/** The message of the TypeError that `event` is rejected with. */
export async function refusalOf(session: WebSocketSession, event: unknown): Promise<string> {
  try {
    await session.send(event);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  return 'accepted';
}

// What the peer does.

/** Bytes come from the peer, in one chunk that the session may change. */
export function feed({ session }: Pick<TestWebSocket, 'session'>, ...frames: Uint8Array[]): void {
  session.bodyChunk(Buffer.concat(frames), true);
}

/** The peer sends FIN. */
export function endInput({ session }: Pick<TestWebSocket, 'session'>): void {
  session.bodyChunk(new Uint8Array(0), false);
}

// What the peer sees: `text hi`, `binary 00ff`, `ping 1`, `close 1000 bye`; `deflated text hi` where it was compressed.

export function framesOf({ content }: Pick<FakeExchange, 'content'>): string[] {
  const { frames, rest } = readServerFrames(content);
  expect(rest).toBe(0);
  return frames.map(describeFrame);
}

const NAMES: Readonly<Record<number, string>> = { 1: 'text', 2: 'binary', 8: 'close', 9: 'ping', 10: 'pong' };

function describeFrame(frame: ServerFrame): string {
  expect(frame).toMatchObject({ fin: true, rsv2: false, rsv3: false, isMasked: false, isMinimal: true });
  const name = `${frame.rsv1 ? 'deflated ' : ''}${NAMES[frame.opcode]}`;
  const payload = Buffer.from(frame.rsv1 ? inflated(frame.payload) : frame.payload);
  if (frame.opcode === 2) return `${name} ${short(payload.toString('hex'))}`;
  if (frame.opcode !== 8) return `${name} ${short(payload.toString())}`;
  return payload.length === 0 ? name : `${name} ${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`;
}

/** RFC 7692 7.2.2, and an empty final block so that zlib finds an end. */
function inflated(payload: Uint8Array): Uint8Array {
  return inflateRawSync(Buffer.concat([payload, Uint8Array.of(0, 0, 0xff, 0xff, 3, 0)]));
}

function short(content: string): string {
  return content.length <= 60 ? content : `${content.slice(0, 20)}… (${content.length})`;
}

// What the application receives: `connect`, `text hi`, `binary 00ff`, `disconnect 1006 client_closed`.

export function describeEvent(event: WebSocketScopeReceiveEvent): string {
  if (event.type === 'websocket.connect') return 'connect';
  if (event.type === 'websocket.disconnect') return `disconnect ${event.code} ${event.reason}`.trimEnd();
  if (event.text !== undefined) return `text ${short(event.text)}`;
  return `binary ${short(Buffer.from(event.bytes).toString('hex'))}`;
}

export async function nextEvent({ session }: Pick<TestWebSocket, 'session'>): Promise<string> {
  return describeEvent(await session.receive());
}

/** Everything up to the disconnect, and it shows that nothing is behind that. */
export async function eventsToEnd(socket: Pick<TestWebSocket, 'session'>): Promise<string[]> {
  const events: string[] = [];
  do events.push(await nextEvent(socket));
  while (!events.at(-1)!.startsWith('disconnect'));
  await expectNothingMore(socket);
  return events;
}

export async function expectNothingMore({ session }: Pick<TestWebSocket, 'session'>): Promise<void> {
  await expect(session.receive()).rejects.toThrow('websocket.disconnect was the last event');
}
