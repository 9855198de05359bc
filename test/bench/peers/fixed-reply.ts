/** The bytes that the two ceilings answer with: the same fields that a real server sends, made once. */
import { GREETING } from './work.ts';

export const FIXED_REPLY = Buffer.from(
  'HTTP/1.1 200 OK\r\n' +
    'content-type: text/plain\r\n' +
    `content-length: ${GREETING.length}\r\n` +
    `date: ${new Date().toUTCString()}\r\n` +
    'server: tsagi-server\r\n\r\n' +
    GREETING,
);
