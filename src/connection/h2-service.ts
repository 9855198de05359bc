/**
 * The one server of node:http2 that a process has. It never listens: sessions are started on connections that have been
 * accepted and found to speak HTTP/2.
 */
import http2, { type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { GuardLimits } from '../wire/h2/frame-guard.ts';

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

/** What of them the frame guard keeps. */
export function guardLimits(settings: H2Settings): GuardLimits {
  return {
    maxFrameSize: settings.h2MaxFrameSize,
    maxConcurrentStreams: settings.h2MaxConcurrentStreams,
    initialWindowSize: settings.h2InitialWindowSize,
    maxHeaderListSize: settings.h2MaxHeaderListSize,
    rstBurst: settings.h2RstBurst,
    rstRate: settings.h2RstRate,
  };
}

/** What a session tells its carrier. */
export interface H2SessionOwner {
  stream(stream: ServerHttp2Stream, rawFields: readonly string[], hasBody: boolean): void;
  sessionFailed(error: Error): void;
}

const END_STREAM = 1;

/** A stream without a listener for its error would end the process. */
const ignore = (): void => undefined;

/** RFC 9113 6.9.2: the window of a connection, which SETTINGS do not change. */
const CONNECTION_WINDOW = 65_535;

export class H2Service {
  readonly #server: Http2Server;
  readonly #window: number;
  /** The session that is being started: its event comes before `emit` returns. */
  #starting: ServerHttp2Session | undefined;

  constructor(settings: H2Settings) {
    // What is wrong with a field value is found where fields are read; node:http2 would only leave the field out.
    const leniency = { strictFieldWhitespaceValidation: false };
    // The frame guard has budgets for these; node:http2 of Bun 1.4.5 ends the session without a word when one of its own runs out.
    const limits = {
      maxSessionInvalidFrames: 1e9,
      maxSessionRejectedStreams: 1e9,
      streamResetBurst: 1e9,
      streamResetRate: 1e9,
    };
    // Fields are looked at already, those of requests where blanks are a fault (RFC 9113 8.2.1) and not to be overlooked.
    const checks = { strictSingleValueFields: false, strictFieldWhitespaceValidation: false };
    this.#window = settings.h2InitialWindowSize;
    this.#server = http2.createServer({
      ...limits,
      ...checks,
      ...leniency,
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
      stream.on('error', ignore);
      owner.stream(stream, raw as unknown as readonly string[], (flags & END_STREAM) === 0);
    });
    // One stream must be able to use all of its window. No more than that: node:http2 of Bun 1.4.5 takes this for the size of every
    // stream's window too, and gives back what has come when it is half of it. What a stream does not read it gives back to the
    // connection all the same, so that stream alone stands still.
    if (this.#window > CONNECTION_WINDOW) session.setLocalWindowSize(this.#window);
    return session;
  }
}
