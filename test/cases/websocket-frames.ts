/** Every vector of frames behind the handshake (RFC 6455 sections 5 to 8 and 10, RFC 7692 sections 6 to 8). */

import { closeRows } from './websocket/close.ts';
import { compressionRows } from './websocket/compression.ts';
import { controlRows } from './websocket/control.ts';
import { fragmentationRows } from './websocket/fragmentation.ts';
import type { FrameRow } from './websocket/frame-row.ts';
import { framingRows } from './websocket/framing.ts';
import { limitRows } from './websocket/limits.ts';
import { utf8Rows } from './websocket/utf8.ts';

export const frameRows: FrameRow[] = [
  ...framingRows,
  ...fragmentationRows,
  ...controlRows,
  ...closeRows,
  ...utf8Rows,
  ...limitRows,
  ...compressionRows,
];
