/**
 * The ways in which one input can reach a parser: at once, byte by byte, and at once with the next request already
 * behind it. A parser must make the same of all three.
 */

import { toBytes } from './bytes.ts';

export interface Way {
  name: string;
  chunks: Uint8Array[];
  /** Whether {@link TRAILING} stands behind the input. */
  trailing: boolean;
}

/** A well-formed request that may stand behind any other. */
export const TRAILING = 'GET /next HTTP/1.1\r\nhost: next\r\n\r\n';

export function* feedThreeWays(input: Uint8Array): Generator<Way> {
  yield { name: 'whole', chunks: [input], trailing: false };
  yield { name: 'byte by byte', chunks: Array.from(input, (byte) => Uint8Array.of(byte)), trailing: false };
  yield { name: 'with trailing bytes', chunks: [Buffer.concat([input, toBytes(TRAILING)])], trailing: true };
}
