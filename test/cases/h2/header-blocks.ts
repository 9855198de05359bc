/** Vectors: header blocks of several frames, also those of streams that are refused. */
import { Buffer } from 'node:buffer';

import {
  CODE,
  continuation,
  data,
  END_HEADERS,
  END_STREAM,
  FIELDS,
  frame,
  type GuardRow,
  headers,
  PADDED,
  ping,
  priority,
  request,
  rstStream,
  settings,
  times,
  upload,
  windowUpdate,
} from './row.ts';

const unfinished = headers(1, END_STREAM);
const UNACCEPTABLE = continuation(3, END_HEADERS, Buffer.from('00023a7800', 'hex'));

const interrupted = (name: string, by: Buffer): GuardRow => ({
  name: `${name} between HEADERS and CONTINUATION`,
  rfc: '6.10',
  steps: [unfinished, by, continuation(1)],
  passed: [unfinished],
  fault: 'blockInterrupted',
});

/** A malformed block; node:http2 sees nothing from its byte `stop` on. */
const malformed = (name: string, rfc: string, block: string, stop: number): GuardRow => {
  const bad = headers(1, END_STREAM | END_HEADERS, Buffer.from(block, 'hex'));
  return {
    name,
    rfc: `RFC 7541 ${rfc}`,
    steps: [bad, ping()],
    passed: [bad.subarray(0, 9 + stop)],
    fault: 'fieldBlock',
  };
};

const malformedRows: readonly GuardRow[] = [
  malformed('an index of 0', '6.1', '8280', 1),
  malformed('a table size update behind a field', '4.2', '82203f', 1),
  malformed('a table size update between literals', '4.2', '4001610162204001610162', 5),
  malformed('an index that never ends', '5.1', '82ff8080', 3),
  malformed('an index of more than 32 bits', '5.1', '82ffffffffffff7f', 7),
  malformed('a literal without a value', '6.2', '82000161', 3),
  malformed('a literal without a name', '6.2', '8200', 1),
  malformed('a string longer than the block', '5.2', '8200016105616263', 7),
  {
    name: 'a block that breaks off, and ends in an empty CONTINUATION',
    rfc: 'RFC 7541 6.2',
    steps: [headers(1, END_STREAM, Buffer.from('82000161', 'hex')), continuation(1, END_HEADERS, 0), ping()],
    passed: [headers(1, END_STREAM, Buffer.from('82000161', 'hex'))],
    fault: 'fieldBlock',
  },
  {
    name: 'a malformed block in padding',
    rfc: 'RFC 7541 6.2',
    steps: [headers(1, END_HEADERS | PADDED, Buffer.from('0382000161000000', 'hex')), ping()],
    passed: [headers(1, END_HEADERS | PADDED, Buffer.from('0382000161000000', 'hex')).subarray(0, 13)],
    fault: 'fieldBlock',
  },
  {
    name: 'padding is not read as fields',
    rfc: '6.2',
    steps: [headers(1, END_HEADERS | PADDED, Buffer.from('028286844101610080', 'hex')), ping()],
    passed: [headers(1, END_HEADERS | PADDED, Buffer.from('028286844101610080', 'hex')), ping()],
  },
  {
    name: 'a malformed block of trailers',
    rfc: 'RFC 7541 6.1',
    steps: [upload(1), headers(1, END_STREAM | END_HEADERS, Buffer.of(0x80)), ping()],
    passed: [upload(1), headers(1, END_STREAM | END_HEADERS, Buffer.of(0x80)).subarray(0, 9)],
    fault: 'fieldBlock',
  },
];

export const headerBlockRows: readonly GuardRow[] = [
  ...malformedRows,
  {
    name: 'a block of three frames',
    rfc: '6.10',
    steps: [unfinished, continuation(1, 0), continuation(1), ping()],
    passed: [unfinished, continuation(1, 0), continuation(1), ping()],
  },
  {
    name: 'a block whose frames are empty',
    rfc: '6.10',
    steps: [
      headers(1, END_STREAM, Buffer.alloc(0)),
      continuation(1, 0, 0),
      continuation(1, END_HEADERS, FIELDS),
    ],
    passed: [
      headers(1, END_STREAM, Buffer.alloc(0)),
      continuation(1, 0, 0),
      continuation(1, END_HEADERS, FIELDS),
    ],
  },
  interrupted('DATA of the same stream', data(1, 1)),
  interrupted('DATA of another stream', data(3, 1)),
  interrupted('HEADERS of the same stream', request(1)),
  interrupted('HEADERS of another stream', request(3)),
  interrupted('PRIORITY', priority(1, 3)),
  interrupted('RST_STREAM', rstStream(1, 8)),
  interrupted('SETTINGS', settings()),
  interrupted('PING', ping()),
  interrupted('WINDOW_UPDATE', windowUpdate(0, 1)),
  interrupted('an unknown frame', frame(0x20, 0, 0, 3)),
  interrupted('a frame that is too long', frame(0x20, 0, 0, 16_385)),
  interrupted('CONTINUATION of another stream', continuation(3)),
  interrupted('CONTINUATION of the connection', continuation(0)),
  {
    name: 'CONTINUATION behind a finished block',
    rfc: '6.10',
    steps: [upload(1), continuation(1), ping()],
    passed: [upload(1)],
    fault: 'strayContinuation',
  },
  {
    name: 'CONTINUATION behind DATA',
    rfc: '6.10',
    steps: [upload(1), data(1, 1), continuation(1), ping()],
    passed: [upload(1), data(1, 1)],
    fault: 'strayContinuation',
  },
  {
    name: 'CONTINUATION that is too long',
    rfc: '4.2',
    steps: [unfinished, continuation(1, 0, 16_385)],
    passed: [unfinished],
    fault: 'frameTooLong',
  },
  {
    name: 'the block of a refused stream is decoded to its end',
    rfc: '4.3',
    limits: { maxConcurrentStreams: 1 },
    steps: [request(1), headers(3, END_STREAM), continuation(3, 0), continuation(3), ping()],
    passed: [
      request(1),
      headers(3, END_STREAM),
      continuation(3, 0),
      continuation(3, 0),
      UNACCEPTABLE,
      ping(),
    ],
    replies: [rstStream(3, CODE.refused)],
  },
  {
    name: 'a block of many frames within the limit',
    rfc: '10.5.1',
    limits: { maxHeaderListSize: 65_536 },
    steps: [unfinished, ...times(23, () => continuation(1, 0)), continuation(1)],
    passed: [unfinished, ...times(23, () => continuation(1, 0)), continuation(1)],
  },
  {
    name: 'a block of too many frames',
    rfc: '10.5',
    limits: { maxHeaderListSize: 65_536 },
    steps: [unfinished, ...times(100, () => continuation(1, 0, 0))],
    passed: [unfinished, ...times(24, () => continuation(1, 0, 0))],
    fault: 'continuationFlood',
  },
  {
    name: 'a block of too many bytes',
    rfc: '10.5.1',
    limits: { maxHeaderListSize: 16_384 },
    steps: [unfinished, ...times(8, () => continuation(1, 0, 16_384))],
    passed: [unfinished, ...times(2, () => continuation(1, 0, 16_384))],
    fault: 'headerBlockTooLong',
  },
];
