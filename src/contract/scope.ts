/**
 * What an application is told once, when it is called. A scope is a fresh object per call and belongs to that call.
 * *Byte string* below means a string in which every char code is one byte, 0 to 255, as in Node and `fetch`.
 * Source: TSAGI 0.3, "Scopes", "lifespan" and "Extensions".
 */
import type { ConnectionState, TransportState } from './handles.ts';

/** The version of the HTTP message, whatever carried it. */
export type HttpVersion = '1.0' | '1.1' | '2' | '3';

/** The contract that the server speaks. */
export interface TsagiVersion {
  /** The version of the interface. */
  version: '0.3';
  /** The version of the specification of events and scopes. */
  specVersion: '0.3';
}

/** `tsagi` of a `lifespan` scope. */
export interface LifespanTsagiVersion extends TsagiVersion {
  /** Whether this process is one of several workers. */
  isWorker: boolean;
  /** The worker's number; absent in a single process. */
  workerNum?: number;
}

/** The `tls` extension, there on TLS connections only. */
export interface TlsExtension {
  /** The certificate that the server presented, as PEM, or null where unknown. */
  serverCert: string | null;
  /** The client's certificates as PEM, leaf first; empty when it presented none. */
  clientCertChain: string[];
  /** The subject of the client's certificate as an RFC 4514 string, or null. */
  clientCertName: string | null;
  /** Why the client's certificate was not accepted, or null. */
  clientCertError: string | null;
  /** 0x0303 is TLS 1.2 (RFC 5246), 0x0304 is TLS 1.3 (RFC 8446); null where unknown. */
  tlsVersion: 0x0303 | 0x0304 | null;
  /** The IANA number of the cipher suite, 16 bits, or null where unknown. */
  cipherSuite: number | null;
}

/** Capabilities that the server advertises for this scope, by name. A name that is absent is not supported. */
export interface Extensions {
  /** TLS details of the connection. */
  tls?: TlsExtension;
  /** `http.fullflush` may be sent. Advertised when the server's `extensions` option lists it. */
  fullflush?: Record<string, unknown>;
  /** A handshake may be denied with `websocket.http.response.start` and `.body`. */
  'websocket.http.response'?: Record<string, unknown>;
  [name: string]: unknown;
}

/** What `http`, `websocket` and `sse` scopes have in common. */
export interface RequestScope {
  tsagi: TsagiVersion;
  httpVersion: HttpVersion;
  /** Percent-decoded once, then read as UTF-8; where the bytes are not UTF-8, the decoded bytes as a byte string. */
  path: string;
  /** The path as a byte string, exactly as received, without the query. */
  rawPath: string;
  /** Byte string: what follows `?`, still percent-encoded; `''` if there is none. */
  queryString: string;
  /** The prefix at which the application is mounted. @default '' */
  rootPath: string;
  /**
   * Names in lower case, values as byte strings, in the order received, duplicates kept; only several `cookie` fields
   * become one, joined with `; ` (RFC 9113 section 8.2.3). HTTP/2 pseudo-headers are removed, and `:authority` becomes
   * or replaces `host`.
   */
  headers: [name: string, value: string][];
  /** Address and port of the peer; absent on unix sockets. */
  client?: [host: string, port: number];
  /** Address and port that the connection came in on, or the path of a unix socket and null. */
  server: [host: string, port: number] | [path: string, port: null];
  /** A fresh shallow copy of the lifespan state: values are shared, top-level keys are this scope's own. */
  state: Record<string, unknown>;
  extensions: Extensions;
  /** What is still waiting to be written. */
  'tsagi.transport': TransportState;
  /** Aborted when graceful shutdown begins: the client is still there, finish soon. Not a disconnect. */
  'tsagi.shutdown': AbortSignal;
}

/** One HTTP request and its response. */
export interface HttpScope extends RequestScope {
  type: 'http';
  /** The method as sent; methods are case-sensitive (RFC 9110 section 9.1). */
  method: string;
  scheme: 'http' | 'https';
  /** Whether the client is still there, and how the request ended. */
  'tsagi.connection': ConnectionState;
}

/** One WebSocket session (RFC 6455 over HTTP/1.1, RFC 8441 over HTTP/2). */
export interface WebSocketScope extends RequestScope {
  type: 'websocket';
  scheme: 'ws' | 'wss';
  /** The subprotocols that the client offers in `sec-websocket-protocol`, in its order; `[]` if none. */
  subprotocols: string[];
}

/** One request for a stream of server-sent events: its `accept` lists `text/event-stream` with a non-zero q. */
export interface SseScope extends RequestScope {
  type: 'sse';
  /** The method as sent; any method may ask for an event stream. */
  method: string;
  scheme: 'http' | 'https';
}

/** The life of one process that runs the application. */
export interface LifespanScope {
  type: 'lifespan';
  tsagi: LifespanTsagiVersion;
  /** Filled by the application during startup; every request scope gets a shallow copy. */
  state: Record<string, unknown>;
}

/** Everything an application can be called with, told apart by `type`. */
export type Scope = HttpScope | WebSocketScope | SseScope | LifespanScope;
