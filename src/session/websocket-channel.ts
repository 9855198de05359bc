/**
 * The frames of an accepted WebSocket: messages into the inbox, pongs to pings, and the close handshake from both
 * sides (RFC 6455 7). It reads no further than the application follows: when the inbox is full, the exchange stops reading,
 * and the peer is held back by its own transport. However the session ends, the inbox gets one disconnect.
 */
import { Buffer } from 'node:buffer';
import type { Alarm } from '../clock/alarms.ts';
import { nextTurn } from '../clock/turns.ts';
import type { DisconnectReason } from '../contract/handles.ts';
import { CLOSE } from '../wire/websocket/close-codes.ts';
import { inflateMessage } from '../wire/websocket/deflate.ts';
import { WebSocketFault, WS_FAULTS } from '../wire/websocket/errors.ts';
import type { DeflateAgreement } from '../wire/websocket/extensions.ts';
import { closePayload, OPCODE } from '../wire/websocket/frame-writer.ts';
import { textMessage } from '../wire/websocket/incoming.ts';
import { type Incoming, MessageReader } from '../wire/websocket/message-reader.ts';
import type { Exchange } from './exchange.ts';
import { FrameSender } from './frame-sender.ts';
import type { MessageInbox } from './message-inbox.ts';
import type { SessionContext } from './session-context.ts';
import { type KeptAlive, WebSocketKeepalive } from './websocket-keepalive.ts';

/** Milliseconds that the peer gets to answer a close frame. */
const CLOSE_WAIT = 5000;
/** Bytes that a peer which cannot be held back may send ahead before it is cut off. */
const MAX_UNREAD = 1_048_576;
/** Bytes that may arrive while a message is being inflated before reading pauses; a usual socket buffer's worth. */
const MAX_AHEAD = 65_536;

export class WebSocketChannel implements KeptAlive, Alarm {
  alarmIndex = -1;
  alarmAt = 0;
  readonly sender: FrameSender;
  readonly #exchange: Exchange;
  readonly #context: SessionContext;
  readonly #inbox: MessageInbox;
  readonly #reader: MessageReader;
  readonly #keepalive: WebSocketKeepalive;
  /** `closing`: a close frame has been sent and the peer's is awaited. */
  #stage: 'open' | 'closing' | 'over' = 'open';
  /** What the application is told when the peer does not answer the close frame. */
  #closeReason: DisconnectReason = 'client_timeout';
  #isPumping = false;
  #isInflating = false;
  /** Messages have been handed over that the application has not had a turn to answer. */
  #hasDelivered = false;
  /** The last frame has been read; what it means takes effect after this turn. */
  #ending: { code: number; reason: string; payload: string } | undefined = undefined;
  /** The latest ping that has had no pong because the peer takes nothing. */
  #unansweredPing: string | undefined = undefined;
  #hearsDrain = false;
  #awaitsEmpty = false;
  /** Bytes that were still to be sent when the wait for the peer's close frame began. */
  #unsent = Infinity;
  #isPaused = false;
  #isInputEnded = false;
  #hasReceived = false;

  constructor(
    exchange: Exchange,
    context: SessionContext,
    { inbox, deflate }: { inbox: MessageInbox; deflate: DeflateAgreement | undefined },
  ) {
    this.#exchange = exchange;
    this.#context = context;
    this.#inbox = inbox;
    this.#reader = new MessageReader(context, { allowsCompression: deflate !== undefined });
    this.sender = new FrameSender(exchange, deflate);
    this.#keepalive = new WebSocketKeepalive(this, context.alarms, context);
  }

  /** Whether something may have been left unread because the inbox was full. */
  get isHeldBack(): boolean {
    return this.#isPaused;
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#stage === 'open';
  }

  /** Whether nothing can be sent or received any more. */
  get isOver(): boolean {
    return this.#stage === 'over';
  }

  // What the exchange and the application say.

