/**
 * The head of one frame (RFC 6455 section 5.2), judged as far as its bytes go: each fault is found with the first byte
 * that proves it, and so it is the same fault however the bytes are cut.
 */
import { WS_FAULTS, type WebSocketFault } from './errors.ts';
import { OPCODE } from './frame-writer.ts';

/** In bytes, inclusive. */
export interface WebSocketLimits {
  /** The payload of one data frame; control frames have a limit of their own. */
  readonly maxWsFrameSize: number;
  /** All payloads of one message. */
  readonly maxWsMessageSize: number;
}

/** The message that a frame would continue. */
export interface MessageUnderWay {
  readonly isOpen: boolean;
  /** Its bytes so far. */
  readonly size: number;
}

const FIN = 0x80;
const RSV = 0x70;
const RSV1 = 0x40;
const MASK = 0x80;
const LONGEST_CONTROL = 125;

export class FrameParser {
  readonly #limits: WebSocketLimits;
  readonly #allowsCompression: boolean;
  /** What the last head said; valid once `read` has answered true. */
  opcode = 0;
  isFinal = false;
  isCompressed = false;
  /** Bytes of payload. */
  length = 0;
  key = 0;
  /** Where the payload begins. */
  payloadAt = 0;

  constructor(limits: WebSocketLimits, allowsCompression: boolean) {
    this.#limits = limits;
    this.#allowsCompression = allowsCompression;
  }

  /** Reads the head that begins at `at`: true, a fault, or false while bytes are missing. */
  read(bytes: Uint8Array, at: number, end: number, message: MessageUnderWay): WebSocketFault | boolean {
    if (at === end) return false;
    const first = bytes[at]!;
    const fault = this.#judgeFirst(first, message.isOpen);
    if (fault !== undefined) return fault;
    if (at + 1 === end) return false;
    const second = bytes[at + 1]!;
    if ((second & MASK) === 0) return WS_FAULTS.unmaskedFrame; // section 5.1
    this.length = second & 0x7f;
    let keyAt = at + 2;
    if (this.opcode >= OPCODE.close) {
      if (this.length > LONGEST_CONTROL) return WS_FAULTS.controlTooLong; // section 5.5
      if (this.opcode === OPCODE.close && this.length === 1) return WS_FAULTS.closeLength; // section 5.5.1
    } else {
      const size = this.length < 126 ? 0 : this.length === 126 ? 2 : 8;
      const longFault = this.#judgeLength(bytes, keyAt, Math.min(end, keyAt + size), message.size);
      if (longFault !== undefined) return longFault;
      keyAt += size;
    }
    if (keyAt + 4 > end) return false;
    this.key =
      bytes[keyAt]! | (bytes[keyAt + 1]! << 8) | (bytes[keyAt + 2]! << 16) | (bytes[keyAt + 3]! << 24);
    this.payloadAt = keyAt + 4;
    return true;
  }

  #judgeFirst(first: number, isContinuing: boolean): WebSocketFault | undefined {
    const opcode = first & 0x0f;
    const reserved = first & RSV;
    this.opcode = opcode;
    this.isFinal = (first & FIN) !== 0;
    this.isCompressed = reserved === RSV1;
    if (reserved !== 0) {
      // RFC 7692 section 6.1: RSV1 stands on the first frame of a message, which no continuation and no control frame is.
      const mayBeCompressed = this.#allowsCompression && (opcode === OPCODE.text || opcode === OPCODE.binary);
      if (reserved !== RSV1 || !mayBeCompressed) return WS_FAULTS.reservedBits;
    }
    if (opcode > OPCODE.pong || (opcode > OPCODE.binary && opcode < OPCODE.close))
      return WS_FAULTS.reservedOpcode;
    if (opcode >= OPCODE.close) return this.isFinal ? undefined : WS_FAULTS.fragmentedControl; // section 5.5
    if (opcode === OPCODE.continuation) return isContinuing ? undefined : WS_FAULTS.strayContinuation; // section 5.4
    return isContinuing ? WS_FAULTS.interleavedMessage : undefined;
  }

  /**
   * Leaves the length in `length`, from `bytes[at, to)` where it is not in the second byte. Of a length that is still
   * incomplete it knows the lowest and the highest value that it can take.
   */
  #judgeLength(bytes: Uint8Array, at: number, to: number, messageSize: number): WebSocketFault | undefined {
    const { maxWsFrameSize, maxWsMessageSize } = this.#limits;
    const room = maxWsMessageSize - messageSize;
    const most = Math.min(maxWsFrameSize, room);
    const tooBig = maxWsFrameSize <= room ? WS_FAULTS.frameTooBig : WS_FAULTS.messageTooBig;
    if (this.length < 126) return this.length > most ? tooBig : undefined;
    const shortest = this.length === 126 ? 126 : 0x10000;
    let unit = this.length === 126 ? 0x10000 : 2 ** 64;
    let lowest = 0;
    for (let next = at; next < to; next++) {
      unit /= 256;
      lowest += bytes[next]! * unit;
      if (lowest >= 2 ** 63) return WS_FAULTS.lengthTopBit;
      if (lowest + unit - 1 < shortest) return WS_FAULTS.lengthNotMinimal;
      if (lowest > most) return tooBig;
    }
    this.length = lowest;
    return undefined;
  }
}
