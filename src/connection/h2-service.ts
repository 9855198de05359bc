/**
 * The one server of node:http2 that a process has. It never listens: sessions are started on connections that have been
 * accepted and found to speak HTTP/2.
 */
import http2, { type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';

export interface H2Settings {
  /** Of the streams of one connection. */
  readonly h2MaxConcurrentStreams: number;
  /** Bytes. */
  readonly h2InitialWindowSize: number;
  readonly h2MaxFrameSize: number;
  readonly h2MaxHeaderListSize: number;
  readonly h2EnableConnectProtocol: boolean;
  /** Streams that a client may reset at once, and per second. */
  readonly h2RstBurst: number;
  readonly h2RstRate: number;
}

/** What a session tells its carrier. */
export interface H2SessionOwner {
  stream(stream: ServerHttp2Stream, rawFields: readonly string[], hasBody: boolean): void;
  sessionFailed(error: Error): void;
}

const END_STREAM = 1;

export class H2Service {
  readonly #server: Http2Server;
  /** The session that is being started: its event comes before `emit` returns. */
  #starting: ServerHttp2Session | undefined;

  constructor(settings: H2Settings) {
    // The frame guard has budgets for these; node:http2 of Bun 1.4.5 ends the session without a word when one of its own runs out.
    const limits = {
      maxSessionInvalidFrames: 1e9,
      maxSessionRejectedStreams: 1e9,
      streamResetBurst: 1e9,
      streamResetRate: 1e9,
    };
    this.#server = http2.createServer({
      ...limits,
      settings: {
        maxConcurrentStreams: settings.h2MaxConcurrentStreams,
        initialWindowSize: settings.h2InitialWindowSize,
        maxFrameSize: settings.h2MaxFrameSize,
        maxHeaderListSize: settings.h2MaxHeaderListSize,
        enableConnectProtocol: settings.h2EnableConnectProtocol,
      },
    });
    this.#server.on('session', (session: ServerHttp2Session) => {
      this.#starting = session;
    });
    this.#server.on('sessionError', () => undefined);
    this.#server.on('error', () => undefined);
  }

  start(duplex: Duplex, owner: H2SessionOwner): ServerHttp2Session {
    this.#server.emit('connection', duplex);
    const session = this.#starting!;
    this.#starting = undefined;
    session.on('error', (error: Error) => owner.sessionFailed(error));
    session.on('stream', (stream, _fields, flags, raw) => {
      stream.on('error', () => undefined);
      owner.stream(stream, raw as unknown as readonly string[], (flags & END_STREAM) === 0);
    });
    return session;
  }
}
