/** Every conformance row of HTTP/2: RFC 9113 and RFC 8441 by section, then RFC 7541. */
import { connectionRows } from './conformance-connection.ts';
import { frameTypeRows } from './conformance-frames.ts';
import { fieldRows } from './conformance-fields.ts';
import { flowControlRows } from './conformance-flow-control.ts';
import { hpackRows } from './conformance-hpack.ts';
import { messageRows } from './conformance-messages.ts';
import type { ConformanceRow } from './conformance-row.ts';
import { streamRows } from './conformance-streams.ts';

export const conformanceRows: ConformanceRow[] = [
  ...connectionRows,
  ...streamRows,
  ...frameTypeRows,
  ...flowControlRows,
  ...messageRows,
  ...fieldRows,
  ...hpackRows,
];
