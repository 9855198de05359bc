/**
 * What speaks for a connection while there is something to say: HTTP/1.1, or a tunnel that HTTP/1.1 has opened.
 */
import type { Buffer } from 'node:buffer';
import type { DisconnectReason } from '../contract/handles.ts';
import type { Watched } from './deadlines.ts';

export interface Carrier extends Watched {
  received(chunk: Buffer): void;
  /** The kernel can take bytes again. */
  writable(): void;
  /** The peer has sent FIN. */
  inputEnded(): void;
  /** The connection is no more. */
  lost(reason: DisconnectReason): void;
  /** Graceful shutdown has begun. */
  drain(): void;
  /** The connection is about to be broken off: hands the kernel what cannot be mistaken for the whole. */
  flushStarted(): void;
}
