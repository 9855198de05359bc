/**
 * Sends the frames of one WebSocket, one per message, in the order in which the application sent them, also while an
 * earlier message is still being compressed off the event loop. Pings and pongs may overtake: RFC 6455 5.4 lets control
 * frames come between any two.
 */
import { Buffer } from 'node:buffer';
import { deflateMessage } from '../wire/websocket/deflate.ts';
import type { DeflateAgreement } from '../wire/websocket/extensions.ts';
import { frameHead, OPCODE } from '../wire/websocket/frame-writer.ts';
import type { Chunk, Exchange } from './exchange.ts';
import { encodeText } from './text-chunk.ts';

/** Bytes from which on compressing saves more than it costs. */
const MIN_DEFLATED = 1024;

type MessageOpcode = typeof OPCODE.text | typeof OPCODE.binary;

/** A frame whose turn has not come. */
interface WaitingFrame {
  readonly opcode: MessageOpcode | typeof OPCODE.close;
  readonly size: number;
  /** Undefined while it is being compressed. */
  payload: Chunk | undefined;
  isCompressed: boolean;
  readonly settle: (written: Promise<void> | undefined) => void;
}

export class FrameSender {
  readonly #exchange: Exchange;
  readonly #deflate: DeflateAgreement | undefined;
  readonly #waiting: WaitingFrame[] = [];
  #waitingBytes = 0;
  #isStopped = false;

  constructor(exchange: Exchange, deflate: DeflateAgreement | undefined) {
    this.#exchange = exchange;
    this.#deflate = deflate;
  }

  /** Bytes of frames that have not reached the exchange. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** A promise means: wait, the peer is slower than this. */
  message(opcode: MessageOpcode, content: string | Uint8Array): Promise<void> | undefined {
    if (this.#isStopped) return undefined;
    const payload = typeof content === 'string' ? encodeText(content) : content;
    if (this.#deflate !== undefined && payload.length >= MIN_DEFLATED) {
      return this.#deflated(opcode, payload, this.#deflate);
    }
    if (this.#waiting.length > 0) return this.#enqueue(opcode, payload.length, payload).written;
    return this.#write(opcode, payload, false);
  }

  /** A ping or a pong, at once. */
  control(opcode: typeof OPCODE.ping | typeof OPCODE.pong, payload: string): void {
    if (!this.#isStopped) void this.#exchange.write(frameHead(opcode, payload.length) + payload);
  }

  /** A close frame, behind the messages. */
  close(payload: string): Promise<void> | undefined {
    if (this.#isStopped) return undefined;
    this.#isStopped = true;
    if (this.#waiting.length > 0) return this.#enqueue(OPCODE.close, payload.length, payload).written;
    return this.#write(OPCODE.close, payload, false);
  }

  /** A close frame at once, unless there has been one; messages that are not ready are given up. */
  closeNow(payload: string): void {
    const isSent = this.#isStopped && this.#waiting.length === 0;
    this.stop();
    if (!isSent) void this.#write(OPCODE.close, payload, false);
  }

  /** Nothing is sent any more; who waits goes on. */
  stop(): void {
    this.#isStopped = true;
    for (const frame of this.#waiting.splice(0)) frame.settle(undefined);
    this.#waitingBytes = 0;
  }

  #deflated(opcode: MessageOpcode, payload: Chunk, { serverMaxWindowBits }: DeflateAgreement) {
    const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
    const deflated = deflateMessage(bytes, serverMaxWindowBits);
    if (!(deflated instanceof Promise) && this.#waiting.length === 0) {
      const isSmaller = deflated.length < bytes.length;
      return this.#write(opcode, isSmaller ? deflated : bytes, isSmaller);
    }
    const { frame, written } = this.#enqueue(opcode, bytes.length, undefined);
    const ready = (result: Uint8Array): void => {
      frame.isCompressed = result.length < bytes.length;
      frame.payload = frame.isCompressed ? result : bytes;
      this.#advance();
    };
    // What cannot be compressed is sent as it is.
    if (deflated instanceof Promise) deflated.then(ready, () => ready(bytes));
    else ready(deflated);
    return written;
  }

  #enqueue(opcode: WaitingFrame['opcode'], size: number, payload: Chunk | undefined) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const frame: WaitingFrame = { opcode, size, payload, isCompressed: false, settle: resolve };
    this.#waiting.push(frame);
    this.#waitingBytes += size;
    const { outbound } = this.#exchange;
    if (outbound.bufferedAmount + this.#waitingBytes - size > outbound.overflowMark) {
      this.#exchange.abort('queue_overflow');
    }
    return { frame, written: promise };
  }

  /** Sends what has become ready, up to the first frame that has not. */
  #advance(): void {
    for (let frame = this.#waiting[0]; frame?.payload !== undefined; frame = this.#waiting[0]) {
      this.#waiting.shift();
      this.#waitingBytes -= frame.size;
      frame.settle(this.#write(frame.opcode, frame.payload, frame.isCompressed));
    }
  }

  #write(opcode: WaitingFrame['opcode'], payload: Chunk, isCompressed: boolean): Promise<void> | undefined {
    const head = frameHead(opcode, payload.length, isCompressed);
    return typeof payload === 'string'
      ? this.#exchange.write(head + payload)
      : this.#exchange.write(head, payload);
  }
}
