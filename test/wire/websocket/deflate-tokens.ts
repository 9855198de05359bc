/**
 * Reads a DEFLATE stream (RFC 1951) down to its tokens, written without zlib so that zlib can be judged by it: what
 * it inflates to, the blocks it is made of and the farthest distance that a match of it reaches back.
 */

export interface DeflateTokens {
  readonly bytes: Uint8Array;
  /** BTYPE of each block in turn: 0 stored, 1 fixed codes, 2 dynamic codes. */
  readonly blockTypes: readonly number[];
  readonly matches: number;
  /** 0 without matches. */
  readonly longestDistance: number;
}

// RFC 1951 3.2.5
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_EXTRA = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const LENGTH_BASE = basesOf(LENGTH_EXTRA, 3).with(28, 258);
const DISTANCE_BASE = basesOf(DISTANCE_EXTRA, 1);
/** RFC 1951 3.2.7: the order in which the lengths of the code length codes are sent. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/** RFC 1951 3.2.6 */
const FIXED_LITERALS = [
  ...Array<number>(144).fill(8),
  ...Array<number>(112).fill(9),
  ...Array<number>(24).fill(7),
  ...Array<number>(8).fill(8),
];
const FIXED_DISTANCES = Array<number>(30).fill(5);

/** Reads blocks until the bytes are used up or a final block ends; throws on anything that is not DEFLATE. */
export function readDeflateTokens(stream: Uint8Array): DeflateTokens {
  return new TokenReader(stream).read();
}

function basesOf(extraBits: readonly number[], first: number): number[] {
  let base = first;
  return extraBits.map((extra) => {
    const own = base;
    base += 1 << extra;
    return own;
  });
}

/** Symbols by their code, the code written as a length and a number. */
type Codes = Map<string, number>;

/** RFC 1951 3.2.2: codes of one length are consecutive, in the order of their symbols. */
function codesOf(lengths: readonly number[]): Codes {
  const codes: Codes = new Map();
  let code = 0;
  for (let length = 1; length <= 15; length++) {
    code <<= 1;
    for (const [symbol, own] of lengths.entries()) {
      if (own === length) codes.set(`${length}/${code++}`, symbol);
    }
  }
  return codes;
}

class TokenReader {
  readonly #stream: Uint8Array;
  readonly #out: number[] = [];
  readonly #blockTypes: number[] = [];
  #bitAt = 0;
  #matches = 0;
  #longestDistance = 0;

  constructor(stream: Uint8Array) {
    this.#stream = stream;
  }

  read(): DeflateTokens {
    let isFinal = false;
    while (!isFinal && this.#bitAt + 3 <= this.#stream.length * 8) {
      isFinal = this.#bits(1) === 1;
      const type = this.#bits(2);
      this.#blockTypes.push(type);
      if (type === 0) this.#stored();
      else if (type === 1) this.#coded(codesOf(FIXED_LITERALS), codesOf(FIXED_DISTANCES));
      else if (type === 2) this.#coded(...this.#dynamicCodes());
      else throw new Error('block type 3');
    }
    return {
      bytes: Uint8Array.from(this.#out),
      blockTypes: this.#blockTypes,
      matches: this.#matches,
      longestDistance: this.#longestDistance,
    };
  }

  /** RFC 1951 3.2.4 */
  #stored(): void {
    this.#bitAt = Math.ceil(this.#bitAt / 8) * 8;
    const length = this.#bits(16);
    if ((this.#bits(16) ^ length) !== 0xffff) throw new Error('stored length and its complement differ');
    for (let i = 0; i < length; i++) this.#out.push(this.#bits(8));
  }

  #coded(literals: Codes, distances: Codes): void {
    for (;;) {
      const symbol = this.#symbol(literals);
      if (symbol === 256) return;
      if (symbol < 256) this.#out.push(symbol);
      else this.#match(symbol - 257, distances);
    }
  }

  #match(lengthCode: number, distances: Codes): void {
    const length = LENGTH_BASE[lengthCode]! + this.#bits(LENGTH_EXTRA[lengthCode]!);
    const distanceCode = this.#symbol(distances);
    const distance = DISTANCE_BASE[distanceCode]! + this.#bits(DISTANCE_EXTRA[distanceCode]!);
    if (distance > this.#out.length) throw new Error('a match begins before the stream');
    for (let i = 0; i < length; i++) this.#out.push(this.#out[this.#out.length - distance]!);
    this.#matches++;
    this.#longestDistance = Math.max(this.#longestDistance, distance);
  }

  /** RFC 1951 3.2.7 */
  #dynamicCodes(): [literals: Codes, distances: Codes] {
    const literals = this.#bits(5) + 257;
    const distances = this.#bits(5) + 1;
    const sent = this.#bits(4) + 4;
    const ofLengths = Array<number>(19).fill(0);
    for (let i = 0; i < sent; i++) ofLengths[LENGTH_ORDER[i]!] = this.#bits(3);
    const codes = codesOf(ofLengths);
    const lengths: number[] = [];
    while (lengths.length < literals + distances) {
      const symbol = this.#symbol(codes);
      if (symbol < 16) lengths.push(symbol);
      else if (symbol === 16) this.#repeat(lengths, lengths.at(-1)!, 3 + this.#bits(2));
      else if (symbol === 17) this.#repeat(lengths, 0, 3 + this.#bits(3));
      else this.#repeat(lengths, 0, 11 + this.#bits(7));
    }
    return [codesOf(lengths.slice(0, literals)), codesOf(lengths.slice(literals))];
  }

  #repeat(lengths: number[], value: number, times: number): void {
    for (let i = 0; i < times; i++) lengths.push(value);
  }

  #symbol(codes: Codes): number {
    let code = 0;
    for (let length = 1; length <= 15; length++) {
      code = (code << 1) | this.#bits(1);
      const symbol = codes.get(`${length}/${code}`);
      if (symbol !== undefined) return symbol;
    }
    throw new Error('no such code');
  }

  #bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#stream[this.#bitAt >> 3];
      if (byte === undefined) throw new Error('the stream ends early');
      value |= ((byte >> (this.#bitAt & 7)) & 1) << i;
      this.#bitAt++;
    }
    return value;
  }
}
