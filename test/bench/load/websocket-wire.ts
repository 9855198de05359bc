/** The bytes of WebSocket sessions, made by hand and once, so that a load client only writes, counts and compares. */

/** The example key and its answer in RFC 6455 section 1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = /^sec-websocket-accept: *s3pPLMBiTxaQ9kYGzzhZRbK\+xOo= *$/im;
const MASK = Buffer.from([0x9b, 0x3c, 0x51, 0xe6]);
const FIN = 0x80;
const MASKED = 0x80;
/** The length from which it takes two bytes of its own, and how that is said (RFC 6455 section 5.2). */
const TWO_BYTE_LENGTH = 126;

export type MessageKind = 'text' | 'binary';
const OPCODES = { text: 1, binary: 2 } as const satisfies Record<MessageKind, number>;

export function handshakeOf(port: number): string {
  return (
    `GET /ws HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
    `sec-websocket-version: 13\r\nsec-websocket-key: ${KEY}\r\n\r\n`
  );
}

/** Whether the head of a response opens the session that `handshakeOf` asked for. */
export function isAccepted(head: string): boolean {
  return head.startsWith('HTTP/1.1 101 ') && ACCEPT.test(head);
}

/** A message of that many bytes as a client sends it. */
export function requestFrame(kind: MessageKind, size: number): Buffer {
  const payload = payloadOf(size).map((byte, index) => byte ^ (MASK[index % MASK.length] ?? 0));
  return Buffer.concat([headOf(kind, size, MASKED), MASK, payload]);
}

/** The same message as a server sends it. */
export function echoFrame(kind: MessageKind, size: number): Buffer {
  return Buffer.concat([headOf(kind, size, 0), payloadOf(size)]);
}

function headOf(kind: MessageKind, size: number, masked: number): Buffer {
  const first = FIN | OPCODES[kind];
  return size < TWO_BYTE_LENGTH
    ? Buffer.from([first, masked | size])
    : Buffer.from([first, masked | TWO_BYTE_LENGTH, size >> 8, size & 0xff]);
}

/** Letters, not one letter alone: a wrongly turned mask must show. */
function payloadOf(size: number): Buffer {
  return Buffer.alloc(size, 'abcdefghijklmnopqrstuvwxyz');
}
