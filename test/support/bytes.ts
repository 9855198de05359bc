/** Byte strings (every char code is one byte) to bytes and back. */

export function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

export function toByteString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
