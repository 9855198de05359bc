/**
 * The rows of the option table that say what is spoken on a connection: see options.ts.
 */
import type { OptionRow } from './option-row.ts';

export const PROTOCOL_OPTIONS = {
  /** Serve HTTP/2: by prior knowledge without TLS, by ALPN with it. @default false */
  http2: {
    kind: 'flag',
    flag: 'http2',
    group: 'HTTP/2',
    default: false,
    help: 'Serve HTTP/2: by prior knowledge without TLS, by ALPN with it.',
  },
  /** Streams that a client may have open at once on one connection. @default 100 */
  h2MaxConcurrentStreams: {
    kind: 'count',
    range: [1, 2_147_483_647],
    group: 'HTTP/2',
    default: 100,
    help: 'Streams that a client may have open at once on one connection.',
  },
  /** Bytes of request bodies that a client may send ahead on one stream, and beyond 65535 on the connection. @default 262144 */
  h2InitialWindowSize: {
    kind: 'bytes',
    range: [1, 2_147_483_647],
    group: 'HTTP/2',
    default: 262_144,
    help: 'Bytes of request bodies that a client may send ahead on one stream, and beyond 65535 on the connection.',
  },
  /** Largest frame that a client may send. @default 16384 */
  h2MaxFrameSize: {
    kind: 'bytes',
    range: [16_384, 16_777_215],
    group: 'HTTP/2',
    default: 16_384,
    help: 'Largest frame that a client may send.',
  },
  /** Size of the header fields of a request, uncompressed. @default 65536 */
  h2MaxHeaderListSize: {
    kind: 'bytes',
    range: [1, 2_147_483_647],
    group: 'HTTP/2',
    default: 65_536,
    help: 'Size of the header fields of a request, uncompressed.',
  },
  /** Let clients open WebSockets over HTTP/2 (RFC 8441). @default true */
  h2EnableConnectProtocol: {
    kind: 'flag',
    flag: 'h2-connect-protocol',
    group: 'HTTP/2',
    default: true,
    help: 'Let clients open WebSockets over HTTP/2 (RFC 8441).',
  },
  /** Streams that a client may reset at once; then the connection is closed. @default 1000 */
  h2RstBurst: {
    kind: 'count',
    group: 'HTTP/2',
    default: 1000,
    help: 'Streams that a client may reset at once; then the connection is closed.',
  },
  /** Streams that a client may reset per second in the long run. @default 33 */
  h2RstRate: {
    kind: 'count',
    group: 'HTTP/2',
    default: 33,
    help: 'Streams that a client may reset per second in the long run.',
  },
} as const satisfies Readonly<Record<string, OptionRow>>;
