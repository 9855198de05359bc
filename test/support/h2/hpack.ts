/**
 * HPACK (RFC 7541) for tests, written from the RFC and sharing nothing with the sources: functions that make each form
 * of a header block, right or wrong as the caller says, an encoder that uses the dynamic table, and a full decoder.
 * Names and values are byte strings.
 */
import { Buffer } from 'node:buffer';
import { HeaderTable, type Field } from './hpack-tables.ts';
import { huffmanDecode, huffmanEncode } from './huffman.ts';

export type { Field } from './hpack-tables.ts';

/** How a literal field is treated by tables: added, not added, never added by anyone (RFC 7541 sections 6.2.1 to 6.2.3). */
export type LiteralForm = 'incremental' | 'plain' | 'never';

const LITERALS = {
  incremental: { pattern: 0x40, prefix: 6 },
  plain: { pattern: 0x00, prefix: 4 },
  never: { pattern: 0x10, prefix: 4 },
} as const;

export class HpackError extends Error {
  override readonly name = 'HpackError';
}

// The forms, one by one.

/** An integer with a prefix of so many bits below `pattern` (section 5.1); `extra` zero bytes make it longer than it need be. */
export function integer(value: number, prefix: number, pattern = 0, extra = 0): Buffer {
  const most = 2 ** prefix - 1;
  if (value < most) return Buffer.of(pattern | value);
  const bytes = [pattern | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(extra > 0 ? rest | 0x80 : rest);
  for (let left = extra; left > 0; left -= 1) bytes.push(left > 1 ? 0x80 : 0);
  return Buffer.from(bytes);
}

/** A string literal (section 5.2). */
export function stringLiteral(value: string, isHuffman = false): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const content = isHuffman ? huffmanEncode(bytes) : bytes;
  return Buffer.concat([integer(content.length, 7, isHuffman ? 0x80 : 0), content]);
}

/** A field by its index (section 6.1). */
export function indexed(index: number): Buffer {
  return integer(index, 7, 0x80);
}

/** A literal field, its name given or indexed (section 6.2). */
export function literal(
  name: string | number,
  value: string,
  { form = 'plain', isHuffman = false }: { form?: LiteralForm; isHuffman?: boolean } = {},
): Buffer {
  const { pattern, prefix } = LITERALS[form];
  const named = typeof name === 'number';
  const start = integer(named ? name : 0, prefix, pattern);
  return Buffer.concat(
    [start, named ? '' : stringLiteral(name, isHuffman), stringLiteral(value, isHuffman)].map(toBuffer),
  );
}

/** A dynamic table size update (section 6.3). */
export function tableSize(size: number): Buffer {
  return integer(size, 5, 0x20);
}

/** Fields that leave the tables as they are: literals with their names spelled out. The same bytes on every connection. */
export function plainBlock(fields: Iterable<Field>): Buffer {
  return Buffer.concat(Array.from(fields, ([name, value]) => literal(name, value)));
}

function toBuffer(part: Buffer | string): Buffer {
  return typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
}

// Whole blocks.

/** Encodes as compactly as it can: indexes where it has them, literals with incremental indexing where it has not. */
export class HpackEncoder {
  readonly table = new HeaderTable();
  readonly #isHuffman: boolean;
  #update: number | undefined;

  constructor({ isHuffman = true }: { isHuffman?: boolean } = {}) {
    this.#isHuffman = isHuffman;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE: the next block begins with the update that section 4.2 asks for. */
  limit(size: number): void {
    if (size >= this.table.maxSize) return;
    this.table.resize(size);
    this.#update = size;
  }

  encode(fields: Iterable<Field>): Buffer {
    const parts = this.#update === undefined ? [] : [tableSize(this.#update)];
    this.#update = undefined;
    for (const field of fields) parts.push(this.#field(field));
    return Buffer.concat(parts);
  }

  #field(field: Field): Buffer {
    const found = this.table.find(field);
    if (found.whole !== undefined) return indexed(found.whole);
    this.table.add(field);
    return literal(found.name ?? field[0], field[1], { form: 'incremental', isHuffman: this.#isHuffman });
  }
}

/** Decodes block after block of one connection; throws `HpackError` at what RFC 7541 forbids. */
export class HpackDecoder {
  readonly table: HeaderTable;
  /** What this side has promised as SETTINGS_HEADER_TABLE_SIZE. */
  #limit: number;
  /** The peer must begin its next block with a size update that is no larger (section 4.2). */
  #owedUpdate: number | undefined;

  constructor(limit = 4096) {
    this.table = new HeaderTable(limit);
    this.#limit = limit;
  }

  /** A new promise, acknowledged by the peer. */
  limit(size: number): void {
    if (size < this.table.maxSize) this.#owedUpdate = Math.min(size, this.#owedUpdate ?? size);
    this.#limit = size;
  }

  decode(block: Uint8Array): Field[] {
    const reader = new BlockReader(block);
    const fields: Field[] = [];
    let mayUpdate = true;
    while (!reader.isDone) {
      const first = reader.peek();
      if ((first & 0xe0) === 0x20) this.#resize(reader.integer(5), mayUpdate);
      else {
        if (this.#owedUpdate !== undefined) throw new HpackError('the size update that was due is missing');
        mayUpdate = false;
        fields.push(first & 0x80 ? this.#indexed(reader.integer(7)) : this.#literal(reader, first));
      }
    }
    return fields;
  }

  #resize(size: number, mayUpdate: boolean): void {
    if (!mayUpdate) throw new HpackError('a size update behind a field');
    if (size > this.#limit) throw new HpackError(`a size update to ${size}, above the limit ${this.#limit}`);
    if (this.#owedUpdate !== undefined && size <= this.#owedUpdate) this.#owedUpdate = undefined;
    this.table.resize(size);
  }

  #indexed(index: number): Field {
    const field = this.table.at(index);
    if (field === undefined) throw new HpackError(`nothing has the index ${index}`);
    return field;
  }

  #literal(reader: BlockReader, first: number): Field {
    const isIncremental = (first & 0x40) !== 0;
    const index = reader.integer(isIncremental ? 6 : 4);
    const name = index === 0 ? reader.string() : this.#indexed(index)[0];
    const field: Field = [name, reader.string()];
    if (isIncremental) this.table.add(field);
    return field;
  }
}

class BlockReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#bytes = Buffer.from(block);
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length;
  }

  peek(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new HpackError('the block is cut short');
    return byte;
  }

  integer(prefix: number): number {
    const most = 2 ** prefix - 1;
    let value = this.#byte() & most;
    if (value < most) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (value > 0xffff_ffff || shift > 28) throw new HpackError('an integer is too large');
      if ((byte & 0x80) === 0) return value;
    }
  }

  string(): string {
    const isHuffman = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    if (this.#at + length > this.#bytes.length) throw new HpackError('a string is longer than the block');
    const content = this.#bytes.subarray(this.#at, (this.#at += length));
    const decoded = isHuffman ? huffmanDecode(content) : content;
    if (typeof decoded === 'string') throw new HpackError(decoded);
    return decoded.toString('latin1');
  }

  #byte(): number {
    const byte = this.peek();
    this.#at += 1;
    return byte;
  }
}