  /** Bytes from the peer; without `more`, it sends nothing else. */
  received(chunk: Uint8Array, more: boolean): void {
    if (this.#stage === 'over') return;
    this.#hasReceived = true;
    this.#hasDelivered = false;
    if (chunk.length > 0) this.#reader.push(asBuffer(chunk));
    this.#isInputEnded ||= !more;
    this.pump();
    if (this.#isPaused && this.#reader.bufferedBytes > MAX_UNREAD) this.#fail(WS_FAULTS.queueOverflow);
  }

  /** Moves messages to the inbox for as long as it has room. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    let incoming: Incoming | WebSocketFault | undefined;
    while (this.#stage !== 'over' && this.#ending === undefined && !this.#isInflating && !this.#isBehind) {
      incoming = this.#reader.next();
      if (incoming === undefined) break;
      if (incoming instanceof WebSocketFault) this.#fail(incoming);
      else this.#take(incoming);
    }
    this.#isPumping = false;
    if (this.#stage !== 'over' && this.#ending === undefined) this.#controlFlow();
  }

  /** Whether the application has enough to receive. Behind its own close nothing is for it any more. */
  get #isBehind(): boolean {
    return this.#stage === 'open' && this.#inbox.isFull;
  }

  message(opcode: typeof OPCODE.text | typeof OPCODE.binary, content: string | Uint8Array) {
    if (this.#stage !== 'open') return undefined;
    this.#keepalive.noteMessage();
    return this.sender.message(opcode, content);
  }

  keepalive(interval: number, timeout: number): void {
    if (this.#stage === 'open') this.#keepalive.set(interval, timeout);
  }

  /** Begins the close handshake (RFC 6455 7.1.2), and waits for the peer's answer within a bound. */
  close(code: number, reason: string, closeReason?: DisconnectReason): Promise<void> | undefined {
    if (this.#stage !== 'open') return undefined;
    this.#stage = 'closing';
    this.#closeReason = closeReason ?? this.#closeReason;
    this.#keepalive.stop();
    this.#context.alarms.set(this, CLOSE_WAIT);
    const written = this.sender.close(closePayload(code, reason));
    // Unread messages no longer matter, but the peer's close frame lies behind them.
    this.pump();
    return written;
  }

  /** The exchange is gone. */
  lost(reason: DisconnectReason): void {
    if (this.#stage === 'over') return;
    // A close frame that has been read says more than the end of the connection behind it.
    if (this.#ending === undefined) this.#end(CLOSE.abnormal, reason);
    else this.#end(this.#ending.code, this.#ending.reason);
  }

  // What time says.

  /** The peer has not answered the close frame; one that is still taking what was sent before it may go on. */
  ring(): void {
    const { bufferedAmount } = this.#exchange.outbound;
    if (bufferedAmount === 0 || bufferedAmount >= this.#unsent) return this.#giveUp(this.#closeReason);
    this.#unsent = bufferedAmount;
    this.#context.alarms.set(this, CLOSE_WAIT);
  }

  ping(payload: string): void {
    this.sender.control(OPCODE.ping, payload);
  }

  get canHearPongs(): boolean {
    // RFC 6455 5.4: no pong can come inside a frame, so one that is on its way, and moving, has to end first.
    const isMoving = this.#hasReceived && this.#reader.isInsideFrame;
    this.#hasReceived = false;
    return !this.#isPaused && !isMoving && this.#exchange.outbound.bufferedAmount === 0;
  }

  expired(reason: 'keepalive_timeout' | 'idle_timeout'): void {
    const text = reason === 'idle_timeout' ? 'nothing was said for too long' : 'a ping was not answered';
    this.sender.closeNow(
      closePayload(reason === 'idle_timeout' ? CLOSE.goingAway : CLOSE.internalError, text),
    );
    this.#giveUp(reason);
  }

  // Frames.

  #take(incoming: Incoming): void {
    switch (incoming.kind) {
      case 'text':
        return this.#deliver({ type: 'websocket.receive', text: incoming.text });
      case 'binary':
        return this.#deliver({ type: 'websocket.receive', bytes: incoming.bytes });
      case 'compressed':
        return this.#inflate(incoming.payload, incoming.isText);
      case 'ping':
        return this.#answerPing(byteString(incoming.payload));
      case 'pong':
        return this.#keepalive.pong(byteString(incoming.payload));
      case 'close':
        return this.#peerCloses(incoming.code, incoming.reason);
    }
  }

  /**
   * RFC 6455 5.5.2: answered as soon as is practical, unless the session is closing. For a peer that takes nothing pongs are not
   * piled up: it gets one for its latest ping when it does (5.5.3).
   */
  #answerPing(payload: string): void {
    if (this.#stage !== 'open') return;
    const { outbound } = this.#exchange;
    this.#unansweredPing = undefined;
    if (outbound.bufferedAmount <= outbound.highWaterMark) return this.sender.control(OPCODE.pong, payload);
    this.#unansweredPing = payload;
    if (!this.#hearsDrain) {
      this.#hearsDrain = true;
      outbound.onDrain(() => this.#answerLatestPing());
    }
    // Over HTTP/2 the bytes may be those of other streams, which make no drain of this one's.
    if (this.#awaitsEmpty) return;
    this.#awaitsEmpty = true;
    void (this.#exchange.flush() ?? nextTurn()).then(() => {
      this.#awaitsEmpty = false;
      this.#answerLatestPing();
    });
  }

  #answerLatestPing(): void {
    const latest = this.#unansweredPing;
    if (latest !== undefined) this.#answerPing(latest);
  }

  /** What arrives behind the application's own close is not for it any more. */
  #deliver(event: Parameters<MessageInbox['push']>[0]): void {
    if (this.#stage !== 'open') return;
    this.#keepalive.noteMessage();
    this.#hasDelivered = true;
    this.#inbox.push(event);
  }

  #inflate(payload: Uint8Array, isText: boolean): void {
    const message = inflateMessage(payload, this.#context.maxWsMessageSize);
    if (!(message instanceof Promise)) return this.#inflated(message, isText);
    // The messages behind it wait, so that the order is kept.
    this.#isInflating = true;
    const goOn = (result: Uint8Array | WebSocketFault): void => {
      this.#isInflating = false;
      if (this.#stage === 'over') return;
      this.#inflated(result, isText);
      this.pump();
    };
    message.then(goOn, (error: unknown) => {
      this.#context.log.error(`WebSocket ${this.#exchange.head.rawPath}: inflating failed: ${String(error)}`);
      goOn(WS_FAULTS.invalidDeflate);
    });
  }

  #inflated(message: Uint8Array | WebSocketFault, isText: boolean): void {
    if (message instanceof WebSocketFault) return this.#fail(message);
    if (!isText) return this.#deliver({ type: 'websocket.receive', bytes: message });
    const text = textMessage(asBuffer(message), 0, message.length, false);
    if (text instanceof WebSocketFault) this.#fail(text);
    else this.#take(text);
  }

  /** RFC 6455 5.5.1: a close frame is answered with one that has the same code. */
  #peerCloses(code: number, reason: string): void {
    this.#leave(code, reason, closePayload(code, ''));
  }

  /** Stops reading while the application is behind, and goes on when it has caught up. */
  #controlFlow(): void {
    if (this.#isInflating ? this.#reader.bufferedBytes > MAX_AHEAD : this.#isBehind) {
      this.#isPaused = true;
      this.#exchange.pauseBody();
      return;
    }
    if (this.#isInflating) return;
    if (this.#isInputEnded) return this.#giveUp('client_closed');
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#exchange.resumeBody();
  }

  // Endings.

  /** RFC 6455 7.1.7: says why, and closes without waiting for an answer. */
  #fail(fault: WebSocketFault): void {
    this.#context.log.debug(`WebSocket ${this.#exchange.head.rawPath}: ${fault.closeCode}: ${fault.message}`);
    const { closeCode, message } = fault;
    this.#leave(closeCode, REASONS[closeCode], closePayload(closeCode, message));
  }

  /**
   * Ends the connection in order, behind the close frame, and the session with it. Messages that came in one piece with
   * what ends it can still be answered: the application gets one turn of the event loop.
   */
  #leave(code: number, reason: string, payload: string): void {
    this.#ending = { code, reason, payload };
    if (this.#hasDelivered) void nextTurn().then(() => this.#leaveNow());
    else this.#leaveNow();
  }

  #leaveNow(): void {
    if (this.#stage === 'over') return;
    const { code, reason, payload } = this.#ending!;
    this.sender.closeNow(payload);
    this.#end(code, reason);
    void this.#exchange.end();
  }

  /** The peer does not answer: what it does not take is not waited for either. */
  #giveUp(reason: DisconnectReason): void {
    this.#end(CLOSE.abnormal, reason);
    if (this.#exchange.flush() === undefined) void this.#exchange.end();
    else this.#exchange.abort(reason);
  }

  #end(code: number, reason: string): void {
    this.#stage = 'over';
    this.#keepalive.stop();
    this.#context.alarms.cancel(this);
    this.#reader.discard();
    this.sender.stop();
    this.#inbox.end({ type: 'websocket.disconnect', code, reason });
  }
}

const REASONS: Readonly<Record<WebSocketFault['closeCode'], DisconnectReason>> = {
  1002: 'protocol_error',
  1007: 'protocol_error',
  1008: 'queue_overflow',
  1009: 'body_too_large',
};

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
}

function byteString(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1');
}
