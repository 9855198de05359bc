/**
 * What the guard relies on in node:http2 behind it, as of Bun 1.4.5: that a refused header block is decoded and becomes no request, and how
 * it counts windows. No socket: a duplex in memory.
 */
import http2 from 'node:http2';
import { Duplex } from 'node:stream';
import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'bun:test';

import { FrameGuard } from '../../../src/wire/h2/frame-guard.ts';
import {
  CODE,
  data,
  goAway,
  headers,
  LIMITS,
  PREFACE,
  rstStream,
  settings,
  settingsAck,
  upload,
  windowUpdate,
} from '../../cases/h2/row.ts';

interface Frame {
  type: number;
  flags: number;
  streamId: number;
  payload: Buffer;
}

type Handler = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

/** A client's bytes in, the frames of both the guard and node:http2 out. */
class Joined {
  readonly guard = new FrameGuard({ ...LIMITS, maxConcurrentStreams: 2 });
  readonly frames: Frame[] = [];
  /** Streams that reached the application. */
  readonly requests: number[] = [];
  readonly #duplex: Duplex;
  #out = Buffer.alloc(0);

  constructor(handle: Handler) {
    const server = http2.createServer({
      maxSessionInvalidFrames: 1e6,
      maxSessionRejectedStreams: 1e6,
      settings: { maxConcurrentStreams: 2 },
    });
    server.on('sessionError', () => {});
    server.on('stream', (stream: http2.ServerHttp2Stream, fields: http2.IncomingHttpHeaders) => {
      this.requests.push(stream.id!);
      stream.on('error', () => {});
      handle(stream, fields);
    });
    this.#duplex = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        this.guard.outbound(chunk, 0);
        this.#take(chunk);
        done();
      },
    });
    server.emit('connection', this.#duplex);
    this.#give(Buffer.concat([PREFACE, settings(), settingsAck()]));
  }

  /** Gives bytes to the server, and waits until it has nothing more to say. */
  async send(...frames: Buffer[]): Promise<Frame[]> {
    const before = this.frames.length;
    this.#give(Buffer.concat(frames));
    // node:http2 answers in the same turn of the event loop or in the next ones.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return this.frames.slice(before);
  }

  #give(bytes: Buffer): void {
    const verdict = this.guard.inbound(bytes, 0);
    for (const reply of verdict.replies) this.#take(reply);
    for (const piece of verdict.passed) this.#duplex.push(piece);
    expect(verdict.fault).toBeUndefined();
  }

  #take(chunk: Buffer): void {
    this.#out = Buffer.concat([this.#out, chunk]);
    while (this.#out.length >= 9) {
      const size = 9 + this.#out.readUIntBE(0, 3);
      if (this.#out.length < size) return;
      this.frames.push({
        type: this.#out[3]!,
        flags: this.#out[4]!,
        streamId: this.#out.readUInt32BE(5),
        payload: this.#out.subarray(9, size),
      });
      this.#out = this.#out.subarray(size);
    }
  }
}

/** GET, with `a: b` put into the table of the HPACK decoder. */
const INDEXING = Buffer.from('8286844101614001610162', 'hex');
/** `a: b` put into the table. */
const INDEXING_TRAILERS = Buffer.from('4001610162', 'hex');
/** GET, with the first entry of the table: `a: b` if the last block was decoded. */
const INDEXED = Buffer.from('828684010178be', 'hex');

const resetsOf = (frames: Frame[], streamId: number): number[] =>
  frames
    .filter(({ type, streamId: id }) => type === 3 && id === streamId)
    .map(({ payload }) => payload.readUInt32BE(0));

