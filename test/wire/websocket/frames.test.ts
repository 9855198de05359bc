/**
 * Every vector of frames is heard as it says, however its bytes arrive, and every fault is found with the byte that
 * proves it and not before. Compressed messages are inflated and judged as a session does it.
 */
import { describe, expect, test } from 'bun:test';
import { inflateMessage } from '../../../src/wire/websocket/deflate.ts';
import { WebSocketFault } from '../../../src/wire/websocket/errors.ts';
import { textMessage } from '../../../src/wire/websocket/incoming.ts';
import type { Incoming } from '../../../src/wire/websocket/message-reader.ts';
import { frameRows } from '../../cases/websocket-frames.ts';
import { CLOSE_CODES, type FrameRow, type Heard } from '../../cases/websocket/frame-row.ts';
import { byteByByte, feedFramesThreeWays, messageReader } from '../../support/websocket-frames.ts';

/** Up to this size an input is cut at every place. */
const WORTH_CUTTING = 150;

interface Hearing {
  heard: Heard[];
  fault: { code: string; closeCode: number } | undefined;
  /** How many bytes had been fed, by whole chunks. */
  faultAfter: number | undefined;
}

async function hear(chunks: readonly Uint8Array[], options: FrameRow['options']): Promise<Hearing> {
  const reader = messageReader(options);
  const heard: Heard[] = [];
  let fed = 0;
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk));
    fed += chunk.length;
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      const result = next instanceof WebSocketFault ? next : await inflated(next, options.maxWsMessageSize);
      if (result instanceof WebSocketFault) {
        const { code, closeCode } = result;
        return { heard, fault: { code, closeCode }, faultAfter: fed };
      }
      heard.push(result);
    }
  }
  return { heard, fault: undefined, faultAfter: undefined };
}

async function inflated(incoming: Incoming, maxSize = 2 ** 24): Promise<Heard | WebSocketFault> {
  if (incoming.kind !== 'compressed') return incoming;
  const message = await inflateMessage(incoming.payload, maxSize);
  if (message instanceof WebSocketFault) return message;
  if (!incoming.isText) return { kind: 'binary', bytes: message };
  return textMessage(Buffer.from(message), 0, message.length, false) as Heard | WebSocketFault;
}

/** What is heard, in a form that is cheap to compare and to read. */
const inWords = (heard: readonly Heard[]): string[] => heard.map(describeHeard);

function describeHeard(heard: Heard): string {
  switch (heard.kind) {
    case 'text':
      return `text ${JSON.stringify(heard.text)}`;
    case 'binary':
      return `binary ${Buffer.from(heard.bytes).toString('hex')}`;
    case 'ping':
    case 'pong':
      return `${heard.kind} ${Buffer.from(heard.payload).toString('hex')}`;
    case 'close':
      return `close ${heard.code} ${JSON.stringify(heard.reason)}`;
  }
}

function testAccepted({ input, options, heard, unfinished }: FrameRow): void {
  const isClosed = heard.at(-1)?.kind === 'close';
  for (const { name, chunks, trailing } of feedFramesThreeWays(input)) {
    // Bytes behind an unfinished frame would belong to it.
    if (unfinished && trailing.length > 0) continue;
    test(`is heard ${name}`, async () => {
      const hearing = await hear(chunks, options);
      expect(hearing.fault).toBeUndefined();
      expect(inWords(hearing.heard)).toEqual(
        inWords(isClosed ? heard : [...heard, ...(trailing as Heard[])]),
      );
    });
  }
  if (input.length > WORTH_CUTTING) return;
  test('is heard in two pieces, wherever it is cut', async () => {
    for (let at = 1; at < input.length; at++) {
      const hearing = await hear([input.subarray(0, at), input.subarray(at)], options);
      expect({ at, fault: hearing.fault, heard: inWords(hearing.heard) }).toEqual({
        at,
        fault: undefined,
        heard: inWords(heard),
      });
    }
  });
}

function testRefused({ input, options, heard, fault }: FrameRow & Required<Pick<FrameRow, 'fault'>>): void {
  const { code, closeCode, after } = fault;
  const expected = { fault: { code, closeCode }, heard: inWords(heard) };
  for (const { name, chunks } of feedFramesThreeWays(input)) {
    test(`is refused with ${closeCode} ${name}`, async () => {
      const hearing = await hear(chunks, options);
      expect({ fault: hearing.fault, heard: inWords(hearing.heard) }).toEqual(expected);
      if (name === 'byte by byte') expect(hearing.faultAfter).toBe(after);
    });
  }
  test('is refused with the byte that proves it, all others before it in one piece', async () => {
    const before = await hear([input.subarray(0, after - 1)], options);
    expect([before.fault, inWords(before.heard)]).toEqual([undefined, expected.heard]);
    const proved = await hear([input.subarray(0, after)], options);
    expect({ fault: proved.fault, heard: inWords(proved.heard) }).toEqual(expected);
  });
}

for (const row of frameRows) {
  describe(`${row.name} (${row.rfc})`, () => {
    if (row.fault === undefined) testAccepted(row);
    else testRefused({ ...row, fault: row.fault });
  });
}

test('there are rows, and each has a name of its own', () => {
  expect(frameRows.length).toBeGreaterThan(600);
  expect(new Set(frameRows.map(({ name }) => name)).size).toBe(frameRows.length);
});

test('every fault is the outcome of some vector', () => {
  const seen = new Set(frameRows.map(({ fault }) => fault?.code));
  expect(Object.keys(CLOSE_CODES).filter((code) => !seen.has(code as keyof typeof CLOSE_CODES))).toEqual([]);
});

test('an input that is unfinished stops inside a frame', () => {
  for (const row of frameRows) {
    if (row.fault !== undefined || row.heard.at(-1)?.kind === 'close') continue;
    const reader = messageReader(row.options);
    for (const byte of byteByByte(row.input)) {
      reader.push(Buffer.from(byte));
      while (reader.next() !== undefined);
    }
    expect([row.name, reader.isInsideFrame]).toEqual([row.name, row.unfinished === true]);
  }
});
