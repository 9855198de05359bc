/**
 * What a peer sees for every vector of frames, sent to a server whose application echoes: its messages and pings come
 * back, then a close frame with the code that the vector names, then FIN, and the application has had the same messages and
 * one disconnect. A fault is answered although nothing follows the byte that proves it.
 */
import { constants, inflateRawSync } from 'node:zlib';
import { afterAll, expect, test } from 'bun:test';
import { frameRows } from '../cases/websocket-frames.ts';
import type { FrameRow, Heard } from '../cases/websocket/frame-row.ts';
import type { TestServer } from '../support/start-server.ts';
import { openWebSocket, OP, type WebSocketPeer } from '../support/websocket-client.ts';
import { clientFrame, closeFrame, type ServerFrame } from '../support/websocket-frames.ts';
import { within } from '../support/within.ts';
import { CARRIERS, type Carrier, onEach } from './carriers.ts';
import { acceptingApp, Endings, type Message, sendMessage } from './websocket-apps.ts';

/** Each byte by itself is a write and a segment of its own: up to this many of them. */
const MOST_BYTES_ALONE = 150;
const OFFER = { headers: [['sec-websocket-extensions', 'permessage-deflate']] } as const;

/** What the application was told. */
interface Told {
  readonly messages: string[];
  /** As `code reason`. */
  readonly ending: string;
}

/** One server for each set of limits; sessions are told apart by their targets. */
class Subject {
  readonly #servers = new Map<string, Promise<TestServer>>();
  readonly #sessions = new Map<string, PromiseWithResolvers<Told>>();
  readonly #carrier: Carrier;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  async open(options: FrameRow['options']): Promise<{ peer: WebSocketPeer; told: Promise<Told> }> {
    const target = `/${this.#sessions.size}`;
    const session = Promise.withResolvers<Told>();
    this.#sessions.set(target, session);
    const offer = options.allowsCompression === true ? OFFER : {};
    const peer = await openWebSocket(await this.#serverFor(options), { target, ...offer });
    return { peer, told: within(session.promise, 'the end of the session') };
  }

  async stop(): Promise<string[]> {
    const servers = await Promise.all(this.#servers.values());
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    return servers.flatMap(({ errors }) => errors);
  }

  #serverFor(options: FrameRow['options']): Promise<TestServer> {
    const key = JSON.stringify(options);
    const started = this.#servers.get(key) ?? this.#start(options);
    this.#servers.set(key, started);
    return started;
  }

  #start({ allowsCompression = false, ...limits }: FrameRow['options']): Promise<TestServer> {
    const app = acceptingApp(async ({ path }, receive, send) => {
      const messages: string[] = [];
      const endings = new Endings();
      await endings.follow(receive, (message) => {
        messages.push(describeMessage(message));
        return sendMessage(send, message);
      });
      this.#sessions.get(path)!.resolve({ messages, ending: await endings.next() });
    });
    return this.#carrier.start(app, { wsCompression: allowsCompression, ...limits });
  }
}

function describeMessage(message: Message): string {
  return typeof message === 'string'
    ? `text ${JSON.stringify(message)}`
    : `binary ${Buffer.from(message).toString('hex')}`;
}

/** The messages that come back for what is heard, and apart from them the pongs, which may overtake (RFC 6455 5.5.2). */
function answersTo(heard: readonly Heard[]): { messages: string[]; pongs: string[] } {
  const messages: string[] = [];
  const pongs: string[] = [];
  for (const one of heard) {
    if (one.kind === 'text') messages.push(describeMessage(one.text));
    if (one.kind === 'binary') messages.push(describeMessage(one.bytes));
    if (one.kind === 'ping') pongs.push(Buffer.from(one.payload).toString('hex'));
  }
  return { messages, pongs };
}

async function readAnswers(peer: WebSocketPeer, count: number, mayBeCompressed: boolean) {
  const messages: string[] = [];
  const pongs: string[] = [];
  for (let read = 0; read < count; read++) {
    const frame = await peer.frame();
    if (frame.opcode === OP.pong) pongs.push(Buffer.from(frame.payload).toString('hex'));
    else messages.push(describeFrame(frame, mayBeCompressed));
  }
  return { messages, pongs };
}

