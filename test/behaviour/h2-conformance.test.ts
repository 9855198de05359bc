/**
 * RFC 9113 and RFC 7541 section by section, over raw frames: every row is a connection of its own to a real server. Whatever a row does,
 * the server must go on by the rules afterwards: where the connection lives, it answers a PING and another request.
 */
import { afterAll, expect, test } from 'bun:test';
import type { App } from '../../src/contract/app.ts';
import { conformanceRows } from '../cases/h2/conformance.ts';
import {
  type ConformanceRow,
  type Expected,
  get,
  LARGE,
  PATH,
  type Step,
} from '../cases/h2/conformance-row.ts';
import {
  codeName,
  contentOf,
  dataFrame,
  FLAG,
  type Frame,
  PREFACE,
  SETTING,
  settingsFrame,
  TYPE,
} from '../support/h2/frames.ts';
import { RawH2Client } from '../support/h2/raw-h2-client.ts';
import type { TestServer } from '../support/start-server.ts';
import { readBody, reply } from './apps.ts';
import { type Carrier, H2_CARRIERS, onEach } from './carriers.ts';

/** The request that shows that a connection still works; above the streams of all rows. */
const AFTER = { stream: 100_001, path: '/after' } as const;

/** One server for each set of options, whose application notes what it is called for. */
class Subject {
  readonly called: string[] = [];
  readonly #servers = new Map<string, Promise<TestServer>>();
  readonly #carrier: Carrier;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  async connect({ options }: ConformanceRow): Promise<RawH2Client> {
    const key = JSON.stringify(options.server ?? {});
    const started = this.#servers.get(key) ?? this.#carrier.start(this.#app, options.server);
    this.#servers.set(key, started);
    const { address } = await started;
    const tls = this.#carrier.isSecure ? { tls: {} } : {};
    return await RawH2Client.connect(address, { ...tls, refillsWindows: false });
  }

  /** The errors that were logged. */
  async stop(): Promise<string[]> {
    const servers = await Promise.all(this.#servers.values());
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    return servers.flatMap(({ errors }) => errors);
  }

  readonly #app: App = async (scope, receive, send) => {
    if (scope.type === 'lifespan') throw new Error('unsupported');
    if (scope.path !== AFTER.path) this.called.push(scope.path);
    if (scope.type === 'websocket') {
      await receive();
      await send({ type: 'websocket.accept' });
      await receive();
      return;
    }
    if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
    switch (scope.path) {
      case PATH.wait:
        return await scope['tsagi.connection'].disconnected.then(() => undefined);
      case PATH.large:
        return await reply(send, 'x'.repeat(LARGE));
      case PATH.describe: {
        const { method, path, queryString, headers } = scope;
        return await reply(send, JSON.stringify({ method, path, queryString, headers }));
      }
      default:
        return await reply(send, await readBody(receive));
    }
  };
}

async function perform(client: RawH2Client, step: Step): Promise<void> {
  if (step instanceof Uint8Array) void client.send(step);
  else if ('trickle' in step) for (const byte of step.trickle) await client.send(Uint8Array.of(byte));
  else if ('answered' in step) expect((await client.response(step.answered)).isComplete).toBe(true);
  else if ('resetSeen' in step) expect((await client.response(step.resetSeen)).resetCode).toBeDefined();
  else if ('received' in step) await client.received(...step.received);
  else if ('acks' in step) await client.seen(nth(step.acks, isSettingsAck), `${step.acks} acknowledgements`);
  else if ('grant' in step) client.grant(...step.grant);
  else if ('settings' in step) await client.settings(step.settings);
  else if ('overrun' in step) overrun(client);
  else client.halfClose();
}

const isSettingsAck = ({ type, flags }: Frame): boolean => type === TYPE.settings && (flags & FLAG.ack) !== 0;

function nth(count: number, fits: (frame: Frame) => boolean): (frame: Frame) => boolean {
  let left = count;
  return (frame) => fits(frame) && --left === 0;
}

function overrun(client: RawH2Client): void {
  for (let left = client.sendWindow + 1; left > 0;) {
    const stream = client.open({ method: 'POST', path: PATH.wait });
    const room = Math.min(left, client.peerSettings.get(SETTING.initialWindowSize) ?? 65_535);
    for (let sent = 0; sent < room; sent += 16_384) {
      void client.send(dataFrame(stream, new Uint8Array(Math.min(room - sent, 16_384))));
    }
    left -= room;
  }
}

/** What was seen, said in the words of the row. */
async function judge(client: RawH2Client, expected: Expected): Promise<void> {
  switch (expected.kind) {
    case 'connection error':
      return await judgeConnectionError(client, expected);
    case 'stream error': {
      const { resetCode } = await client.response(expected.stream);
      expect(wentWrong(client)).toBe('');
      expect(expected.codes.map(codeName)).toContain(codeName(resetCode ?? -1));
      return;
    }
    case 'any error': {
      const { resetCode } = await client.response(expected.stream);
      if (resetCode === undefined) return await judgeConnectionError(client, expected);
      expect(expected.codes.map(codeName)).toContain(codeName(resetCode));
      return;
    }
    case 'refused':
      return await judgeRefusal(client, expected);
    case 'response': {
      const { status, body } = await completeResponse(client, expected.stream);
      expect(status).toBe(expected.status);
      if (expected.body !== undefined) expect(body.toString('latin1')).toBe(expected.body);
      return;
    }
    case 'described':
      return await judgeDescription(client, expected);
    case 'held at':
      return await judgeHold(client, expected);
    case 'frames': {
      let from = 0;
      for (const wanted of expected.frames) {
        const found = await client.seen((frame) => isLike(frame, wanted), JSON.stringify(wanted), from);
        from = client.frames.indexOf(found) + 1;
      }
      return;
    }
    case 'ignored':
      await client.ping('a-while-');
      expect(wentWrong(client)).toBe('');
      expect(client.frames.filter(({ type }) => type === TYPE.rstStream)).toEqual([]);
      return;
    case 'closed':
      await client.ended();
  }
}

