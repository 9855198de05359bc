/**
 * The one table of server options. A row is all there is to an option: types, defaults, command-line flags, `--help` and
 * docs/options.md derive from it. The doc comment of a row repeats its help and default, because `ServerOptions` carries
 * it to editors; a test holds the two together.
 */
import type { OptionRow } from './option-row.ts';
import { PROTOCOL_OPTIONS } from './protocol-options.ts';
import { TLS_OPTIONS } from './tls-options.ts';
import { WORKER_OPTIONS } from './worker-options.ts';

export const OPTIONS = {
  /** Host name or address to listen on. @default '127.0.0.1' */
  host: {
    kind: 'host',
    short: 'o',
    excludes: ['socket', 'listen'],
    group: 'Listening',
    default: '127.0.0.1',
    help: 'Host name or address to listen on.',
  },
  /** Port to listen on; 0 picks a free one. @default 5000 */
  port: {
    kind: 'port',
    short: 'p',
    excludes: ['socket', 'listen'],
    group: 'Listening',
    default: 5000,
    help: 'Port to listen on; 0 picks a free one.',
  },
  /** Unix socket to listen on; a stale file is replaced, and removed on shutdown. @default undefined */
  socket: {
    kind: 'socketPath',
    excludes: ['host', 'port', 'listen'],
    group: 'Listening',
    default: undefined,
    help: 'Unix socket to listen on; a stale file is replaced, and removed on shutdown.',
  },
  /** File mode of every unix socket, in octal. @default undefined */
  socketMode: {
    kind: 'socketMode',
    group: 'Listening',
    default: undefined,
    help: 'File mode of every unix socket, in octal.',
  },
  /** Addresses to listen on: HOST:PORT, [IPV6]:PORT, /PATH, ./PATH, fd:NUMBER or fd:NAME; http:// or https:// in front says whether with TLS. @default undefined */
  listen: {
    kind: 'listen',
    isRepeatable: true,
    excludes: ['host', 'port', 'socket'],
    group: 'Listening',
    default: undefined,
    help: 'Addresses to listen on: HOST:PORT, [IPV6]:PORT, /PATH, ./PATH, fd:NUMBER or fd:NAME; http:// or https:// in front says whether with TLS.',
  },
  /** Connections that the kernel holds until they are accepted. @default 2048 */
  listenerBacklog: {
    kind: 'count',
    short: 'b',
    group: 'Listening',
    default: 2048,
    help: 'Connections that the kernel holds until they are accepted.',
  },
  /** Ask for TCP ports that several sockets share (SO_REUSEPORT), one for each worker; off: the workers share one socket. @default on with workers */
  reusePort: {
    kind: 'flag',
    flag: 'reuseport',
    group: 'Listening',
    default: undefined,
    defaultText: 'on with workers',
    help: 'Ask for TCP ports that several sockets share (SO_REUSEPORT), one for each worker; off: the workers share one socket.',
  },
  ...WORKER_OPTIONS,
  ...TLS_OPTIONS,
  /** Requests in hand at once; over it 503 with retry-after; 0 is unlimited. @default 0 */
  limitConcurrency: {
    kind: 'count',
    group: 'Limits',
    default: 0,
    help: 'Requests in hand at once; over it 503 with retry-after; 0 is unlimited.',
  },
  /** Open connections, at most the descriptor limit less 100; over it 503 with retry-after (by ALPN h2 GOAWAY); 0 is all of that limit. @default 1000 */
  maxConnections: {
    kind: 'count',
    group: 'Limits',
    default: 1000,
    help: 'Open connections, at most the descriptor limit less 100; over it 503 with retry-after (by ALPN h2 GOAWAY); 0 is all of that limit.',
  },
  /** Size of the request line; over it 414. @default 8192 */
  maxRequestLine: {
    kind: 'bytes',
    group: 'Limits',
    default: 8192,
    help: 'Size of the request line; over it 414.',
  },
  /** Size of the header block; over it 431. @default 16384 */
  maxHeaderSize: {
    kind: 'bytes',
    group: 'Limits',
    default: 16384,
    help: 'Size of the header block; over it 431.',
  },
  /** Header fields in a request; over it 431. @default 100 */
  maxHeaderCount: {
    kind: 'count',
    group: 'Limits',
    default: 100,
    help: 'Header fields in a request; over it 431.',
  },
  /** Size of a request body; over it 413; 0 is unlimited. @default 10000000 */
  maxBodySize: {
    kind: 'bytes',
    group: 'Limits',
    default: 10_000_000,
    help: 'Size of a request body; over it 413; 0 is unlimited.',
  },
  /** WebSocket messages waiting for the app, 1 MiB at most; reading pauses there; 0 leaves only the bytes bounded. @default 32 */
  maxReceiveQueue: {
    kind: 'count',
    group: 'Limits',
    default: 32,
    help: 'WebSocket messages waiting for the app, 1 MiB at most; reading pauses there; 0 leaves only the bytes bounded.',
  },
  /** Size of a WebSocket frame; over it the session is closed with 1009; 0 is unlimited. @default 16777216 */
  maxWsFrameSize: {
    kind: 'bytes',
    group: 'Limits',
    default: 16_777_216,
    help: 'Size of a WebSocket frame; over it the session is closed with 1009; 0 is unlimited.',
  },
  /** Size of a WebSocket message, also once inflated; over it 1009; 0 is unlimited. @default 16777216 */
  maxWsMessageSize: {
    kind: 'bytes',
    group: 'Limits',
    default: 16_777_216,
    help: 'Size of a WebSocket message, also once inflated; over it 1009; 0 is unlimited.',
  },
  /** Unsent bytes of a response above which send waits. @default 65536 */
  writeHighWatermark: {
    kind: 'bytes',
    group: 'Limits',
    default: 65_536,
    help: 'Unsent bytes of a response above which send waits.',
  },
  /** Unsent bytes below which a waiting send goes on; at most the high watermark, also by default. @default 16384 */
  writeLowWatermark: {
    kind: 'bytes',
    group: 'Limits',
    default: 16_384,
    help: 'Unsent bytes below which a waiting send goes on; at most the high watermark, also by default.',
  },
  /** Files smaller than this are read in one go. @default 65536 */
  syncFileThreshold: {
    kind: 'bytes',
    group: 'Limits',
    default: 65_536,
    help: 'Files smaller than this are read in one go.',
  },
  /** Idle time of a connection before its first byte and between requests; 0 is off. @default 75 */
  timeout: {
    kind: 'seconds',
    group: 'Timeouts',
    default: 75,
    help: 'Idle time of a connection before its first byte and between requests; 0 is off.',
  },
  /** Time for a TLS handshake; 0 is off. @default 10 */
  handshakeTimeout: {
    kind: 'seconds',
    group: 'Timeouts',
    default: 10,
    help: 'Time for a TLS handshake; 0 is off.',
  },
  /** Time for a whole request head, from its first byte; then 408; 0 is off. @default 30 */
  headerTimeout: {
    kind: 'seconds',
    group: 'Timeouts',
    default: 30,
    help: 'Time for a whole request head, from its first byte; then 408; 0 is off.',
  },
  /** Time without progress of a request body that the app waits for; 0 is off. @default 60 */
  bodyTimeout: {
    kind: 'seconds',
    group: 'Timeouts',
    default: 60,
    help: 'Time without progress of a request body that the app waits for; 0 is off.',
  },
  /** Time without a byte either way during a request; 0 is off. @default 0 */
  requestTimeout: {
    kind: 'seconds',
    group: 'Timeouts',
    default: 0,
    help: 'Time without a byte either way during a request; 0 is off.',
  },
  /** Time without progress while bytes wait to be sent; 0 is off. @default 60 */
  writeTimeout: {
    kind: 'seconds',
    group: 'Timeouts',
    default: 60,
    help: 'Time without progress while bytes wait to be sent; 0 is off.',
  },
  /** Time between pings to a WebSocket client, unless the app sets its own; 0 is off. @default 20 */
  wsPingInterval: {
    kind: 'seconds',
    group: 'Timeouts',
    default: 20,
    help: 'Time between pings to a WebSocket client, unless the app sets its own; 0 is off.',
  },
  /** Time for the answer to such a ping; without one the session ends; 0 is off. @default 20 */
  wsPingTimeout: {
    kind: 'seconds',
    group: 'Timeouts',
    default: 20,
    help: 'Time for the answer to such a ping; without one the session ends; 0 is off.',
  },
  /** Time without a WebSocket message either way; then the session ends; 0 is off. @default 0 */
  wsIdleTimeout: {
    kind: 'seconds',
    group: 'Timeouts',
    default: 0,
    help: 'Time without a WebSocket message either way; then the session ends; 0 is off.',
  },
  /** Time in which an event stream sends nothing; then it ends; 0 is off. @default 0 */
  sseIdleTimeout: {
    kind: 'seconds',
    group: 'Timeouts',
    default: 0,
    help: 'Time in which an event stream sends nothing; then it ends; 0 is off.',
  },
  ...PROTOCOL_OPTIONS,
  /** Whether the app is told of startup and shutdown; on refuses to start an app that does not take part. @default 'auto' */
  lifespan: {
    kind: 'choice',
    choices: ['auto', 'on', 'off'],
    group: 'Starting and stopping',
    default: 'auto',
    help: 'Whether the app is told of startup and shutdown; on refuses to start an app that does not take part.',
  },
  /** Time for the app's startup; 0 waits forever. @default 60 */
  lifespanStartupTimeout: {
    kind: 'seconds',
    group: 'Starting and stopping',
    default: 60,
    help: "Time for the app's startup; 0 waits forever.",
  },
  /** Time for the app's shutdown; 0 waits forever. @default 10 */
  lifespanShutdownTimeout: {
    kind: 'seconds',
    group: 'Starting and stopping',
    default: 10,
    help: "Time for the app's shutdown; 0 waits forever.",
  },
  /** Time from the signal to stop until the listeners close. @default 0 */
  drainDelay: {
    kind: 'seconds',
    group: 'Starting and stopping',
    default: 0,
    help: 'Time from the signal to stop until the listeners close.',
  },
  /** Time for requests in hand to finish at shutdown; then they are cut. @default 30 */
  shutdownTimeout: {
    kind: 'seconds',
    group: 'Starting and stopping',
    default: 30,
    help: 'Time for requests in hand to finish at shutdown; then they are cut.',
  },
  /** Where requests are logged: a file, reopened on SIGUSR1, or - (in code true) for standard error. @default true, false in production */
  accessLog: {
    kind: 'logFile',
    productionDefault: false,
    group: 'Logging',
    default: true,
    help: 'Where requests are logged: a file, reopened on SIGUSR1, or - (in code true) for standard error.',
  },
  /** A preset (clf, combined, common, tiny, json) or a format string such as '%h %s %D'. @default 'clf' */
  accessLogFormat: {
    kind: 'string',
    placeholder: 'FORMAT',
    group: 'Logging',
    default: 'clf',
    help: "A preset (clf, combined, common, tiny, json) or a format string such as '%h %s %D'.",
  },
  /** Least serious kind of message that is logged. @default 'info' */
  logLevel: {
    kind: 'choice',
    choices: ['error', 'warn', 'info', 'debug'],
    group: 'Logging',
    default: 'info',
    help: 'Least serious kind of message that is logged.',
  },
  /** Log errors only. @default false */
  quiet: {
    kind: 'flag',
    short: 'q',
    group: 'Logging',
    default: false,
    help: 'Log errors only.',
  },
  /** Send `server: tsagi-server` with every response that has no such field. @default true */
  serverHeader: {
    kind: 'flag',
    group: 'Responses',
    default: true,
    help: 'Send `server: tsagi-server` with every response that has no such field.',
  },
  /** Send the date with every response that has no such field. @default true */
  dateHeader: {
    kind: 'flag',
    group: 'Responses',
    default: true,
    help: 'Send the date with every response that has no such field.',
  },
  /** Offer permessage-deflate to WebSocket clients, for messages from 1 KiB. @default false */
  wsCompression: {
    kind: 'flag',
    group: 'Responses',
    default: false,
    help: 'Offer permessage-deflate to WebSocket clients, for messages from 1 KiB.',
  },
  /** Fields added to every response that lacks them. @default [] */
  headers: {
    kind: 'headers',
    flag: 'header',
    isRepeatable: true,
    group: 'Responses',
    default: [],
    help: 'Fields added to every response that lacks them.',
  },
  /** Path below which the app is mounted, told to it as `rootPath`. @default '' */
  rootPath: {
    kind: 'rootPath',
    group: 'Application',
    default: '',
    help: 'Path below which the app is mounted, told to it as `rootPath`.',
  },
  /** Extensions that the app may use, by name, such as `{ fullflush: {} }`. @default {} */
  extensions: {
    kind: 'record',
    isCodeOnly: true,
    group: 'Application',
    default: {},
    help: 'Extensions that the app may use, by name, such as `{ fullflush: {} }`.',
  },
  /** Mode to run in, told to the app as the environment variable TSAGI_ENV. @default TSAGI_ENV, else development on a terminal and production elsewhere */
  env: {
    kind: 'choice',
    short: 'E',
    choices: ['development', 'production', 'none'],
    group: 'Application',
    default: undefined,
    defaultText: 'TSAGI_ENV, else development on a terminal and production elsewhere',
    help: 'Mode to run in, told to the app as the environment variable TSAGI_ENV.',
  },
} as const satisfies Readonly<Record<string, OptionRow>>;

export type OptionTable = typeof OPTIONS;
export type OptionName = keyof OptionTable;
