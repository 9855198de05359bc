/**
 * Reads a field block without decoding it (RFC 7541 section 6): counts its field lines and finds what is malformed in how they are put together.
 * node:http2 decodes; but that of Bun 1.4.5 drops some field lines without a word and takes some malformed blocks, and here is what
 * shows it. Of strings only the lengths are read. A block may come in any pieces.
 */

/** What an integer is for. */
const INDEXED = 0;
const LITERAL = 1;
const TABLE_SIZE = 2;
const LENGTH = 3;
type Purpose = typeof INDEXED | typeof LITERAL | typeof TABLE_SIZE | typeof LENGTH;

/** Bits of an integer that may stand in bytes behind its first one: 5 bytes hold more than 32 bits (RFC 7541 section 5.1). */
const MOST_BITS = 35;

export class FieldLines {
  /** Field lines that have begun and whose lengths are known. */
  count = 0;
  #purpose: Purpose = INDEXED;
  #value = 0;
  /** Bits of the integer under way that have come behind its first byte; -1 if there is none. */
  #bits = -1;
  /** Strings of the field line under way whose lengths are still to come. */
  #strings = 0;
  /** Bytes of a string that are still to come. */
  #skip = 0;

  /** Whether what has been read may be all of the block. */
  get isWhole(): boolean {
    return this.#skip === 0 && this.#strings === 0 && this.#bits < 0;
  }

  /** A new block begins. */
  begin(): void {
    this.count = 0;
    this.#bits = -1;
    this.#strings = 0;
    this.#skip = 0;
  }

  /** Reads `[from, end)`, which goes on where the last bytes ended: returns `end`, or where the first byte is that must not be. */
  read(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end) {
      if (this.#skip > 0) {
        const size = Math.min(this.#skip, end - at);
        this.#skip -= size;
        at += size;
      } else if (this.#readByte(bytes[at]!)) at++;
      else return at;
    }
    return end;
  }

  /** A byte that is not part of a string. */
  #readByte(byte: number): boolean {
    if (this.#bits >= 0) return this.#continueInteger(byte);
    if (this.#strings > 0) return this.#beginInteger(LENGTH, byte & 0x7f, 0x7f); // section 5.2
    if (byte >= 0x80) return this.#beginInteger(INDEXED, byte & 0x7f, 0x7f); // section 6.1
    if (byte >= 0x40) return this.#beginInteger(LITERAL, byte & 0x3f, 0x3f); // section 6.2.1
    if (byte < 0x20) return this.#beginInteger(LITERAL, byte & 0x0f, 0x0f); // sections 6.2.2 and 6.2.3
    // Sections 4.2 and 6.3: in front of the first field line only.
    return this.count === 0 && this.#beginInteger(TABLE_SIZE, byte & 0x1f, 0x1f);
  }

  /** Section 5.1: a value that fills its prefix goes on in the bytes behind. */
  #beginInteger(purpose: Purpose, value: number, prefix: number): boolean {
    if (value < prefix) return this.#endInteger(purpose, value);
    this.#purpose = purpose;
    this.#value = value;
    this.#bits = 0;
    return true;
  }

  #continueInteger(byte: number): boolean {
    if (this.#bits === MOST_BITS) return false;
    this.#value += (byte & 0x7f) * 2 ** this.#bits;
    this.#bits += 7;
    if (byte >= 0x80) return true;
    this.#bits = -1;
    return this.#endInteger(this.#purpose, this.#value);
  }

  #endInteger(purpose: Purpose, value: number): boolean {
    switch (purpose) {
      case INDEXED:
        this.count++;
        return value > 0;
      case LITERAL:
        this.#strings = value === 0 ? 2 : 1;
        return true;
      case LENGTH:
        this.#skip = value;
        this.#strings--;
        if (this.#strings === 0) this.count++;
        return true;
      default:
        return true;
    }
  }
}
