/**
 * The subject of a certificate as RFC 4514 writes it, read from the DER bytes: the library's own text form loses where one
 * attribute ends and the next begins. The bytes have passed the TLS library; whatever still does not parse is undefined.
 */

/** RFC 4514 section 3: the attribute types that have a short name; all others are written as numbers. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.6': 'C',
  '2.5.4.9': 'STREET',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
};

const SEQUENCE = 0x30;
const SET = 0x31;
const OBJECT_IDENTIFIER = 0x06;
/** `[0]`, explicit and constructed: the version, which certificates of version 1 do not have (RFC 5280 4.1). */
const VERSION = 0xa0;

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly whole: Uint8Array;
}

/** `certificate` is DER. An empty subject is the empty string. */
export function subjectName(certificate: Uint8Array): string | undefined {
  const [outer] = elementsOf(certificate) ?? [];
  const [signed] = elementsOf(outer?.content) ?? [];
  const fields = elementsOf(signed?.content);
  if (fields === undefined) return undefined;
  // RFC 5280 4.1: version, serialNumber, signature, issuer, validity, subject.
  const subject = fields[fields[0]?.tag === VERSION ? 5 : 4];
  return subject?.tag === SEQUENCE ? formatName(subject.content) : undefined;
}

/** RFC 4514 2.1: from the last to the first, joined with commas. */
function formatName(content: Uint8Array): string | undefined {
  const sets = elementsOf(content);
  const names = sets?.map((set) => (set.tag === SET ? formatSet(set.content) : undefined));
  return names?.every((name) => name !== undefined) ? names.reverse().join(',') : undefined;
}

/** RFC 4514 2.2: the attributes of one place, joined with plus signs. */
function formatSet(content: Uint8Array): string | undefined {
  const parts = elementsOf(content)?.map(({ content: pair }) => formatAttribute(pair));
  return parts?.every((part) => part !== undefined) ? parts.join('+') : undefined;
}

/** RFC 4514 2.3 and 2.4: without a short name, or of a type that is no string, the value is written as its DER bytes. */
function formatAttribute(pair: Uint8Array): string | undefined {
  const [type, value] = elementsOf(pair) ?? [];
  if (type?.tag !== OBJECT_IDENTIFIER || value === undefined) return undefined;
  const identifier = formatIdentifier(type.content);
  const name = SHORT_NAMES[identifier];
  const text = name === undefined ? undefined : textOf(value);
  return text === undefined ? `${name ?? identifier}=#${hex(value.whole)}` : `${name}=${escapeValue(text)}`;
}

const DECODERS: Readonly<Record<number, (bytes: Uint8Array) => string | undefined>> = {
  0x0c: decodeUtf8,
  // NumericString, PrintableString, IA5String, VisibleString: ASCII.
  0x12: decodeUtf8,
  0x13: decodeUtf8,
  0x16: decodeUtf8,
  0x1a: decodeUtf8,
  // TeletexString: Latin-1 in practice.
  0x14: (bytes) => Buffer.from(bytes).toString('latin1'),
  // BMPString and UniversalString: UTF-16 and UTF-32, the high byte first.
  0x1e: (bytes) => (bytes.length % 2 === 0 ? Buffer.from(bytes).swap16().toString('utf16le') : undefined),
  0x1c: decodeUtf32,
};

function textOf({ tag, content }: Element): string | undefined {
  return DECODERS[tag]?.(content);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function decodeUtf32(bytes: Uint8Array): string | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const point = view.getUint32(at);
    if (point > 0x10ffff) return undefined;
    text += String.fromCodePoint(point);
  }
  return text;
}

/** RFC 4514 2.4: what has a meaning of its own stands behind a backslash. Other control characters follow suit, as hex. */
function escapeValue(text: string): string {
  return text
    .replace(/[\\"+,;<>]/g, '\\$&')
    .replace(/[\x00-\x1f\x7f]/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replace(/^[ #]/, '\\$&')
    .replace(/(?<!^\\?) $/, '\\ ');
}

/** X.690 8.19: base 128, and the first number stands for two. */
function formatIdentifier(content: Uint8Array): string {
  const numbers: bigint[] = [];
  let value = 0n;
  for (const byte of content) {
    value = value * 128n + BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(value);
    value = 0n;
  }
  const [both = 0n, ...rest] = numbers;
  const first = both < 80n ? both / 40n : 2n;
  return [first, both - first * 40n, ...rest].join('.');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The elements that `bytes` consist of; undefined where they do not come out even. */
function elementsOf(bytes: Uint8Array | undefined): Element[] | undefined {
  if (bytes === undefined) return undefined;
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at]!;
    let length = bytes[at + 1] ?? Infinity;
    let start = at + 2;
    // X.690 8.1.3.5: the long form says how many bytes the length itself takes.
    if (length >= 0x80) {
      const size = length & 0x7f;
      if (size === 0 || size > 4) return undefined;
      length = 0;
      for (const byte of bytes.subarray(start, start + size)) length = length * 256 + byte;
      start += size;
    }
    const end = start + length;
    if (end > bytes.length) return undefined;
    elements.push({ tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return elements;
}
