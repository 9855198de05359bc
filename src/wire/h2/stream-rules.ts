/**
 * Which frames may come in which state of a stream (RFC 9113 section 5.1): a table from frame type and state to what is done with
 * the frame. States are the peer's view as far as the guard can know it; a closed stream is told apart by how it was closed.
 */
import { H2_FAULTS, type H2Fault } from './errors.ts';
import { FRAME } from './frames.ts';

export type StreamState =
  /** Not yet used. */
  | 'idle'
  /** The peer may send: open, or half-closed on the server's side. */
  | 'open'
  /** The peer has sent END_STREAM, the server has not. */
  | 'halfClosed'
  /** Both have sent END_STREAM. */
  | 'ended'
  | 'resetByPeer'
  | 'resetByServer'
  /** Closed, and so long ago that nobody knows how; or skipped. */
  | 'forgotten';

/** `ignore`: the frame has no effect any more, and is nobody's fault. */
type Outcome = 'pass' | 'ignore' | H2Fault;

const { idleStream, halfClosed, streamEnded, streamReset, streamOrder } = H2_FAULTS;

/**
 * Who sends RST_STREAM may get any frame for a while, which the other end sent before it knew; who sends END_STREAM may get
 * WINDOW_UPDATE and RST_STREAM. Of what is forgotten, DATA is answered as section 6.1 says, and a stream cannot begin again (5.1.1).
 */
export const STREAM_RULES = {
  [FRAME.data]: {
    idle: idleStream,
    open: 'pass',
    halfClosed,
    ended: streamEnded,
    resetByPeer: streamReset,
    resetByServer: 'ignore',
    forgotten: streamReset,
  },
  [FRAME.headers]: {
    idle: 'pass',
    open: 'pass',
    halfClosed,
    ended: streamEnded,
    resetByPeer: streamReset,
    resetByServer: 'ignore',
    forgotten: streamOrder,
  },
  [FRAME.rstStream]: {
    idle: idleStream, // section 6.4
    open: 'pass',
    halfClosed: 'pass',
    ended: 'ignore',
    resetByPeer: 'ignore',
    resetByServer: 'ignore',
    forgotten: 'ignore',
  },
  [FRAME.windowUpdate]: {
    idle: idleStream,
    open: 'pass',
    halfClosed: 'pass',
    ended: 'ignore',
    resetByPeer: 'ignore',
    resetByServer: 'ignore',
    forgotten: 'ignore',
  },
} as const satisfies Record<number, Record<StreamState, Outcome>>;
