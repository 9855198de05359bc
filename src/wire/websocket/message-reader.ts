/**
 * The receiving half of a WebSocket server without its socket: bytes in, messages and control frames out, pulled one at
 * a time. Payloads are unmasked where they lie; a message that lies whole in one chunk is read from there, any other is
 * assembled as it arrives. After a fault or a close frame nothing more is read (RFC 6455 sections 5.5.1 and 7.1.7).
 */
import { Buffer } from 'node:buffer';

import { ByteQueue } from '../byte-queue.ts';
import { CLOSE, isSendableCloseCode } from './close-codes.ts';
import { WebSocketFault, WS_FAULTS } from './errors.ts';
import { FrameParser, type WebSocketLimits } from './frame-parser.ts';
import { OPCODE } from './frame-writer.ts';
import { binaryMessage, compressedMessage, copyOf, type Incoming, textMessage } from './incoming.ts';
import { ASIDE_SIZE, asideBytes, copyOfAside, rotateKey, unmask, unmaskAside } from './masking.ts';
import { MessageAssembler } from './message-assembler.ts';
import { advanceUtf8, UTF8_ACCEPT, UTF8_REJECT } from './utf8.ts';

export type { WebSocketLimits } from './frame-parser.ts';
export type { Incoming } from './incoming.ts';

/** Bytes from which on a whole payload is unmasked aside. */
const WORTH_ASIDE = 512;

export class MessageReader {
  readonly #maxMessageSize: number;
  readonly #queue = new ByteQueue();
  readonly #frame: FrameParser;
  readonly #message = new MessageAssembler();
  /** Payload bytes that the data frame in hand still lacks, and the key for the next of them. */
  #missing = 0;
  #key = 0;
  #isOver = false;
  #fault: WebSocketFault | undefined;

  constructor(limits: WebSocketLimits, options: { allowsCompression: boolean }) {
    this.#maxMessageSize = limits.maxWsMessageSize;
    this.#frame = new FrameParser(limits, options.allowsCompression);
  }

  /** Bytes received and not yet consumed; parts of a message under way are consumed. */
  get bufferedBytes(): number {
    return this.#queue.length;
  }

  /** Whether a frame has begun and is not complete; to be asked once `next` has nothing more. */
  get isInsideFrame(): boolean {
    return this.#missing > 0 || this.#queue.length > 0;
  }