type Kind<K extends Expected['kind']> = Extract<Expected, { kind: K }>;

async function judgeConnectionError(
  client: RawH2Client,
  expected: Kind<'connection error'> | Kind<'any error'>,
): Promise<void> {
  expect(await client.ended()).toBe('fin');
  expect(expected.codes.map(codeName)).toContain(
    client.goaway === undefined ? 'no GOAWAY' : codeName(client.goaway.code),
  );
  if ('lastStream' in expected) expect(client.goaway!.lastStream).toBe(expected.lastStream!);
}

async function judgeRefusal(client: RawH2Client, expected: Kind<'refused'>): Promise<void> {
  const { status, resetCode } = await client.response(expected.stream);
  if (status !== 0) return expect(expected.statuses).toContain(status);
  const code = resetCode ?? client.goaway?.code;
  expect(expected.codes.map(codeName)).toContain(code === undefined ? 'no code' : codeName(code));
}

async function judgeDescription(client: RawH2Client, expected: Kind<'described'>): Promise<void> {
  const { status, body } = await completeResponse(client, expected.stream);
  expect(status).toBe(200);
  const scope = JSON.parse(body.toString()) as { headers: [string, string][] };
  const names = new Set(expected.headers.map(([name]) => name));
  expect(scope).toMatchObject(expected.has);
  expect(scope.headers.filter(([name]) => names.has(name))).toEqual(expected.headers as [string, string][]);
}

async function judgeHold(client: RawH2Client, expected: Kind<'held at'>): Promise<void> {
  for (let trips = 0; trips < 3; trips += 1) await client.ping(`trip---${trips}`);
  const data = client.frames.filter(
    ({ type, stream }) => type === TYPE.data && (expected.stream === 0 || stream === expected.stream),
  );
  expect(data.reduce((sum, frame) => sum + contentOf(frame).length, 0)).toBe(expected.length);
  expect(wentWrong(client)).toBe('');
}

async function completeResponse(client: RawH2Client, id: number) {
  const response = await client.response(id);
  expect(wentWrong(client)).toBe('');
  expect(client.peerFaults).toEqual([]);
  const stream = client.stream(id);
  // RFC 9113 8.1: NO_ERROR only asks for no more of the request.
  expect({ isComplete: stream.isComplete, resetCode: stream.resetCode ?? 0 }).toEqual({
    isComplete: true,
    resetCode: 0,
  });
  return response;
}

function wentWrong({ ending, goaway }: RawH2Client): string {
  if (goaway !== undefined && goaway.code !== 0) return `GOAWAY ${codeName(goaway.code)} ${goaway.debug}`;
  return ending === 'open' ? '' : `the connection has ended (${ending})`;
}

function isLike(frame: Frame, { payload, ...head }: { readonly payload?: string }): boolean {
  const isSame = Object.entries(head).every(([key, value]) => frame[key as keyof Frame] === value);
  return isSame && (payload === undefined || frame.payload.toString('latin1') === payload);
}

const SURVIVED = new Set<Expected['kind']>([
  'stream error',
  'response',
  'described',
  'held at',
  'ignored',
  'frames',
]);

/** The connection still works. */
async function judgeAfterwards(client: RawH2Client, isLast: boolean): Promise<void> {
  if (isLast) return;
  await client.ping('after---');
  client.grant(0, 1000);
  void client.send(get(AFTER.stream, { path: AFTER.path }));
  expect((await completeResponse(client, AFTER.stream)).status).toBe(200);
}

async function run(subject: Subject, row: ConformanceRow): Promise<void> {
  const { steps, expected, options } = row;
  const client = await subject.connect(row);
  const called = subject.called.length;
  if (options.isBare === undefined) await client.start(options.settings);
  for (const step of steps) await perform(client, step);
  await judge(client, expected);
  const { isLast = false, isBare = false } = options;
  if (SURVIVED.has(expected.kind)) await judgeAfterwards(client, isLast || isBare);
  if (options.isHidden) expect(subject.called.slice(called)).toEqual([]);
  expect(client.peerFaults).toEqual([]);
  client.close();
}

onEach(H2_CARRIERS, (carrier) => {
  const subject = new Subject(carrier);

  for (const row of conformanceRows) {
    test(`${row.rfc}: ${row.name}`, () => run(subject, row));
  }

  test('RFC 9113 6.5.2: the server says what it is ready for in its first frame', async () => {
    const client = await subject.connect(conformanceRows[0]!);
    void client.send(PREFACE, settingsFrame());
    expect((await client.next())?.type).toBe(TYPE.settings);
    expect(client.peerSettings.get(SETTING.maxConcurrentStreams)).toBe(100);
    expect(client.peerSettings.get(SETTING.enablePush) ?? 0).toBe(0);
    client.close();
  });

  afterAll(async () => expect(await subject.stop()).toEqual([]));
});

test('the rows have names of their own, and there are 300 at least', () => {
  const names = conformanceRows.map(({ rfc, name }) => `${rfc} ${name}`);
  expect(names.length).toBeGreaterThanOrEqual(300);
  expect(new Set(names).size).toBe(names.length);
});
