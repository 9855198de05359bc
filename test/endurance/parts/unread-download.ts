/**
 * Clients that ask for 1 GiB and never read: the application gets no further than the high-water mark and one chunk, its
 * `bufferedAmount` says so, and the server's memory stands still, for one client and for a hundred.
 */
import { RawClient } from '../../support/raw-client.ts';
import { CHUNK_BYTES } from '../app-state.ts';
import { mebibytes, type Finding, type Part } from '../part.ts';
import { Subject } from '../subject.ts';

const GIBIBYTE = 2 ** 30;
const HIGH_WATER_MARK = 65_536;
/** A chunk's framing, its size line and its end, and that of the one before it. */
const FRAMING = 32;
const MOST_BUFFERED = HIGH_WATER_MARK + CHUNK_BYTES + FRAMING;
const CLIENTS = 100;
/** Looks at the memory while nobody reads, and milliseconds in between. */
const LOOKS = 10;
const LOOK_INTERVAL = 500;
/** Of a connection with a request in hand, beside what it buffers: its objects, and what the allocator rounds up. */
const OVERHEAD = 32_768;
const MOST_GROWTH = 2 ** 20;

export const unreadDownload: Part = {
  name: 'unread',
  title: 'A streamed response of 1 GiB that the client never reads',
  async run({ cores }) {
    await using subject = await Subject.start(cores, '--write-timeout 0');
    const descriptors = subject.descriptors;
    const before = await subject.idleBytes();
    const first = await askFor(subject, 1);
    const one = await watch(subject);
    const others = await askFor(subject, CLIENTS - 1);
    const all = await watch(subject);
    for (const client of [...first, ...others]) client.close();
    const left = await subject.descriptorsBack(descriptors);
    const after = await subject.idleBytes();
    const { streams } = await subject.state();
    return [
      ...findings('one client', 1, one),
      ...findings(`${CLIENTS} clients`, CLIENTS, all),
      memoryFinding(one, all),
      {
        what: 'own memory before, with all, after',
        figure: [before, all.bytes.at(-1)!, after].map(mebibytes).join(', '),
      },
      { what: 'streams left in the application', figure: String(streams), bar: '0', holds: streams === 0 },
      {
        what: 'descriptors before → after',
        figure: `${descriptors} → ${left}`,
        bar: 'back',
        holds: left <= descriptors,
      },
    ];
  },
};

/** By the difference, as the first client also brings the code for all of them. */
function memoryFinding(one: Watched, all: Watched): Finding {
  const each = (all.bytes.at(-1)! - one.bytes.at(-1)!) / (CLIENTS - 1);
  const most = MOST_BUFFERED + OVERHEAD;
  return {
    what: 'own memory for each client more',
    figure: `${Math.round(each)} bytes`,
    bar: `≤ ${most}`,
    holds: each <= most,
  };
}

interface Watched {
  /** The most that waited for one client. */
  readonly buffered: number;
  readonly clients: number;
  /** Over time. */
  readonly bytes: readonly number[];
}

async function askFor(subject: Subject, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (let i = 0; i < count; i++) {
    const client = await RawClient.connect(subject.address);
    client.pause();
    await client.send(`GET /stream?${GIBIBYTE} HTTP/1.1\r\nhost: a\r\n\r\n`);
    clients.push(client);
  }
  return clients;
}

async function watch(subject: Subject): Promise<Watched> {
  const bytes = [await subject.idleBytes()];
  let buffered = 0;
  let clients = 0;
  for (let look = 0; look < LOOKS; look++) {
    await Bun.sleep(LOOK_INTERVAL);
    const state = await subject.state('?collect');
    clients = state.buffered.filter((amount) => amount > 0).length;
    buffered = Math.max(buffered, state.mostBuffered, ...state.buffered);
    bytes.push(subject.bytes);
  }
  return { buffered, clients, bytes };
}

function findings(who: string, count: number, { buffered, clients, bytes }: Watched): Finding[] {
  const growth = bytes.at(-1)! - bytes[0]!;
  return [
    {
      what: `${who}: most bytes that waited for one`,
      figure: `${buffered}, ${clients} waiting`,
      bar: `≤ ${MOST_BUFFERED}, ${count} waiting`,
      holds: buffered > 0 && buffered <= MOST_BUFFERED && clients === count,
    },
    {
      what: `${who}: growth in ${(LOOKS * LOOK_INTERVAL) / 1000} s`,
      figure: mebibytes(growth),
      bar: `≤ ${mebibytes(MOST_GROWTH)}`,
      holds: growth <= MOST_GROWTH,
    },
  ];
}