  /** Takes bytes from the peer; the buffer is the reader's from now on, and is changed in place. */
  push(chunk: Buffer): void {
    if (!this.#isOver) this.#queue.push(chunk);
  }

  /** The next message or control frame, or the fault; undefined while bytes are missing, and behind a close frame. */
  next(): Incoming | WebSocketFault | undefined {
    if (this.#isOver) return this.#fault;
    const queue = this.#queue;
    while (queue.at < queue.end) {
      const before = queue.at;
      const incoming = this.#missing > 0 ? this.#readPayload() : this.#readFrame();
      if (incoming !== undefined) return incoming;
      if (queue.at === before) return undefined;
    }
    queue.clear(); // an idle connection need not keep its last chunk
    return undefined;
  }

  /** Lets go of everything; nothing more is read. */
  discard(): void {
    this.#isOver = true;
    this.#missing = 0;
    this.#queue.clear();
    this.#message.clear();
  }

  #readFrame(): Incoming | WebSocketFault | undefined {
    const { bytes, at, end } = this.#queue;
    const frame = this.#frame;
    const state = frame.read(bytes, at, end, this.#message);
    if (state === false) return undefined;
    if (state !== true) return this.#fail(state);
    const from = frame.payloadAt;
    const to = from + frame.length;
    if (frame.opcode >= OPCODE.close) return this.#readControl(bytes, from, Math.min(to, end));
    if (to <= end && frame.isFinal && frame.opcode !== OPCODE.continuation) {
      this.#queue.at = to;
      return this.#readWhole(bytes, from, to);
    }
    if (frame.opcode !== OPCODE.continuation)
      this.#message.begin(frame.opcode === OPCODE.text, frame.isCompressed);
    this.#queue.at = from;
    this.#missing = frame.length;
    this.#key = frame.key;
    return this.#missing > 0 ? undefined : this.#endFrame();
  }

  /** A message of one frame that lies whole in one chunk. */
  #readWhole(bytes: Buffer, from: number, to: number): Incoming | WebSocketFault {
    const frame = this.#frame;
    const isText = frame.opcode === OPCODE.text;
    const size = to - from;
    if (!frame.isCompressed && size >= WORTH_ASIDE && size <= ASIDE_SIZE) {
      const isAscii = !unmaskAside(bytes, from, to, frame.key);
      if (!isText) return { kind: 'binary', bytes: copyOfAside(size) };
      return this.#judged(textMessage(asideBytes, 0, size, isAscii));
    }
    const isAscii = !unmask(bytes, from, to, frame.key);
    if (frame.isCompressed) return compressedMessage(bytes, from, to, isText);
    if (!isText) return binaryMessage(bytes, from, to, to === this.#queue.end);
    return this.#judged(textMessage(bytes, from, to, isAscii));
  }

  /** What has arrived of the frame in hand. */
  #readPayload(): Incoming | WebSocketFault | undefined {
    const queue = this.#queue;
    const from = queue.at;
    const to = Math.min(queue.end, from + this.#missing);
    const message = this.#message;
    const hasHighBytes = unmask(queue.bytes, from, to, this.#key);
    const fault = message.judge(queue.bytes, from, to, !hasHighBytes);
    if (fault !== undefined) return this.#fail(fault);
    message.append(
      queue.bytes,
      from,
      to,
      this.#frame.isFinal ? message.size + this.#missing : this.#maxMessageSize,
    );
    queue.at = to;
    this.#missing -= to - from;
    this.#key = rotateKey(this.#key, to - from);
    return this.#missing > 0 ? undefined : this.#endFrame();
  }

  #endFrame(): Incoming | WebSocketFault | undefined {
    if (!this.#frame.isFinal) return undefined;
    return this.#judged(this.#message.finish());
  }

  /** A control frame of which `bytes[from, to)` is here. It stays in the queue until it is whole, being short. */
  #readControl(bytes: Buffer, from: number, to: number): Incoming | WebSocketFault | undefined {
    const { opcode, length, key } = this.#frame;
    if (opcode === OPCODE.close) return this.#readClose(bytes, from, to);
    if (to - from < length) return undefined;
    unmask(bytes, from, to, key);
    this.#queue.at = to;
    return { kind: opcode === OPCODE.ping ? 'ping' : 'pong', payload: copyOf(bytes, from, to) };
  }

  #readClose(bytes: Buffer, from: number, to: number): Incoming | WebSocketFault | undefined {
    // Unmasked in a copy: while the rest is missing, these bytes will be read again.
    const payload = Buffer.from(bytes.subarray(from, to));
    unmask(payload, 0, payload.length, this.#frame.key);
    if (payload.length < 2 && this.#frame.length > 0) return undefined;
    const code = payload.length === 0 ? CLOSE.noStatus : payload.readUInt16BE(0);
    if (payload.length > 0 && !isSendableCloseCode(code)) return this.#fail(WS_FAULTS.closeCode); // section 7.4
    const state = advanceUtf8(UTF8_ACCEPT, payload, 2, payload.length);
    const isWhole = payload.length === this.#frame.length;
    if (state === UTF8_REJECT || (isWhole && state !== UTF8_ACCEPT))
      return this.#fail(WS_FAULTS.invalidCloseReason);
    if (!isWhole) return undefined;
    this.discard();
    return { kind: 'close', code, reason: payload.toString('utf8', 2) };
  }

  #judged(message: Incoming | WebSocketFault): Incoming | WebSocketFault {
    return message instanceof WebSocketFault ? this.#fail(message) : message;
  }

  #fail(fault: WebSocketFault): WebSocketFault {
    this.#fault = fault;
    this.discard();
    return fault;
  }
}
