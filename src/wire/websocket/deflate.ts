/**
 * The payloads of permessage-deflate (RFC 7692 section 7.2) without state between messages: every message is a DEFLATE
 * stream of its own. Small work is done at once, large work off the event loop; inflating is bounded while it goes
 * on, and what cannot be inflated to its end is a fault, never a short message. The bytes given must not change
 * until the result is there. What is said of zlib here was tried with Bun 1.4.5.
 */

import { Buffer } from 'node:buffer';
import { constants, deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib';
import type { ZlibOptions } from 'node:zlib';

import { WS_FAULTS, type WebSocketFault } from './errors.ts';
import { zlibJobs } from './zlib-jobs.ts';

/**
 * Up to this many bytes of input, and of inflated output, work is done at once: 32 KiB deflate and 64 KiB inflate in
 * about 0.2 ms; a trip to another thread costs 0.14 ms by itself.
 */
const MOST_INPUT_AT_ONCE = 32 * 1024;
const MOST_OUTPUT_AT_ONCE = 64 * 1024;

/** zlib gives its output in pieces, each a trip to its thread. Pieces of 16 KiB, the default, take half as long again. */
const OFF_LOOP_PIECE = 64 * 1024;

/** What a sender leaves out (RFC 7692 7.2.1): the length of an empty stored block, and its complement. */
const STRIPPED_SIZE = 4;
/**
 * What a receiver puts back (RFC 7692 7.2.2), and behind it an empty final block (RFC 1951 3.2.3). So an intact
 * stream has an end that zlib finds, and one that was cut has none. The exception is a stored block that lacks
 * just the four bytes put back: by the RFC's own procedure they are its content.
 */
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff, 0x03, 0x00);

/**
 * RFC 7692 7.2.3.4 allows final blocks within a message, each ending a stream. Every stream costs the setting up of
 * an inflater, and two bytes are enough for one, so their number is bounded.
 */
const MOST_STREAMS = 64;

/** What Bun allows for `maxOutputLength`. */
const LEAST_BOUND = 1;
const LARGEST_BOUND = 2 ** 32;

const NOTHING = new Uint8Array(0);

/** The message that a payload inflates to, or the fault. */
export function inflateMessage(
  payload: Uint8Array,
  maxSize: number,
): Uint8Array | WebSocketFault | Promise<Uint8Array | WebSocketFault> {
  // RFC 7692 7.2.3.6 sends an empty message as 00; one without even that can mean nothing else.
  if (payload.length === 0) return NOTHING;
  if (payload.length > MOST_INPUT_AT_ONCE) return inflateOffLoop(payload, maxSize);
  const message = inflateAtOnce(new Inflation(payload, Math.min(maxSize, MOST_OUTPUT_AT_ONCE)));
  const isTooBigHere = message === WS_FAULTS.messageTooBig && maxSize > MOST_OUTPUT_AT_ONCE;
  return isTooBigHere ? inflateOffLoop(payload, maxSize) : message;
}

/**
 * The payload for a message, without the trailing 00 00 ff ff. It may be longer than the message, when that does
 * not compress: compare the lengths, and send the message as it is where nothing is gained.
 */
export function deflateMessage(
  message: Uint8Array,
  serverMaxWindowBits: number,
): Uint8Array | Promise<Uint8Array> {
  const options = deflateOptions(serverMaxWindowBits);
  if (message.length <= MOST_INPUT_AT_ONCE) return withoutTail(deflateRawSync(message, options));
  return zlibJobs.run(async () => withoutTail(await deflateOffLoop(message, options)));
}

/**
 * Level 3 because it gives most for its time. 16 KiB of JSON text: level 1 to 40 % in 37 µs, level 2 to 29 % in 65,
 * level 3 to 27 % in 55, level 4 to 25 % in 79, level 6 to 24 % in 155. A smaller `memLevel` than 8 is not faster.
 */
function deflateOptions(windowBits: number): ZlibOptions {
  return {
    level: 3,
    memLevel: 8,
    // zlib has no raw stream of 8 bits. Its 9-bit one reaches back 250 bytes at most (the window of 512 less a
    // lookahead of 262), so it is right for an inflater whose window has 256.
    windowBits: Math.max(9, windowBits),
    finishFlush: constants.Z_SYNC_FLUSH,
  };
}

