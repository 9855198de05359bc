/**
 * The Huffman code of RFC 7541 Appendix B, both ways. The code is canonical: codes of one length follow each other in the
 * order of their symbols, and shorter ones come first, so the length of each symbol's code is all there is to know.
 */
import { Buffer } from 'node:buffer';

/** Code lengths in bits of the symbols 0 to 255, and of the end of the string (256). */
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

export const END_OF_STRING = 256;
const LONGEST = 30;

interface Code {
  readonly bits: number;
  readonly length: number;
}

const CODES: readonly Code[] = canonicalCodes();
/** Symbols by `length * 2^30 + bits`. */
const SYMBOLS = new Map(CODES.map(({ bits, length }, symbol) => [length * 2 ** LONGEST + bits, symbol]));

function canonicalCodes(): Code[] {
  const codes: Code[] = Array.from({ length: LENGTHS.length });
  let next = 0;
  for (let length = 1; length <= LONGEST; length += 1) {
    next *= 2;
    LENGTHS.forEach((given, symbol) => {
      if (given === length) codes[symbol] = { bits: next++, length };
    });
  }
  return codes;
}

/** The bits of these symbols (bytes, or `END_OF_STRING`) as a string of 0 and 1, without padding. */
export function huffmanBits(symbols: Iterable<number>): string {
  return Array.from(symbols, (symbol) => {
    const { bits, length } = CODES[symbol]!;
    return bits.toString(2).padStart(length, '0');
  }).join('');
}

/** Bits as bytes, the last one filled up with ones (RFC 7541 section 5.2), or with what `padding` says. */
export function packBits(bits: string, padding: '0' | '1' = '1'): Buffer {
  const whole = bits.padEnd(Math.ceil(bits.length / 8) * 8, padding);
  return Buffer.from(
    Array.from({ length: whole.length / 8 }, (_, at) => parseInt(whole.slice(at * 8, at * 8 + 8), 2)),
  );
}

export function huffmanEncode(bytes: Uint8Array): Buffer {
  return packBits(huffmanBits(bytes));
}

/** The decoded bytes, or what is wrong with them. */
export function huffmanDecode(input: Uint8Array): Buffer | string {
  const output: number[] = [];
  let bits = 0;
  let length = 0;
  for (const byte of input) {
    for (let mask = 0x80; mask > 0; mask >>= 1) {
      bits = bits * 2 + (byte & mask ? 1 : 0);
      length += 1;
      const symbol = SYMBOLS.get(length * 2 ** LONGEST + bits);
      if (symbol === END_OF_STRING) return 'a Huffman string contains EOS';
      if (symbol === undefined) continue;
      output.push(symbol);
      bits = 0;
      length = 0;
    }
  }
  if (length > 7) return 'Huffman padding is longer than 7 bits';
  if (bits !== 2 ** length - 1) return 'Huffman padding is not the beginning of EOS';
  return Buffer.from(output);
}