describe('a header block that the guard refuses is decoded and is no request', () => {
  const rows: { name: string; before: Buffer[]; refused: Buffer; code: number; handle?: Handler }[] = [
    {
      name: 'of a stream above the limit',
      before: [upload(11), upload(13)],
      refused: headers(15, 5, INDEXING),
      code: CODE.refused,
    },
    {
      name: 'of a stream that depends on itself',
      before: [],
      refused: headers(15, 37, Buffer.concat([Buffer.of(0, 0, 0, 15, 1), INDEXING])),
      code: CODE.protocol,
    },
    {
      name: 'of a half-closed stream',
      before: [headers(15)],
      refused: headers(15, 5, INDEXING_TRAILERS),
      code: CODE.streamClosed,
    },
    {
      name: 'of a stream that the client has reset',
      before: [upload(15), rstStream(15, 8)],
      refused: headers(15, 5, INDEXING),
      code: CODE.streamClosed,
    },
    {
      name: 'of trailers that do not end the stream',
      before: [upload(15)],
      refused: headers(15, 4, INDEXING_TRAILERS),
      code: CODE.protocol,
    },
  ];
  for (const { name, before, refused, code } of rows) {
    for (const isSplit of [false, true]) {
      test(`${name}${isSplit ? ', long after what went before' : ''}`, async () => {
        let last: http2.IncomingHttpHeaders = {};
        const joined = new Joined((_stream, fields) => (last = fields));
        if (isSplit) await joined.send(...before);
        const frames = await joined.send(...(isSplit ? [] : before), refused);
        expect(resetsOf(frames, 15)[0]).toBe(code);
        const requests = before.filter((bytes) => bytes[3] === 1).map((bytes) => bytes.readUInt32BE(5));
        expect(joined.requests).toEqual([...new Set(requests)]);
        await joined.send(...(requests.length === 2 ? [rstStream(11, 8)] : []), headers(17, 5, INDEXED));
        expect(joined.requests.at(-1)).toBe(17);
        expect(last['a']).toBe('b');
      });
    }
  }

  test('of a stream that the server has reset', async () => {
    let last: http2.IncomingHttpHeaders = {};
    const joined = new Joined((stream, fields) => {
      last = fields;
      if (stream.id === 1) stream.close(http2.constants.NGHTTP2_CANCEL);
    });
    await joined.send(upload(1));
    await joined.send(data(1, 10), headers(1, 5, INDEXING));
    await joined.send(headers(3, 5, INDEXED));
    expect(joined.requests).toEqual([1, 3]);
    expect(last['a']).toBe('b');
  });
});

test('a request that crosses GOAWAY is decoded, and trailers behind it are understood', async () => {
  const trailers: unknown[] = [];
  const joined = new Joined((stream) => stream.on('trailers', (fields) => trailers.push(fields['a'])));
  await joined.send(upload(1));
  joined.guard.outbound(goAway(1), 0);
  const frames = await joined.send(headers(3, 5, INDEXING));
  expect(resetsOf(frames, 3)[0]).toBe(CODE.refused);
  await joined.send(headers(1, 5, Buffer.of(0xbe)));
  expect(trailers).toEqual(['b']);
  expect(joined.requests).toEqual([1]);
});

describe('the windows of node:http2', () => {
  const sizesOf = (frames: Frame[]): number[] =>
    frames.filter(({ type }) => type === 0).map(({ payload }) => payload.length);
  const WINDOW = 4;
  const answering = (): Joined =>
    new Joined((stream) => {
      stream.respond({ ':status': 200 });
      stream.end(Buffer.alloc(100));
    });

  test('a negative window is paid back first', async () => {
    const joined = answering();
    expect(sizesOf(await joined.send(settings([WINDOW, 3]), headers(1)))).toEqual([3]);
    expect(sizesOf(await joined.send(settings([WINDOW, 2])))).toEqual([]);
    expect(sizesOf(await joined.send(windowUpdate(1, 2)))).toEqual([1]);
    expect(sizesOf(await joined.send(windowUpdate(1, 4)))).toEqual([4]);
  });

  test('a raised window adds to what was granted before', async () => {
    const joined = answering();
    await joined.send(settings([WINDOW, 3]), headers(1), windowUpdate(1, 2));
    const sizes = sizesOf(await joined.send(settings([WINDOW, 10])));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(7);
  });

  test('a window that is lowered and raised again moves by the differences', async () => {
    const joined = answering();
    expect(sizesOf(await joined.send(settings([WINDOW, 10]), headers(1)))).toEqual([10]);
    await joined.send(settings([WINDOW, 2]));
    expect(sizesOf(await joined.send(settings([WINDOW, 12])))).toEqual([2]);
  });
});
