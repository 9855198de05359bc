/**
 * The payload of a message that does not lie whole in one chunk: its pieces are copied into one buffer, which doubles
 * but never grows on the word of a frame that has only been announced. Text is judged as it comes in.
 */
import { Buffer } from 'node:buffer';

import { WS_FAULTS, type WebSocketFault } from './errors.ts';
import { binaryMessage, compressedMessage, decodeText, type Incoming } from './incoming.ts';
import { advanceUtf8, UTF8_ACCEPT, UTF8_REJECT } from './utf8.ts';

const EMPTY = Buffer.alloc(0);
const SMALLEST = 256;
/** Below this a built-in copy costs more than the bytes one by one. */
const WORTH_COPY = 32;

export class MessageAssembler {
  /** Whether a message has begun and is not complete. */
  isOpen = false;
  /** Its bytes so far. */
  size = 0;
  #isText = false;
  #isCompressed = false;
  #bytes = EMPTY;
  #isAscii = true;
  #utf8State = UTF8_ACCEPT;

  begin(isText: boolean, isCompressed: boolean): void {
    this.isOpen = true;
    this.size = 0;
    this.#isText = isText;
    this.#isCompressed = isCompressed;
    this.#isAscii = true;
    this.#utf8State = UTF8_ACCEPT;
  }

  /** Takes the unmasked `bytes[from, to)`; the message will not be longer than `most`. */
  append(bytes: Buffer, from: number, to: number, most: number): void {
    const size = this.size + to - from;
    if (size > this.#bytes.length) this.#grow(size, most);
    if (to - from < WORTH_COPY) {
      const target = this.#bytes;
      for (let at = from, targetAt = this.size; at < to; at++) target[targetAt++] = bytes[at]!;
    } else bytes.copy(this.#bytes, this.size, from, to);
    this.size = size;
  }

  /** Judges `bytes[from, to)` as the next piece of text. */
  judge(bytes: Uint8Array, from: number, to: number, isAscii: boolean): WebSocketFault | undefined {
    if (!this.#isText || this.#isCompressed) return undefined;
    if (isAscii && this.#utf8State === UTF8_ACCEPT) return undefined;
    this.#isAscii = false;
    this.#utf8State = advanceUtf8(this.#utf8State, bytes, from, to);
    return this.#utf8State === UTF8_REJECT ? WS_FAULTS.invalidUtf8 : undefined;
  }

  /** Ends the message and lets go of its memory. */
  finish(): Incoming | WebSocketFault {
    const bytes = this.#bytes;
    const { size } = this;
    this.clear();
    if (this.#isCompressed) return compressedMessage(bytes, 0, size, this.#isText);
    if (!this.#isText) return binaryMessage(bytes, 0, size, true);
    if (this.#utf8State !== UTF8_ACCEPT) return WS_FAULTS.invalidUtf8; // it ends inside a character
    return { kind: 'text', text: decodeText(bytes, 0, size, this.#isAscii) };
  }

  clear(): void {
    this.isOpen = false;
    this.size = 0;
    this.#bytes = EMPTY;
  }

  #grow(size: number, most: number): void {
    // Memory of its own, not from the pool: an application may get it.
    const grown = Buffer.allocUnsafeSlow(Math.min(most, Math.max(SMALLEST, 2 * size)));
    grown.set(this.#bytes.subarray(0, this.size), 0);
    this.#bytes = grown;
  }
}
