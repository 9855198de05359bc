/** Conformance rows: WINDOW_UPDATE and flow control (RFC 9113 section 6.9). */
import {
  CODE,
  dataFrame,
  frame,
  SETTING,
  settingsFrame,
  TYPE,
  windowUpdateFrame,
} from '../../support/h2/frames.ts';
import {
  alike,
  anyError,
  connectionError,
  type ConformanceRow,
  end,
  frames,
  get,
  heldAt,
  ignored,
  LARGE,
  open,
  PATH,
  post,
  response,
  rows,
  streamError,
} from './conformance-row.ts';

const { protocolError, flowControlError, frameSizeError } = CODE;
const MOST = 0x7fff_ffff;
const isLast = { isLast: true } as const;

const windowUpdate = rows('RFC 9113 6.9', 'WINDOW_UPDATE', {
  'of 0 for the connection': [windowUpdateFrame(0, 0), connectionError(protocolError)],
  'of 0 for the connection, its reserved bit set': [
    frame({ type: TYPE.windowUpdate, payload: '\x80\0\0\0' }),
    connectionError(protocolError),
  ],
  'of 0 for a stream': [[open(1), windowUpdateFrame(1, 0)], streamError(1, protocolError)],
  ...alike(connectionError(frameSizeError), {
    'of 3 bytes': frame({ type: TYPE.windowUpdate, payload: '\0\0\x01' }),
    'of 5 bytes': frame({ type: TYPE.windowUpdate, payload: '\0\0\0\x01\0' }),
    'of 3 bytes for a stream': [open(1), frame({ type: TYPE.windowUpdate, stream: 1, payload: '\0\0\x01' })],
  }),
  ...alike(ignored, {
    'for the connection': windowUpdateFrame(0, 1),
    'for an open stream': [open(1), windowUpdateFrame(1, 1000)],
  }),
});

const one = [[SETTING.initialWindowSize, 1]] as const;
const none = [[SETTING.initialWindowSize, 0]] as const;
const large = get(1, { path: PATH.large });

const windows = rows('RFC 9113 6.9.1', 'a window', {
  'of one byte lets one byte through': [[large, { received: [1, 1] }], heldAt(1, 1), { settings: one }],
  'of no bytes lets the head through': [
    large,
    frames({ type: TYPE.headers, stream: 1 }),
    { settings: none, ...isLast },
  ],
  'of no bytes does not hold an empty body back': [
    get(1, { method: 'HEAD', path: PATH.large }),
    response(1),
    { settings: none },
  ],
  'of the connection holds all streams together': [
    [
      large,
      get(3, { path: PATH.large }),
      { received: [1, 1] },
      { grant: [1, 1_000_000] },
      { grant: [3, 1_000_000] },
    ],
    { kind: 'held at', stream: 0, length: 65_535 },
    isLast,
  ],
  'that is full on one stream leaves the others': [
    [large, { received: [1, 1] }, post(3), end(3, 'x')],
    response(3, 200, 'x'),
    { settings: one },
  ],
  'grants are used as they come': [
    [
      large,
      { received: [1, 1] },
      { grant: [1, 9] },
      { received: [1, 10] },
      { grant: [1, 90] },
      { received: [1, 100] },
    ],
    heldAt(1, 100),
    { settings: one },
  ],
  'may be as large as 2^31-1': [
    [large, { grant: [1, MOST - 65_535] }, { grant: [0, MOST - 65_535] }],
    response(1, 200, 'x'.repeat(LARGE)),
  ],
  'of the connection above 2^31-1': [
    [windowUpdateFrame(0, MOST), windowUpdateFrame(0, MOST)],
    connectionError(flowControlError),
  ],
  'of the connection above 2^31-1 by one': [
    windowUpdateFrame(0, MOST - 65_534),
    connectionError(flowControlError),
  ],
  'of a stream above 2^31-1': [
    [open(1), windowUpdateFrame(1, MOST), windowUpdateFrame(1, MOST)],
    streamError(1, flowControlError),
  ],
  'of a stream above 2^31-1 by one': [
    [open(1), windowUpdateFrame(1, MOST - 65_534)],
    streamError(1, flowControlError),
  ],
  'of a stream that the client exceeds': [
    [open(1), dataFrame(1, 'x'.repeat(1000)), dataFrame(1, 'x')],
    anyError(1, flowControlError),
    { server: { h2InitialWindowSize: 1000 } },
  ],
  'of a stream that the client exceeds by padding alone': [
    [open(1), dataFrame(1, 'x'.repeat(990)), dataFrame(1, '', { padding: 10 })],
    anyError(1, flowControlError),
    { server: { h2InitialWindowSize: 1000 } },
  ],
  'of the connection that the client exceeds': [
    { overrun: 'connection' },
    connectionError(flowControlError),
    { server: { h2InitialWindowSize: 65_535 } },
  ],
});

const initialWindows = rows('RFC 9113 6.9.2', 'INITIAL_WINDOW_SIZE', {
  'raised lets a waiting stream go on': [
    [large, { settings: one }, { received: [1, 1] }],
    heldAt(1, 1),
    { settings: none },
  ],
  'lowered below what was sent makes the window negative': [
    [
      large,
      { received: [1, 3] },
      { settings: [[SETTING.initialWindowSize, 2]] },
      { grant: [1, 2] },
      { received: [1, 4] },
    ],
    heldAt(1, 4),
    { settings: [[SETTING.initialWindowSize, 3]] },
  ],
  'lowered far below what was sent holds until the debt is paid': [
    [
      large,
      { received: [1, 1000] },
      { settings: none },
      { grant: [1, 400] },
      { grant: [1, 600] },
      { grant: [1, 5] },
      { received: [1, 1005] },
    ],
    heldAt(1, 1005),
    { settings: [[SETTING.initialWindowSize, 1000]] },
  ],
  'lowered and raised again ends where it was': [
    [
      large,
      { received: [1, 1000] },
      { settings: none },
      { settings: [[SETTING.initialWindowSize, 1010]] },
      { received: [1, 1010] },
    ],
    heldAt(1, 1010),
    { settings: [[SETTING.initialWindowSize, 1000]] },
  ],
  'does not change the window of the connection': [
    [{ settings: [[SETTING.initialWindowSize, 1_000_000]] }, large, { received: [1, 65_535] }],
    heldAt(1, 65_535),
    isLast,
  ],
  'that lifts the window of a stream above 2^31-1': [
    [open(1), windowUpdateFrame(1, MOST - 65_535), settingsFrame([[SETTING.initialWindowSize, 65_536]])],
    connectionError(flowControlError),
  ],
});

export const flowControlRows: ConformanceRow[] = [...windowUpdate, ...windows, ...initialWindows];