function withoutTail(deflated: Uint8Array): Uint8Array {
  return deflated.subarray(0, deflated.length - STRIPPED_SIZE);
}

/** One payload on its way to a message: usually one DEFLATE stream, more if the sender sets BFINAL. */
class Inflation {
  /** What is left to be inflated. */
  input: Uint8Array;
  readonly #maxSize: number;
  readonly #parts: Uint8Array[] = [];
  #size = 0;
  #streams = 0;

  constructor(payload: Uint8Array, maxSize: number) {
    this.input = new Uint8Array(payload.length + TAIL.length);
    this.input.set(payload);
    this.input.set(TAIL, payload.length);
    this.#maxSize = maxSize;
  }

  /** `info` because only the engine knows how much of its input a stream used; the rest is not an error to zlib. */
  options(): ZlibOptions {
    const left = this.#maxSize - this.#size;
    return { info: true, maxOutputLength: Math.min(Math.max(left, LEAST_BOUND), LARGEST_BOUND) };
  }

  /** Takes the end of one stream; undefined while there is more to inflate. */
  add({ buffer, engine }: InflatedStream): Uint8Array | WebSocketFault | undefined {
    this.#size += buffer.length;
    if (this.#size > this.#maxSize) return WS_FAULTS.messageTooBig;
    if (buffer.length > 0) this.#parts.push(buffer);
    this.input = this.input.subarray(engine.bytesWritten);
    const left = this.input.length;
    // The end of what was put behind the payload. Or the payload's own: a final block and no 00 behind it, which
    // RFC 7692 7.2.3.4 asks for and nothing depends on.
    if (left === 0 || left === TAIL.length) return this.#joined();
    // A final block that was cut found its end in what was put behind it.
    if (left < TAIL.length) return WS_FAULTS.invalidDeflate;
    this.#streams++;
    return this.#streams < MOST_STREAMS ? undefined : WS_FAULTS.invalidDeflate;
  }

  #joined(): Uint8Array {
    return this.#parts.length > 1 ? Buffer.concat(this.#parts) : (this.#parts[0] ?? NOTHING);
  }
}

/** What zlib answers with when it is asked for `info`. */
interface InflatedStream {
  readonly buffer: Uint8Array;
  /** The name is zlib's: bytes of input written to it and used. */
  readonly engine: { readonly bytesWritten: number };
}

/** Bun frees the engine of a stream that failed in a later turn of the event loop, so faults in a row cost nothing lasting. */
function inflateAtOnce(inflation: Inflation): Uint8Array | WebSocketFault {
  for (;;) {
    let stream: InflatedStream;
    try {
      stream = asStream(inflateRawSync(inflation.input, inflation.options()));
    } catch (error) {
      return faultOf(error);
    }
    const message = inflation.add(stream);
    if (message) return message;
  }
}

function inflateOffLoop(payload: Uint8Array, maxSize: number): Promise<Uint8Array | WebSocketFault> {
  return zlibJobs.run(async () => {
    const inflation = new Inflation(payload, maxSize);
    for (;;) {
      let stream: InflatedStream;
      try {
        stream = await inflateStream(inflation);
      } catch (error) {
        return faultOf(error);
      }
      const message = inflation.add(stream);
      if (message) return message;
    }
  });
}

function inflateStream(inflation: Inflation): Promise<InflatedStream> {
  return new Promise((resolve, reject) => {
    inflateRaw(inflation.input, { ...inflation.options(), chunkSize: OFF_LOOP_PIECE }, (error, stream) => {
      if (error) reject(error);
      else resolve(asStream(stream));
    });
  });
}

function deflateOffLoop(message: Uint8Array, options: ZlibOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    deflateRaw(message, options, (error, deflated) => {
      if (error) reject(error);
      else resolve(deflated);
    });
  });
}

/** The types of node:zlib do not know what `info` changes. */
function asStream(result: unknown): InflatedStream {
  return result as InflatedStream;
}

/** The fault behind an error of zlib; whatever is not the peer's doing is thrown on. */
function faultOf(error: unknown): WebSocketFault {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_BUFFER_TOO_LARGE') return WS_FAULTS.messageTooBig;
  // The bytes are not DEFLATE, or they stop within a block.
  if (code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR') return WS_FAULTS.invalidDeflate;
  throw error;
}
