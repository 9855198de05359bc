/**
 * Payloads of compressed messages as hexadecimal bytes, in the ways RFC 7692 section 7.2 allows to make them, and in
 * ways that no inflater gets through (RFC 1951). Where a message is text it stands as such.
 */

export interface PayloadRow {
  name: string;
  rfc: string;
  payload: string;
  /** Undefined: a fault, 1007. */
  message: string | undefined;
}

function rows(about: string, rfc: string, table: Record<string, readonly [string, string?]>): PayloadRow[] {
  return Object.entries(table).map(([claim, [payload, message]]) => ({
    name: `${about}: ${claim}`,
    rfc,
    payload,
    message,
  }));
}

export const payloadRows: PayloadRow[] = [
  ...rows('one block', 'RFC 7692 7.2.3.1', {
    'of fixed codes': ['f2 48 cd c9 c9 07 00', 'Hello'],
    'of fixed codes, one character': ['4a 04 00', 'a'],
  }),
  ...rows('shared window', 'RFC 7692 7.2.3.2', {
    'a match that reaches into the message before': ['f2 00 11 00 00'],
  }),
  ...rows('stored block', 'RFC 7692 7.2.3.3', {
    'with an empty one behind it': ['00 05 00 fa ff 48 65 6c 6c 6f 00', 'Hello'],
    'two of them': ['00 02 00 fd ff 48 65 00 03 00 fc ff 6c 6c 6f 00', 'Hello'],
    'an empty one first': ['00 00 00 ff ff 00 05 00 fa ff 48 65 6c 6c 6f 00', 'Hello'],
  }),
  ...rows('final block', 'RFC 7692 7.2.3.4', {
    'with 00 behind it': ['f3 48 cd c9 c9 07 00 00', 'Hello'],
    'with nothing behind it': ['f3 48 cd c9 c9 07 00', 'Hello'],
    'stored, with 00 behind it': ['01 05 00 fa ff 48 65 6c 6c 6f 00', 'Hello'],
    'stored, with nothing behind it': ['01 05 00 fa ff 48 65 6c 6c 6f', 'Hello'],
    'with another block behind it': ['f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00', 'HelloHello'],
    'with another final block behind it': ['f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00', 'HelloHello'],
    'empty, and then the message': ['03 00 f2 48 cd c9 c9 07 00', 'Hello'],
    'behind a block that is not': ['f2 48 cd c9 c9 07 00 00 00 ff ff f3 48 cd c9 c9 07 00 00', 'HelloHello'],
    empty: ['03 00 00', ''],
  }),
  ...rows('two blocks', 'RFC 7692 7.2.3.5', {
    'with a flush between': ['f2 48 05 00 00 00 ff ff ca c9 c9 07 00', 'Hello'],
  }),
  ...rows('empty message', 'RFC 7692 7.2.3.6', {
    'one byte': ['00', ''],
    'an empty block of fixed codes': ['02 00', ''],
    'no byte': ['', ''],
  }),
  ...rows('the four bytes put back', 'RFC 7692 7.2.2', {
    'are content where the payload says so': ['00 05 00 fa ff 48', 'H\x00\x00\xff\xff'],
  }),
  ...rows('not DEFLATE', 'RFC 1951 3.2', {
    'block type 3': ['07'],
    'block type 3 behind a message': ['f2 48 cd c9 c9 07 06'],
    'a stored length and its complement differ': ['00 05 00 fa fe 48 65 6c 6c 6f 00'],
    'a length code that does not exist': ['1b 03 00'],
    'too many codes': ['fc ff ff ff ff'],
    'ff throughout': ['ff ff ff ff ff ff'],
    text: ['48 65 6c 6c 6f'],
    'a zlib header': ['78 9c f2 48 cd c9 c9 07 00'],
    'a gzip header': ['1f 8b 08 00 00 00 00 00 00 03 f2 48 cd c9 c9 07 00'],
    'a match before the beginning': ['02 81 00'],
    'what follows a final block': ['f3 48 cd c9 c9 07 00 ff ff'],
  }),
  ...rows('cut', 'RFC 7692 7.2.2', {
    'by its last byte': ['f2 48 cd c9 c9 07'],
    'within a block': ['f2 48 cd'],
    'after one byte': ['f2'],
    'within a stored block': ['00 05 00 fa ff 48 65 6c'],
    'within the length of a stored block': ['00 05 00'],
    'behind a stored block': ['00 05 00 fa ff 48 65 6c 6c 6f'],
    'within a final block': ['f3 48 cd c9'],
    'a final stored block': ['01 05 00 fa ff 48 65 6c'],
    'within the second of two blocks': ['f2 48 05 00 00 00 ff ff ca c9'],
    'with the four bytes that are to be left out': ['f2 48 cd c9 c9 07 00 00 00 ff ff'],
  }),
];