function describeFrame({ opcode, fin, rsv1, payload }: ServerFrame, mayBeCompressed: boolean): string {
  const isMessage = opcode === OP.text || opcode === OP.binary;
  if (!isMessage || !fin || (rsv1 && !mayBeCompressed))
    return `opcode ${opcode} ${Buffer.from(payload).toString()}`;
  const bytes = rsv1 ? inflate(payload) : Buffer.from(payload);
  return describeMessage(opcode === OP.text ? bytes.toString() : bytes);
}

/** RFC 7692 7.2.2 */
function inflate(payload: Uint8Array): Buffer {
  return inflateRawSync(Buffer.concat([payload, Buffer.of(0, 0, 0xff, 0xff)]), {
    finishFlush: constants.Z_SYNC_FLUSH,
  });
}

interface Way {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly isByteByByte: boolean;
  /** What is heard from the bytes behind the input. */
  readonly behind: readonly Heard[];
}

/** A ping may stand behind any frame, also inside a message that is not complete. */
const PING = clientFrame({ opcode: OP.ping, payload: 'behind' });
const HEARD_PING: Heard = { kind: 'ping', payload: Buffer.from('behind') };
const DONE = closeFrame(1000, 'done');

/** Nothing follows the byte that proves a fault, except in the way that has bytes behind. */
function waysOf({ input, heard, fault, unfinished }: FrameRow): Way[] {
  const isEnded = fault !== undefined || heard.at(-1)?.kind === 'close';
  const bytes = fault === undefined ? input : input.subarray(0, fault.after);
  const ways: Way[] = [{ name: 'whole', bytes, isByteByByte: false, behind: [] }];
  if (bytes.length <= MOST_BYTES_ALONE) {
    ways.push({ name: 'byte by byte', bytes, isByteByByte: true, behind: [] });
  }
  if (unfinished) return ways;
  const followed = Buffer.concat([input, PING]);
  ways.push({
    name: 'with a ping behind',
    bytes: followed,
    isByteByByte: false,
    behind: isEnded ? [] : [HEARD_PING],
  });
  return ways;
}

/** What peer and application see of a session. */
interface Seen extends Told {
  readonly echoes: string[];
  readonly pongs: string[];
  /** The code of the close frame; undefined where there is none to come. */
  readonly code: number | undefined;
}

const REASONS = { 1002: 'protocol_error', 1007: 'protocol_error', 1009: 'body_too_large' };

function expectedOf({ heard, fault, unfinished }: FrameRow, behind: readonly Heard[]): Seen {
  const { messages, pongs } = answersTo([...heard, ...behind]);
  const common = { messages, echoes: messages, pongs };
  if (fault !== undefined) {
    return { ...common, code: fault.closeCode, ending: `${fault.closeCode} ${REASONS[fault.closeCode]}` };
  }
  const last = heard.at(-1);
  // RFC 6455 5.5.1: the answer has the peer's code, or none where it had none.
  if (last?.kind === 'close') return { ...common, code: last.code, ending: `${last.code} ${last.reason}` };
  if (unfinished) return { ...common, code: undefined, ending: '1006 client_closed' };
  return { ...common, code: 1000, ending: '1000 done' };
}

/** One session over a connection of its own; where the input does not end it, the peer does. */
async function converse(subject: Subject, row: FrameRow, way: Way): Promise<Seen> {
  const { options, unfinished } = row;
  const expected = expectedOf(row, way.behind);
  const { peer, told } = await subject.open(options);
  const sent = way.isByteByByte ? peer.sendByteByByte(way.bytes) : peer.send(way.bytes);
  const count = expected.echoes.length + expected.pongs.length;
  const { messages: echoes, pongs } = await readAnswers(peer, count, options.allowsCompression === true);
  await sent;
  if (unfinished) peer.halfClose();
  else if (expected.ending === '1000 done') void peer.send(DONE);
  const code = unfinished ? undefined : (await peer.nextClose()).code;
  expect(await peer.ended()).toBe('fin');
  peer.drop();
  return { echoes, pongs, code, ...(await told) };
}

onEach(CARRIERS, (carrier) => {
  const subject = new Subject(carrier);
  afterAll(async () => expect(await subject.stop()).toEqual([]));

  for (const row of frameRows) {
    test(`${row.name} (${row.rfc})`, async () => {
      const ways = waysOf(row);
      const seen = await Promise.all(ways.map((way) => converse(subject, row, way)));
      for (const [index, { name, behind }] of ways.entries()) {
        expect([name, seen[index]]).toEqual([name, expectedOf(row, behind)]);
      }
    });
  }
});
