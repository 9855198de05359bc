/**
 * Text that an application sends, as bytes of UTF-8.
 */
import { Buffer } from 'node:buffer';
import type { Chunk } from './exchange.ts';

/** ASCII, with as many bytes as chars, is a byte string as it stands. */
export function encodeText(text: string): Chunk {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text);
}
