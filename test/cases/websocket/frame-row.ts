/**
 * The shape of the vectors of frames. A vector is the bytes that a client sends behind the handshake, and what a
 * server must make of them: what it hears, and the fault with the close code that answers it and the number of bytes
 * that prove it. `accepted` and `refused` turn a table of inputs about one thing into rows; what the table is about and
 * the key of the input make the row's name.
 */
import type { Incoming } from '../../../src/wire/websocket/message-reader.ts';
import { clientFrame, closeFrame, type ReaderOptions } from '../../support/websocket-frames.ts';

/** A compressed message counts as what it inflates to. */
export type Heard = Exclude<Incoming, { kind: 'compressed' }>;

/** The faults by name, with their close codes (RFC 6455 sections 7.4.1, 8.1 and 10.4). */
export const CLOSE_CODES = {
  reserved_bits: 1002,
  reserved_opcode: 1002,
  fragmented_control: 1002,
  control_too_long: 1002,
  stray_continuation: 1002,
  interleaved_message: 1002,
  unmasked_frame: 1002,
  length_not_minimal: 1002,
  length_top_bit: 1002,
  close_length: 1002,
  close_code: 1002,
  invalid_utf8: 1007,
  invalid_close_reason: 1007,
  invalid_deflate: 1007,
  frame_too_big: 1009,
  message_too_big: 1009,
} as const;

export type FaultCode = keyof typeof CLOSE_CODES;

export interface FrameRow {
  name: string;
  rfc: string;
  input: Uint8Array;
  options: ReaderOptions;
  /** Up to the fault where there is one. */
  heard: Heard[];
  /** `after` is how many bytes of the input prove it. */
  fault?: { code: FaultCode; closeCode: 1002 | 1007 | 1009; after: number };
  /** The input stops inside a frame that is no fault yet. */
  unfinished?: true;
}

/** What the rows of one table have in common: the RFC section, or that and what differs from the usual settings. */
type Common = string | { rfc: string; options: ReaderOptions };
type Input = Uint8Array | readonly Uint8Array[];

export type AcceptTable = Record<string, readonly [input: Input, ...heard: Heard[]]>;
/** `proof`: how many bytes of the last frame of the input prove the fault; all frames before it are in order. */
export type RefuseTable = Record<
  string,
  readonly [input: Input, proof: number | 'its end', ...before: Heard[]]
>;

export function accepted(about: string, common: Common, table: AcceptTable): FrameRow[] {
  return Object.entries(table).map(([claim, [input, ...heard]]) =>
    Object.assign(settle(about, claim, common), { input: join(input), heard }),
  );
}

/** Of what comes whole in these inputs all is heard, and of the frame that is cut nothing. */
export function unfinished(about: string, common: Common, table: AcceptTable): FrameRow[] {
  return accepted(about, common, table).map((row) => Object.assign(row, { unfinished: true as const }));
}

export function refused(code: FaultCode, about: string, common: Common, table: RefuseTable): FrameRow[] {
  return Object.entries(table).map(([claim, [given, proof, ...heard]]) => {
    const input = join(given);
    const last = given instanceof Uint8Array ? given : given.at(-1)!;
    const after = proof === 'its end' ? input.length : input.length - last.length + proof;
    const fault = { code, closeCode: CLOSE_CODES[code], after };
    return Object.assign(settle(about, claim, common), { input, heard, fault });
  });
}

function settle(about: string, claim: string, common: Common) {
  const { rfc, options } = typeof common === 'string' ? { rfc: common, options: {} } : common;
  return { name: `${about}: ${claim}`, rfc, options };
}

function join(input: Input): Uint8Array {
  return input instanceof Uint8Array ? input : Buffer.concat(input);
}

// Frames.

type Payload = Uint8Array | string;

export const textFrame = (payload: Payload = '', fin = true): Uint8Array =>
  clientFrame({ opcode: 1, payload, fin });
export const binaryFrame = (payload: Payload = '', fin = true): Uint8Array =>
  clientFrame({ opcode: 2, payload, fin });
export const continuation = (payload: Payload = '', fin = true): Uint8Array =>
  clientFrame({ opcode: 0, payload, fin });
export const pingFrame = (payload: Payload = ''): Uint8Array => clientFrame({ opcode: 9, payload });
export const pongFrame = (payload: Payload = ''): Uint8Array => clientFrame({ opcode: 10, payload });
export { clientFrame, closeFrame };

/** One message, each piece in a frame of its own. */
export function fragments(opcode: 1 | 2, pieces: readonly Payload[]): Uint8Array[] {
  return pieces.map((payload, index) =>
    clientFrame({ opcode: index === 0 ? opcode : 0, payload, fin: index === pieces.length - 1 }),
  );
}

// What is heard.

export const text = (value: string): Heard => ({ kind: 'text', text: value });
export const binary = (value: Payload): Heard => ({ kind: 'binary', bytes: toPayload(value) });
export const ping = (value: Payload = ''): Heard => ({ kind: 'ping', payload: toPayload(value) });
export const pong = (value: Payload = ''): Heard => ({ kind: 'pong', payload: toPayload(value) });
export const close = (code: number, reason = ''): Heard => ({ kind: 'close', code, reason });

function toPayload(value: Payload): Uint8Array {
  return typeof value === 'string' ? new TextEncoder().encode(value) : value;
}

// Payloads.

/** `'e2 82 ac'` as bytes. */
export const hex = (digits: string): Uint8Array => Buffer.from(digits.replaceAll(' ', ''), 'hex');

/** Text of so many bytes, in which no two stretches near each other are alike. */
export function letters(size: number): string {
  let value = '';
  for (let index = 0; value.length < size; index++) value += `${index.toString(36)} `;
  return value.slice(0, size);
}

/** A table made of a list: each item gives the claim and the entry. */
export function tableOf<Item, Entry>(
  items: readonly Item[],
  make: (item: Item, index: number) => readonly [claim: string, entry: Entry],
): Record<string, Entry> {
  const entries = items.map(make);
  const table = Object.fromEntries(entries);
  if (Object.keys(table).length !== items.length) throw new Error('two rows of one table have one name');
  return table;
}
