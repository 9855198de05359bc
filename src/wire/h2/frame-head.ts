/**
 * The header of one frame (RFC 9113 section 4.1), and where its payload begins. One object is read into again and again: nothing is
 * allocated for a frame.
 */
import type { Buffer } from 'node:buffer';

import { FRAME, FLAG, HEADER_SIZE, MAX_SETTINGS_SIZE } from './frames.ts';

export class FrameHead {
  bytes!: Buffer;
  /** Where the payload begins; only the first bytes of it need be there, see {@link prefixSize}. */
  payloadAt = 0;
  /** Bytes of payload. */
  length = 0;
  type = 0;
  flags = 0;
  streamId = 0;

  /** Reads the header at `bytes[at]`, which must be whole. */
  read(bytes: Buffer, at: number): void {
    this.bytes = bytes;
    this.payloadAt = at + HEADER_SIZE;
    this.length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    this.type = bytes[at + 3]!;
    this.flags = bytes[at + 4]!;
    // The reserved bit must be ignored.
    this.streamId =
      ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** The 31 bits that begin `offset` bytes into the payload. */
  uint31(offset: number): number {
    return this.bytes.readUInt32BE(this.payloadAt + offset) & 0x7fff_ffff;
  }

  /** Bytes of payload that must be there before the frame can be judged. */
  prefixSize(): number {
    return Math.min(this.length, this.prefixSizeWanted());
  }

  /** The same for a frame that is long enough. */
  prefixSizeWanted(): number {
    switch (this.type) {
      case FRAME.data:
        return this.has(FLAG.padded) ? 1 : 0;
      case FRAME.headers:
        return (this.has(FLAG.padded) ? 1 : 0) + (this.has(FLAG.priority) ? 5 : 0);
      case FRAME.priority:
        return 5;
      case FRAME.ping:
        return 8;
      case FRAME.settings:
        return this.length > MAX_SETTINGS_SIZE ? 0 : this.length;
      case FRAME.rstStream:
      case FRAME.goAway:
      case FRAME.windowUpdate:
        return 4;
      default:
        return 0;
    }
  }
}
